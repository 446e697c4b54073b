/// The verifier of graphs finds what a pass may forget: each case is a right graph with one thing made wrong.
module Functional.Tests.VerifyTests

open Expecto
open Functional
open Functional.Operations
open Functional.Rewrites

let private spec shape : Spec = { Shape = shape; DType = DType.Float64 }

/// exp x, and its sum with x.
let private right =
    Graph(
        1,
        [| Apply(Prim.exp, 0, -1, -1); Apply(Prim.add, 1, 0, -1) |],
        [| spec [| 2; 3 |]; spec [| 2; 3 |]; spec [| 2; 3 |] |],
        [| 2 |]
    )

let private finds name words (change: Graph -> Graph) =
    testCase name (fun () ->
        let message = Expect.throwsC (fun () -> Verify.graph "Shuffle" (change right)) _.Message
        Expect.stringContains message "after Shuffle" "the pass"

        for word in words do
            Expect.stringContains message word "what is wrong")

[<Tests>]
let tests =
    testList "verifier of graphs" [
        testCase "a right graph" (fun () -> Verify.graph "Shuffle" right)

        finds "a shape that is not what is made" [ "%1"; "3×2"; "2×3" ] (fun g ->
            Graph(g.Inputs, g.Instructions, [| g.Specs[0]; spec [| 3; 2 |]; g.Specs[2] |], g.Outputs))

        finds "a type that is not what is made" [ "%2"; "Float32" ] (fun g ->
            Graph(
                g.Inputs,
                g.Instructions,
                [| g.Specs[0]; g.Specs[1]; { g.Specs[2] with DType = DType.Float32 } |],
                g.Outputs
            ))

        finds "a value read before it is made" [ "instruction 0 reads %2" ] (fun g ->
            Graph(g.Inputs, [| Apply(Prim.add, 2, 0, -1); Apply(Prim.exp, 1, -1, -1) |], g.Specs, g.Outputs))

        finds "an instruction too many" [ "does not know" ] (fun g ->
            Graph(g.Inputs, Array.append g.Instructions [| Apply(Prim.exp, 0, -1, -1) |], g.Specs, g.Outputs))

        finds "a value too many" [ "3 are made" ] (fun g ->
            Graph(g.Inputs, g.Instructions, Array.append g.Specs [| spec [||] |], g.Outputs))

        finds "an output that is not there" [ "output %3" ] (fun g -> Graph(g.Inputs, g.Instructions, g.Specs, [| 3 |]))

        finds "a graph inside" [ "in instruction 0"; "%1" ] (fun _ ->
            let body = Graph(1, [| Apply(Prim.exp, 0, -1, -1) |], [| spec [| 2 |]; spec [| 3 |] |], [| 1 |])
            let flag: Spec = { Shape = [||]; DType = DType.Bool }
            Graph(2, [| ApplyMany(Cond(body, body), [| 0; 1 |], 1) |], [| flag; spec [| 2 |]; spec [| 3 |] |], [| 2 |]))
    ]
