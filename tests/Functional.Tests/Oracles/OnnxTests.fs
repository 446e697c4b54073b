/// The operators against ONNX' own node tests, at the suite's tolerance (relative 1e-3, absolute 1e-7). Operators and
/// element types that the library does not have are listed, and count as skipped.
module Functional.Tests.OnnxTests

open System
open System.IO
open System.IO.Compression
open System.Text.Json
open Expecto
open Functional
open Functional.Tests.Oracles
open Functional.Tests.OnnxNodes

let private unary (f: Tensor -> Tensor) : Operator = fun _ xs -> [ f xs[0] ]
let private binary (f: Tensor -> Tensor -> Tensor) : Operator = fun _ xs -> [ f xs[0] xs[1] ]
let private variadic (f: Tensor -> Tensor -> Tensor) : Operator = fun _ xs -> [ Array.reduce f xs ]

let private reduction (over: int list -> Tensor -> Tensor) : Operator =
    fun a xs ->
        let x = xs[0]

        let axes =
            if given xs 1 && Shape.size xs[1].Shape > 0 then
                wholes xs[1]
            else
                defaultArg (a.Wholes "axes") []

        if axes.IsEmpty && a.Whole("noop_with_empty_axes", 0) = 1 then
            [ over [] x ]
        else
            let axes =
                if axes.IsEmpty then
                    [ 0 .. x.Rank - 1 ]
                else
                    axes |> List.map (fun i -> if i < 0 then i + x.Rank else i)

            let y = over axes x

            if a.Whole("keepdims", 1) = 1 then
                [ reshape [ for i in 0 .. x.Rank - 1 -> if List.contains i axes then 1 else x.Shape[i] ] y ]
            else
                [ y ]

let private arg (find: int -> Tensor -> Tensor) : Operator =
    fun a xs ->
        let x = xs[0]
        let axis = a.Whole("axis", 0)
        let axis = if axis < 0 then axis + x.Rank else axis

        let y =
            if a.Whole("select_last_index", 0) = 1 then
                float (x.Shape[axis] - 1) - cast DType.Float64 (find axis (reverse [ axis ] x))
            else
                find axis x

        [ cast DType.Int64 (if a.Whole("keepdims", 1) = 1 then expandDims axis y else y) ]

let private gemm (a: Attributes) (xs: Tensor[]) =
    let side name x = if a.Whole(name, 0) = 1 then transpose x else x
    let product = (side "transA" xs[0] *@ side "transB" xs[1]) * a.Number("alpha", 1.0)
    [ (if given xs 2 then product + xs[2] * a.Number("beta", 1.0) else product) ]

let private matmulOf (_: Attributes) (xs: Tensor[]) =
    let x, y = xs[0], xs[1]
    let row = if x.Rank = 1 then expandDims 0 x else x
    let column = if y.Rank = 1 then expandDims 1 y else y
    let product = row *@ column
    let product = if y.Rank = 1 then squeeze [ -1 ] product else product

    [
        (if x.Rank = 1 then
             squeeze [ (if y.Rank = 1 then -1 else -2) ] product
         else
             product)
    ]

let private sliceOf (_: Attributes) (xs: Tensor[]) =
    let x = xs[0]
    let starts, ends = wholes xs[1], wholes xs[2]
    let axes = if given xs 3 then wholes xs[3] else [ 0 .. starts.Length - 1 ]
    let steps = if given xs 4 then wholes xs[4] else List.map (fun _ -> 1) starts

    let cut (x: Tensor) (start, stop, axis, step) =
        let axis = if axis < 0 then axis + x.Rank else axis
        let n = x.Shape[axis]
        let within low high v = max low (min high (if v < 0 then v + n else v))

        // a negative step is a positive one from the other end
        let x, start, stop =
            if step > 0 then
                x, within 0 n start, within 0 n stop
            else
                reverse [ axis ] x,
                n - 1 - within -1 (n - 1) start,
                n - 1 - (if stop < -n then -1 else within -1 (n - 1) stop)

        let step = abs step
        let count = max 0 ((stop - start + step - 1) / step)

        x
        |> slice [ for i in 0 .. x.Rank - 1 -> if i = axis && count > 0 then start else 0 ] [
            for i in 0 .. x.Rank - 1 -> if i = axis then count else x.Shape[i]
        ] [ for i in 0 .. x.Rank - 1 -> if i = axis then step else 1 ]

    [
        List.fold cut x (List.zip3 starts ends axes |> List.map2 (fun step (s, e, a) -> s, e, a, step) steps)
    ]

