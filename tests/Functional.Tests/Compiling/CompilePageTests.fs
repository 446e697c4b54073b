/// What docs/compile.md says of its examples, which run with the other pages' blocks: numbers, and the explanation.
module Functional.Tests.CompilePageTests

open System
open System.IO
open System.Text.RegularExpressions
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Oracles

type Net = { Hidden: Dense; Output: Dense }
let predict net = dense net.Hidden >> tanh >> dense net.Output
let loss (x, y) net = Loss.meanSquaredError y (predict net x)

let private net = {
    Hidden = Dense.init (Key.create 1L) 2 16
    Output = Dense.init (Key.create 2L) 16 1
}

let private batch = Tensor.full DType.Float32 [ 32; 2 ] 0.5, Tensor.full DType.Float32 [ 32; 1 ] 1.0

let descend net batch =
    let value, gradient = valueAndGrad (loss batch) net
    Tree.map2 (addScaled -0.1) net gradient, value

let train net batches =
    use stepper = new Stepper<_, _, _>(descend, net)

    for batch in batches do
        stepper.Step batch

    stepper.Snapshot(), stepper.Result

let leaky x = where (less x (scalar 0.0)) (0.01 * x) x

let huber (error: Tensor) = cond (less (abs error) (scalar 1.0)) (fun e -> 0.5 * e * e) (fun e -> abs e - 0.5) error

let squareRoot (a: Tensor) =
    whileLoop (fun t -> greater (abs (t * t - a)) (scalar 1e-12)) (fun t -> 0.5 * (t + a / t)) a

let runningSum xs = snd (scan (fun sum x -> sum + x, sum + x) (scalar 0.0) xs)

let energy scan (w: Tensor, xs: Tensor) =
    let last, _ = scan (fun (h: Tensor) (x: Tensor) -> tanh (w * h + x), ()) (scalar 0.0) xs
    last * last

let private page = lazy (File.ReadAllText(Path.Combine(repositoryRoot, "docs", "compile.md")))

/// The blocks of the page in a language.
let private blocks language =
    Regex.Matches(page.Value, $@"(?ms)^```{language}\r?$(.*?)^```")
    |> Seq.map (fun m -> m.Groups[1].Value)

let private number = Tensor.toFloat

[<Tests>]
let tests =
    testList "the page on compiling" [
        testCase "a step"
        <| fun () ->
            let step = compile (fun (net, batch) -> valueAndGrad (loss batch) net)
            let value, gradient = step (net, batch)
            let eager, _ = valueAndGrad (loss batch) net
            Expect.floatClose Accuracy.medium (number value) (number eager) "the value"
            Expect.equal gradient.Hidden.Weights.Shape [| 2; 16 |] "the gradient is a Net"

        testCase "what changes is an argument"
        <| fun () ->
            let decay = compile (fun (x: Tensor, rate: Tensor) -> x * exp (-rate))
            let slower = decay (scalar 1.0, scalar 0.1)
            let faster = decay (scalar 1.0, scalar 0.2)
            Expect.floatClose Accuracy.high (number slower) (exp -0.1) "0.1"
            Expect.floatClose Accuracy.high (number faster) (exp -0.2) "0.2"

            let noise = compile (fun key -> Random.normal DType.Float32 [ 3 ] key)
            let one = noise (Key.create 1L)
            let other = noise (Key.create 2L)
            Expect.notEqual (Tensor.toFloats one) (Tensor.toFloats other) "another key, other noise"

        testCase "a stepper"
        <| fun () ->
            let trained, last = train net (List.replicate 4 batch)
            Expect.isLessThan (number last) (number (loss batch net)) "it learns"

            Expect.isLessThan
                (number (loss batch trained))
                (number last)
                "the snapshot is the state after the last step"

        testCase "control flow, inside and outside"
        <| fun () ->
            for f, x, y in
                [
                    leaky, -2.0, -0.02
                    leaky, 3.0, 3.0
                    huber, 0.5, 0.125
                    huber, -3.0, 2.5
                    squareRoot, 2.0, sqrt 2.0
                ] do
                Expect.floatClose Accuracy.high (number (f (scalar x))) y "outside"
                Expect.floatClose Accuracy.high (number (compile f (scalar x))) y "compiled"

            Expect.equal
                (Tensor.toFloats (compile runningSum (Tensor.ofSeq [ 1.0; 2.0; 3.0 ])))
                [| 1.0; 3.0; 6.0 |]
                "scan"

        testCase "a long sequence"
        <| fun () ->
            let gradientOfLong = compile (grad (energy scanCheckpointed))
            let xs = 0.1 * Random.normal DType.Float64 [ 1000 ] (Key.create 3L)
            let w, _ = gradientOfLong (scalar 0.9, xs)
            let expected, _ = grad (energy scan) (scalar 0.9, xs)
            Expect.floatClose Accuracy.high (number w) (number expected) "the same gradient"

        testCase "an explanation"
        <| fun () ->
            let bend = compiled (fun (x: Tensor) -> sigmoid (2.0 * x + 1.0) - x)
            let bent = bend.Invoke(Tensor.ones [ 3 ])
            let longer = bend.Invoke(Tensor.ones [ 4 ])
            let text = bend.Explain()
            Expect.equal (bent.Size, longer.Size) (3, 4) "sizes"
            let withoutTimes (s: string) = Regex.Replace(s.Replace("\r", ""), @"[\d.]+ ms", "ms").Trim()
            Expect.stringStarts (withoutTimes text) (withoutTimes (Seq.head (blocks "text"))) "as the page shows it"
    ]
