/// A generator for every primitive, by name; the names are those of the cases of `Op`, `ManyOp` and of the enumerations
/// inside them ("Unary.Exp"). A case without one fails the suite: see `missing`. To add a primitive, add its line here
/// and its definition to ComplexArrays.
module Functional.Tests.Judges.Primitives

open System
open FsCheck
open FsCheck.FSharp
open Microsoft.FSharp.Reflection
open Functional
open Functional.Operations
open Functional.Levels
open Functional.Tracing
open Functional.Tests.Judges.Samples

// ---- elementwise

let private unary (u: Unary) (values: int[] -> Gen<Tensor>) =
    gen {
        let! shape = anyShape
        return ofOp (Unary u) (all [ values shape ]) [ u <> Unary.Not ]
    }

let private unaries: (Unary * Gen<Sample>) list = [
    for u, values in
        [
            Unary.Neg, between -3.0 3.0
            Unary.Abs, awayFromZero 0.2 3.0
            Unary.Sign, awayFromZero 0.2 3.0
            Unary.Exp, between -2.0 2.0
            Unary.Expm1, between -1.5 2.0
            Unary.Log, between 0.3 4.0
            Unary.Log1p, between -0.6 3.0
            Unary.Sqrt, between 0.3 4.0
            Unary.Rsqrt, between 0.3 4.0
            Unary.Square, between -3.0 3.0
            Unary.Reciprocal, awayFromZero 0.4 3.0
            Unary.Sin, between -4.0 4.0
            Unary.Cos, between -4.0 4.0
            Unary.Tan, between -1.2 1.2
            Unary.Asin, between -0.8 0.8
            Unary.Acos, between -0.8 0.8
            Unary.Atan, between -3.0 3.0
            Unary.Sinh, between -2.0 2.0
            Unary.Cosh, between -2.0 2.0
            Unary.Tanh, between -2.0 2.0
            Unary.Asinh, between -3.0 3.0
            Unary.Acosh, between 1.3 4.0
            Unary.Atanh, between -0.8 0.8
            Unary.Sigmoid, between -4.0 4.0
            Unary.Softplus, between -4.0 4.0
            Unary.Relu, awayFromZero 0.2 3.0
            Unary.Erf, between -2.0 2.0
            Unary.Erfc, between -2.0 2.0
            Unary.Floor, awayFromSteps
            Unary.Ceil, awayFromSteps
            Unary.Round, awayFromSteps
            Unary.Not, truths
        ] -> u, unary u values
]

let private pair (op: Op) (first: int[] -> Gen<Tensor>) (second: int[] -> Gen<Tensor>) varied linear =
    gen {
        let! shapes = meetingShapes 2
        return ofOp op (all [ first shapes[0]; second shapes[1] ]) varied |> linearIn linear
    }

/// Values that are never close to those of `odd`.
let private even (shape: int[]) =
    tensorBy shape (fun random _ -> 0.4 * float (random.Next(-5, 6)) + 0.05 * random.NextDouble())

let private odd (shape: int[]) =
    tensorBy shape (fun random _ -> 0.4 * float (random.Next(-5, 6)) + 0.2 + 0.05 * random.NextDouble())

/// Dividends whose quotient by `divisor` is far from whole.
let private dividend (shape: int[]) =
    tensorBy shape (fun random _ -> float (random.Next(-4, 5)) + 0.45 + 0.1 * random.NextDouble())

let private divisor (shape: int[]) =
    tensorBy shape (fun random _ ->
        float (Array.item (random.Next 4) [| -2; -1; 1; 2 |]) * (1.0 + 0.01 * random.NextDouble()))

let private number = between -3.0 3.0

let private binaries: (Binary * Gen<Sample>) list = [
    for o, first, second, varied, linear in
        [
            Binary.Add, number, number, true, []
            Binary.Sub, number, number, true, []
            Binary.Mul, number, number, true, [ 0; 1 ]
            Binary.Div, number, awayFromZero 0.4 3.0, true, [ 0 ]
            Binary.Pow, between 0.3 3.0, between -2.0 3.0, true, []
            Binary.Atan2, awayFromZero 0.3 3.0, awayFromZero 0.3 3.0, true, []
            Binary.Max, even, odd, true, []
            Binary.Min, even, odd, true, []
            Binary.Rem, dividend, divisor, true, []
            Binary.And, truths, truths, false, []
            Binary.Or, truths, truths, false, []
            Binary.Xor, truths, truths, false, []
            Binary.TanhScale, number, between -0.9 0.9, true, [ 0 ]
            Binary.SigmoidScale, number, between 0.1 0.9, true, [ 0 ]
            Binary.ReluScale, number, awayFromZero 0.2 2.0, true, [ 0 ]
        ] -> o, pair (Binary o) first second [ varied; varied ] linear
]

