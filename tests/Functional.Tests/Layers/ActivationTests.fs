/// Activations against their formulas, and their derivatives against differences.
module Functional.Tests.Layers.ActivationTests

open System
open Expecto
open Functional
open Functional.Tests.Layers.Close

let private points = [ -30.0; -2.6; -1.0; -0.3; 0.0; 0.2; 1.0; 2.4; 30.0 ]

/// The error function by its series, Abramowitz and Stegun 7.1.6.
let private errorFunction (x: float) =
    if abs x > 6.0 then
        float (sign x)
    else
        let mutable term, sum, n = x, x, 0

        while abs term > 1e-18 do
            n <- n + 1
            term <- term * 2.0 * x * x / float (2 * n + 1)
            sum <- sum + term

        2.0 / sqrt Math.PI * exp (-x * x) * sum

let private eluOf alpha x = if x < 0.0 then alpha * (exp x - 1.0) else x

let private cases: (string * (Tensor -> Tensor) * (float -> float)) list = [
    "linear", linear, id
    "leaky relu", leakyRelu 0.3, (fun x -> if x > 0.0 then x else 0.3 * x)
    "thresholded relu", thresholdedRelu 0.9, (fun x -> if x > 0.9 then x else 0.0)
    "elu", elu 0.5, eluOf 0.5
    "selu", selu, (fun x -> 1.0507009873554805 * eluOf 1.6732632423543772 x)
    "gelu", gelu, (fun x -> x * 0.5 * (1.0 + errorFunction (x / sqrt 2.0)))
    "gelu by tanh", geluTanh, (fun x -> 0.5 * x * (1.0 + tanh (sqrt (2.0 / Math.PI) * (x + 0.044715 * x * x * x))))
    "softsign", softsign, (fun x -> x / (1.0 + abs x))
    "hard sigmoid", hardSigmoid, (fun x -> Math.Clamp(x / 6.0 + 0.5, 0.0, 1.0))
    "relu6", relu6, (fun x -> min 6.0 (max 0.0 x))
    "hard silu", hardSilu, (fun x -> x * Math.Clamp(x / 6.0 + 0.5, 0.0, 1.0))
    "hard tanh", hardTanh, (fun x -> Math.Clamp(x, -1.0, 1.0))
    "hard shrink", hardShrink 0.5, (fun x -> if x > 0.5 || x < -0.5 then x else 0.0)
    "soft shrink",
    softShrink 0.5,
    (fun x ->
        if x > 0.5 then x - 0.5
        elif x < -0.5 then x + 0.5
        else 0.0)
    "tanh shrink", tanhShrink, (fun x -> x - tanh x)
    "celu", celu 0.5, (fun x -> max 0.0 x + min 0.0 (0.5 * (exp (x / 0.5) - 1.0)))
    "log sigmoid", logSigmoid, (fun x -> if x < 0.0 then x - Math.Log(1.0 + exp x) else -(Math.Log(1.0 + exp -x)))
    "mish", mish, (fun x -> x * tanh (if x > 20.0 then x else Math.Log(1.0 + exp x)))
    "squareplus",
    squareplus 4.0,
    (fun x ->
        if x < -20.0 then
            2.0 / (sqrt (x * x + 4.0) - x)
        else
            (x + sqrt (x * x + 4.0)) / 2.0)
    "sparse plus",
    sparsePlus,
    (fun x ->
        if x <= -1.0 then 0.0
        elif x < 1.0 then (x + 1.0) * (x + 1.0) / 4.0
        else x)
    "sparse sigmoid", sparseSigmoid, (fun x -> Math.Clamp(0.5 * (x + 1.0), 0.0, 1.0))
    "relu with everything",
    reluOf (Some 2.0) 0.1 0.5,
    (fun x ->
        if x >= 2.0 then 2.0
        elif x >= 0.5 then x
        else 0.1 * (x - 0.5))
    "gaussian", gaussian, (fun x -> exp (-x * x))
    "swish", swish, (fun x -> x / (1.0 + exp -x))
]

[<Tests>]
let tests =
    testList "activations" [
        for name, f, formula in cases do
            testCase name
            <| fun () ->
                let x = Tensor.ofSeq points
                expectClose 1e-13 (List.map formula points) (f x) name
                expectGradient (f >> fun y -> inner y (numbers 1 [ 9 ])) (numbers 2 [ 9 ]) name
                expectClose 2e-6 (List.map formula points) (f (cast DType.Float32 x)) $"{name} in Float32"

        testCase "derivatives at 0 and far away are finite, with Keras' choice at the kink"
        <| fun () ->
            let at x f = Tensor.toFloat (grad f (scalar x))
            Expect.equal (at 0.0 (leakyRelu 0.3)) 0.3 "leaky relu"
            Expect.equal (at 0.0 (elu 0.5)) 1.0 "elu"
            Expect.equal (at 1000.0 (elu 1.0)) 1.0 "elu far right"
            Expect.equal (at -1000.0 selu) 0.0 "selu far left"

        testCase "parametric relu has an alpha for every feature"
        <| fun () ->
            let x = Tensor.ofRows [ [ 1.0; -2.0 ]; [ -3.0; 4.0 ] ]
            let alpha = Tensor.ofSeq [ 0.1; 0.5 ]
            expectClose 1e-15 [ 1.0; -1.0; -0.3; 4.0 ] (parametricRelu alpha x) "values"
            expectClose 0.0 [ -3.0; -2.0 ] (grad (fun a -> sum (parametricRelu a x)) alpha) "gradient in alpha"

        testCase "sparsemax gives the nearest probabilities"
        <| fun () ->
            // the threshold that makes the numbers above it sum to 1, by bisection
            let nearest (xs: float list) =
                let above t = xs |> List.sumBy (fun x -> max 0.0 (x - t))

                let rec find low high n =
                    if n = 0 then
                        low
                    else
                        let middle = (low + high) / 2.0 in
                        if above middle > 1.0 then find middle high (n - 1) else find low middle (n - 1)

                let t = find (List.min xs - 2.0) (List.max xs) 200
                xs |> List.map (fun x -> max 0.0 (x - t))

            let rows = [ [ 0.3; 0.1; -0.2 ]; [ 3.0; 1.0; 0.2 ]; [ 0.5; 0.5; 0.5 ] ]
            expectClose 1e-12 (List.collect nearest rows) (sparsemax (Tensor.ofRows rows)) "values"
            expectGradient (sparsemax >> fun y -> inner y (numbers 1 [ 2; 4 ])) (numbers 2 [ 2; 4 ]) "gradient"

        testCase "glu gates the first half of an axis by the second"
        <| fun () ->
            let x = Tensor.ofRows [ [ 1.0; -2.0; 0.5; 3.0 ] ]
            let gate x = 1.0 / (1.0 + exp -x)
            expectClose 1e-14 [ gate 0.5; -2.0 * gate 3.0 ] (glu -1 x) "values"
            expectRefused [ "even"; "3 places" ] (fun () -> glu -1 (Tensor.ofSeq [ 1.0; 2.0; 3.0 ]))

        testCase "activations by name"
        <| fun () ->
            let x = numbers 3 [ 2; 3 ]

            for name in Activation.names do
                Expect.equal (Activation.ofName name x).Shape x.Shape name

            expectRefused [ "\"softmx\""; "softmax" ] (fun () -> Activation.ofName "softmx")
    ]
