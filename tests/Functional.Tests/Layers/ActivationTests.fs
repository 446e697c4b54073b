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
    "hard sigmoid", hardSigmoid, (fun x -> Math.Clamp(0.2 * x + 0.5, 0.0, 1.0))
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

        testCase "activations by name"
        <| fun () ->
            let x = numbers 3 [ 2; 3 ]

            for name in Activation.names do
                Expect.equal (Activation.ofName name x).Shape x.Shape name

            expectRefused [ "\"softmx\""; "softmax" ] (fun () -> Activation.ofName "softmx")
    ]
