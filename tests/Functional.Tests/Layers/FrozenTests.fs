/// Frozen parts and options in parameter trees.
module Functional.Tests.Layers.FrozenTests

open Expecto
open Functional

type private Norm = { Gain: Tensor; Mean: Frozen; Offset: Tensor option }
type private Net = { Body: Norm; Head: Frozen<Norm> }

let private norm a b c = { Gain = scalar a; Mean = { Value = scalar b }; Offset = Option.map scalar c }
let private net = { Body = norm 2.0 3.0 (Some 5.0); Head = { Value = norm 7.0 11.0 None } }

let private value n =
    n.Body.Gain * n.Body.Mean.Value
    + Option.get n.Body.Offset * n.Head.Value.Gain * n.Head.Value.Mean.Value

let private floats tree = Tree.leaves tree |> Array.map Tensor.toFloat |> List.ofArray

[<Tests>]
let tests =
    testList "frozen" [
        testCase "paths pass through frozen parts and options"
        <| fun () ->
            Expect.sequenceEqual
                (Tree.paths net)
                [ "Body.Gain"; "Body.Mean"; "Body.Offset"; "Head.Gain"; "Head.Mean" ]
                "paths"

        testCase "what is trained"
        <| fun () ->
            Expect.sequenceEqual (Tree.trainable net) [ true; false; true; false; false ] "with frozen parts"
            Expect.sequenceEqual (Tree.trainable (net.Body.Gain, net.Body.Offset)) [ true; true ] "without"

        testCase "the gradient is zero at frozen leaves"
        <| fun () -> Expect.equal (floats (grad value net)) [ 3.0; 0.0; 77.0; 0.0; 0.0 ] "grad"

        testCase "forward mode sees no tangent of frozen leaves"
        <| fun () ->
            let ones = Tree.map Tensor.onesLike net
            Expect.equal (Tensor.toFloat (snd (jvp value net ones))) 80.0 "jvp"

        testCase "a pullback gives zero at frozen leaves"
        <| fun () ->
            let _, pullback = vjp value net
            Expect.equal (floats (pullback (scalar 2.0))) [ 6.0; 0.0; 154.0; 0.0; 0.0 ] "vjp"
    ]
