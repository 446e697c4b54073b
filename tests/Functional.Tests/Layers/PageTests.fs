/// What docs/layers.md shows learns, and is what its names say.
module Functional.Tests.Layers.PageTests

open Expecto
open Functional
open Functional.Tests.Layers.Close

type Net = { Hidden: Dense; Output: Dense }
let predict net = dense net.Hidden >> tanh >> dense net.Output

type Bend = { Gain: Tensor }
let bend (p: Bend) (x: Tensor) = x + p.Gain * sin x

let bendLayer: Layer<Bend> =
    Layer.create "bend" (fun _ shape -> { Gain = Tensor.full DType.Float32 shape 0.0 }) (fun _ p x -> bend p x, p)

type Centre = { Mean: Frozen; Offset: Tensor }

let centre: Layer<Centre> =
    Layer.create
        "centre"
        (fun _ shape -> {
            Mean = { Value = Tensor.full DType.Float32 shape 0.0 }
            Offset = Tensor.full DType.Float32 shape 0.0
        })
        (fun phase p x ->
            match phase with
            | Inference -> x - p.Mean.Value + p.Offset, p
            | Training _ ->
                let mean = meanOver [ 0 ] x
                x - mean + p.Offset, { p with Mean = { Value = 0.9 * p.Mean.Value + 0.1 * mean } })

let logCosh (target: Tensor) (prediction: Tensor) =
    let d = prediction - target
    mean (d + softplus (-2.0 * d) - log 2.0)

let heavyBall rate =
    Optimizer.ofRule "heavy ball" rate [ "velocity" ] (fun rate g memory p ->
        let v = 0.9 * memory[0] - rate * g
        p + v, [ v ])

let private key = Key.create 1L
let private x = numbers 1 [ 8; 3 ] |> cast DType.Float32
let private y = numbers 2 [ 8; 2 ] |> cast DType.Float32

[<Tests>]
let tests =
    testList "the page on layers" [
        testCase "log cosh is what its name says"
        <| fun () ->
            let d = Tensor.ofSeq [ -2.0; 0.0; 0.5 ]
            let expected = [ -2.0; 0.0; 0.5 ] |> List.averageBy (fun d -> log (cosh d))
            expectNumber 1e-14 expected (logCosh (Tensor.zeros [ 3 ]) d) "value"

        testCase "a model of the library's layers and one's own learns by one's own loss and optimiser"
        <| fun () ->
            let model =
                Layers.dense 16 --> Layers.activation "tanh" tanh --> bendLayer --> centre --> Layers.dense 2

            let start = model.Initialize key [| 3 |]

            let optimizer =
                heavyBall (Schedule.cosine 0.1 200 0.0 |> Schedule.warmUp 20) |> Optimizer.clipByGlobalNorm 1.0

            let loss p =
                let prediction, updated = model.Apply (Training key) p x
                logCosh y prediction, updated

            let step (p, state) _ =
                let _, updated, gradient = valueAndGradAux loss p
                Optimizer.step optimizer gradient state updated

            let learnt, _ = List.fold step (start, Optimizer.init optimizer start) [ 1..200 ]
            let error p = Tensor.toFloat (logCosh y (Layer.predict model p x))
            Expect.isLessThan (error learnt) (0.1 * error start) "it learns"

            let (_, statistics), _ = learnt
            Expect.isGreaterThan (Tensor.toFloat (amax (abs statistics.Mean.Value))) 0.0 "and keeps its statistics"

        testCase "a network as a plain function"
        <| fun () ->
            let net = { Hidden = Dense.init key 3 16; Output = Dense.init key 16 2 }
            let gradient: Net = grad (fun net -> predict net x |> Loss.meanSquaredError y) net
            Expect.equal gradient.Hidden.Weights.Shape [| 3; 16 |] "the gradient is a Net"
    ]