let private comparison (c: Comparison) =
    gen {
        // equal numbers occur: both operands are drawn from a few
        let few (shape: int[]) = tensorBy shape (fun random _ -> float (random.Next 3))
        return! pair (Compare c) few few [ false; false ] []
    }

let private select =
    gen {
        let! shapes = meetingShapes 3
        return ofOp Select (all [ truths shapes[0]; number shapes[1]; number shapes[2] ]) [ false; true; true ]
    }

let private cast =
    gen {
        let! shape = anyShape
        let! target = Gen.elements [ DType.Float64; DType.Int32; DType.Int64; DType.Bool ]

        return
            ofOp (Cast target) (all [ awayFromSteps shape ]) [ target.IsFloat() ]
            |> linearIn (if target.IsFloat() then [ 0 ] else [])
    }

let private stopGradient =
    gen {
        let! shape = anyShape
        return { ofOp StopGradient (all [ number shape ]) [ true ] with Differences = false }
    }

let private addScaled =
    gen {
        let! shape = anyShape
        return ofOp (AddScaled 0.7) (all [ number shape; number shape ]) [ true; true ]
    }

// ---- products and reductions

let private matMul =
    gen {
        let! lead = Gen.frequency [ 2, Gen.constant [||]; 1, shapeOfRank 1 2 ]
        let! leadA = partOf lead
        let! leadB = partOf lead
        let! m = axisSize
        let! k = axisSize
        let! n = axisSize
        let! ta = Gen.elements [ true; false ]
        let! tb = Gen.elements [ true; false ]
        let a = Array.append leadA (if ta then [| k; m |] else [| m; k |])
        let b = Array.append leadB (if tb then [| n; k |] else [| k; n |])
        return ofOp (MatMul(ta, tb)) (all [ number a; number b ]) [ true; true ] |> linearIn [ 0; 1 ]
    }

let private dense =
    gen {
        let! lead = shapeOfRank 1 2
        let! k = axisSize
        let! n = axisSize
        let draw = all [ number (Array.append lead [| k |]); number [| k; n |]; number [| n |] ]
        return ofOp Dense draw [ true; true; true ]
    }

let private sumProduct =
    gen {
        let! shape = anyShape
        let! axes = someAxes shape.Length
        let! keep = Gen.elements [ true; false ]

        return
            ofOp (SumProduct(axes, keep)) (all [ number shape; number shape ]) [ true; true ]
            |> linearIn [ 0; 1 ]
    }

let private reduce (r: Reduction) =
    gen {
        let isExtreme = r = Reduction.Max || r = Reduction.Min
        let! shape = if isExtreme then fullShape 0 4 else anyShape
        let! axes = someAxes shape.Length
        let! keep = Gen.elements [ true; false ]

        let withZeros (shape: int[]) =
            tensorBy shape (fun random _ -> if random.Next 4 = 0 then 0.0 else 2.0 * random.NextDouble() - 1.0)

        let values =
            match r with
            | Reduction.Sum
            | Reduction.LogSumExp -> number shape
            | Reduction.Prod -> withZeros shape
            | Reduction.Max
            | Reduction.Min -> distinct shape

        // log Σ over nothing is −∞, and differences of it are not numbers
        let finite = r <> Reduction.LogSumExp || Shape.size shape > 0
        let s = ofOp (Reduce(r, axes, keep)) (all [ values ]) [ true ]
        return { s with Differences = finite } |> linearIn (if r = Reduction.Sum then [ 0 ] else [])
    }

/// A shape with an axis of it that has at least `least` places.
let private shapeWithAxis least =
    gen {
        let! shape = shapeOfRank 1 4 |> Gen.filter (Array.exists (fun d -> d >= least))

        let! axis =
            Gen.elements [
                for i in 0 .. shape.Length - 1 do
                    if shape[i] >= least then
                        i
            ]

        return shape, axis
    }

