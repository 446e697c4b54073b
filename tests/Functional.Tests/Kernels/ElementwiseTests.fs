/// Every elementwise function for every element type against its definition; that an element's value does not depend on
/// where it stands or how many threads work; broadcasting, conversions, and what is refused.
module Functional.Tests.Kernels.ElementwiseTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Selection
open Functional.Tests.Kernels.Arrays

/// erf by its series, of |x| up to 1.
let private erfSeries x =
    let mutable term, sum = x, x

    for n in 1..40 do
        term <- term * 2.0 * x * x / float (2 * n + 1)
        sum <- sum + term

    2.0 / sqrt Math.PI * sum * exp (-x * x)

/// erfc by its continued fraction, of x from 1 on; the exponential of what rounding x² leaves is a factor of its own.
let private erfcFraction (x: float) =
    let mutable fraction = x

    for n in 400..-1..1 do
        fraction <- x + float n / 2.0 / fraction

    let square = x * x
    exp -square * exp -(Math.FusedMultiplyAdd(x, x, -square)) / sqrt Math.PI / fraction

let private erf x =
    let a = abs x

    let y =
        if Double.IsNaN a then a
        elif a < 1.0 then erfSeries a
        elif a > 30.0 then 1.0
        else 1.0 - erfcFraction a

    Math.CopySign(y, x)

let private erfc x =
    if Double.IsNaN x then x
    elif x < 1.0 then 1.0 - erf x
    elif x > 30.0 then 0.0
    else erfcFraction x

let private expm1 x =
    if abs x > 1.0 then exp x - 1.0
    elif abs x < 1e-5 then x + x * x / 2.0 + x * x * x / 6.0
    else 2.0 * sinh (x / 2.0) * exp (x / 2.0)

let private log1p x =
    if abs x < 1e-4 then
        x - x * x / 2.0 + x * x * x / 3.0 - x * x * x * x / 4.0
    else
        let u = 1.0 + x
        if abs x > 1e16 || x <= -1.0 then log u else log u + (x - (u - 1.0)) / u

let private unary op (x: float) =
    match op with
    | Unary.Neg -> -x
    | Unary.Abs -> abs x
    | Unary.Sign -> if Double.IsNaN x then x else float (sign x)
    | Unary.Exp -> exp x
    | Unary.Expm1 -> expm1 x
    | Unary.Log -> log x
    | Unary.Log1p -> log1p x
    | Unary.Sqrt -> sqrt x
    | Unary.Rsqrt -> 1.0 / sqrt x
    | Unary.Square -> x * x
    | Unary.Reciprocal -> 1.0 / x
    | Unary.Sin -> sin x
    | Unary.Cos -> cos x
    | Unary.Tan -> tan x
    | Unary.Asin -> asin x
    | Unary.Acos -> acos x
    | Unary.Atan -> atan x
    | Unary.Sinh -> sinh x
    | Unary.Cosh -> cosh x
    | Unary.Tanh -> tanh x
    | Unary.Asinh -> Math.Asinh x
    | Unary.Acosh -> Math.Acosh x
    | Unary.Atanh -> Math.Atanh x
    | Unary.Sigmoid -> if x < 0.0 then exp x / (1.0 + exp x) else 1.0 / (1.0 + exp -x)
    | Unary.Softplus -> Math.Max(x, 0.0) + log1p (exp -(abs x))
    | Unary.Relu -> Math.Max(x, 0.0)
    | Unary.Erf -> erf x
    | Unary.Erfc -> erfc x
    | Unary.Floor -> floor x
    | Unary.Ceil -> ceil x
    | Unary.Round -> Math.Round x
    | Unary.Not -> nan

let private binary op (a: float) (b: float) =
    match op with
    | Binary.Add -> a + b
    | Binary.Sub -> a - b
    | Binary.Mul -> a * b
    | Binary.Div -> a / b
    | Binary.Pow -> Math.Pow(a, b)
    | Binary.Atan2 -> Math.Atan2(a, b)
    | Binary.Max -> Math.Max(a, b)
    | Binary.Min -> Math.Min(a, b)
    | Binary.Rem -> a % b
    | Binary.TanhScale -> a * (1.0 - b * b)
    | Binary.SigmoidScale -> a * (b * (1.0 - b))
    | Binary.ReluScale -> if b > 0.0 then a else 0.0
    | Binary.And
    | Binary.Or
    | Binary.Xor -> nan