let private topKOf (a: Attributes) (xs: Tensor[]) =
    let x, k = xs[0], List.head (wholes xs[1])
    let axis = a.Whole("axis", -1)

    let values, places =
        if a.Whole("largest", 1) = 1 then
            topK axis k x
        else
            let places = argsort axis x |> narrow axis 0 k
            gatherAlong axis places x, places

    [ values; cast DType.Int64 places ]

let private splitOf (a: Attributes) (xs: Tensor[]) =
    let x = xs[0]
    let axis = a.Whole("axis", 0)
    let n = x.Shape[if axis < 0 then axis + x.Rank else axis]

    let sizes =
        if given xs 1 then
            wholes xs[1]
        else
            let parts = a.Whole("num_outputs", 1)
            let each = (n + parts - 1) / parts
            [ for i in 0 .. parts - 1 -> max 0 (min each (n - i * each)) ]

    List.ofArray (split axis sizes x)

let private cumsumOf (a: Attributes) (xs: Tensor[]) =
    let x, axis = xs[0], List.head (wholes xs[1])
    let flip = if a.Whole("reverse", 0) = 1 then reverse [ axis ] else id
    let y = flip x
    let sums = cumsum axis y
    [ flip (if a.Whole("exclusive", 0) = 1 then sums - y else sums) ]

let private oneHotOf (a: Attributes) (xs: Tensor[]) =
    let depth = List.head (wholes xs[1])
    let axis = a.Whole("axis", -1)
    let classes = cast DType.Int64 xs[0]
    let classes = where (less classes (like classes 0.0)) (classes + float depth) classes
    let off, on = index 0 0 xs[2], index 0 1 xs[2]

    let hits =
        equal
            (expandDims axis classes)
            (cast DType.Int64 (Tensor.iota depth)
             |> reshape [
                 for i in 0 .. classes.Rank ->
                     if i = (if axis < 0 then axis + classes.Rank + 1 else axis) then depth else 1
             ])

    [ where hits on off ]

let private trilu (a: Attributes) (xs: Tensor[]) =
    let x = xs[0]
    let k = if given xs 1 then List.head (wholes xs[1]) else 0
    let m, n = x.Shape[x.Rank - 2], x.Shape[x.Rank - 1]

    let keep =
        Array.init (m * n) (fun i -> if a.Whole("upper", 1) = 1 then i % n - i / n >= k else i % n - i / n <= k)

    [ where (Tensor.create [ m; n ] keep) x (like x 0.0) ]

let private normalised (a: Attributes) (center: bool) (xs: Tensor[]) =
    let x = xs[0]
    let axis = a.Whole("axis", -1)
    let axes = [ (if axis < 0 then axis + x.Rank else axis) .. x.Rank - 1 ]
    let average = meanKeep axes x
    let centred = if center then x - average else x
    let inverse = rsqrt (meanKeep axes (square centred) + a.Number("epsilon", 1e-5))
    let y = centred * inverse * xs[1]
    let y = if given xs 2 then y + xs[2] else y
    if center then [ y; average; inverse ] else [ y ]

/// Per-channel numbers beside a channels-first array.
let private channels (x: Tensor) (v: Tensor) = reshape [ for i in 0 .. x.Rank - 1 -> if i = 1 then -1 else 1 ] v

let private inGroups (a: Attributes) groups (xs: Tensor[]) =
    let x = xs[0]
    let flat = reshape [ x.Shape[0]; groups; -1 ] x
    let centred = flat - meanKeep [ 2 ] flat
    let y = centred * rsqrt (meanKeep [ 2 ] (square centred) + a.Number("epsilon", 1e-5)) |> reshape x.Shape
    [ y * channels x xs[1] + channels x xs[2] ]

let private gathered (a: Attributes) (xs: Tensor[]) = [ take (a.Whole("axis", 0)) xs[1] xs[0] ]

let private thresholded (a: Attributes) (xs: Tensor[]) =
    let x = xs[0]
    [ where (greater x (like x (a.Number("alpha", 1.0)))) x (like x 0.0) ]