let private argReduce (r: ArgReduction) =
    gen {
        let! shape, axis = shapeWithAxis 1
        return ofOp (ArgReduce(r, axis)) (all [ distinct shape ]) [ false ]
    }

let private cumulate (c: Cumulation) =
    gen {
        let! shape, axis = shapeWithAxis 0
        let! fromEnd = Gen.elements [ true; false ]

        let values =
            tensorBy shape (fun random _ -> if random.Next 5 = 0 then 0.0 else 3.0 * random.NextDouble() - 1.5)

        return
            ofOp (Cumulate(c, axis, fromEnd)) (all [ values ]) [ true ]
            |> linearIn (if c = Cumulation.Sum then [ 0 ] else [])
    }

let private softmax =
    gen {
        let! shape, axis = shapeWithAxis 0
        return ofOp (Softmax axis) (all [ number shape ]) [ true ]
    }

let private softmaxScale =
    gen {
        let! shape, axis = shapeWithAxis 0

        return
            ofOp (SoftmaxScale axis) (all [ number shape; between 0.1 0.9 shape ]) [ true; true ]
            |> linearIn [ 0 ]
    }

// ---- convolution and pooling

/// Axes of space for a window: strides, dilations, paddings, the window's size and the image's, which it fits.
let private windowAxes =
    gen {
        let! axes = Gen.frequency [ 3, Gen.constant 1; 4, Gen.constant 2; 1, Gen.constant 3 ]
        let many low high = Gen.arrayOfLength axes (Gen.choose (low, high))
        let! strides = many 1 3
        let! dilations = many 1 2
        let! size = if axes = 3 then many 1 2 else many 1 3
        let! low = many 0 2
        let! high = many 0 2
        let! extra = many 0 3
        let reach = Array.map2 (fun n d -> (n - 1) * d + 1) size dilations
        let space = Array.init axes (fun i -> max 1 (reach[i] - low[i] - high[i] + extra[i]))
        return strides, dilations, size, low, high, space
    }

let private convolution =
    gen {
        let! strides, dilations, window, low, high, space = windowAxes
        let! groups = Gen.frequency [ 3, Gen.constant 1; 1, Gen.constant 2; 1, Gen.constant 3 ]
        let! channels = Gen.choose (1, 2)
        let! features = Gen.choose (1, 2)
        let! examples = Gen.frequency [ 4, Gen.choose (1, 2); 1, Gen.constant 0 ]

        let c: Convolution = {
            Strides = strides
            Dilations = dilations
            Low = low
            High = high
            Groups = groups
        }

        let outputs = ComplexWindows.windows strides dilations low high space window
        let x = Array.concat [ [| examples |]; space; [| groups * channels |] ]
        let w = Array.append window [| channels; groups * features |]
        let y = Array.concat [ [| examples |]; outputs; [| groups * features |] ]
        return c, space, window, x, w, y
    }

let private conv =
    gen {
        let! c, _, _, x, w, _ = convolution
        return ofOp (Conv c) (all [ number x; number w ]) [ true; true ] |> linearIn [ 0; 1 ]
    }

let private convBias =
    gen {
        let! c, _, _, x, w, _ = convolution
        return ofOp (ConvBias c) (all [ number x; number w; number [| Array.last w |] ]) [ true; true; true ]
    }

let private convInput =
    gen {
        let! c, space, _, _, w, y = convolution
        return ofOp (ConvInput(c, space)) (all [ number y; number w ]) [ true; true ] |> linearIn [ 0; 1 ]
    }

let private convKernel =
    gen {
        let! c, _, window, x, _, y = convolution
        return ofOp (ConvKernel(c, window)) (all [ number x; number y ]) [ true; true ] |> linearIn [ 0; 1 ]
    }

let private pooling =
    gen {
        let! strides, dilations, size, low, high, space = windowAxes
        let! channels = Gen.choose (1, 3)
        // no window lies in the padding altogether, nor a small image between the places of a dilated one
        let dilations =
            if Array.forall2 (fun n d -> n >= d) space dilations then
                dilations
            else
                Array.create size.Length 1

        let within (padding: int[]) = Array.init size.Length (fun i -> min padding[i] ((size[i] - 1) * dilations[i]))
        let low', high' = within low, within high
        let space = Array.init size.Length (fun i -> space[i] + low[i] - low'[i] + high[i] - high'[i])

        let w: Window = {
            Size = size
            Strides = strides
            Dilations = dilations
            Low = low'
            High = high'
        }

        let outputs = ComplexWindows.windows strides dilations low' high' space size
        let! examples = Gen.choose (1, 2)

        return
            w,
            Array.concat [ [| examples |]; space; [| channels |] ],
            Array.concat [ [| examples |]; outputs; [| channels |] ]
    }