let private integerUnary = [ Unary.Neg; Unary.Abs; Unary.Sign; Unary.Square; Unary.Not ]

let private integerBinary = [
    Binary.Add
    Binary.Sub
    Binary.Mul
    Binary.Div
    Binary.Pow
    Binary.Max
    Binary.Min
    Binary.Rem
    Binary.And
    Binary.Or
    Binary.Xor
]

let private bitwise = [ Binary.And; Binary.Or; Binary.Xor ]

let private unaryDefined op dtype =
    match dtype with
    | DType.Bool -> op = Unary.Not
    | DType.Int32
    | DType.Int64 -> List.contains op integerUnary
    | _ -> op <> Unary.Not

let private binaryDefined op dtype =
    match dtype with
    | DType.Bool -> List.contains op (Binary.Max :: Binary.Min :: bitwise)
    | DType.Int32
    | DType.Int64 -> List.contains op integerBinary
    | _ -> not (List.contains op bitwise)

let private integerUnaryOf op (x: int64) =
    match op with
    | Unary.Neg -> -x
    | Unary.Abs -> abs x
    | Unary.Sign -> int64 (sign x)
    | Unary.Square -> x * x
    | _ -> ~~~x

let private integerBinaryOf op (a: int64) (b: int64) =
    match op with
    | Binary.Add -> a + b
    | Binary.Sub -> a - b
    | Binary.Mul -> a * b
    | Binary.Div -> a / b
    | Binary.Rem -> a % b
    | Binary.Pow -> Seq.fold (*) 1L (Seq.replicate (int b) a)
    | Binary.Max -> max a b
    | Binary.Min -> min a b
    | Binary.And -> a &&& b
    | Binary.Or -> a ||| b
    | _ -> a ^^^ b

/// Values of all sizes, the edges, and values in the unit interval.
let private floatSamples = [|
    0.0
    -0.0
    nan
    infinity
    -infinity
    1.0
    -1.0
    0.5
    -0.5
    1.5
    2.5
    1e-30
    -1e-30
    1e30
    -1e30
    3e5
    -7e6
    yield! random 1 40 -1.0 1.0
    yield! random 2 40 -8.0 8.0
    yield! random 3 40 -80.0 80.0
    yield! random 4 11 0.0 1e-3
|]

let private integerSamples = [| 0.0; 1.0; -1.0; yield! random 5 97 -40.0 40.0 |]
let private samples (dtype: DType) = if dtype.IsFloat() then floatSamples else integerSamples

let private run op (x: NDArray) =
    let y = allocate x.DType x.Shape
    Elementwise.Unary(op, x, y)
    y

/// Result types and shapes of two operands.
let private zip (dtype: DType) shape (kernel: NDArray -> unit) =
    let y = allocate dtype shape
    kernel y
    y

let private broadcasts: (int[] * int[] * int[]) list = [
    [| 37 |], [| 37 |], [| 37 |]
    [| 4; 33 |], [||], [| 4; 33 |]
    [||], [| 4; 33 |], [| 4; 33 |]
    [| 4; 33 |], [| 33 |], [| 4; 33 |]
    [| 33 |], [| 4; 33 |], [| 4; 33 |]
    [| 4; 33 |], [| 4; 1 |], [| 4; 33 |]
    [| 5; 1 |], [| 1; 7 |], [| 5; 7 |]
    [| 2; 3; 4; 5 |], [| 3; 1; 5 |], [| 2; 3; 4; 5 |]
    [| 2; 1; 4; 1 |], [| 1; 3; 1; 5 |], [| 2; 3; 4; 5 |]
    [| 1; 1 |], [| 1 |], [| 1; 1 |]
    [| 400; 10 |], [| 10 |], [| 400; 10 |]
    [| 3 |], [| 100; 3 |], [| 100; 3 |]
    [| 41; 8; 1 |], [| 8; 5 |], [| 41; 8; 5 |]
    [| 41; 8; 5 |], [| 8; 5 |], [| 41; 8; 5 |]
    [| 90; 7 |], [| 90; 1 |], [| 90; 7 |]
    [||], [||], [||]
    [| 0; 3 |], [| 3 |], [| 0; 3 |]
    [| 3; 0 |], [| 3; 1 |], [| 3; 0 |]
]

