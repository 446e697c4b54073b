/// Reductions, places of extremes, running sums and softmax for every element type, shape and axis against their
/// definitions; accuracy of long sums; that the number of threads changes no bit.
module Functional.Tests.Kernels.ReductionTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Selection
open Functional.Tests.Kernels.Arrays

/// Shapes, and sets of axes to reduce.
let private cases: (int[] * int[]) list = [
    [||], [||]
    [| 1 |], [| 0 |]
    [| 5 |], [||]
    for n in [ 0; 1; 3; 15; 16; 17; 63; 64; 65; 100; 1000; 5000 ] do
        [| n |], [| 0 |]
    for rows, columns in [ 3, 5; 40, 33; 7, 100; 1, 9; 9, 1; 300, 70; 0, 4; 4, 0 ] do
        [| rows; columns |], [| 0 |]
        [| rows; columns |], [| 1 |]
        [| rows; columns |], [| 1; 0 |]
    [| 3; 4; 5 |], [| 1 |]
    [| 3; 4; 5 |], [| 0; 2 |]
    [| 3; 4; 5 |], [| 2; 1 |]
    [| 2; 3; 4; 5 |], [| 0; 2 |]
    [| 2; 3; 4; 5 |], [| 1; 3 |]
    [| 2; 1; 4; 5; 3 |], [| 0; 1; 2; 4 |]
    [| 3; 2; 3; 2; 3 |], [| 0; 2; 4 |]
    [| 1; 700; 1; 3 |], [| 1 |]
]

let private keptShape (shape: int[]) axes =
    shape
    |> Array.indexed
    |> Array.filter (fun (axis, _) -> not (Array.contains axis axes))
    |> Array.map snd

/// For each result, the places of the elements that go into it, in order.
let private groups (shape: int[]) axes =
    let kept = keptShape shape axes
    let members = Array.init (sizeOf kept) (fun _ -> ResizeArray<int>())

    for i in 0 .. sizeOf shape - 1 do
        let mutable rest, target, stride = i, 0, 1

        for axis in shape.Length - 1 .. -1 .. 0 do
            let index = rest % shape[axis]
            rest <- rest / shape[axis]

            if not (Array.contains axis axes) then
                target <- target + index * stride
                stride <- stride * shape[axis]

        members[target].Add i

    Array.map (fun (m: ResizeArray<int>) -> m.ToArray()) members

let private ofFloats op (values: float[]) =
    match op with
    | Reduction.Sum -> Array.sum values
    | Reduction.Prod -> Array.fold (*) 1.0 values
    | Reduction.Max -> Array.fold (fun (a: float) b -> Math.Max(a, b)) -infinity values
    | Reduction.Min -> Array.fold (fun (a: float) b -> Math.Min(a, b)) infinity values
    | Reduction.LogSumExp ->
        let most = Array.fold (fun (a: float) b -> Math.Max(a, b)) -infinity values

        if Double.IsFinite most then
            most + log (values |> Array.sumBy (fun v -> exp (v - most)))
        else
            most

let private ofIntegers op (dtype: DType) (values: int64[]) =
    let wrap (v: int64) = if dtype = DType.Int32 then int64 (int v) else v

    let least, greatest =
        match dtype with
        | DType.Int32 -> int64 Int32.MinValue, int64 Int32.MaxValue
        | DType.Int64 -> Int64.MinValue, Int64.MaxValue
        | _ -> 0L, 1L

    match op with
    | Reduction.Sum -> wrap (Array.sum values)
    | Reduction.Prod -> Array.fold (fun a b -> wrap (a * b)) 1L values
    | Reduction.Max -> Array.fold max least values
    | _ -> Array.fold min greatest values

let private defined op dtype =
    match dtype with
    | DType.Bool -> op = Reduction.Max || op = Reduction.Min
    | DType.Int32
    | DType.Int64 -> op <> Reduction.LogSumExp
    | _ -> true

let private sample (dtype: DType) shape =
    let values = random (sizeOf shape) (sizeOf shape) -1.5 1.5

    let values =
        if dtype.IsFloat() then
            values
        elif dtype = DType.Bool then
            Array.map (fun v -> if v > 1.0 then 1.0 else 0.0) values
        else
            Array.map (fun v -> round (3.0 * v)) values

    make dtype shape values

