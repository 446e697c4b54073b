/// The shape interpreter: every result's shape and element type, and every shape error in the user's words.
/// Messages are built only when thrown; building them early would cost more than the operations.
[<RequireQualifiedAccess>]
module Functional.Operations.Shapes

open Functional

/// An operation in a message that is perhaps never built: its name is made with it.
[<Struct>]
type internal Named(op: Op) =
    override _.ToString() = Facts.name op

let private failTypes op (a: DType) (b: DType) =
    invalidArg
        "dtype"
        $"{Facts.name op}: {a} and {b} do not mix; cast one of them (the library never promotes in silence)"

let inline private sameType op (a: Spec) (b: Spec) =
    if a.DType <> b.DType then
        failTypes op a.DType b.DType

let private requireIndex op (index: Spec) =
    match index.DType with
    | DType.Int32
    | DType.Int64 -> ()
    | _ -> invalidArg "dtype" $"{Facts.name op}: the index is {index.DType}; an index is Int32 or Int64"

let private requireFloat operation (x: Spec) =
    if not (x.DType.IsFloat()) then
        invalidArg "dtype" $"{operation}: defined for float types, not for {x.DType}; cast the tensor first"

let private floatsOf op (a: Spec) (b: Spec) =
    sameType op a b
    requireFloat (Facts.name op) a

let private requireAxis op (axis: int) (x: Spec) =
    if axis < 0 || axis >= x.Shape.Length then
        invalidShape (Facts.name op) $"axis {axis} does not exist in {x.Shape}"

let private requireAxes op (axes: int[]) (x: Spec) =
    for axis in axes do
        requireAxis op axis x

let private requireSame op (a: Spec) (b: Spec) =
    if not (Shape.same a.Shape b.Shape) then
        invalidShape (Facts.name op) $"shapes {a.Shape} and {b.Shape} must be equal"

let private requireEach op what (count: int) (x: Spec) =
    if count <> x.Shape.Length then
        invalidShape (Facts.name op) $"{count} {what} for the {x.Shape.Length} axes of {x.Shape}"

let private matmul op transA transB (a: Spec) (b: Spec) =
    sameType op a b
    let ra, rb = a.Shape.Length, b.Shape.Length

    if ra < 2 || rb < 2 then
        invalidShape
            (Facts.name op)
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

        invalidShape
            (Facts.name op)
            $"{a.Shape}{t transA} times {b.Shape}{t transB}: the inner sizes {k} and {k2} differ"

    if ra = 2 && rb = 2 then
        { a with Shape = Shape.possible "matmul" [| m; n |] }
    else
        let lead = Shape.broadcast "matmul" (Array.sub a.Shape 0 (ra - 2)) (Array.sub b.Shape 0 (rb - 2))
        { a with Shape = Array.append lead [| m; n |] |> Shape.possible "matmul" }

let private dense op (x: Spec) (w: Spec) (b: Spec) =
    sameType op x w
    sameType op x b

    if w.Shape.Length <> 2 || b.Shape.Length <> 1 || b.Shape[0] <> w.Shape[1] then
        invalidShape
            (Facts.name op)
            $"weights {w.Shape} with bias {b.Shape}: weights are [inputs, outputs], the bias is [outputs]"

    if x.Shape.Length < 2 then
        invalidShape (Facts.name op) $"the input {x.Shape} needs a batch axis: reshape one example to [1, {w.Shape[0]}]"

    let last = x.Shape.Length - 1

    if x.Shape[last] <> w.Shape[0] then
        invalidShape
            (Facts.name op)
            $"input has {x.Shape[last]} features, the weights expect {w.Shape[0]} (weights {w.Shape}, input {x.Shape})"

    {
        x with
            Shape = Shape.withAxis last w.Shape[1] x.Shape |> Shape.possible (Facts.name op)
    }

let private slice (x: Spec) (starts: int[]) (lengths: int[]) (steps: int[]) =
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

let private pad (x: Spec) (low: int[]) (high: int[]) (interior: int[]) =
    for i in 0 .. x.Shape.Length - 1 do
        if low[i] < 0 || high[i] < 0 || interior[i] < 0 then
            let between = if interior[i] = 0 then "" else $", {interior[i]} between elements"

            invalidShape
                "pad"
                $"{low[i]} before and {high[i]} behind axis {i} of {x.Shape}{between}; 0 or more can be added, slice takes away"

    x.Shape
    |> Array.mapi (fun i d -> int64 low[i] + int64 d + int64 (max 0 (d - 1)) * int64 interior[i] + int64 high[i])
    |> Shape.ofSizes "pad"

let private transpose op (permutation: int[]) (x: Spec) =
    requireEach op "places" permutation.Length x
    let mutable named = 0

    for axis in permutation do
        requireAxis op axis x
        named <- named ||| (1 <<< axis)

    if named <> (1 <<< x.Shape.Length) - 1 then
        invalidShape (Facts.name op) $"{permutation} does not name each axis of {x.Shape} once"

    { x with Shape = permutation |> Array.map (fun i -> x.Shape[i]) }