let private cycle dtype shape shift =
    let values = samples dtype
    Array.init (sizeOf shape) (fun i -> values[(i * 7 + shift) % values.Length]) |> make dtype shape

let private sameBits name expected actual =
    Array.iteri2
        (fun i e a ->
            if e <> a then
                failtest $"{name}: element {i} is {a}, expected {e}")
        expected
        actual

let private unaryTests =
    testList "unary" [
        for op in Enum.GetValues<Unary>() do
            for dtype in everyType do
                if unaryDefined op dtype then
                    testCase $"{op} of {dtype}"
                    <| fun () ->
                        let x = make dtype [| (samples dtype).Length |] (samples dtype)
                        let y = run op x

                        for i in 0 .. x.Size - 1 do
                            let a, b = element x i, element y i

                            if dtype.IsFloat() then
                                let expected = unary op a.Float
                                let expected = if dtype = DType.Float32 then float (float32 expected) else expected
                                // Near its zeros and poles tan of a double is its own condition number away.
                                let slack = if op = Unary.Tan then 4.0 else 1.0
                                // Through e^−Q or a difference the reference itself is good to a few units only.
                                let slack = if dtype = DType.Float64 then 4.0 * slack else slack

                                if not (agree (slack * tolerance dtype) expected b.Float) then
                                    failtest $"{op}({a.Float:R}) = {b.Float:R}, expected {expected:R}"
                            elif dtype = DType.Bool then
                                Expect.equal b.Bits (1L - a.Bits) "not"
                            else
                                Expect.equal b.Bits (integerUnaryOf op a.Bits) $"{op}({a.Bits})"

                    testCase $"{op} of {dtype}: alone or in company, the same bits"
                    <| fun () ->
                        let alone = elements (cycle dtype [| 131 |] 0) |> Array.map (fun x -> Scalars.Unary(op, x))

                        for count in [ 0; 1; 2; 3; 5; 7; 8; 15; 16; 17; 31; 64; 65; 131 ] do
                            let x = cycle dtype [| count |] 0
                            let expected = alone |> Array.truncate count |> Array.collect bits
                            sameBits $"{op} of {count}" expected (bits (run op x))
                            Elementwise.Unary(op, x, x)
                            sameBits $"{op} of {count} in place" expected (bits x)
                else
                    testCase $"{op} of {dtype} is refused"
                    <| fun () ->
                        let x = make dtype [| 2 |] [| 1.0; 1.0 |]
                        Expect.throwsT<NotSupportedException> (fun () -> run op x |> ignore) "in arrays"

                        Expect.throwsT<NotSupportedException>
                            (fun () -> Scalars.Unary(op, element x 0) |> ignore)
                            "alone"
    ]