let private maxPool =
    gen {
        let! w, x, _ = pooling
        return ofOp (MaxPool w) (all [ distinct x ]) [ true ]
    }

let private maxPoolPick =
    gen {
        let! w, x, _ = pooling
        return ofOp (MaxPoolPick w) (all [ number x; distinct x ]) [ true; true ] |> linearIn [ 0 ]
    }

let private maxPoolPlace =
    gen {
        let! w, x, y = pooling
        return ofOp (MaxPoolPlace w) (all [ number y; distinct x ]) [ true; true ] |> linearIn [ 0 ]
    }

// ---- moving elements

let private moved op (shape: int[]) = ofOp op (all [ number shape ]) [ true ] |> linearIn [ 0 ]

let private broadcast =
    gen {
        let! whole = anyShape
        let! part = partOf whole
        return moved (Broadcast whole) part
    }

let private reshape =
    gen {
        let! shape = anyShape
        let! order = Gen.shuffle shape
        let! form = Gen.elements [ order; [| Shape.size shape |]; Array.append [| 1 |] order ]
        return moved (Reshape form) shape
    }

let private transpose =
    gen {
        let! shape = anyShape
        let! permutation = Gen.shuffle [| 0 .. shape.Length - 1 |]
        return moved (Transpose permutation) shape
    }

let private slice =
    gen {
        let! shape = anyShape

        let! ranges =
            shape
            |> Array.map (fun d ->
                gen {
                    let! start = Gen.choose (0, max 0 (d - 1))
                    let! step = Gen.choose (1, 3)
                    let room = if d = 0 then 0 else (d - start + step - 1) / step
                    let! length = Gen.choose (0, room)
                    return start, length, step
                })
            |> Gen.sequenceToArray

        let starts, lengths, steps = Array.unzip3 ranges
        return moved (Slice(starts, lengths, steps)) shape
    }

let private pad =
    gen {
        let! shape = anyShape
        let some = Gen.arrayOfLength shape.Length (Gen.choose (0, 2))
        let! low = some
        let! high = some
        let! interior = some
        return moved (Pad(low, high, interior)) shape
    }

let private reverse =
    gen {
        let! shape = anyShape
        let! axes = someAxes shape.Length
        return moved (Reverse axes) shape
    }

let private indexed op (x: int[]) (size: int) (index: int[]) =
    ofOp op (all [ number x; places size index ]) [ true; false ] |> linearIn [ 0 ]

let private gather =
    gen {
        let! shape, axis = shapeWithAxis 1
        let! index = shapeOfRank 0 2
        return indexed (Gather axis) shape shape[axis] index
    }

let private scatterAdd =
    gen {
        let! pre = shapeOfRank 0 1
        let! post = shapeOfRank 0 1
        let! index = shapeOfRank 0 2
        let! size = Gen.choose (1, 4)
        return indexed (ScatterAdd(pre.Length, size)) (Array.concat [ pre; index; post ]) size index
    }

let private gatherAlong =
    gen {
        let! shape, axis = shapeWithAxis 1
        let! count = axisSize
        return indexed (GatherAlong axis) shape shape[axis] (Array.updateAt axis count shape)
    }

let private scatterAlong =
    gen {
        let! shape, axis = shapeWithAxis 0
        let! size = Gen.choose (1, 4)
        return indexed (ScatterAlong(axis, size)) shape size shape
    }

let private argSort =
    gen {
        let! shape, axis = shapeWithAxis 0
        let! descending = Gen.elements [ true; false ]
        let! count = Gen.choose (0, shape[axis])
        return ofOp (ArgSort(axis, descending, count)) (all [ distinct shape ]) [ false ]
    }

let private random (d: Distribution) =
    gen {
        let! shape = anyShape
        let! keys = shapeOfRank 0 1
        let dtype = if d = Distribution.Bits then DType.Int64 else DType.Float64
        let key = Gen.choose (0, Int32.MaxValue - 1) |> Gen.map int64
        let draw = Gen.arrayOfLength (Shape.size keys) key |> Gen.map (fun k -> [| Tensor.create keys k |])
        return { ofOp (Random(d, shape, dtype)) draw [ false ] with Complex = false }
    }

