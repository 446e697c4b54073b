/// Derivatives of the elementwise functions to a few units in the last place, first and second, over all arguments they have:
/// magnitudes evenly over the decades, and as near to the ends of the domain as numbers get.
module Functional.Tests.Accuracy.SlopeTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Accuracy.DoubleDouble

let private one = wide 1.0

/// 1 + x², of |x| ≤ 1e100.
let private onePlusSquare x = one + wide x * wide x
let private oneMinusSquare x = (one - wide x) * (one + wide x)
/// 1/(1 + x²) by its tail where x² is out of range.
let private atanSlope x = if abs x < 1e100 then (one / onePlusSquare x).Number else 1.0 / x / x

let private asinhSlope x = if abs x < 1e100 then (one / sqrtOf (onePlusSquare x)).Number else 1.0 / abs x

let private gaussian x = if abs x > 30.0 then wide 0.0 else expOf (-(wide x * wide x))

/// e^−|x|/(1 + e^−|x|)²
let private bell x =
    let e = expOf (wide -(abs x))
    (e / ((one + e) * (one + e))).Number

let private share x =
    let e = expOf (wide -(abs x))
    if x > 0.0 then (one / (one + e)).Number else (e / (one + e)).Number

let private sinhOf x =
    if abs x < 1e-3 then
        let z = x * x
        x * (1.0 + z / 6.0 * (1.0 + z / 20.0))
    else
        ((expOf (wide x) - expOf (wide -x)) * wide 0.5).Number

let private every random single n =
    ofEverySize random (if single then 1e-37 else 1e-300) (if single then 1e37 else 1e300) n

let private upTo bound random single n = ofEverySize random (if single then 1e-37 else 1e-300) bound n
let private positive draw random single n = draw random single n |> Array.map abs

/// Within (−1, 1), and near its ends.
let private inside random single n =
    Array.append
        (upTo 1.0 random single n)
        (ofEverySize random (if single then 1e-7 else 1e-16) 0.5 n
         |> Array.map (fun d -> float (sign d) * (1.0 - abs d)))
    |> Array.filter (fun x -> abs x < 1.0)

/// Above a bound, and near it.
let private above bound random single n =
    Array.append
        (positive (upTo 1e30) random single n |> Array.filter (fun x -> x > bound))
        (ofEverySize random 1e-15 1.0 n
         |> Array.map (fun d -> bound + abs d)
         |> Array.filter (fun x -> x > bound))

/// A function, arguments, its derivatives, and how many units in the last place they may be off.
let private table: (string * (Tensor -> Tensor) * (Random -> bool -> int -> float[]) * (float -> float) * float)[] = [|
    "expm1", expm1, upTo 700.0, (fun x -> (expOf (wide x)).Number), 4.0
    "log", log, positive every, (fun x -> 1.0 / x), 4.0
    "log1p", log1p, above -1.0, (fun x -> (one / (one + wide x)).Number), 4.0
    "sqrt", sqrt, positive every, (fun x -> 0.5 / sqrt x), 4.0
    "rsqrt", rsqrt, positive (upTo 1e20), (fun x -> (wide -0.5 / (wide x * sqrtOf (wide x))).Number), 6.0
    "reciprocal",
    reciprocal,
    (fun r _ n -> ofEverySize r 1e-18 1e18 n),
    (fun x -> (-one / (wide x * wide x)).Number),
    4.0
    "asin", asin, inside, (fun x -> (one / sqrtOf (oneMinusSquare x)).Number), 4.0
    "acos", acos, inside, (fun x -> (-one / sqrtOf (oneMinusSquare x)).Number), 4.0
    "atan", atan, every, atanSlope, 5.0
    "sinh", sinh, upTo 80.0, (fun x -> ((expOf (wide x) + expOf (wide -x)) * wide 0.5).Number), 4.0
    "cosh", cosh, upTo 80.0, sinhOf, 4.0
    "asinh", asinh, every, asinhSlope, 5.0
    "acosh", acosh, above 1.0, (fun x -> (one / (sqrtOf (wide x - one) * sqrtOf (wide x + one))).Number), 5.0
    "atanh", atanh, inside, (fun x -> (one / oneMinusSquare x).Number), 4.0
    "softplus", softplus, upTo 700.0, share, 5.0
    "erf", erf, upTo 26.0, (fun x -> (gaussian x * twoOverRootPi).Number), 6.0
    "erfc", erfc, upTo 26.0, (fun x -> (-gaussian x * twoOverRootPi).Number), 6.0
|]

