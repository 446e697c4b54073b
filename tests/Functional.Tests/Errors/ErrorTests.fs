/// Errors are data: what they speak of is asked of them, and not read out of their text.
module Functional.Tests.Errors.ErrorTests

open System
open Expecto
open Functional
open Functional.Tests

let private raised (f: unit -> 'T) : ArgumentException =
    try
        f () |> ignore
        failtest "an error was expected"
    with :? ArgumentException as e ->
        e

type private Opaque() =
    member val Text = ""

type private Inner = { Held: Opaque }
type private Outer = { Inside: Inner }
type private Two = { A: Tensor; B: Tensor }

[<Tests>]
let tests =
    testList "errors" [
        testCase "a shape error has its operation, its shapes and its reason"
        <| fun () ->
            match raised (fun () -> Tensor.zeros [ 5; 3 ] *@ Tensor.zeros [ 4; 2 ]) with
            | :? ShapeException as e ->
                Expect.equal e.Operation "matmul" "operation"
                Expect.equal e.Shapes [| [| 5; 3 |]; [| 4; 2 |] |] "shapes"
                Expect.equal e.Reason "5×3 times 4×2: the inner sizes 3 and 4 differ" "reason"
                Expect.equal e.Message "matmul: 5×3 times 4×2: the inner sizes 3 and 4 differ" "message"
            | e -> failtest $"{e.GetType()}"

        testCase "sizes are shown under other names without reading the text"
        <| fun () ->
            let image, vector = [| 0; 7 |], [| 0 |]
            let e = ShapeException("op", $"{image} against {vector}, {7} and {Shape.scalar}")

            let named = e.Naming(fun shape axis -> if axis = 0 then "batch" else string shape[axis])
            Expect.equal e.Message "op: 0×7 against [0], 7 and scalar" "as it is"
            Expect.equal named.Message "op: batch×7 against [batch], 7 and scalar" "named"

        testCase "an argument's error is a sentence alone"
        <| fun () ->
            let e = raised (fun () -> Dense.init (Key.create 1L) 0 3)
            Expect.equal e.Message "dense: 0 inputs and 3 outputs; there must be at least one of each" "message"

        testCase "what is no tree says in which records it is"
        <| fun () ->
            match raised (fun () -> Tree.leaves { Inside = { Held = Opaque() } }) with
            | :? TreeException as e ->
                Expect.equal e.Within [ typeof<Inner>; typeof<Outer> ] "records"
                Expect.stringEnds e.Message "are carried along (in Inner) (in Outer)" "message"
            | e -> failtest $"{e.GetType()}"

        testCase "a fit names the parameters that an error speaks of, and no others of that size"
        <| fun () ->
            let predict (p: Two) x = x *@ p.A + sum p.B
            let trainer = Trainer.ofFunction predict Loss.meanSquaredError (Optimizer.sgd 0.1) []
            let data = Dataset.create (Tensor.zeros [ 4; 2 ]) (Tensor.zeros [ 4; 1 ])
            let parameters = { A = Tensor.zeros [ 3; 1 ]; B = Tensor.zeros [ 5; 1 ] }
            let e = raised (fun () -> Training.fit (Toys.quiet 1) trainer parameters data)
            Expect.stringContains e.Message "differ; among the parameters A is 3×1" "named"
            Expect.isFalse (e.Message.Contains "Parameter '") "no parameter of .NET's in the middle"
    ]