// ---- linear algebra

let private leadingAxes =
    Gen.frequency [ 3, Gen.constant [||]; 1, Gen.constant [| 2 |]; 1, Gen.constant [| 0 |] ]

let private perMatrix lead rows columns (value: System.Random -> float[,]) =
    Gen.choose (0, Int32.MaxValue - 1)
    |> Gen.map (fun seed ->
        let random = System.Random seed

        let elements =
            Array.init (Shape.size lead) (fun _ -> value random |> Seq.cast<float> |> Array.ofSeq)
            |> Array.concat

        Tensor.create (Array.append lead [| rows; columns |]) elements)

let private uniform (random: System.Random) = 2.0 * random.NextDouble() - 1.0

/// Well conditioned: its diagonal outweighs the rest.
let private dominant n (random: System.Random) =
    Array2D.init n n (fun i j -> uniform random + (if i = j then float n + 1.0 else 0.0))

/// Of rank n − 1: its last row is a sum of the others.
let private singular n (random: System.Random) =
    let a = dominant n random

    Array2D.init n n (fun i j ->
        if i < n - 1 then
            a[i, j]
        else
            Seq.sumBy (fun k -> 0.5 * a[k, j]) (seq { 0 .. n - 2 }))

let private symmetrized (a: Tensor) =
    (a + Tensor.Bind(Transpose [| yield! [ 0 .. a.Rank - 3 ]; a.Rank - 1; a.Rank - 2 |], a)) * 0.5

/// Symmetric with eigenvalues far apart.
let private spread n (random: System.Random) =
    let a =
        Array2D.init n n (fun i j -> 0.3 * uniform random + (if i = j then 1.0 + 1.5 * float i else 0.0))

    Array2D.init n n (fun i j -> 0.5 * (a[i, j] + a[j, i]))

/// Singular values far apart.
let private tall rows columns (random: System.Random) =
    Array2D.init rows columns (fun i j -> 0.3 * uniform random + (if i = j then 1.0 + 1.5 * float i else 0.0))

/// vᵀ·v of every row v, one matrix each: what is left of vectors whose sign is free.
let private projections (vectors: Tensor) = expandDims -1 vectors * expandDims -2 vectors

let private linearAlgebra (op: LinearAlgebra) =
    gen {
        let! lead = leadingAxes
        let! n = Gen.choose (1, 4)
        let! columns = Gen.choose (0, 3)
        let! extra = Gen.choose (0, 2)
        let! deficient = Gen.elements [ true; false ]
        let square value = all [ perMatrix lead n n value ]
        let name = $"%A{op}"

        return
            match op with
            | Solve
            | TriangularSolve _ ->
                let draw = all [ perMatrix lead n n (dominant n); number (Array.append lead [| n; columns |]) ]
                ofMany (ManyOp.Linear(op, Raise)) name draw [ true; true ] |> linearIn [ 1 ]
            | Cholesky ->
                let s = ofMany (ManyOp.Linear(op, Raise)) name (square (fun r -> spread n r)) [ true ]
                { s with Direction = symmetrized }
            | SymmetricEigen ->
                let s = ofMany (ManyOp.Linear(op, Raise)) name (square (fun r -> spread n r)) [ true ]
                let run xs = let ys = s.Run xs in [| ys[0]; projections (Functional.Functions.transpose ys[1]) |]
                { s with Direction = symmetrized; Run = run }
            | Determinant ->
                let value random = if deficient then singular n random else dominant n random
                ofMany (ManyOp.Linear(op, Raise)) name (square value) [ true ]
            // of singular matrices in SingularTests: the judge has no singular vectors for them
            | Adjugate
            | SignLogDeterminant -> ofMany (ManyOp.Linear(op, Raise)) name (square (dominant n)) [ true ]
            | Qr ->
                ofMany (ManyOp.Linear(op, Raise)) name (all [ perMatrix lead (n + extra) n (tall (n + extra) n) ]) [
                    true
                ]
            | Svd ->
                let rows, columns = if columns = 0 then n, n + extra else n + extra, n

                let s =
                    ofMany (ManyOp.Linear(op, Raise)) name (all [ perMatrix lead rows columns (tall rows columns) ]) [
                        true
                    ]

                let run xs =
                    let ys = s.Run xs
                    let u = Functional.Functions.transpose ys[0]
                    [| ys[1]; projections u; projections ys[2]; expandDims -1 u * expandDims -2 ys[2] |]

                { s with Run = run }
    }