let private reduce op (x: NDArray) axes =
    let y = allocate x.DType (keptShape x.Shape axes)
    Reductions.Reduce(op, x, axes, y)
    y

let private close dtype (scale: float) expected actual =
    agree 0.0 expected actual || abs (expected - actual) <= 4.0 * tolerance dtype * scale

let private reduceTests =
    testList "reduce" [
        for op in Enum.GetValues<Reduction>() do
            for dtype in everyType do
                if defined op dtype then
                    testCase $"{op} of {dtype}"
                    <| fun () ->
                        for shape, axes in cases do
                            let x = sample dtype shape
                            let y = reduce op (x.Settle()) axes |> elements
                            let all = elements x

                            groups shape axes
                            |> Array.iteri (fun i members ->
                                if dtype.IsFloat() then
                                    let values = members |> Array.map (fun m -> all[m].Float)
                                    let expected = ofFloats op values

                                    let scale =
                                        match op with
                                        | Reduction.Sum -> values |> Array.sumBy abs
                                        | Reduction.Prod -> float (1 + values.Length) * abs expected
                                        | Reduction.LogSumExp -> 1.0 + abs expected
                                        | _ -> 0.0

                                    let expected = if dtype = DType.Float32 then float (float32 expected) else expected

                                    if not (close dtype scale expected y[i].Float) then
                                        failtest
                                            $"{op} of %A{shape} over %A{axes}: {y[i].Float:R}, expected {expected:R}"
                                else
                                    let expected = members |> Array.map (fun m -> all[m].Bits) |> ofIntegers op dtype
                                    Expect.equal y[i].Bits expected $"{op} of %A{shape} over %A{axes}")
                else
                    testCase $"{op} of {dtype} is refused"
                    <| fun () ->
                        Expect.throwsT<NotSupportedException>
                            (fun () -> reduce op (sample dtype [| 3 |]) [| 0 |] |> ignore)
                            ""

        for dtype in floats do
            testCase $"NaN and infinities of {dtype}"
            <| fun () ->
                let values n special at = Array.init n (fun i -> if i = at then special else float (i % 7))

                for n in [ 1; 5; 16; 64; 100; 300 ] do
                    for at in [ 0; n / 2; n - 1 ] do
                        let ofSpecial op special =
                            (numbers (reduce op (make dtype [| n |] (values n special at)) [| 0 |]))[0]
                        // The same down a column.
                        let down op special =
                            let rows = values n special at |> Array.collect (fun v -> [| v; 0.0; 1.0 |])
                            (numbers (reduce op (make dtype [| n; 3 |] rows) [| 0 |]))[0]

                        for reduced in [ ofSpecial; down ] do
                            for op in [ Reduction.Max; Reduction.Min; Reduction.Sum; Reduction.LogSumExp ] do
                                Expect.isTrue (Double.IsNaN(reduced op nan)) $"{op} with NaN"

                            Expect.equal (reduced Reduction.Max infinity) infinity "max"
                            Expect.equal (reduced Reduction.LogSumExp infinity) infinity "log-sum-exp"

                            Expect.isTrue
                                (Double.IsFinite(reduced Reduction.LogSumExp -infinity) || n = 1)
                                "log-sum-exp of −∞ and others"

                    let nothing = make dtype [| n; 2 |] (Array.create (2 * n) -infinity)
                    Expect.allEqual (numbers (reduce Reduction.LogSumExp nothing [| 0 |])) -infinity "log-sum-exp of −∞"

                    Expect.allEqual
                        (numbers (reduce Reduction.LogSumExp nothing [| 1; 0 |]))
                        -infinity
                        "log-sum-exp of −∞"

                let large = make dtype [| 3 |] [| 1e4; 1e4; -1e4 |]
                let y = numbers (reduce Reduction.LogSumExp large [| 0 |])
                Expect.isTrue (agree (tolerance dtype) (1e4 + log 2.0) y[0]) "stable"
    ]

