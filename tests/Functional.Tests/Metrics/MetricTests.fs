/// Metrics by hand, and gathered over batches against all at once.
module Functional.Tests.Metrics.MetricTests

open System
open Expecto
open Functional
open Functional.Tests.Layers.Close

let private rows (xs: float list list) = Tensor.ofRows xs
let private labels = Tensor.create [ 4 ] [| 2; 1; 0; 2 |]

let private scores =
    rows [ [ 0.1; 0.9; 0.8 ]; [ 0.05; 0.95; 0.0 ]; [ 0.2; 0.3; 0.5 ]; [ 0.1; 0.1; 0.8 ] ]

let private yes = Tensor.ofSeq [ 0.0; 1.0; 1.0; 1.0 ]
let private said = Tensor.ofSeq [ 1.0; 0.0; 0.7; 0.6 ]
let private value metric target prediction = Metric.evaluate metric target prediction
let private near actual expected name = Expect.floatClose { absolute = 1e-12; relative = 1e-12 } actual expected name

/// The metric of batches of the given sizes, one after another.
let private gathered (metric: Metric) (sizes: int list) (target: Tensor) (prediction: Tensor) =
    let step (sums, start) size =
        metric.Update sums (narrow 0 start size target) (narrow 0 start size prediction), start + size

    let sums, _ = List.fold step (metric.Init, 0) sizes
    Tensor.toFloat (metric.Result sums)

[<Tests>]
let tests =
    testList "metrics" [
        testCase "accuracies"
        <| fun () ->
            near (value Metric.sparseCategoricalAccuracy labels scores) 0.5 "sparse"
            near (value Metric.categoricalAccuracy (oneHot DType.Float64 3 labels) scores) 0.5 "one-hot"
            near (value Metric.accuracy labels scores) 0.5 "chosen by shape: labels"
            near (value Metric.accuracy (reshape [ 4; 1 ] labels) scores) 0.5 "a column of labels"
            near (value Metric.accuracy (oneHot DType.Float32 3 labels) scores) 0.5 "chosen by shape: one-hot"
            near (value Metric.accuracy yes said) 0.5 "chosen by shape: binary"
            near (value (Metric.binaryAccuracy 0.65) yes said) 0.25 "binary"

        testCase "top k"
        <| fun () ->
            near (value (Metric.topK 1) labels scores) 0.5 "1"
            near (value (Metric.topK 2) labels scores) 0.75 "2"
            near (value (Metric.topK 3) (oneHot DType.Float64 3 labels) scores) 1.0 "all"

        testCase "precision, recall, F1"
        <| fun () ->
            near (value (Metric.precision 0.5) yes said) (2.0 / 3.0) "precision"
            near (value (Metric.recall 0.5) yes said) (2.0 / 3.0) "recall"
            near (value (Metric.f1 0.65) yes said) (2.0 / (2.0 + 1.0 + 2.0)) "F1"
            near (value (Metric.precision 2.0) yes said) 0.0 "nothing said to be positive"
            near (value (Metric.recall 0.5) (Tensor.zeros [ 4 ]) said) 0.0 "nothing positive"

        testCase "confusion matrix"
        <| fun () ->
            let m = Confusion.matrix labels scores
            expectClose 0.0 [ 0.0; 0.0; 1.0; 0.0; 1.0; 0.0; 0.0; 1.0; 1.0 ] m "matrix"
            expectNumber 1e-15 0.5 (Confusion.accuracy m) "accuracy"
            expectClose 1e-15 [ 0.0; 0.5; 0.5 ] (Confusion.precision m) "precision"
            expectClose 1e-15 [ 0.0; 1.0; 0.5 ] (Confusion.recall m) "recall"
            expectClose 1e-15 [ 0.0; 2.0 / 3.0; 0.5 ] (Confusion.f1 m) "F1"
            near (value (Metric.ofConfusion "macro_f1" Confusion.f1) labels scores) ((2.0 / 3.0 + 0.5) / 3.0) "macro F1"

        testCase "errors and R²"
        <| fun () ->
            let t, p = Tensor.ofSeq [ 1.0; 2.0; 4.0 ], Tensor.ofSeq [ 1.5; 2.0; 3.0 ]
            near (value Metric.meanSquaredError t p) (1.25 / 3.0) "mse"
            near (value Metric.meanAbsoluteError t p) 0.5 "mae"
            near (value Metric.rSquared t p) (1.0 - 1.25 / (14.0 / 3.0)) "R²"
            near (value Metric.rSquared (Tensor.ones [ 3 ]) p) 0.0 "a target that never changes"
            let two = rows [ [ 1.0; 1.0 ]; [ 2.0; 3.0 ]; [ 4.0; 2.0 ] ]
            let guess = rows [ [ 1.5; 1.0 ]; [ 2.0; 3.0 ]; [ 3.0; 2.0 ] ]
            near (value Metric.rSquared two guess) ((1.0 - 1.25 / (14.0 / 3.0) + 1.0) / 2.0) "mean over two outputs"

        testCase "R² of a target far from 0 loses no digits"
        <| fun () ->
            let t = Tensor.ofSeq [ 1e8 + 1.0; 1e8 + 2.0; 1e8 + 4.0 ]
            let p = Tensor.ofSeq [ 1e8 + 1.5; 1e8 + 2.0; 1e8 + 3.0 ]

            Expect.floatClose
                { absolute = 1e-9; relative = 0.0 }
                (gathered Metric.rSquared [ 1; 2 ] t p)
                (1.0 - 1.25 / (14.0 / 3.0))
                "R²"

        testCase "gathered over uneven batches they are what they are all at once"
        <| fun () ->
            let random = Random 5
            let classes = Tensor.create [ 37 ] (Array.init 37 (fun _ -> random.Next 4))
            let scores, t, p = numbers 1 [ 37; 4 ], numbers 2 [ 37; 2 ], numbers 3 [ 37; 2 ]
            let bits = cast DType.Float64 (greater t (scalar 0.0))

            for metric, target, prediction in
                [
                    Metric.accuracy, classes, scores
                    Metric.topK 2, classes, scores
                    Metric.ofConfusion "macro" Confusion.recall, classes, scores
                    Metric.precision 0.3, bits, p
                    Metric.recall 0.3, bits, p
                    Metric.f1 0.3, bits, p
                    Metric.meanSquaredError, t, p
                    Metric.meanAbsoluteError, t, p
                    Metric.rSquared, t, p
                ] do
                near (gathered metric [ 10; 1; 20; 6 ] target prediction) (value metric target prediction) metric.Name

                let compiled = {
                    metric with
                        Update = fun sums t p -> compile (fun (s, t, p) -> metric.Update s t p) (sums, t, p)
                }

                near
                    (gathered compiled [ 30; 7 ] target prediction)
                    (value metric target prediction)
                    $"{metric.Name} compiled"

        testCase "bad input"
        <| fun () ->
            expectRefused [ "label 3 at place 0"; "0 … 2" ] (fun () ->
                value Metric.accuracy (Tensor.create [ 4 ] [| 3; 0; 0; 0 |]) scores)

            expectRefused [ "Metric.accuracy"; "shape [3]"; "4×3" ] (fun () ->
                value Metric.accuracy (Tensor.create [ 3 ] [| 0; 0; 0 |]) scores)

            expectRefused [ "Metric.precision"; "4"; "3" ] (fun () ->
                value (Metric.precision 0.5) yes (Tensor.zeros [ 3 ]))

            expectRefused [ "at least 1" ] (fun () -> Metric.topK 0)
    ]