let private operators: Map<string, Operator> =
    Map [
        "Abs", unary abs
        "Acos", unary acos
        "Acosh", unary acosh
        "Asin", unary asin
        "Asinh", unary asinh
        "Atan", unary atan
        "Atanh", unary atanh
        "Cos", unary cos
        "Cosh", unary cosh
        "Erf", unary erf
        "Exp", unary exp
        "Log", unary log
        "Neg", unary (~-)
        "Reciprocal", unary reciprocal
        "Relu", unary relu
        "Sigmoid", unary sigmoid
        "Sign", unary signum
        "Sin", unary sin
        "Sinh", unary sinh
        "Softplus", unary softplus
        "Softsign", unary softsign
        "Sqrt", unary sqrt
        "Tan", unary tan
        "Tanh", unary tanh
        "Mish", unary (fun x -> x * tanh (softplus x))
        "HardSwish", unary (fun x -> x * clamp 0.0 1.0 (x * (1.0 / 6.0) + 0.5))
        "Swish", (fun a xs -> [ xs[0] * sigmoid (xs[0] * a.Number("alpha", 1.0)) ])
        "HardSigmoid", (fun a xs -> [ clamp 0.0 1.0 (xs[0] * a.Number("alpha", 0.2) + a.Number("beta", 0.5)) ])
        "Elu", (fun a xs -> [ where (greater xs[0] (like xs[0] 0.0)) xs[0] (a.Number("alpha", 1.0) * expm1 xs[0]) ])
        "Celu",
        (fun a xs ->
            let alpha = a.Number("alpha", 1.0)
            [ maximum xs[0] (like xs[0] 0.0) + minimum (alpha * expm1 (xs[0] / alpha)) (like xs[0] 0.0) ])
        "Selu",
        (fun a xs ->
            let x, alpha = xs[0], a.Number("alpha", 1.67326319217681884765625)

            [
                a.Number("gamma", 1.05070102214813232421875) * where (greater x (like x 0.0)) x (alpha * expm1 x)
            ])
        "LeakyRelu", (fun a xs -> [ where (less xs[0] (like xs[0] 0.0)) (xs[0] * a.Number("alpha", 0.01)) xs[0] ])
        "PRelu", (fun _ xs -> [ where (less xs[0] (like xs[0] 0.0)) (xs[0] * xs[1]) xs[0] ])
        "ThresholdedRelu", thresholded
        "Gelu", (fun a xs -> [ (if a.Text("approximate", "none") = "tanh" then geluTanh xs[0] else gelu xs[0]) ])
        "Add", binary (+)
        "Sub", binary (-)
        "Mul", binary (*)
        "Div", binary (/)
        "Pow", (fun _ xs -> [ cast xs[0].DType (cast DType.Float64 xs[0] ** cast DType.Float64 xs[1]) ])
        "Max", variadic maximum
        "Min", variadic minimum
        "Sum", variadic (+)
        "Mean", (fun _ xs -> [ Array.reduce (+) xs * (1.0 / float xs.Length) ])
        "Clip",
        (fun _ xs ->
            let x = if given xs 1 then maximum xs[0] xs[1] else xs[0]
            [ (if given xs 2 then minimum x xs[2] else x) ])
        "Where", (fun _ xs -> [ where xs[0] xs[1] xs[2] ])
        "ReduceSum", reduction sumOver
        "ReduceMean", reduction meanOver
        "ReduceMax", reduction maxOver
        "ReduceMin", reduction minOver
        "ReduceProd", reduction prodOver
        "ReduceL1", reduction (fun axes x -> sumOver axes (abs x))
        "ReduceL2", reduction (fun axes x -> sqrt (sumOver axes (square x)))
        "ReduceSumSquare", reduction (fun axes x -> sumOver axes (square x))
        "ReduceLogSum", reduction (fun axes x -> log (sumOver axes x))
        "ReduceLogSumExp", reduction logsumexpOver
        "ArgMax", arg argmax
        "ArgMin", arg argmin
        "CumSum", cumsumOf
        "TopK", topKOf
        "Softmax", (fun a xs -> [ softmaxOver (a.Whole("axis", -1)) xs[0] ])
        "LogSoftmax", (fun a xs -> [ logSoftmaxOver (a.Whole("axis", -1)) xs[0] ])
        "MatMul", matmulOf
        "Gemm", gemm
        "Einsum", (fun a xs -> [ einsum (a.Text("equation", "")) xs ])
        "Det", unary LinearAlgebra.determinant
        "Concat", (fun a xs -> [ concat (a.Whole("axis", 0)) xs ])
        "Split", splitOf
        "Slice", sliceOf
        "Transpose", (fun a xs -> [ permute (defaultArg (a.Wholes "perm") (List.rev [ 0 .. xs[0].Rank - 1 ])) xs[0] ])
        "Reshape",
        (fun a xs ->
            let shape = wholes xs[1]
            let keep i d = if d = 0 && a.Whole("allowzero", 0) = 0 then xs[0].Shape[i] else d
            [ reshape (List.mapi keep shape) xs[0] ])
        "Flatten",
        (fun a xs ->
            let x = xs[0]
            let axis = a.Whole("axis", 1)
            let axis = if axis < 0 then axis + x.Rank else axis
            [ reshape [ Array.fold (*) 1 x.Shape[.. axis - 1]; Array.fold (*) 1 x.Shape[axis..] ] x ])
        "Squeeze",
        (fun _ xs ->
            let x = xs[0]

            let axes =
                if given xs 1 then
                    wholes xs[1]
                else
                    [
                        for i in 0 .. x.Rank - 1 do
                            if x.Shape[i] = 1 then
                                i
                    ]

            [ squeeze axes x ])
        "Unsqueeze",
        (fun _ xs ->
            let axes = wholes xs[1]
            let rank = xs[0].Rank + axes.Length
            let axes = axes |> List.map (fun i -> if i < 0 then i + rank else i) |> List.sort
            [ List.fold (fun x axis -> expandDims axis x) xs[0] axes ])
        "Expand",
        (fun _ xs -> [ broadcastTo (Shape.broadcast "expand" xs[0].Shape (Array.ofList (wholes xs[1]))) xs[0] ])
        "Tile", (fun _ xs -> [ tile (wholes xs[1]) xs[0] ])
        "Gather", gathered
        "GatherElements", (fun a xs -> [ gatherAlong (a.Whole("axis", 0)) xs[1] xs[0] ])
        "OneHot", oneHotOf
        "Trilu", trilu
        "LayerNormalization", (fun a xs -> normalised a true xs)
        "RMSNormalization", (fun a xs -> normalised a false xs)
        "InstanceNormalization", (fun a xs -> inGroups a xs[0].Shape[1] xs)
        "GroupNormalization", (fun a xs -> inGroups a (a.Whole("num_groups", 1)) xs)
        "GlobalAveragePool", unary (fun x -> meanKeep [ 2 .. x.Rank - 1 ] x)
        "GlobalMaxPool", unary (fun x -> maxKeep [ 2 .. x.Rank - 1 ] x)
        yield! OnnxImages.operators
        yield! OnnxSequences.operators
    ]