let private slope (f: Tensor -> Tensor) = grad (fun x -> sum (f x))

let private secondTable: (string * (Tensor -> Tensor) * (Random -> bool -> int -> float[]) * (float -> float) * float)[] = [|
    "expm1", expm1, upTo 700.0, (fun x -> (expOf (wide x)).Number), 4.0
    "asin", asin, inside, (fun x -> (wide x / (oneMinusSquare x * sqrtOf (oneMinusSquare x))).Number), 12.0
    "acos", acos, inside, (fun x -> (-(wide x) / (oneMinusSquare x * sqrtOf (oneMinusSquare x))).Number), 12.0
    "atan", atan, upTo 1e15, (fun x -> (wide (-2.0 * x) / (onePlusSquare x * onePlusSquare x)).Number), 12.0
    "asinh", asinh, upTo 1e15, (fun x -> (-(wide x) / (onePlusSquare x * sqrtOf (onePlusSquare x))).Number), 12.0
    "atanh", atanh, inside, (fun x -> (wide (2.0 * x) / (oneMinusSquare x * oneMinusSquare x)).Number), 12.0
    "softplus", softplus, upTo 700.0, bell, 12.0
    "erf",
    erf,
    (fun r single -> upTo (if single then 8.5 else 26.0) r single),
    (fun x -> (gaussian x * twoOverRootPi * wide (-2.0 * x)).Number),
    12.0
|]

let private holds what single (arguments: float[]) (wanted: float -> float) tolerance (found: Tensor) =
    let most = if single then float Single.MaxValue else Double.MaxValue
    let found = Tensor.toFloats found

    for i in 0 .. arguments.Length - 1 do
        let want = wanted arguments[i]

        // the slope itself may be out of range, where the function is not
        if abs want <= most then
            let allowed = tolerance * unitOf single * abs want + 2.0 * leastOf single

            if not (abs (found[i] - want) <= allowed) then
                failtest $"{what} at {arguments[i]:R}: {found[i]:R}, should be {want:R}"

/// Every entry in both element types, eager and compiled.
let private each name table (transform: (Tensor -> Tensor) -> Tensor -> Tensor) =
    testList name [
        for single in [ false; true ] do
            for name, f, draw, wanted, tolerance in table do
                let dtype = if single then DType.Float32 else DType.Float64

                testCase $"{name}, {dtype}"
                <| fun () ->
                    let drawn = draw (Random 11) single 400
                    // what the tensor holds, exactly
                    let x = Tensor.ofSeq drawn |> cast dtype
                    let arguments = Tensor.toFloats x
                    let holds what = holds $"{name} {what}" single arguments wanted tolerance
                    holds "eager" (transform f x)
                    holds "compiled" (compile (transform f) x)
    ]

let private atan2Case single =
    let dtype = if single then DType.Float32 else DType.Float64

    testCase $"atan2, {dtype}"
    <| fun () ->
        let random = Random 5
        let size = if single then 1e17 else 1e150

        for _ in 1..300 do
            // both of a size, which is any
            let scale = (ofEverySize random (1.0 / size) size 1)[0]
            let near = ofEverySize random 1e-3 1e3 2
            let at = Tensor.ofSeq [ scale * near[0]; scale * near[1] ] |> cast dtype
            let angle (t: Tensor) = atan2 (index 0 0 t) (index 0 1 t)
            let numbers = Tensor.toFloats at
            let y, x = numbers[0] / scale, numbers[1] / scale
            let squares = (x * x + y * y) * scale
            let wanted = [| x / squares; -y / squares |]

            for found in [ grad angle at; compile (grad angle) at ] do
                for got, want in Array.zip (Tensor.toFloats found) wanted do
                    if not (abs (got - want) <= 16.0 * unitOf single * abs want + 2.0 * leastOf single) then
                        failtest $"atan2 at {numbers[0]:R}, {numbers[1]:R}: {got:R}, should be {want:R}"