let private binaryTests =
    testList "binary" [
        for op in Enum.GetValues<Binary>() do
            for dtype in everyType do
                if binaryDefined op dtype then
                    testCase $"{op} of {dtype}, broadcast"
                    <| fun () ->
                        for left, right, shape in broadcasts do
                            let a = cycle dtype left 3
                            let b = cycle dtype right 11

                            // Exponents small and not negative, divisors not 0.
                            let b =
                                if dtype.IsFloat() || dtype = DType.Bool then
                                    b
                                else
                                    make
                                        dtype
                                        right
                                        (numbers b
                                         |> Array.map (fun v ->
                                             if op = Binary.Pow then abs v % 6.0
                                             elif v = 0.0 then 3.0
                                             else v))

                            let y = zip dtype shape (fun y -> Elementwise.Binary(op, a.Settle(), b.Settle(), y))

                            let expected =
                                Array.init (sizeOf shape) (fun i ->
                                    let p, q = element a (place shape left i), element b (place shape right i)
                                    let value = Scalars.Binary(op, p, q)

                                    if dtype.IsFloat() then
                                        let expected = binary op p.Float q.Float

                                        let expected =
                                            if dtype = DType.Float32 then float (float32 expected) else expected
                                        // t·(1 − y²) loses what the difference cancels.
                                        let slack =
                                            if op = Binary.TanhScale || op = Binary.SigmoidScale then 1e3 else 1.0

                                        if not (agree (slack * tolerance dtype) expected value.Float) then
                                            failtest
                                                $"{op}({p.Float:R}, {q.Float:R}) = {value.Float:R}, expected {expected:R}"
                                    else
                                        let expected = integerBinaryOf op p.Bits q.Bits
                                        let expected = if dtype = DType.Int32 then int64 (int expected) else expected
                                        Expect.equal value.Bits expected $"{op}({p.Bits}, {q.Bits})"

                                    (bits value)[0])

                            sameBits $"{op} %A{left} %A{right}" expected (bits y)
                else
                    testCase $"{op} of {dtype} is refused"
                    <| fun () ->
                        let x = make dtype [| 2 |] [| 1.0; 1.0 |]
                        Expect.throwsT<NotSupportedException> (fun () -> Elementwise.Binary(op, x, x, x)) "in arrays"

                        Expect.throwsT<NotSupportedException>
                            (fun () -> Scalars.Binary(op, element x 0, element x 0) |> ignore)
                            "alone"

        for dtype in integers do
            testCase $"division, remainder and power of {dtype} are defined for every pair"
            <| fun () ->
                let least = if dtype = DType.Int32 then int64 Int32.MinValue else Int64.MinValue
                let some = [| least; -7L; -2L; -1L; 0L; 1L; 2L; 7L; -(least + 1L) |]
                let pairs = Array.allPairs some some

                let column f =
                    let values = Array.map f pairs

                    if dtype = DType.Int32 then
                        NDArray.Of([| pairs.Length |], ReadOnlySpan(Array.map int values))
                    else
                        NDArray.Of([| pairs.Length |], ReadOnlySpan values)

                let wrap (n: bigint) =
                    let size = bigint 2 ** (if dtype = DType.Int32 then 32 else 64)
                    let rest = ((n % size) + size) % size
                    int64 (if rest >= size / bigint 2 then rest - size else rest)

                let quotient (a: bigint) (b: bigint) = if b.IsZero then bigint 0 else bigint.Divide(a, b)

                let power (a: bigint) (b: bigint) =
                    if b.Sign < 0 then
                        quotient
                            (bigint 1)
                            (if bigint.Abs a > bigint 1 then bigint 2 else (if b.IsEven then a * a else a))
                    elif b > bigint 8 then
                        bigint.ModPow(a, b, bigint 2 ** 64)
                    else
                        a ** int b

                for op, defined in
                    [ Binary.Div, quotient; Binary.Rem, (fun a b -> a - quotient a b * b); Binary.Pow, power ] do
                    let y = zip dtype [| pairs.Length |] (fun y -> Elementwise.Binary(op, column fst, column snd, y))

                    pairs
                    |> Array.iteri (fun i (a, b) ->
                        let expected = wrap (defined (bigint a) (bigint b))
                        Expect.equal (element y i).Bits expected $"{a} {op} {b} in arrays"
                        let one = Scalars.Binary(op, NDArray.OfInteger(a, dtype), NDArray.OfInteger(b, dtype))
                        Expect.equal one.Bits expected $"{a} {op} {b} alone")

        testCase "the smallest integer over −1 wraps around"
        <| fun () ->
            for dtype, least in [ DType.Int32, int64 Int32.MinValue; DType.Int64, Int64.MinValue ] do
                let a, b = NDArray.OfInteger(least, dtype), NDArray.OfInteger(-1L, dtype)
                let y = zip dtype [||] (fun y -> Elementwise.Binary(Binary.Div, a, b, y))
                Expect.equal (element y 0).Bits least "quotient"
                Expect.equal (Scalars.Binary(Binary.Rem, a, b)).Bits 0L "remainder"
    ]

