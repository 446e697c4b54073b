/// What the shape interpreter asks of operands, and the rules of operations that have more to say than a line.
/// Messages are built only when thrown; building them early would cost more than the operations.
module internal Functional.Operations.ShapeRules

open Functional

let failTypes (name: 'Name) (a: DType) (b: DType) =
    invalidArg "dtype" $"{name}: {a} and {b} do not mix; cast one of them (the library never promotes in silence)"

let inline sameType (name: 'Name) (a: Spec) (b: Spec) =
    if a.DType <> b.DType then
        failTypes name a.DType b.DType

let requireIndex (name: 'Name) (index: Spec) =
    match index.DType with
    | DType.Int32
    | DType.Int64 -> ()
    | _ -> invalidArg "dtype" $"{name}: the index is {index.DType}; an index is Int32 or Int64"

let requireFloat (name: 'Name) (x: Spec) =
    if not (x.DType.IsFloat()) then
        invalidArg "dtype" $"{name}: defined for float types, not for {x.DType}; cast the tensor first"

let floatsOf (name: 'Name) (a: Spec) (b: Spec) =
    sameType name a b
    requireFloat name a

let requireAxis (name: 'Name) (axis: int) (x: Spec) =
    if axis < 0 || axis >= x.Shape.Length then
        invalidShape name $"axis {axis} does not exist in {x.Shape}"

let requireAxes (name: 'Name) (axes: int[]) (x: Spec) =
    for axis in axes do
        requireAxis name axis x

let requireSame (name: 'Name) (a: Spec) (b: Spec) =
    if not (Shape.same a.Shape b.Shape) then
        invalidShape name $"shapes {a.Shape} and {b.Shape} must be equal"

let requireEach (name: 'Name) what (count: int) (x: Spec) =
    if count <> x.Shape.Length then
        invalidShape name $"{count} {what} for the {x.Shape.Length} axes of {x.Shape}"

let matmul (name: 'Name) transA transB (a: Spec) (b: Spec) =
    sameType name a b
    let ra, rb = a.Shape.Length, b.Shape.Length

    if ra < 2 || rb < 2 then
        invalidShape
            name
            $"{a.Shape} times {b.Shape}: both need at least two axes; reshape a vector to a row [1, n] or a column [n, 1]"

    let m, k =
        if transA then
            a.Shape[ra - 1], a.Shape[ra - 2]
        else
            a.Shape[ra - 2], a.Shape[ra - 1]

    let k2, n =
        if transB then
            b.Shape[rb - 1], b.Shape[rb - 2]
        else
            b.Shape[rb - 2], b.Shape[rb - 1]

    if k <> k2 then
        let t transposed = if transposed then " transposed" else ""

        invalidShape name $"{a.Shape}{t transA} times {b.Shape}{t transB}: the inner sizes {k} and {k2} differ"

    if ra = 2 && rb = 2 then
        { a with Shape = Shape.possible "matmul" [| m; n |] }
    else
        let lead = Shape.broadcast "matmul" (Array.sub a.Shape 0 (ra - 2)) (Array.sub b.Shape 0 (rb - 2))
        { a with Shape = Array.append lead [| m; n |] |> Shape.possible "matmul" }

let dense (name: 'Name) (x: Spec) (w: Spec) (b: Spec) =
    sameType name x w
    sameType name x b

    if w.Shape.Length <> 2 || b.Shape.Length <> 1 || b.Shape[0] <> w.Shape[1] then
        invalidShape name $"weights {w.Shape} with bias {b.Shape}: weights are [inputs, outputs], the bias is [outputs]"

    if x.Shape.Length < 2 then
        invalidShape name $"the input {x.Shape} needs a batch axis: reshape one example to [1, {w.Shape[0]}]"

    let last = x.Shape.Length - 1

    if x.Shape[last] <> w.Shape[0] then
        invalidShape
            name
            $"input has {x.Shape[last]} features, the weights expect {w.Shape[0]} (weights {w.Shape}, input {x.Shape})"

    { x with Shape = Shape.withAxis last w.Shape[1] x.Shape |> Shape.possible name }

let slice (x: Spec) (starts: int[]) (lengths: int[]) (steps: int[]) =
    if starts.Length <> x.Shape.Length || lengths.Length <> starts.Length || steps.Length <> starts.Length then
        invalidShape
            "slice"
            $"{starts.Length} starts, {lengths.Length} lengths and {steps.Length} steps for the {x.Shape.Length} axes of {x.Shape}"

    for i in 0 .. starts.Length - 1 do
        let last = int64 starts[i] + (int64 lengths[i] - 1L) * int64 steps[i]

        if lengths[i] < 0 || steps[i] < 1 then
            invalidArg
                "range"
                $"slice: {lengths[i]} places in steps of {steps[i]} along axis {i}; a length is 0 or more, a step 1 or more"

        if starts[i] < 0 || starts[i] > x.Shape[i] || (lengths[i] > 0 && last >= int64 x.Shape[i]) then
            invalidShape "slice" $"{starts[i]}..{steps[i]}..{last} is outside axis {i} of size {x.Shape[i]} ({x.Shape})"

    { x with Shape = lengths }

let pad (x: Spec) (low: int[]) (high: int[]) (interior: int[]) =
    for i in 0 .. x.Shape.Length - 1 do
        if low[i] < 0 || high[i] < 0 || interior[i] < 0 then
            let between = if interior[i] = 0 then "" else $", {interior[i]} between elements"

            invalidShape
                "pad"
                $"{low[i]} before and {high[i]} behind axis {i} of {x.Shape}{between}; 0 or more can be added, slice takes away"

    x.Shape
    |> Array.mapi (fun i d -> int64 low[i] + int64 d + int64 (max 0 (d - 1)) * int64 interior[i] + int64 high[i])
    |> Shape.ofSizes "pad"

let transpose (name: 'Name) (permutation: int[]) (x: Spec) =
    requireEach name "places" permutation.Length x
    let mutable named = 0

    for axis in permutation do
        requireAxis name axis x
        named <- named ||| (1 <<< axis)

    if named <> (1 <<< x.Shape.Length) - 1 then
        invalidShape name $"{permutation} does not name each axis of {x.Shape} once"

    { x with Shape = permutation |> Array.map (fun i -> x.Shape[i]) }

let along (name: 'Name) axis (x: Spec) (index: Spec) =
    requireIndex name index
    requireAxis name axis x

    let fits =
        x.Shape.Length = index.Shape.Length
        && Shape.same (Shape.withAxis axis 0 x.Shape) (Shape.withAxis axis 0 index.Shape)

    if not fits then
        invalidShape name $"index {index.Shape} must have the shape of {x.Shape} but for axis {axis}"

let square (name: 'Name) (x: Spec) =
    let r = x.Shape.Length
    requireFloat name x

    if r < 2 || x.Shape[r - 1] <> x.Shape[r - 2] then
        invalidShape name $"needs a square matrix in the last two axes, got {x.Shape}"

let solve (name: 'Name) (a: Spec) (b: Spec) =
    square name a
    let ra, rb = a.Shape.Length, b.Shape.Length

    if a.DType <> b.DType then
        invalidArg "dtype" $"{name}: {a.DType} and {b.DType} do not mix; cast one of them"

    if
        rb <> ra
        || b.Shape[rb - 2] <> a.Shape[ra - 1]
        || not (Shape.same a.Shape[.. ra - 3] b.Shape[.. rb - 3])
    then
        invalidShape
            name
            $"the matrix {a.Shape} needs a right-hand side of {a.Shape[ra - 1]} rows and the same leading axes, got {b.Shape}"

    b

let linear (op: LinearAlgebra) (onFailure: OnFailure) (xs: Spec[]) : Spec[] =
    let a = xs[0]
    let r = a.Shape.Length
    let name = Facts.linearName op onFailure

    match op with
    | Solve
    | TriangularSolve _ -> [| solve name a xs[1] |]
    | Cholesky
    | Adjugate ->
        square name a
        [| a |]
    | Determinant ->
        square name a
        [| { a with Shape = a.Shape[.. r - 3] } |]
    | SignLogDeterminant ->
        square name a
        [| { a with Shape = a.Shape[.. r - 3] }; { a with Shape = a.Shape[.. r - 3] } |]
    | SymmetricEigen ->
        square name a
        [| { a with Shape = a.Shape[.. r - 2] }; a |]
    | Qr
    | Svd ->
        requireFloat name a

        if r < 2 then
            invalidShape name $"needs a matrix in the last two axes, got {a.Shape}"

        let lead, m, n = a.Shape[.. r - 3], a.Shape[r - 2], a.Shape[r - 1]
        let k = min m n
        let matrix rows columns = { a with Shape = Array.append lead [| rows; columns |] }

        if op = Qr then
            if m < n then
                invalidShape name $"needs at least as many rows as columns, got {a.Shape}"

            [| matrix m n; matrix n n |]
        else
            [| matrix m k; { a with Shape = Array.append lead [| k |] }; matrix k n |]