let private along op axis (x: Spec) (index: Spec) =
    requireIndex op index
    requireAxis op axis x

    let fits =
        x.Shape.Length = index.Shape.Length
        && Shape.same (Shape.withAxis axis 0 x.Shape) (Shape.withAxis axis 0 index.Shape)

    if not fits then
        invalidShape (Facts.name op) $"index {index.Shape} must have the shape of {x.Shape} but for axis {axis}"

/// The result's shape and element type; absent inputs are passed as default.
let infer (op: Op) (a: Spec) (b: Spec) (c: Spec) : Spec =
    match op with
    | Unary _
    | StopGradient -> a
    | Reverse axes ->
        requireAxes op axes a
        a
    | Cumulate(_, axis, _) ->
        requireAxis op axis a
        a
    | Binary _ ->
        sameType op a b

        if Shape.same a.Shape b.Shape then
            a
        else
            { a with Shape = Shape.broadcast (Named op) a.Shape b.Shape }
    | Compare _ ->
        sameType op a b
        { Shape = Shape.broadcast (Named op) a.Shape b.Shape; DType = DType.Bool }
    | Select ->
        sameType op b c

        if a.DType <> DType.Bool then
            invalidArg "dtype" $"where: the mask is {a.DType}; it must be Bool (compare something to get one)"

        {
            b with
                Shape = Shape.broadcast "where" a.Shape (Shape.broadcast "where" b.Shape c.Shape)
        }
    | Cast t -> { a with DType = t }
    | AddScaled _ ->
        floatsOf op a b
        requireSame op a b
        a
    | MatMul(ta, tb) -> matmul op ta tb a b
    | Dense -> dense op a b c
    | Conv k ->
        floatsOf op a b
        { a with Shape = Windows.conv (Facts.name op) k a.Shape b.Shape }
    | ConvBias k ->
        floatsOf op a b
        sameType op a c
        let y = Windows.conv (Facts.name op) k a.Shape b.Shape

        if c.Shape.Length <> 1 || c.Shape[0] <> y[y.Length - 1] then
            invalidShape
                (Facts.name op)
                $"the bias {c.Shape} must be a vector of {y[y.Length - 1]} features (kernel {b.Shape})"

        { a with Shape = y }
    | ConvInput(k, space) ->
        floatsOf op a b
        { a with Shape = Windows.convInput (Facts.name op) k space a.Shape b.Shape }
    | ConvKernel(k, window) ->
        floatsOf op a b
        { a with Shape = Windows.convKernel (Facts.name op) k window a.Shape b.Shape }
    | MaxPool w ->
        requireFloat (Facts.name op) a
        { a with Shape = Windows.pool (Facts.name op) w a.Shape }
    | MaxPoolPick w ->
        floatsOf op a b
        requireSame op a b
        { a with Shape = Windows.pool (Facts.name op) w b.Shape }
    | MaxPoolPlace w ->
        floatsOf op a b
        let y = Windows.pool (Facts.name op) w b.Shape

        if not (Shape.same a.Shape y) then
            invalidShape (Facts.name op) $"{a.Shape} is not the result of pooling {b.Shape}, which is {y}"

        b
    | SumProduct(axes, keep) ->
        sameType op a b
        requireSame op a b
        requireAxes op axes a
        { a with Shape = Shape.reduce axes keep a.Shape }
    | Reduce(_, axes, keep) ->
        requireAxes op axes a
        { a with Shape = Shape.reduce axes keep a.Shape }
    | ArgReduce(_, axis) ->
        requireAxis op axis a

        if a.Shape[axis] = 0 then
            invalidShape (Facts.name op) $"{a.Shape} is empty along axis {axis}"

        { Shape = Shape.reduce [| axis |] false a.Shape; DType = DType.Int32 }
    | Softmax axis ->
        requireFloat "softmax" a
        requireAxis op axis a
        a
    | SoftmaxScale axis ->
        floatsOf op a b
        requireSame op a b
        requireAxis op axis a
        a
    | Broadcast s ->
        Shape.possible "broadcastTo" s |> ignore

        if not (Shape.same (Shape.broadcast "broadcastTo" a.Shape s) s) then
            invalidShape "broadcastTo" $"{a.Shape} does not broadcast to {s}"

        { a with Shape = s }
    | Reshape s ->
        Shape.possible "reshape" s |> ignore

        if Shape.size s <> Shape.size a.Shape then
            invalidShape "reshape" $"{a.Shape} has {Shape.size a.Shape} elements, {s} would have {Shape.size s}"

        { a with Shape = s }
    | Transpose p -> transpose op p a
    | Slice(starts, lengths, steps) -> slice a starts lengths steps
    | Pad(low, high, interior) ->
        requireEach op "widths" low.Length a
        { a with Shape = pad a low high interior }
    | Gather axis ->
        requireIndex op b
        requireAxis op axis a

        {
            a with
                Shape =
                    Array.concat [ a.Shape[.. axis - 1]; b.Shape; a.Shape[axis + 1 ..] ] |> Shape.possible (Named op)
        }
    | ScatterAdd(axis, size) ->
        requireIndex op b
        let places = b.Shape.Length

        if
            axis < 0
            || axis + places > a.Shape.Length
            || not (Shape.same a.Shape[axis .. axis + places - 1] b.Shape)
        then
            invalidShape (Facts.name op) $"updates {a.Shape} must have the index' shape {b.Shape} from axis {axis} on"

        {
            a with
                Shape =
                    Array.concat [ a.Shape[.. axis - 1]; [| size |]; a.Shape[axis + places ..] ]
                    |> Shape.possible (Named op)
        }
    | GatherAlong axis ->
        along op axis a b
        { a with Shape = b.Shape }
    | ScatterAlong(axis, size) ->
        requireIndex op b

        requireAxis op axis a

        if not (Shape.same a.Shape b.Shape) then
            invalidShape (Facts.name op) $"updates {a.Shape} and index {b.Shape} must have one shape"

        { a with Shape = Shape.withAxis axis size a.Shape |> Shape.possible (Named op) }
    | ArgSort(axis, _, count) ->
        requireAxis op axis a

        if count < 0 || count > a.Shape[axis] then
            invalidShape "argsort" $"the first {count} were asked for, axis {axis} of {a.Shape} has {a.Shape[axis]}"

        { Shape = Shape.withAxis axis count a.Shape; DType = DType.Int32 }
    | Random(_, shape, t) ->
        if a.DType <> DType.Int64 then
            invalidArg "key" $"random: the key is {a.DType}; make one with Key.create"

        { Shape = Array.append a.Shape shape |> Shape.possible "random"; DType = t }

