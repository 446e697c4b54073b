/// Norms, logarithms of sums of exponentials and what is made of them, of numbers of any size, in both element types, eager
/// and compiled.
module Functional.Tests.Accuracy.ScaleTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Accuracy.DoubleDouble

let private dtypeOf single = if single then DType.Float32 else DType.Float64
let private both = [ false; true ]

let private near single units what (wanted: float[]) (found: Tensor) =
    let found = Tensor.toFloats found
    Expect.equal found.Length wanted.Length what

    Array.iter2
        (fun want got ->
            if not (abs (got - want) <= units * unitOf single * abs want + 4.0 * leastOf single) then
                failtest $"{what}: {got:R}, should be {want:R}")
        wanted
        found

/// The power of two of the largest number, in exponent.
let private exponent (xs: float[]) = xs |> Array.map abs |> Array.max |> Math.ILogB

/// √Σx² and x over it: scaled by a power of two, which is exact.
let private lengthOf (xs: float[]) =
    let e = exponent xs
    let scaled = xs |> Array.map (fun x -> wide (Math.ScaleB(x, -e)))
    let length = scaled |> Array.fold (fun s x -> s + x * x) (wide 0.0) |> sqrtOf
    Math.ScaleB(length.Number, e), scaled |> Array.map (fun x -> (x / length).Number)

/// log Σ eˣ less the largest, and the shares eˣ/Σeˣ, of numbers of any size.
let private logSum (xs: float[]) =
    let top = Array.max xs
    let e = xs |> Array.map (fun x -> if x - top < -745.0 then wide 0.0 else expOf (wide x - wide top))
    // the largest is 1; the others first, lest they be lost
    let others =
        e |> Array.sortBy (fun x -> x.High) |> Array.take (xs.Length - 1) |> Array.fold (+) (wide 0.0)

    let total = wide 1.0 + others
    // by its series where it is too small for the logarithm's thirty digits
    let rest = if others.High < 1e-12 then others - others * others * wide 0.5 else logOf total
    top, rest, e |> Array.map (fun x -> (x / total).Number)

/// Logits that lie a few apart, or many, anywhere on the line.
let private logits (random: Random) single =
    let offset = (ofEverySize random 1e-3 (if single then 1e36 else 1e300) 1)[0]
    let apart = ofEverySize random 1e-2 1e3 1 |> Array.head |> abs
    let xs = Array.init (random.Next(2, 7)) (fun _ -> offset + apart * (random.NextDouble() - 0.5))
    let t = Tensor.ofSeq xs |> cast (dtypeOf single)
    t, Tensor.toFloats t