let private productTests =
    testList "sum of products" [
        for dtype in floats @ integers do
            testCase $"of {dtype}"
            <| fun () ->
                for shape, axes in cases do
                    let a = sample dtype shape
                    let b = make dtype shape (numbers a |> Array.rev)
                    let y = allocate dtype (keptShape shape axes)
                    Reductions.SumProduct(a.Settle(), b.Settle(), axes, y)
                    let p, q, r = numbers a, numbers b, numbers y

                    groups shape axes
                    |> Array.iteri (fun i members ->
                        let expected = members |> Array.sumBy (fun m -> p[m] * q[m])
                        let scale = members |> Array.sumBy (fun m -> abs (p[m] * q[m]))

                        if not (close dtype scale expected r[i]) then
                            failtest $"%A{shape} over %A{axes}: {r[i]}, expected {expected}")

            testCase $"of {dtype}, broadcast"
            <| fun () ->
                let a, b = sample dtype [| 6; 1; 20 |], sample dtype [| 4; 20 |]
                let y = allocate dtype [| 6; 4 |]
                Reductions.SumProduct(a, b, [| 2 |], y)
                let p, q, r = numbers a, numbers b, numbers y

                for i in 0..5 do
                    for j in 0..3 do
                        let expected = Seq.sum (seq { for k in 0..19 -> p[i * 20 + k] * q[j * 20 + k] })

                        if not (close dtype 20.0 expected r[i * 4 + j]) then
                            failtest $"{r[i * 4 + j]}, expected {expected}"
    ]

/// Shapes, and one axis.
let private lines: (int[] * int) list = [
    for n in [ 1; 3; 15; 16; 17; 40; 300; 700 ] do
        [| n |], 0
        [| 3; n |], 1
        [| n; 3 |], 0
        [| n; 21 |], 0
        [| 2; n; 5 |], 1
    [| 0; 3 |], 1
    [| 3; 0; 2 |], 2
]

/// For each line along the axis, the places of its elements; and the place of its result among all lines.
let private linesOf (shape: int[]) axis = groups shape [| axis |]

let private lineTests =
    testList "along an axis" [
        for dtype in floats @ integers do
            testCase $"places of extremes of {dtype}"
            <| fun () ->
                for op in Enum.GetValues<ArgReduction>() do
                    for shape, axis in lines do
                        for withNaN in [ false; true ] do
                            let x = sample dtype shape

                            let values =
                                numbers x
                                |> Array.mapi (fun i v ->
                                    if withNaN && dtype.IsFloat() && i % 11 = 7 then nan else round v)

                            let x = make dtype shape values
                            let y = allocate DType.Int32 (keptShape shape [| axis |])
                            Reductions.ArgReduce(op, x, axis, y)

                            linesOf shape axis
                            |> Array.iteri (fun i members ->
                                let line = members |> Array.map (fun m -> values[m])

                                let best =
                                    line
                                    |> Array.reduce (fun a b ->
                                        if op = ArgReduction.ArgMax then Math.Max(a, b) else Math.Min(a, b))

                                let expected = line |> Array.findIndex (fun v -> agree 0.0 best v)
                                Expect.equal (int (element y i).Bits) expected $"{op} of %A{shape} along {axis}")

            testCase $"running sums and products of {dtype}"
            <| fun () ->
                for op in Enum.GetValues<Cumulation>() do
                    for shape, axis in lines do
                        for reverse in [ false; true ] do
                            let x = sample dtype shape
                            let y = allocate dtype shape
                            Reductions.Cumulate(op, x, axis, reverse, y)
                            let values, results = elements x, elements y

                            for members in linesOf shape axis do
                                let members = if reverse then Array.rev members else members
                                let combine = if op = Cumulation.Sum then Binary.Add else Binary.Mul
                                // single precision is kept in double, and every result rounded once
                                let kept = if dtype = DType.Float32 then DType.Float64 else dtype
                                let value m = Scalars.Cast(values[m], kept)
                                let mutable running = value members[0]

                                for k in 0 .. members.Length - 1 do
                                    if k > 0 then
                                        running <- Scalars.Binary(combine, running, value members[k])

                                    let expected = Scalars.Cast(running, dtype)

                                    Expect.equal
                                        results[members[k]].Bits
                                        expected.Bits
                                        $"{op} of %A{shape} along {axis}"

        testCase "an empty line has no extreme"
        <| fun () ->
            let act () =
                Reductions.ArgReduce(
                    ArgReduction.ArgMax,
                    make DType.Float32 [| 3; 0 |] [||],
                    1,
                    allocate DType.Int32 [| 3 |]
                )

            Expect.throwsT<ArgumentException> act "said so"

        for dtype in floats do
            testCase $"softmax of {dtype} and its derivative"
            <| fun () ->
                for shape, axis in lines do
                    let x = make dtype shape (random 1 (sizeOf shape) -30.0 30.0)
                    let t = make dtype shape (random 2 (sizeOf shape) -1.0 1.0)
                    let y, z = allocate dtype shape, allocate dtype shape
                    Reductions.Softmax(x, axis, y)
                    Reductions.SoftmaxScale(t, y, axis, z)
                    let x, y, t, z = numbers x, numbers y, numbers t, numbers z

                    for members in linesOf shape axis do
                        let most = members |> Array.map (fun m -> x[m]) |> Array.fold max -infinity
                        let sum = members |> Array.sumBy (fun m -> exp (x[m] - most))
                        let inner = members |> Array.sumBy (fun m -> t[m] * y[m])

                        for m in members do
                            let expected = exp (x[m] - most) / sum

                            if not (agree (20.0 * tolerance dtype) expected y[m]) then
                                failtest $"softmax: {y[m]:R}, expected {expected:R}"

                            let expected = y[m] * (t[m] - inner)

                            if not (close dtype (4.0 * y[m]) expected z[m]) then
                                failtest $"derivative: {z[m]:R}, expected {expected:R}"

            testCase $"softmax of {dtype} at the edges"
            <| fun () ->
                for shape, axis in [ [| 2; 3 |], 1; [| 3; 2 |], 0 ] do
                    let rows = [| 1e30; -1e30; 1e30; -infinity; 0.0; -infinity |]
                    let rows = if axis = 1 then rows else Array.init 6 (fun i -> rows[i % 2 * 3 + i / 2])
                    let y = allocate dtype shape
                    Reductions.Softmax(make dtype shape rows, axis, y)
                    let expected = [| 0.5; 0.0; 0.5; 0.0; 1.0; 0.0 |]

                    let expected =
                        if axis = 1 then
                            expected
                        else
                            Array.init 6 (fun i -> expected[i % 2 * 3 + i / 2])

                    Expect.equal (numbers y) expected "softmax"
    ]

