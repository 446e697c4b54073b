/// Layers: dense by hand, composition, lists of layers, shapes and the errors of those that do not fit.
module Functional.Tests.Layers.LayerTests

open Expecto
open Functional
open Functional.Tests.Layers.Close

let private key = Key.create 3L
let private rows (xs: float list list) = Tensor.ofRows xs

let private hand: Dense = {
    Weights = rows [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ]; [ 5.0; 6.0 ] ]
    Bias = Some(Tensor.ofSeq [ 0.5; -0.5 ])
}

let private x = rows [ [ 1.0; 0.0; -1.0 ]; [ 2.0; 1.0; 0.0 ] ]

type private Net = { Hidden: Dense; Output: Dense }

let private apply (layer: Layer<unit>) x = Layer.predict layer () x

[<Tests>]
let tests =
    testList "layers" [
        testCase "dense by hand"
        <| fun () ->
            expectClose 0.0 [ -3.5; -4.5; 5.5; 7.5 ] (dense hand x) "with bias"
            expectClose 0.0 [ -4.0; -4.0; 5.0; 8.0 ] (dense { hand with Bias = None } x) "without bias"
            Expect.equal (dense hand (numbers 1 [ 2; 4; 3 ])).Shape [| 2; 4; 2 |] "over the last axis of three"

        testCase "the gradient of a record of dense layers is such a record"
        <| fun () ->
            let net = {
                Hidden = hand
                Output = { Weights = rows [ [ 1.0 ]; [ -1.0 ] ]; Bias = None }
            }

            let predict net = dense net.Hidden >> tanh >> dense net.Output
            let loss net = predict net x |> Loss.halfSquaredError (rows [ [ 1.0 ]; [ 2.0 ] ])
            let gradient = grad loss net
            Expect.sequenceEqual (Tree.paths net) [ "Hidden.Weights"; "Hidden.Bias"; "Output.Weights" ] "paths"

            let byDifferences =
                differences (fun w -> loss { net with Hidden = { net.Hidden with Weights = w } }) net.Hidden.Weights

            expectClose 1e-8 byDifferences gradient.Hidden.Weights "weights"

        testCase "dense begins as Keras' does"
        <| fun () ->
            let p = Dense.init key 784 500
            let bound = sqrt (6.0 / 1284.0)
            Expect.equal (p.Weights.Shape, p.Weights.DType) ([| 784; 500 |], DType.Float32) "weights"
            Expect.isLessThanOrEqual (Tensor.toFloat (amax (abs p.Weights))) bound "Glorot's bound"
            Expect.equal (Tensor.toFloat (amax (abs p.Bias.Value))) 0.0 "bias"
            Expect.equal (Tree.count p) (784 * 500 + 500) "parameters"

        testCase "input of the wrong width"
        <| fun () -> expectRefused [ "affine"; "4 features"; "expect 3" ] (fun () -> dense hand (numbers 1 [ 2; 4 ]))

        testCase "composition: initialisation, shapes, application"
        <| fun () ->
            let layer = Layers.flatten --> Layers.dense 5 --> Layers.activation "tanh" tanh --> Layers.dense 2
            Expect.equal (layer.OutputShape [| 2; 3 |]) [| 2 |] "output shape"
            let p = layer.Initialize key [| 2; 3 |]
            Expect.equal (Tree.count p) (6 * 5 + 5 + 5 * 2 + 2) "parameters"
            let x = numbers 4 [ 3; 2; 3 ] |> cast DType.Float32
            let y, after = layer.Apply (Training key) p x
            Expect.isTrue (obj.ReferenceEquals(p, after)) "no state: the same parameters come back"
            let (((), first), ()), last = p
            let expected = x |> reshape [ 3; 6 ] |> dense first |> tanh |> dense last
            expectClose 0.0 (Tensor.toFloats expected) y "the functions, one after another"

        testCase "a layer is asked for its shape once, however deep it is nested"
        <| fun () ->
            let asked = ref 0

            let counting =
                Layer.stateless "counting" (fun x ->
                    asked.Value <- asked.Value + 1
                    x)
                |> Layer.erase

            let deep = Seq.replicate 50 counting |> Seq.reduce (fun inner next -> Layer.erase (inner --> next))

            deep.Initialize key [| 3 |] |> ignore
            Expect.equal asked.Value 50 "once each"

        testCase "a layer that reads numbers says its shape itself"
        <| fun () ->
            let read (x: Tensor) = x * Tensor.toFloat (sum x)
            let layer = Layer.shaped "read" id (fun _ _ -> ()) (fun _ () x -> read x, ())
            Expect.equal (layer.OutputShape [| UnknownSize.Value; 2 |]) [| UnknownSize.Value; 2 |] "shape"
            expectClose 0.0 [| 3.0; 6.0 |] (apply layer (Tensor.ofSeq [ 1.0; 2.0 ])) "values"

        testCase "a list of layers computes what their composition does"
        <| fun () ->
            let model =
                Layers.sequential "model" [
                    Layer.erase (Layers.dense 5)
                    Layer.erase (Layers.activation "tanh" tanh)
                    Layer.erase (Layers.dense 2)
                ]

            let p = model.Initialize key [| 3 |]
            Expect.sequenceEqual (Tree.paths p) [ "[0].Weights"; "[0].Bias"; "[2].Weights"; "[2].Bias" ] "paths"
            let x = numbers 4 [ 4; 3 ] |> cast DType.Float32
            let expected = x |> dense (unbox p[0]) |> tanh |> dense (unbox p[2])
            expectClose 0.0 (Tensor.toFloats expected) (Layer.predict model p x) "values"
            let gradient = grad (fun p -> sum (Layer.predict model p x)) p

            Expect.equal
                (Tree.leaves gradient |> Array.map Tensor.shape)
                (Tree.leaves p |> Array.map Tensor.shape)
                "gradient"

        testCase "a layer that cannot follow is named with its place"
        <| fun () ->
            let model =
                Layers.sequential "model" [ Layer.erase (Layers.dense 5); Layer.erase (Layers.reshape [ 2; 3 ]) ]

            expectRefused [ "layer 1 (reshape)"; "shape [5]"; "2×3" ] (fun () -> model.OutputShape [| 4 |])

        testCase "an input that does not fit the weights is refused with their place"
        <| fun () ->
            let model = Layers.sequential "model" [ Layer.erase (Layers.dense 5); Layer.erase (Layers.dense 2) ]
            let p = model.Initialize key [| 3 |]
            let wrong = [| p[0]; Layer.erase (Layers.dense 2) |> fun layer -> layer.Initialize key [| 4 |] |]
            let x = cast DType.Float32 x

            expectRefused [ "model: layer 1 (dense 2)"; "2×5"; "5 features"; "expect 4" ] (fun () ->
                Layer.predict model wrong x)

            expectRefused [ "layer 0"; "Float64"; "Float32" ] (fun () -> Layer.predict model p (cast DType.Float64 x))

        testCase "a frozen layer answers but does not learn"
        <| fun () ->
            let layer = Layer.freeze (Layers.dense 2) --> Layers.dense 1
            let p = layer.Initialize key [| 3 |]
            let gradient = grad (fun p -> layer.Apply (Training key) p (cast DType.Float32 x) |> fst |> sum) p
            Expect.equal (Tree.trainable p) [| false; false; true; true |] "what is trained"
            Expect.equal (Tensor.toFloat (amax (abs (fst gradient).Value.Weights))) 0.0 "gradient"

        testCase "shapes"
        <| fun () ->
            let x = Tensor.create [ 2; 3; 2 ] [| 0.0 .. 11.0 |]
            Expect.equal (apply Layers.flatten x).Shape [| 2; 6 |] "flatten"
            Expect.equal (apply (Layers.reshape [ -1; 3 ]) x).Shape [| 2; 2; 3 |] "reshape"
            let y = apply (Layers.permute [ 2; 1 ]) x
            Expect.equal y.Shape [| 2; 2; 3 |] "permute"
            expectClose 0.0 [ 0.0; 2.0; 4.0; 1.0; 3.0; 5.0; 6.0; 8.0; 10.0; 7.0; 9.0; 11.0 ] y "permuted"
            let repeated = apply (Layers.repeatVector 2) (rows [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ])
            Expect.equal repeated.Shape [| 2; 2; 2 |] "repeat vector"
            expectClose 0.0 [ 1.0; 2.0; 1.0; 2.0; 3.0; 4.0; 3.0; 4.0 ] repeated "repeated"
            expectRefused [ "permute"; "axes" ] (fun () -> (Layers.permute [ 2; 1 ]).OutputShape [| 4 |])
            expectRefused [ "name each axis" ] (fun () -> Layers.permute [ 1; 1 ])
            expectRefused [ "vectors" ] (fun () -> (Layers.repeatVector 2).OutputShape [| 4; 2 |])

        testCase "dropout keeps the expectation, draws from its key, and rests in inference"
        <| fun () ->
            let layer = Layers.dropout 0.25
            let x = Tensor.full DType.Float64 [ 100; 100 ] 2.0
            let draw key = layer.Apply (Training key) () x |> fst
            let y = Tensor.toFloats (draw key)
            Expect.isTrue (y |> Array.forall (fun v -> v = 0.0 || abs (v - 2.0 / 0.75) < 1e-15)) "0 or scaled"
            Expect.floatClose { absolute = 0.05; relative = 0.0 } (Array.average y) 2.0 "mean"
            Expect.equal (Tensor.toFloats (draw key)) y "the same key, the same mask"
            Expect.notEqual (Tensor.toFloats (draw (Key.create 4L))) y "another key, another mask"
            Expect.isTrue (obj.ReferenceEquals(apply layer x, x)) "inference"
            expectRefused [ "[0, 1)" ] (fun () -> Layers.dropout 1.0)

        testCase "Gaussian noise rests in inference"
        <| fun () ->
            let layer = Layers.gaussianNoise 0.5
            let x = Tensor.zeros [ 100; 100 ]
            let y, _ = layer.Apply (Training key) () x
            Expect.floatClose { absolute = 0.01; relative = 0.0 } (Tensor.toFloat (sqrt (variance y))) 0.5 "deviation"
            Expect.isTrue (obj.ReferenceEquals(apply layer x, x)) "inference"

        testCase "merges by hand"
        <| fun () ->
            let a, b = rows [ [ 1.0; 2.0 ] ], rows [ [ 3.0; -4.0 ] ]
            expectClose 0.0 [ 5.0; 0.0 ] (Merge.add [ a; b; a ]) "add"
            expectClose 0.0 [ 3.0; -8.0 ] (Merge.multiply [ a; b ]) "multiply"
            expectClose 0.0 [ 2.0; -1.0 ] (Merge.average [ a; b ]) "average"
            expectClose 0.0 [ 3.0; 2.0 ] (Merge.maximum [ a; b ]) "maximum"
            expectClose 0.0 [ 1.0; -4.0 ] (Merge.minimum [ a; b ]) "minimum"
            expectClose 0.0 [ -2.0; 6.0 ] (Merge.subtract a b) "subtract"
            expectClose 0.0 [ 1.0; 2.0; 3.0; -4.0 ] (Merge.concatenate -1 [ a; b ]) "concatenate"
            let product = Merge.dot (1, 1) false a b
            Expect.equal product.Shape [| 1; 1 |] "dot of vectors"
            expectClose 1e-15 [ -5.0 ] product "dot"
            expectClose 1e-15 [ -1.0 / sqrt 5.0 ] (Merge.dot (-1, -1) true a b) "cosine"
            expectRefused [ "axis 0" ] (fun () -> Merge.dot (0, 1) false a b)
            expectRefused [ "Merge.add"; "at least 1" ] (fun () -> Merge.add [])
    ]