let private triangularSolve =
    gen {
        let! lower = Gen.elements [ true; false ]
        let! transposed = Gen.elements [ true; false ]
        return! linearAlgebra (TriangularSolve(lower, transposed))
    }

// ---- many inputs, many results

let private concat =
    gen {
        let! shape = shapeOfRank 1 3
        let! axis = Gen.choose (0, shape.Length - 1)
        let! count = Gen.choose (1, 3)
        let! sizes = Gen.arrayOfLength count (Gen.choose (0, 3))
        let draw = sizes |> Array.map (fun n -> number (Array.updateAt axis n shape)) |> List.ofArray |> all
        return ofMany (Concat axis) $"Concat {axis}" draw (List.replicate count true)
    }

let private split =
    gen {
        let! shape, axis = shapeWithAxis 0
        let! first = Gen.choose (0, shape[axis])
        let! second = Gen.choose (0, shape[axis] - first)
        let sizes = [| first; second; shape[axis] - first - second |]

        return
            ofMany (Split(axis, sizes)) $"Split {axis} {Shape.show sizes}" (all [ number shape ]) [ true ]
            |> linearIn [ 0 ]
    }

/// A user's operation with a rule for one direction; both results depend on both arguments.
let private custom =
    gen {
        let! shape = anyShape
        let f (a: Tensor, b: Tensor) = a * sin b, a + b * b

        let reverse =
            customReverse
                "reverse rule"
                (fun (a, b) -> f (a, b), (a, b))
                (fun (a: Tensor, b: Tensor) (c: Tensor, d: Tensor) -> c * sin b + d, c * a * cos b + d * b * 2.0)

        let forward =
            customForward "forward rule" f (fun (a: Tensor, b: Tensor) _ (da: Tensor, db: Tensor) ->
                da * sin b + a * cos b * db, da + b * db * 2.0)

        let! rule = Gen.elements [ reverse; forward; checkpoint f ]
        let run (xs: Tensor[]) = let y, z = rule (xs[0], xs[1]) in [| y; z |]

        return {
            sample "Custom" run (all [ number shape; number shape ]) with
                Varied = [| true; true |]
        }
    }

// ---- control flow, on graphs

let private graphOf (inputs: Tensor[]) (f: Tensor[] -> Tensor[]) =
    Trace.graph (inputs |> Array.map (fun t -> { Shape = t.Shape; DType = t.DType })) f

/// A loop with a constant, two carries and an input for each place; the body mixes all of them.
let private scanning =
    gen {
        let! length = Gen.choose (0, 4)
        let! m = axisSize
        let! n = axisSize
        let! fromEnd = Gen.elements [ true; false ]

        let body (c: Tensor, x: Tensor) (w: Tensor) =
            let h = tanh (c *@ w + x)
            (h, x * 0.5 + sin c), (h * x, sum h)

        let run (xs: Tensor[]) =
            let w, c, x = xs[0], xs[1], xs[2]

            let step (c, d: Tensor) x =
                let (h, e: Tensor), y = body (c, x) w
                (h, e + d * 0.3), y

            let (c, d), (y, z) = (if fromEnd then scanBack else scan) step (c, c * 0.5) x
            [| c; d; y; z |]

        let draw = all [ between -1.0 1.0 [| n; n |]; number [| m; n |]; number [| length; m; n |] ]

        return {
            sample $"Scan of length {length}" run draw with
                Varied = [| true; true; true |]
        }
    }

let private truth = Gen.elements [ true; false ] |> Gen.map (fun b -> Tensor.create [] [| b |])

let private conditional =
    gen {
        let! shape = anyShape

        let run (xs: Tensor[]) =
            let whenTrue = graphOf xs[1..] (fun v -> [| sin v[0] * v[1]; v[0] |])
            let whenFalse = graphOf xs[1..] (fun v -> [| exp v[1]; Tensor.zerosLike xs[1] |])
            Tensor.Bind(Cond(whenTrue, whenFalse), xs)

        return {
            sample "Cond" run (all [ truth; number shape; between -1.0 1.0 shape ]) with
                Varied = [| false; true; true |]
        }
    }