let private square operation (x: Spec) =
    let r = x.Shape.Length
    requireFloat operation x

    if r < 2 || x.Shape[r - 1] <> x.Shape[r - 2] then
        invalidShape operation $"needs a square matrix in the last two axes, got {x.Shape}"

let private solve operation (a: Spec) (b: Spec) =
    square operation a
    let ra, rb = a.Shape.Length, b.Shape.Length

    if a.DType <> b.DType then
        invalidArg "dtype" $"{operation}: {a.DType} and {b.DType} do not mix; cast one of them"

    if
        rb <> ra
        || b.Shape[rb - 2] <> a.Shape[ra - 1]
        || not (Shape.same a.Shape[.. ra - 3] b.Shape[.. rb - 3])
    then
        invalidShape
            operation
            $"the matrix {a.Shape} needs a right-hand side of {a.Shape[ra - 1]} rows and the same leading axes, got {b.Shape}"

    b

let private linear (op: LinearAlgebra) (onFailure: OnFailure) (xs: Spec[]) : Spec[] =
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

/// The results' shapes and element types.
let inferMany (op: ManyOp) (xs: Spec[]) : Spec[] =
    let requireAxis operation axis (x: Spec) =
        if axis < 0 || axis >= x.Shape.Length then
            invalidShape operation $"axis {axis} does not exist in {x.Shape}"

    match op with
    | Concat axis ->
        requireAxis "concat" axis xs[0]

        for x in xs do
            if x.DType <> xs[0].DType then
                invalidArg "dtype" $"concat: {xs[0].DType} and {x.DType} do not mix; cast one of them"

            if
                x.Shape.Length <> xs[0].Shape.Length
                || not (Shape.same (Shape.withAxis axis 0 x.Shape) (Shape.withAxis axis 0 xs[0].Shape))
            then
                invalidShape
                    "concat"
                    $"{xs[0].Shape} and {x.Shape} differ in more than axis {axis}, along which they are joined"

        [|
            {
                xs[0] with
                    Shape =
                        let total = xs |> Array.sumBy (fun x -> int64 x.Shape[axis])

                        xs[0].Shape
                        |> Array.mapi (fun i d -> if i = axis then total else int64 d)
                        |> Shape.ofSizes "concat"
            }
        |]
    | Split(axis, sizes) ->
        let x = xs[0]
        requireAxis "split" axis x

        if Array.exists (fun n -> n < 0) sizes || Array.sumBy int64 sizes <> int64 x.Shape[axis] then
            invalidShape
                "split"
                $"pieces of {Shape.list sizes} do not add up to axis {axis} of {x.Shape}; each is 0 or more"

        sizes |> Array.map (fun n -> { x with Shape = Shape.withAxis axis n x.Shape })
    | Linear(op, onFailure) -> linear op onFailure xs
    | Scan s ->
        s.Body.OutputSpecs
        |> Array.mapi (fun i y ->
            if i < s.Carry then
                y
            else
                { y with Shape = Array.append [| s.Length |] y.Shape |> Shape.possible "scan" })
    | Cond(whenTrue, _) -> whenTrue.OutputSpecs
    | While w -> w.Body.OutputSpecs
    | Call p -> p.Graph.OutputSpecs
    | Custom e -> e.Infer xs