[<Tests>]
let tests =
    testList "numbers of any size" [
        for single in both do
            testCase $"norm and its derivative, {dtypeOf single}"
            <| fun () ->
                let random = Random 7
                let compiledNorm, compiledGrad = compile norm, compile (grad norm)

                for i in 0..200 do
                    let size =
                        if single then
                            ofEverySize random 1e-36 1e36 1
                        else
                            ofEverySize random 1e-290 1e306 1

                    let t =
                        Tensor.ofSeq (Array.init (1 + i % 3) (fun _ -> size[0] * (random.NextDouble() - 0.5)))
                        |> cast (dtypeOf single)

                    let length, direction = lengthOf (Tensor.toFloats t)
                    near single 4.0 "norm" [| length |] (norm t)
                    near single 4.0 "compiled norm" [| length |] (compiledNorm t)
                    near single 8.0 "its derivative" direction (grad norm t)
                    near single 8.0 "its compiled derivative" direction (compiledGrad t)
                    let rows = stack 0 [ t; Tensor.zerosLike t; t ]
                    near single 4.0 "of rows" [| length; 0.0; length |] (normOver [ 1 ] rows)

            testCase $"log Σ exp and log softmax, {dtypeOf single}"
            <| fun () ->
                let random = Random 8

                for _ in 0..150 do
                    let t, xs = logits random single
                    let top, rest, shares = logSum xs
                    // what a sum of sizes that far apart can know
                    near single 4.0 "lse" [| (wide top + rest).Number |] (logsumexp t)
                    // the exponential of a difference that was rounded
                    let sorted = Array.sortDescending xs
                    let units = 8.0 + min 745.0 (sorted[0] - sorted[1])
                    let logs = xs |> Array.map (fun x -> (wide x - wide top - rest).Number)
                    near single units "log softmax" logs (logSoftmax t)
                    near single units "compiled log softmax" logs (compile logSoftmax t)
                    let u = unitOf single

                    for g in [ grad logsumexp t; compile (grad logsumexp) t; softmax t ] do
                        for want, got in Array.zip shares (Tensor.toFloats g) do
                            // the exponential of a difference d that was rounded
                            let d = abs (log (max want 1e-300))

                            Expect.isLessThanOrEqual
                                (abs (want - got))
                                ((8.0 + d) * u * want + 4.0 * leastOf single)
                                $"shares %A{xs}"

                    let label = random.Next xs.Length

                    let loss (l: Tensor) =
                        Loss.sparseCategoricalCrossEntropyFromLogits (Tensor.ofSeq [ label ]) (expandDims 0 l)

                    near single units "cross-entropy" [| -logs[label] |] (loss t)
                    near single units "compiled cross-entropy" [| -logs[label] |] (compile loss t)
                    let slopes = shares |> Array.mapi (fun i p -> if i = label then p - 1.0 else p)

                    for g in [ grad loss t; compile (grad loss) t ] do
                        for want, got in Array.zip slopes (Tensor.toFloats g) do
                            Expect.isLessThanOrEqual (abs (want - got)) (8.0 * u) $"slope of cross-entropy %A{xs}"

            testCase $"log Σ exp of little beside a largest near 0, {dtypeOf single}"
            <| fun () ->
                let random = Random 10

                for i in 0..300 do
                    let top = if i % 3 = 0 then 0.0 else (ofEverySize random 1e-30 0.4 1)[0]

                    let t =
                        Array.init (1 + i % 40) (fun k ->
                            if k = i % 7 then top else top - 1.0 - 60.0 * random.NextDouble())
                        |> Tensor.ofSeq
                        |> cast (dtypeOf single)

                    let xs = Tensor.toFloats t
                    let top, rest, _ = logSum xs
                    let want = (wide top + rest).Number
                    // an exponential of a rounded difference of up to 61, and a sum of two parts that may cancel
                    let allowed = unitOf single * (64.0 * rest.Number + 2.0 * max (abs top) (abs want))
                    let columns = stack 1 [ t; t + 3.0; t ]

                    for what, got in
                        [
                            "eager", logsumexp t
                            "compiled", compile logsumexp t
                            "columns", index 0 0 (logsumexpOver [ 0 ] columns)
                            "last column", index 0 2 (logsumexpOver [ 0 ] columns)
                        ] do
                        let got = Tensor.toFloat got

                        Expect.isLessThanOrEqual
                            (abs (got - want))
                            allowed
                            $"{what} %A{xs}: {got:R}, should be {want:R}"

            testCase $"binary cross-entropy from logits, {dtypeOf single}"
            <| fun () ->
                let random = Random 9

                for x in ofEverySize random 1e-30 (if single then 1e30 else 1e300) 200 do
                    for target in [ 0.0; 1.0; 0.25; 0.999 ] do
                        let x = (Tensor.ofSeq [ x ] |> cast (dtypeOf single) |> Tensor.toFloats)[0]
                        let t = (Tensor.ofSeq [ target ] |> cast (dtypeOf single) |> Tensor.toFloats)[0]
                        // t·log(1 + e⁻ˣ) + (1 − t)·log(1 + eˣ)
                        let small = if abs x > 745.0 then wide 0.0 else expOf (wide -(abs x))

                        let log1p =
                            if small.High < 1e-12 then
                                small - small * small * wide 0.5
                            else
                                logOf (wide 1.0 + small)

                        let straight = (wide (if x > 0.0 then 1.0 else 0.0) - wide t) * wide x
                        let want = (log1p + straight).Number
                        let given = Tensor.ofSeq [ t ] |> cast (dtypeOf single)
                        let at = Tensor.ofSeq [ x ] |> cast (dtypeOf single)
                        let loss = Loss.binaryCrossEntropyFromLogits given
                        near single 8.0 $"loss at {x}, {t}" [| want |] (loss at)
                        near single 8.0 $"compiled loss at {x}, {t}" [| want |] (compile loss at)
                        // σ(x) − t, without the cancellation where t is 1
                        let slope =
                            if x > 0.0 then
                                (wide 1.0 - wide t - small / (wide 1.0 + small)).Number
                            else
                                (small / (wide 1.0 + small) - wide t).Number

                        let u = unitOf single
                        let allowed = 8.0 * u * (if t = 1.0 || t = 0.0 then abs slope else 1.0) + 4.0 * leastOf single

                        for g in [ grad loss at; compile (grad loss) at ] do
                            Expect.isLessThanOrEqual (abs ((Tensor.toFloats g)[0] - slope)) allowed $"slope at {x}, {t}"

        testCase "the curvature of a binary cross-entropy at large logits and at 0"
        <| fun () ->
            let curvature x =
                let loss l = Loss.binaryCrossEntropyFromLogits (Tensor.ofSeq [ 1.0 ]) l
                (Tensor.toFloats (hessian loss (Tensor.ofSeq [ x ])))[0]

            Expect.equal (curvature 0.0) 0.25 "at 0"
            Expect.floatClose Accuracy.veryHigh (curvature 40.0 / exp -40.0) 1.0 "at 40"
            Expect.floatClose Accuracy.veryHigh (curvature -40.0 / exp -40.0) 1.0 "at −40"

        testCase "norm at 0: slope 0, and no curvature in silence"
        <| fun () ->
            let zero = Tensor.zeros [ 2 ]
            Expect.equal (Tensor.toFloats (grad norm zero)) [| 0.0; 0.0 |] "slope"
            let h = hessian (norm >> square) zero |> Tensor.toFloats
            Expect.all h Double.IsNaN "curvature"
            let h = hessian (norm >> square) (Tensor.ofSeq [ 3.0; 4.0 ]) |> Tensor.toFloats
            Array.iter2 (fun want got -> Expect.floatClose Accuracy.veryHigh got want "2·I") [| 2.0; 0.0; 0.0; 2.0 |] h

        testCase "gradients that are too long to be squared are clipped"
        <| fun () ->
            let g = Tensor.ofSeq [ 3e30; 4e30 ] |> cast DType.Float32, Tensor.ofSeq [ 0.0 ] |> cast DType.Float32
            let a, _ = Gradient.clipByGlobalNorm 1.0 g
            near true 4.0 "together" [| float 0.6f; float 0.8f |] a
            near true 4.0 "one by one" [| float 0.6f; float 0.8f |] (Gradient.clipByNorm 1.0 (fst g))
            near true 4.0 "norm" [| float 5e30f |] (Gradient.globalNorm g)

        testCase "infinities among logits"
        <| fun () ->
            let g = Tensor.toFloats (grad logsumexp (Tensor.ofSeq [ infinity; 0.0 ]))
            Expect.isTrue (Double.IsNaN g[0] && g[1] = 0.0) "∞ takes the whole share, which has no number"
            Expect.equal (Tensor.toFloats (grad logsumexp (Tensor.ofSeq [ -infinity; -infinity ]))) [| 0.0; 0.0 |] "−∞"
            Expect.equal (Tensor.toFloats (grad logsumexp (Tensor.ofSeq [ -infinity; 5.0 ]))) [| 0.0; 1.0 |] "masked"
    ]