let private compareTests =
    testList "compare, select, cast, fill" [
        for dtype in everyType do
            testCase $"comparisons of {dtype}"
            <| fun () ->
                for op in Enum.GetValues<Comparison>() do
                    for left, right, shape in broadcasts do
                        let a, b = cycle dtype left 3, cycle dtype right 10
                        let y = zip DType.Bool shape (fun y -> Elementwise.Compare(op, a.Settle(), b.Settle(), y))

                        for i in 0 .. y.Size - 1 do
                            let p, q = element a (place shape left i), element b (place shape right i)
                            let m, n = number p, number q

                            let expected =
                                match op with
                                | Comparison.Equal -> m = n
                                | Comparison.NotEqual -> m <> n
                                | Comparison.Less -> m < n
                                | Comparison.LessEqual -> m <= n
                                | Comparison.Greater -> m > n
                                | Comparison.GreaterEqual -> m >= n

                            Expect.equal ((element y i).Bits = 1L) expected $"{op}({m}, {n})"
                            Expect.equal (Scalars.Compare(op, p, q)).Bits (element y i).Bits "alone"

            testCase $"select of {dtype}"
            <| fun () ->
                for left, right, shape in broadcasts do
                    for maskShape in [ shape; right; [||] ] do
                        let mask, a, b = cycle DType.Bool maskShape 1, cycle dtype left 3, cycle dtype right 10
                        let y = zip dtype shape (fun y -> Elementwise.Select(mask.Settle(), a.Settle(), b.Settle(), y))

                        let expected =
                            Array.init (sizeOf shape) (fun i ->
                                if (element mask (place shape maskShape i)).Bits = 1L then
                                    element a (place shape left i)
                                else
                                    element b (place shape right i))

                        sameBits "select" (Array.collect bits expected) (bits y)

            testCase $"casts of {dtype}"
            <| fun () ->
                for target in everyType do
                    let x = cycle dtype [| 131 |] 0
                    let y = zip target [| 131 |] (fun y -> Elementwise.Cast(x, y))

                    for i in 0..130 do
                        let a, b = element x i, element y i

                        let expected =
                            match target with
                            | DType.Float32 -> float (float32 (number a))
                            | DType.Float64 -> number a
                            | DType.Bool -> if number a <> 0.0 then 1.0 else 0.0
                            | DType.Int32 when Double.IsNaN(number a) -> 0.0
                            | DType.Int32 -> Math.Clamp(truncate (number a), float Int32.MinValue, float Int32.MaxValue)
                            | _ when Double.IsNaN(number a) -> 0.0
                            | _ -> Math.Clamp(truncate (number a), float Int64.MinValue, float Int64.MaxValue)

                        Expect.isTrue (agree 0.0 expected (number b)) $"{number a} as {target} is {number b}"
                        Expect.equal (bits (Scalars.Cast(a, target))) (bits b) "alone"

            testCase $"fill of {dtype}"
            <| fun () ->
                let y = allocate dtype [| 3; 7 |]
                Elementwise.Fill(y, (make dtype [||] [| 1.0 |]).Settle())
                Expect.equal (numbers y) (Array.replicate 21 1.0) "ones"

        for dtype in floats do
            testCase $"a + s·b of {dtype}"
            <| fun () ->
                for shape in [ [||]; [| 3 |]; [| 5; 13 |] ] do
                    let a = make dtype shape (random 1 (sizeOf shape) -1.0 1.0)
                    let b = make dtype shape (random 2 (sizeOf shape) -1.0 1.0)
                    let y = zip dtype shape (fun y -> Elementwise.AddScaled(0.3, a.Settle(), b.Settle(), y))

                    for p, q, r in Array.zip3 (numbers a) (numbers b) (numbers y) do
                        Expect.floatClose { absolute = tolerance dtype; relative = 0.0 } r (p + 0.3 * q) "a + s·b"
    ]