let private longTests =
    slow
    <| testList "long" [
        testCase "a million float32 are summed to 1e-6"
        <| fun () ->
            for name, value in [ "equal", (fun _ -> 0.1); "random", (let r = Random 1 in fun _ -> r.NextDouble()) ] do
                let values = Array.init 1000000 value

                for shape, axis in [ [| 1000000 |], 0; [| 1000000; 1 |], 0; [| 250000; 4 |], 0 ] do
                    let x = make DType.Float32 shape values
                    let y = numbers (reduce Reduction.Sum x [| axis |]) |> Array.sum
                    let expected = numbers x |> Array.sum
                    Expect.isLessThan (abs (y - expected) / expected) 1e-6 $"{name} %A{shape}"

        testCase "the same bits with one, two and three threads"
        <| fun () ->
            let values = random 1 200000 -1.0 1.0

            for dtype in floats do
                for shape, axes in
                    [
                        [| 200000 |], [| 0 |]
                        [| 200; 1000 |], [| 0 |]
                        [| 200; 1000 |], [| 1 |]
                        [| 20; 100; 100 |], [| 0; 2 |]
                    ] do
                    let x = make dtype shape values

                    let all () = [
                        for op in Enum.GetValues<Reduction>() do
                            bits (reduce op x axes)
                        for run in
                            [
                                (fun y -> Reductions.Softmax(x, axes[0], y))
                                (fun y -> Reductions.SoftmaxScale(x, x, axes[0], y))
                                (fun y -> Reductions.Cumulate(Cumulation.Sum, x, axes[0], false, y))
                            ] do
                            let y = allocate dtype shape
                            run y
                            bits y
                        let y = allocate DType.Int32 (keptShape shape [| axes[0] |])
                        Reductions.ArgReduce(ArgReduction.ArgMax, x, axes[0], y)
                        bits y
                    ]

                    let one = withThreads 1 all

                    for threads in [ 2; 3 ] do
                        Expect.isTrue (one = withThreads threads all) $"{threads} threads, %A{shape}"
    ]

[<Tests>]
let tests = testList "reductions" [ reduceTests; productTests; lineTests; longTests ]
