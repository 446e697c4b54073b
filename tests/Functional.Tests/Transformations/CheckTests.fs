/// The gradient check that users get: it passes what is right and finds what is wrong, and where.
module Functional.Tests.Transformations.CheckTests

open System
open Expecto
open Functional

type private Layer = { Weights: Tensor; Bias: Tensor option }
type private Net = { Hidden: Layer list; Output: Layer; Name: string; Steps: Tensor }

let private net () =
    let wave shape = Tensor.create shape (Array.init (Seq.fold (*) 1 shape) (fun i -> sin (float i * 1.3 + 0.2)))

    {
        Hidden = [ { Weights = wave [ 3; 4 ]; Bias = Some(wave [ 4 ]) }; { Weights = wave [ 4; 4 ]; Bias = None } ]
        Output = { Weights = wave [ 4; 2 ]; Bias = Some(wave [ 2 ]) }
        Name = "net"
        Steps = Tensor.create [] [| 3 |]
    }

let private x = Tensor.linspace -1.0 1.0 15 |> reshape [ 5; 3 ]

let private layer l x =
    match l.Bias with
    | Some b -> affine l.Weights b x
    | None -> x *@ l.Weights

let private loss activation net =
    let hidden = net.Hidden |> List.fold (fun x l -> activation (layer l x)) x
    mean (square (softmax (layer net.Output hidden)))

/// tanh with a derivative that is off by a factor.
let private wrong (factor: float) =
    customReverse "wrong tanh" (fun x -> let y = tanh x in y, y) (fun y ct -> ct * (1.0 - y * y) * scalar factor)

[<Tests>]
let tests =
    testList "check" [
        testCase "a network's gradient passes, leaf by leaf"
        <| fun () ->
            let c = Check.gradient (loss tanh) (net ())
            Expect.isTrue c.Passed (string c)

            Expect.equal
                (c.Leaves |> Array.map (fun l -> l.Path))
                [| "Hidden[0].Weights"; "Hidden[0].Bias"; "Hidden[1].Weights"; "Output.Weights"; "Output.Bias" |]
                "the float leaves, by path"

            Check.assertGradient (loss tanh) (net ())

        testCase "a wrong rule is found, and shown"
        <| fun () ->
            let f net = loss (wrong 1.001) net
            let c = Check.gradient f (net ())
            Expect.isFalse c.Passed "passed"
            Expect.isGreaterThan c.Worst.Value.Error 1e-5 "the error"
            Expect.stringContains (string c) "WRONG" "printed"
            Expect.stringContains (string c) "tolerance 1e-8\n" "an exponent as one writes it"

            match
                (try
                    Choice1Of2(Check.assertGradient f (net ()))
                 with e ->
                     Choice2Of2 e.Message)
            with
            | Choice1Of2() -> failtest "no error"
            | Choice2Of2 message -> Expect.stringContains message c.Worst.Value.Path "names the worst leaf"

        testCase "an error of one part in ten million is found"
        <| fun () ->
            Expect.isFalse
                (Check.gradient (fun x -> sum (wrong (1.0 + 1e-7) x)) (Tensor.ofSeq [ 0.3; -0.4 ])).Passed
                "passed"

        testCase "hard functions pass: steep, near the edge of their domain, of any size"
        <| fun () ->
            let functions: (Tensor -> Tensor) list = [
                (fun x -> sum (log x))
                (fun x -> sum (sqrt x) * 1e8)
                (fun x -> sum (exp (x * 5.0)))
                (fun x -> sum (sin (x * 30.0)))
                (fun x -> prod x * 1e-8)
                (fun x -> logsumexp (x * 10.0))
            ]

            for f in functions do
                let c = Check.gradient f (Tensor.ofSeq [ 0.003; 0.4; 2.5 ])
                Expect.isTrue c.Passed (string c)

        testCase "a function of nothing that matters has gradient zero"
        <| fun () ->
            Expect.isTrue (Check.gradient (fun (_: Tensor) -> scalar 3.0) (Tensor.ofSeq [ 1.0; 2.0 ])).Passed "passed"

        testCase "Float32 parameters are checked in Float64"
        <| fun () ->
            let single = Tree.map (cast DType.Float32) (net ())
            let c = Check.gradient (loss tanh) single
            Expect.isTrue c.Passed $"{c}"

            Expect.isFalse
                (Check.gradient (fun x -> sum (wrong (1.0 + 1e-7) x)) (Tensor.ofSeq [ 0.3f; -0.4f ])).Passed
                "wrong"

            Expect.throwsC
                (fun () -> ignore (Check.gradient (fun x -> sum (x * Tensor.ofSeq [ 1.0f ])) (Tensor.ofSeq [ 1.0f ])))
                (fun e -> Expect.stringContains e.Message "Float64" "data of another type")
    ]
