/// The summary is Keras' table, and the talk's exercise has its answer.
module Functional.Tests.SummaryTests

open Expecto
open Functional

let private erased = [
    Layer.erase (Layers.dense 500)
    Layer.erase (Layers.activation "sigmoid" sigmoid)
    Layer.erase (Layers.dense 500)
    Layer.erase (Layers.activation "sigmoid" sigmoid)
    Layer.erase (Layer.freeze (Layers.dense 10))
]

let private expected =
    """Model: "digits"
_________________________________________________________________
Layer (type)                 Output Shape              Param #
=================================================================
[0] (dense 500)              (None, 500)               392,500
_________________________________________________________________
[1] (sigmoid)                (None, 500)               0
_________________________________________________________________
[2] (dense 500)              (None, 500)               250,500
_________________________________________________________________
[3] (sigmoid)                (None, 500)               0
_________________________________________________________________
[4] (dense 10)               (None, 10)                5,010
=================================================================
Total params: 648,010 (2.47 MB)
Trainable params: 643,000
Non-trainable params: 5,010
_________________________________________________________________
"""

[<Tests>]
let tests =
    testList "summary" [
        testCase "how many parameters has 784-500-500-10?"
        <| fun () ->
            let model = Layers.sequential "digits" erased
            let parameters = model.Initialize (Key.create 1L) [| 784 |]
            let summary = Summary.ofLayers "digits" [| 784 |] erased parameters
            Expect.equal summary.Total 648010L "the talk's answer"
            Expect.equal (string summary) expected "the table"

        testCase "of any tree: a line for each part"
        <| fun () ->
            let net = Functional.Tests.Toys.init 1L 784 500 10
            let summary = Summary.ofTree "net" net

            Expect.equal
                (summary.Rows |> List.map (fun r -> r.Layer, r.Trainable))
                [ "Hidden", 392500L; "Output", 5010L ]
                "rows"

            Expect.stringContains (string summary) "Total params: 397,510 (1.52 MB)" "total"
            Expect.equal (Summary.ofTree "" (Tensor.zeros [ 3 ])).Total 3L "a bare tensor"
    ]