[<Tests>]
let tests =
    testList "slopes" [
        each "first derivatives to a few units in the last place" table slope
        each "second derivatives to a few units in the last place" secondTable (slope >> slope)
        atan2Case false
        atan2Case true

        testCase "the slopes of tanh and sigmoid, to a unit of 1"
        <| fun () ->
            // they are made of the result alone, and what is near 1 has no more digits to say how near
            for single in [ false; true ] do
                let dtype = if single then DType.Float32 else DType.Float64
                let x = Tensor.ofSeq (upTo 700.0 (Random 3) single 400) |> cast dtype
                let xs = Tensor.toFloats x

                let near name (f: Tensor -> Tensor) (wanted: float -> float) =
                    for found in [ slope f x; compile (slope f) x ] do
                        for x, got in Array.zip xs (Tensor.toFloats found) do
                            Expect.isLessThanOrEqual (abs (got - wanted x)) (4.0 * unitOf single) $"{name} at {x:R}"

                near "tanh" tanh (fun x -> 4.0 * bell (2.0 * x))
                near "sigmoid" sigmoid bell

        testCase "sigmoid down to the least number"
        <| fun () ->
            for single in [ false; true ] do
                let least = if single then -103.0 else -745.0
                let x = Tensor.ofSeq [ least .. 0.25 .. 40.0 ] |> cast (if single then DType.Float32 else DType.Float64)
                holds "sigmoid" single (Tensor.toFloats x) share 4.0 (sigmoid x)
                holds "sigmoid" single (Tensor.toFloats x) share 4.0 (compile sigmoid x)

        testCase "erfc to its least number, and gelu with it"
        <| fun () ->
            for single in [ false; true ] do
                let dtype = if single then DType.Float32 else DType.Float64
                let drawn = upTo (if single then 10.0 else 26.6) (Random 7) single 600
                let x = Tensor.ofSeq (Seq.append [ -40.0 .. 0.03125..26.6 ] drawn) |> cast dtype
                let xs = Tensor.toFloats x
                let tail x = erfcOf(x).Number
                holds "erfc" single xs tail 4.0 (erfc x)
                holds "erfc" single xs tail 4.0 (compile erfc x)
                let root = sqrtOf (wide 0.5)
                let gelu x = (wide (0.5 * x) * erfcAt (-(wide x) * root)).Number
                // The argument of erfc is rounded, which its steep tail makes x²/2 times as much of.
                let tail = xs |> Array.filter (fun x -> abs x <= 12.0)

                for found in [ Activations.gelu; compile Activations.gelu ] do
                    let y = found (cast dtype (Tensor.ofSeq tail))

                    for x, got in Array.zip tail (Tensor.toFloats y) do
                        let allowed = (8.0 + x * x) * unitOf single * abs (gelu x) + 2.0 * leastOf single
                        Expect.isLessThanOrEqual (abs (got - gelu x)) allowed $"gelu at {x:R}"

            Expect.equal
                (Tensor.toFloats (erfc (Tensor.ofSeq [ infinity; -infinity; 28.0; 0.0 ])))
                [| 0.0; 2.0; 0.0; 1.0 |]
                "edges"

        testCase "log10 of the powers of ten"
        <| fun () ->
            let powers = [| for k in -300 .. 300 -> Double.Parse $"1e{k}" |]
            let found = Tensor.toFloats (log10 (Tensor.ofSeq powers))

            for k in -300 .. 300 do
                Expect.isLessThanOrEqual
                    (abs (found[k + 300] - float k))
                    (if abs k <= 22 then 0.0 else 2.0 * unitOf false * abs (float k))
                    $"log10 1e{k}"

            Expect.equal (Tensor.toFloats (log10 (Tensor.ofSeq [ 0.0; infinity ]))) [| -infinity; infinity |] "edges"

            let g = Tensor.toFloats (grad (log10 >> sum) (Tensor.ofSeq [ 1000.0; 7.0 ]))
            Expect.floatClose Accuracy.veryHigh g[0] (1.0 / (1000.0 * log 10.0)) "slope at 1000"
            Expect.floatClose Accuracy.veryHigh g[1] (1.0 / (7.0 * log 10.0)) "slope at 7"
    ]