let private threadTests =
    slow
    <| testList "threads" [
        testCase "the same bits with one, two and three"
        <| fun () ->
            for dtype in floats do
                let shape = [| 300; 1000 |]
                let a = make dtype shape (random 1 300000 -5.0 5.0)
                let column = make dtype [| 300; 1 |] (random 2 300 0.1 5.0)
                let row = make dtype [| 1000 |] (random 3 1000 0.1 5.0)

                let all () = [
                    for op in [ Unary.Neg; Unary.Tanh; Unary.Atan ] do
                        run op a
                    for b in [ a; column; row ] do
                        for op in [ Binary.Add; Binary.Pow ] do
                            zip dtype shape (fun y -> Elementwise.Binary(op, a, b, y))
                            zip DType.Bool shape (fun y -> Elementwise.Compare(Comparison.Less, a, b, y))
                            zip dtype shape (fun y -> Elementwise.AddScaled(0.5, a, a, y))
                    zip DType.Int32 shape (fun y -> Elementwise.Cast(a, y))
                ]

                let one = withThreads 1 (fun () -> all () |> List.map bits)

                for threads in [ 2; 3 ] do
                    for expected, actual in List.zip one (withThreads threads all) do
                        sameBits $"{threads} threads" expected (bits actual)
    ]

/// Numbers of every size: some in each binade, of both signs.
let private everyBinade (dtype: DType) =
    let single = dtype = DType.Float32
    let least, most = if single then -149, 127 else -1074, 1023
    let fractions = random 6 ((most - least + 1) * 8) 1.0 2.0

    fractions
    |> Array.mapi (fun i f -> Math.ScaleB(f, least + i / 8))
    |> Array.map (fun x -> if single then float (float32 x) else x)
    |> Array.collect (fun x -> [| x; -x |])

/// The distance of two numbers in units of the last place that the expected one has.
let private ulps (dtype: DType) (expected: float) (actual: float) =
    let digits, least = if dtype = DType.Float32 then 23, -149 else 52, -1074

    if expected = actual then
        0.0
    elif expected = 0.0 then
        abs actual / Math.ScaleB(1.0, least)
    else
        abs (actual - expected) / Math.ScaleB(1.0, max least (Math.ILogB expected - digits))

let private accuracyTests =
    testList "accuracy" [
        for dtype in floats do
            // below them e⁻ˣ is no number, and the sigmoid is 0
            let least = if dtype = DType.Float32 then -88.0 else -709.0

            // the references in double precision are off by a unit or two themselves
            let most = if dtype = DType.Float32 then 2.6 else 5.0

            for op in [ Unary.Tanh; Unary.Sigmoid; Unary.Exp ] do
                testCase $"{op} of {dtype} in every binade"
                <| fun () ->
                    let xs =
                        Array.append (everyBinade dtype) (random 7 4000 -20.0 20.0)
                        |> Array.map (fun x -> if dtype = DType.Float32 then float (float32 x) else x)
                        |> Array.filter (fun x -> op <> Unary.Sigmoid || x > least)

                    let ys = numbers (run op (make dtype [| xs.Length |] xs))

                    for x, y in Array.zip xs ys do
                        let exact = unary op x
                        let rounded = if dtype = DType.Float32 then float (float32 exact) else exact

                        if Double.IsInfinity rounded then
                            Expect.equal y rounded $"{op}({x:R})"
                        elif not (ulps dtype exact y <= most) then
                            failtest $"{op}({x:R}) = {y:R}, expected {exact:R}: {ulps dtype exact y} units off"

            testCase $"tanh of {dtype} is odd, at most 1, and near 0 the number itself"
            <| fun () ->
                let xs = Array.append (everyBinade dtype) (random 8 4000 0.0 25.0)
                let of' xs = numbers (run Unary.Tanh (make dtype [| xs |> Array.length |] xs))
                let ys = of' xs
                Expect.equal (of' (Array.map (~-) xs)) (Array.map (~-) ys) "odd"
                Expect.isTrue (ys |> Array.forall (fun y -> abs y <= 1.0)) "at most 1"

                for x, y in Array.zip xs ys do
                    if abs x < 1e-9 then
                        Expect.equal y x $"tanh {x}"
                    elif abs x > 20.0 then
                        Expect.equal y (float (sign x)) $"tanh {x}"
    ]

[<Tests>]
let tests = testList "elementwise" [ unaryTests; binaryTests; accuracyTests; compareTests; threadTests ]