/// Doubles and turns until it is large; forward mode only.
let private whileTrue =
    gen {
        let! shape = fullShape 0 2

        let run (xs: Tensor[]) =
            let x, _ =
                whileLoop
                    (fun (_, i: Tensor) -> less i (Tensor.create [] [| 4 |]))
                    (fun (x: Tensor, i: Tensor) -> sin x * 2.0 + xs[1], i + 1.0)
                    (xs[0], Tensor.create [] [| 0 |])

            [| x |]

        let draw = all [ number shape; number shape ]
        return { sample "While" run draw with Varied = [| true; true |]; Reverse = false }
    }

/// A graph that is run operation by operation.
type private Replayed(graph: Graph) =
    inherit Program(graph)

    override _.Run inputs =
        Trace.replay graph (inputs |> Array.map (fun v -> Concrete v :> Tensor))
        |> Array.map (fun t -> (t :?> Concrete).Value)

    override _.With other = Replayed other

let private call =
    gen {
        let! shape = anyShape

        let run (xs: Tensor[]) = Tensor.Bind(Call(Replayed(graphOf xs (fun v -> [| sin v[0] * exp v[1]; v[1] |]))), xs)

        return {
            sample "Call" run (all [ number shape; between -1.0 1.0 shape ]) with
                Varied = [| true; true |]
        }
    }

// ---- the table, and what it lacks

/// Every primitive's generator by its name.
let generators: (string * Gen<Sample>) list = [
    for u, g in unaries do
        $"Unary.{u}", g
    for o, g in binaries do
        $"Binary.{o}", g
    for c in Enum.GetValues<Comparison>() do
        $"Compare.{c}", comparison c
    "Select", select
    "Cast", cast
    "StopGradient", stopGradient
    "AddScaled", addScaled
    "MatMul", matMul
    "Dense", dense
    "SumProduct", sumProduct
    "Conv", conv
    "ConvBias", convBias
    "ConvInput", convInput
    "ConvKernel", convKernel
    "MaxPool", maxPool
    "MaxPoolPick", maxPoolPick
    "MaxPoolPlace", maxPoolPlace
    for r in [ Reduction.Sum; Reduction.Prod; Reduction.Max; Reduction.Min; Reduction.LogSumExp ] do
        $"Reduce.{r}", reduce r
    for r in [ ArgReduction.ArgMax; ArgReduction.ArgMin ] do
        $"ArgReduce.{r}", argReduce r
    for c in [ Cumulation.Sum; Cumulation.Prod ] do
        $"Cumulate.{c}", cumulate c
    "Softmax", softmax
    "SoftmaxScale", softmaxScale
    "Broadcast", broadcast
    "Reshape", reshape
    "Transpose", transpose
    "Slice", slice
    "Pad", pad
    "Reverse", reverse
    "Gather", gather
    "ScatterAdd", scatterAdd
    "GatherAlong", gatherAlong
    "ScatterAlong", scatterAlong
    "ArgSort", argSort
    for d in [ Distribution.Bits; Distribution.Uniform; Distribution.Normal; Distribution.TruncatedNormal ] do
        $"Random.{d}", random d
    "Concat", concat
    "Split", split
    "Linear.TriangularSolve", triangularSolve
    for op in [ Solve; Cholesky; Qr; SignLogDeterminant; Determinant; Adjugate; SymmetricEigen; Svd ] do
        $"Linear.%A{op}", linearAlgebra op
    "Scan", scanning
    "Cond", conditional
    "While", whileTrue
    "Call", call
    "Custom", custom
]

/// The names of all primitives, read from the types: a case that carries an enumeration or a union counts once for
/// each of its values.
let rec names (union: Type) : string list = [
    for case in FSharpType.GetUnionCases union do
        let inner =
            case.GetFields()
            |> Array.tryPick (fun p ->
                let t = p.PropertyType

                if t.IsEnum && t <> typeof<DType> then Some(List.ofArray (Enum.GetNames t))
                elif FSharpType.IsUnion t && t.Namespace = union.Namespace then Some(names t)
                else None)

        match inner with
        | Some values ->
            for v in values do
                $"{case.Name}.{v}"
        | None -> case.Name
]

/// Primitives without a generator, and generators without a primitive.
let missing, unknown =
    let required = Set.ofList (names typeof<Op> @ names typeof<ManyOp>)
    let present = generators |> List.map fst |> Set.ofList
    Set.difference required present, Set.difference present required
