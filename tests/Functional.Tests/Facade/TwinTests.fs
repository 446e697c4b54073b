/// Every facade model equals its F# twin, bit for bit.
module Functional.Tests.Facade.TwinTests

open System.IO
open Expecto
open Fixtures
open Functional

let private x, y =
    let keys = Key.split 2 (Key.create 1L)
    let x = Random.normal DType.Float32 [ 22; 4 ] keys[0]
    x, oneHot DType.Float32 3 (argmax -1 (Random.normal DType.Float32 [ 22; 3 ] keys[1]))

let private same (what: string) (expected: Tensor[]) (actual: Tensor[]) =
    Expect.equal actual.Length expected.Length $"{what}: as many tensors"

    for i in 0 .. expected.Length - 1 do
        Expect.equal (Tensor.toArray<float32> actual[i]) (Tensor.toArray<float32> expected[i]) $"{what}: tensor {i}"

let private fitTo x epochs key validation trainer parameters =
    let options = {
        FitOptions.create epochs with
            Batching = Batching.ofSize 5
            Validation = validation
            Key = Key.create key
            Display = Silent
    }

    (Training.fit options trainer parameters (Dataset.create x y)).Parameters

let private fit epochs key validation trainer parameters = fitTo x epochs key validation trainer parameters

[<Tests>]
let tests =
    testList "facade" [
        testCase "the talk's program"
        <| fun () ->
            let net =
                Layers.sequential "twin" [
                    Layer.erase (Layers.dense 5)
                    Layer.erase (Layers.activation "sigmoid" sigmoid)
                    Layer.erase (Layers.dense 3)
                    Layer.erase (Layers.activation "softmax" softmax)
                ]

            let trainer = Trainer.ofLayer net Loss.meanSquaredError (Optimizer.sgd 0.1) [ Metric.accuracy ]
            let learnt = net.Initialize (Key.create 7L) [| 4 |] |> fit 4 3L NoValidation trainer
            same "talk" [| yield! Tree.leaves learnt; Layer.predict net learnt x |] (Models.Talk(x, y, 5, 4))

        testCase "the talk's program, as a function over a record"
        <| fun () ->
            let first, second =
                Key.split 4 (Key.create 7L) |> fun keys -> Dense.init keys[0] 4 5, Dense.init keys[2] 5 3

            let predict (a, b) = dense a >> sigmoid >> dense b >> softmax
            let trainer = Trainer.ofFunction predict Loss.meanSquaredError (Optimizer.sgd 0.1) []
            let learnt = fit 4 3L NoValidation trainer (first, second)
            same "function" [| yield! Tree.leaves learnt; predict learnt x |] (Models.Talk(x, y, 5, 4))

        testCase "penalties, dropout, frozen layers, clipping, validation"
        <| fun () ->
            let net =
                Layers.sequential "twin" [
                    Layers.denseWith { Dense.defaults with WeightInitializer = Initializer.heNormal } 8
                    |> Layer.activated "relu" relu
                    |> Layer.erase
                    Layer.erase (Layers.dropout 0.25)
                    Layers.dense 6 |> Layer.activated "tanh" tanh |> Layer.freeze |> Layer.erase
                    Layer.erase (Layers.denseWith { Dense.defaults with BiasInitializer = None } 3)
                ]

            let trainer =
                Trainer.ofLayer
                    net
                    Loss.categoricalCrossEntropyFromLogits
                    (Optimizer.adam 0.01 |> Optimizer.clipByGlobalNorm 1.0)
                    [ Metric.accuracy ]
                |> Trainer.withPenalty (fun p -> Penalty.l2 0.01 (p[0] :?> Dense).Weights)

            let learnt = net.Initialize (Key.create 11L) [| 4 |] |> fit 4 5L (Fraction 0.25) trainer
            same "rich" [| yield! Tree.leaves learnt; Layer.predict net learnt x |] (Models.Rich(x, y, 5, 4))

        testCase "constraints, and a normalisation with initialisers and penalties"
        <| fun () ->
            let settings = {
                Normalization.defaults with
                    GammaInitializer = Initializer.normal 0.5
                    BetaInitializer = Initializer.constant 0.25
            }

            let net =
                Layers.sequential "twin" [
                    Layers.dense 8 |> Layer.activated "tanh" tanh |> Layer.erase
                    Layer.erase (ImageLayers.batchNormalization settings)
                    Layer.erase (Layers.dense 3)
                ]

            let norm (p: obj[]) = p[1] :?> BatchNormalization

            let constrain (p: obj[]) = [|
                let first, last = p[0] :?> Dense, p[2] :?> Dense
                box { first with Weights = Constraint.maxNorm 0.5 [ 0 ] first.Weights }
                box { norm p with Gamma = (norm p).Gamma |> Option.map Constraint.nonNegative }

                box {
                    Weights = Constraint.minMaxNorm 0.1 0.8 0.5 [ 0 ] last.Weights
                    Bias = last.Bias |> Option.map (Constraint.unitNorm [ 0 ])
                }
            |]

            let trainer =
                Trainer.ofLayer net Loss.meanSquaredError (Optimizer.adam 0.01) []
                |> Trainer.withPenalty (fun p -> Penalty.l2 0.01 (norm p).Gamma.Value)
                |> Trainer.withConstraint constrain

            let learnt = net.Initialize (Key.create 29L) [| 4 |] |> fit 4 5L NoValidation trainer

            same
                "constraints"
                [| yield! Tree.leaves learnt; Layer.predict net learnt x |]
                (Models.Constrained(x, y, 5, 4))

            let weights = (learnt[0] :?> Dense).Weights
            Expect.all (Tensor.toFloats (sumOver [ 0 ] (square weights))) (fun n -> n <= 0.25 + 1e-6) "lengths"
            Expect.all (Tensor.toFloats (norm learnt).Gamma.Value) (fun g -> g >= 0.0) "signs"

        testCase "images: convolutions, normalisations, pooling, channels first"
        <| fun () ->
            let images = Random.normal DType.Float32 [ 22; 6; 8; 3 ] (Key.create 4L)
            let strided = { ConvOptions.defaults with Strides = [ 1; 2 ] }

            let net =
                Layers.sequential "twin" [
                    Layer.erase (Layers.convSame 4 [ 3; 3 ] |> Layer.activated "relu" relu)
                    Layer.erase Layers.batchNormalization
                    Layer.erase (Layers.maxPool [ 2; 2 ])
                    Layer.erase (Layers.spatialDropout 0.25)
                    ImageLayers.separableConv { Conv.defaults with Options = strided } 1 6 [ 2; 2 ]
                    |> Layer.activated "tanh" tanh
                    |> ImageLayers.channelsFirst
                    |> Layer.erase
                    Layer.erase (ImageLayers.localResponseNormalization LocalResponse.alexNet)
                    Layer.erase Layers.globalAveragePool
                    Layer.erase (Layers.dense 3)
                ]

            let trainer =
                Trainer.ofLayer net Loss.categoricalCrossEntropyFromLogits (Optimizer.adam 0.001) [ Metric.accuracy ]
                |> Trainer.withPenalty (fun p -> Penalty.l2 0.01 (p[0] :?> Conv).Kernel)

            let learnt = net.Initialize (Key.create 13L) [| 6; 8; 3 |] |> fitTo images 3 5L NoValidation trainer

            same
                "images"
                [| yield! Tree.leaves learnt; Layer.predict net learnt images |]
                (Models.Images(images, y, 5, 3))

        testCase "sequences: an embedding with padding, both directions, masks"
        <| fun () ->
            let tokens = cast DType.Int32 (12.0 * Random.uniform DType.Float64 [ 22; 7 ] (Key.create 6L))
            let keys = Key.split 4 (Key.create 17L)
            let directions = Key.split 2 keys[1]

            let start =
                Embedding.init keys[0] 12 6,
                {
                    Forward = Lstm.init directions[0] 6 5
                    Backward = Lstm.init directions[1] 6 5
                },
                Gru.init keys[2] 10 4,
                Dense.init keys[3] 4 3

            let predict (words, reader, summary, output) tokens =
                let options = { Recurrent.defaults with Mask = Some(Embedding.mask 0 tokens) }

                embedding words tokens
                |> Recurrent.bidirectional BidirectionalMerge.Concat Lstm.cell options reader
                |> Recurrent.last Gru.cell options summary
                |> dense output

            let trainer = Trainer.ofFunction predict Loss.meanSquaredError (Optimizer.adam 0.001) []
            let learnt = fitTo tokens 3 5L NoValidation trainer start
            same "sequences" [| yield! Tree.leaves learnt; predict learnt tokens |] (Models.Sequences(tokens, y, 5, 3))

        testCase "a graph: two inputs, two outputs, a layer that is used twice"
        <| fun () ->
            let part i count = narrow 1 i count x
            let inputs = part 0 2, part 2 2
            let targets = sumKeep [ 1 ] x, part 0 2 * part 2 2
            // the layers in the order in which they were applied: tower, concatenate, dense, multiply, dense
            let keys = Key.split 5 (Key.create 19L)
            let start = Dense.init keys[0] 2 5, Dense.init keys[2] 10 1, Dense.init keys[4] 5 2

            let predict (tower, first, second) (a, b) =
                let p, q = tanh (dense tower a), tanh (dense tower b)
                dense first (concat -1 [ p; q ]), dense second (p * q)

            let loss (a, b) (p, q) = Loss.meanSquaredError a p + Loss.meanAbsoluteError b q * 0.5
            let trainer = Trainer.ofFunction predict loss (Optimizer.sgd 0.1) []

            let options = {
                FitOptions.create 4 with
                    Batching = Batching.ofSize 5
                    Key = Key.create 5L
                    Display = Silent
            }

            let learnt = (Training.fit options trainer start (Dataset.create inputs targets)).Parameters
            let p, q = predict learnt inputs

            same
                "graph"
                [| yield! Tree.leaves learnt; p; q |]
                (Models.Graph(fst inputs, snd inputs, fst targets, snd targets, 5, 4))

        testCase "attention: by products, by sums, in heads, with masks"
        <| fun () ->
            let tokens = cast DType.Int32 (12.0 * Random.uniform DType.Float64 [ 22; 7 ] (Key.create 6L))
            let asked = Random.normal DType.Float32 [ 22; 4; 6 ] (Key.create 7L)
            // the layers in the order in which they were applied: embedding, three attentions, concatenate, average, dense
            let keys = Key.split 7 (Key.create 23L)

            let start =
                Embedding.init keys[0] 12 6,
                { Scale = Some(Tensor.full DType.Float32 [] 1.0); ScoreWeight = None },
                Initializer.glorotUniform DType.Float32 [| 6 |] keys[2],
                MultiHeadAttention.init keys[3] 2 3 6,
                Dense.init keys[6] 18 3

            let predict (words, scale, sums, heads, output) (tokens, asked) =
                let options = { Attention.defaults with KeyMask = Some(Embedding.mask 0 tokens) }
                let known = embedding words tokens

                let first, _ =
                    Attention.dotProduct { options with Scale = Some 1.0 } known known (asked * Option.get scale.Scale)

                let second, _ = Attention.additive options sums known known asked
                let third, _ = multiHeadAttention { options with Causal = true } heads known known asked
                dense output (globalAveragePool (concat -1 [ first; second; third ]))

            let trainer = Trainer.ofFunction predict Loss.meanSquaredError (Optimizer.adam 0.001) []

            let options = {
                FitOptions.create 3 with
                    Batching = Batching.ofSize 5
                    Key = Key.create 5L
                    Display = Silent
            }

            let learnt = (Training.fit options trainer start (Dataset.create (tokens, asked) y)).Parameters

            same
                "attention"
                [| yield! Tree.leaves learnt; predict learnt (tokens, asked) |]
                (Models.Attention(tokens, asked, y, 5, 3))

        testCase "a training that is resumed equals one that never stopped"
        <| fun () ->
            let path = Path.Combine(Path.GetTempPath(), $"functional-{System.Guid.NewGuid():N}")

            try
                let both = Models.Resumed(x, y, path, 2, 5)
                same "resumed" both[.. both.Length / 2 - 1] both[both.Length / 2 ..]
            finally
                File.Delete path
    ]
