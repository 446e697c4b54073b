/// Parts of trees by filters.
module Functional.Tests.SelectTests

open System
open Expecto
open Functional

type Layer = { Weights: Tensor; Bias: Tensor option }
type Net = { First: Layer; Rest: Layer[]; Head: Frozen<Layer>; Scale: Tensor; Steps: int }

let private one = scalar 1.0
let private layer = { Weights = one; Bias = Some one }

/// The same tensor everywhere: a filter goes by places, not by what stands there.
let private net = {
    First = layer
    Rest = [| { layer with Bias = None }; layer |]
    Head = { Value = layer }
    Scale = one
    Steps = 3
}

let private chosen (filter: bool[]) = Array.zip (Tree.paths net) filter |> Array.filter snd |> Array.map fst

[<Tests>]
let tests =
    testList "select" [
        testCase "parts"
        <| fun () ->
            let part f = chosen (Select.part f net)
            Expect.equal (part _.Scale) [| "Scale" |] "a leaf"
            Expect.equal (part _.Rest) [| "Rest[0].Weights"; "Rest[1].Weights"; "Rest[1].Bias" |] "items"
            Expect.equal (part (fun n -> n.Head, n.First.Bias)) [| "First.Bias"; "Head.Weights"; "Head.Bias" |] "two"
            Expect.equal (part id) (Tree.paths net) "all"
            Expect.equal (part (fun n -> n.Rest[0].Bias)) [||] "none"

        testCase "fields"
        <| fun () ->
            let expected = [| "First.Bias"; "Rest[1].Bias"; "Head.Bias" |]
            Expect.equal (chosen (Select.field (nameof layer.Bias) net)) expected "biases"
            Expect.equal (chosen (Select.field "Rest" net)) [||] "a field of no tensor"
            Expect.equal (Select.field "x" one) [| false |] "a bare tensor"
            Expect.equal (Select.field "Weights" {| Weights = [ one; one ] |}) [| false; false |] "items of a field"

        testCase "what is not in the tree is refused"
        <| fun () ->
            let message =
                try
                    Select.part (fun n -> n.Scale + 1.0) net |> ignore
                    ""
                with :? ArgumentException as e ->
                    e.Message

            Expect.stringContains message "not in the tree" "message"
    ]