let private close (expected: Tensor) (actual: Tensor) =
    if not (Shape.same expected.Shape actual.Shape) then
        Some $"shape {Shape.show actual.Shape}, expected {Shape.show expected.Shape}"
    else
        let pairs = Array.zip (Tensor.toFloats expected) (Tensor.toFloats actual)

        pairs
        |> Array.tryFindIndex (fun (e, a) ->
            not (e = a || (Double.IsNaN e && Double.IsNaN a) || abs (e - a) <= 1e-7 + 1e-3 * abs e))
        |> Option.map (fun i -> $"element {i} is {snd pairs[i]}, expected {fst pairs[i]}")

/// None when a case agrees, the difference when it does not; raises Unsupported where something is not here.
let private run (case: JsonElement) : string option =
    let items (e: JsonElement) (name: string) = [ for x in (e.GetProperty name).EnumerateArray() -> x ]
    let name (e: JsonElement) = (e.GetProperty "name").GetString()
    let values = Collections.Generic.Dictionary<string, Tensor>()

    for t in items case "initializers" @ items case "inputs" do
        values[name t] <- tensor t

    for node in items case "nodes" do
        let op = (node.GetProperty "op").GetString()

        match operators.TryFind op with
        | None -> unsupported op
        | Some f ->
            let inputs = [|
                for i in items node "inputs" -> if i.GetString() = "" then null else values[i.GetString()]
            |]

            let outputs = [ for o in items node "outputs" -> o.GetString() ]
            let made = f (Attributes(node.GetProperty "attrs")) inputs

            if made.Length < outputs.Length then
                unsupported $"{op} with {outputs.Length} outputs"

            List.iter2 (fun o y -> values[o] <- y) outputs (List.truncate outputs.Length made)

    items case "outputs"
    |> List.tryPick (fun expected ->
        close (tensor expected) values[name expected]
        |> Option.map (fun difference -> $"{name expected}: {difference}"))

let private cases (path: string) =
    seq {
        use file = File.OpenRead path
        use reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress))

        while not reader.EndOfStream do
            JsonDocument.Parse(reader.ReadLine()).RootElement
    }

[<Tests>]
let onnx =
    testCase "ONNX node tests agree"
    <| skipWithout "onnx/node.jsonl.gz" (fun path ->
        let wrong, missing = ResizeArray<string>(), ResizeArray<string>()
        let mutable agreed = 0

        for case in cases path do
            let name = (case.GetProperty "name").GetString()

            try
                match run case with
                | None -> agreed <- agreed + 1
                | Some difference -> wrong.Add $"{name}: {difference}"
            with
            | Unsupported reason -> missing.Add reason
            | e -> wrong.Add $"{name}: {e.Message}"

        Console.WriteLine $"ONNX: {agreed} node tests agree, {missing.Count} are of what is not here:"

        for reason, count in missing |> Seq.countBy id |> Seq.sort do
            Console.WriteLine $"    {reason} ({count})"

        let differences = String.Join("\n", wrong)
        Expect.isEmpty wrong $"{wrong.Count} node tests differ:\n{differences}")
