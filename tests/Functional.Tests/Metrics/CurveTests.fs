/// Metrics over thresholds, counts and overlaps, against Keras' formulas in loops over plain numbers.
module Functional.Tests.Metrics.CurveTests

open System
open Expecto
open Functional
open Functional.Tests.Layers.Close

let private random = Random 11
let private isSo = Array.init 41 (fun _ -> float (random.Next 2))

let private said =
    isSo |> Array.map (fun yes -> Math.Clamp(0.3 * yes + random.NextDouble() * 0.8 - 0.05, 0.0, 1.0))

let private thresholds count = [|
    yield -1e-7
    yield! [ for i in 1 .. count - 2 -> float i / float (count - 1) ]
    yield 1.0 + 1e-7
|]

let private over a b = if b = 0.0 then 0.0 else a / b

/// At each threshold: true positives, false positives, false negatives, true negatives.
let private counts count =
    let number f = Array.map2 f isSo said |> Array.filter id |> Array.length |> float

    thresholds count
    |> Array.map (fun t ->
        number (fun y p -> y = 1.0 && p > t),
        number (fun y p -> y = 0.0 && p > t),
        number (fun y p -> y = 1.0 && p <= t),
        number (fun y p -> y = 0.0 && p <= t))

let private roc count =
    counts count
    |> Array.map (fun (tp, fp, fn, tn) -> over fp (fp + tn), over tp (tp + fn))
    |> Array.pairwise
    |> Array.sumBy (fun ((x0, y0), (x1, y1)) -> (x0 - x1) * (y0 + y1) / 2.0)

let private precisionRecall count =
    counts count
    |> Array.pairwise
    |> Array.sumBy (fun ((tp0, fp0, _, _), (tp1, fp1, fn1, _)) ->
        let p0, p1 = tp0 + fp0, tp1 + fp1
        let slope = over (tp0 - tp1) (max (p0 - p1) 0.0)
        let intercept = tp1 - slope * p1
        let ratio = if p0 > 0.0 && p1 > 0.0 then p0 / p1 else 1.0
        over (slope * (tp0 - tp1 + intercept * log ratio)) (max (tp1 + fn1) 0.0))

let private best count wanted other least =
    counts count |> Array.filter (fun c -> other c >= least) |> Array.map wanted |> Array.fold max 0.0

let private sensitivity (tp, _, fn, _) = over tp (tp + fn)
let private specificity (_, fp, _, tn) = over tn (tn + fp)
let private precision (tp, fp, _, _) = over tp (tp + fp)

let private near actual expected name = Expect.floatClose { absolute = 1e-12; relative = 1e-12 } actual expected name

/// In batches, whole and compiled.
let private expectMetric (metric: Metric) (expected: float) =
    let t, p = Tensor.ofSeq isSo, Tensor.ofSeq said
    near (Metric.evaluate metric t p) expected metric.Name
    let part start count sums = metric.Update sums (narrow 0 start count t) (narrow 0 start count p)

    near
        (metric.Init |> part 0 17 |> part 17 24 |> metric.Result |> Tensor.toFloat)
        expected
        $"{metric.Name} in batches"

    let compiled = {
        metric with
            Update = fun s t p -> compile (fun (s, t, p) -> metric.Update s t p) (s, t, p)
    }

    near (Metric.evaluate compiled t p) expected $"{metric.Name} compiled"
    // each example once, by a weight of 1, and three times by a weight of 3
    let weighted weight =
        Tensor.toFloat (
            metric.Result(Steps.weightedMetric None (Tensor.full DType.Float32 [| 41 |] weight) metric metric.Init t p)
        )

    near (weighted 1.0) expected $"{metric.Name}, weights of 1"

[<Tests>]
let tests =
    testList "curves" [
        testCase "areas under curves"
        <| fun () ->
            for count in [ 200; 7; 2 ] do
                expectMetric (Curves.auc Curves.Roc count) (roc count)
                expectMetric (Curves.auc Curves.PrecisionRecall count) (precisionRecall count)

            // keras/metrics: AUC(num_thresholds=3) of [0, 0, 1, 1] and [0, 0.5, 0.3, 0.9] is 0.75
            let t, p = Tensor.ofSeq [ 0.0; 0.0; 1.0; 1.0 ], Tensor.ofSeq [ 0.0; 0.5; 0.3; 0.9 ]
            near (Metric.evaluate (Curves.auc Curves.Roc 3) t p) 0.75 "documented"

        testCase "the best of one where another is reached"
        <| fun () ->
            for least in [ 0.0; 0.3; 0.7; 1.0 ] do
                expectMetric (Curves.sensitivityAtSpecificity least 200) (best 200 sensitivity specificity least)
                expectMetric (Curves.specificityAtSensitivity least 200) (best 200 specificity sensitivity least)
                expectMetric (Curves.precisionAtRecall least 200) (best 200 precision sensitivity least)
                expectMetric (Curves.recallAtPrecision least 200) (best 200 sensitivity precision least)

        testCase "counts on either side of a threshold"
        <| fun () ->
            let number f = Array.map2 f isSo said |> Array.filter id |> Array.length |> float
            expectMetric (Metric.truePositives 0.4) (number (fun y p -> y = 1.0 && p > 0.4))
            expectMetric (Metric.trueNegatives 0.4) (number (fun y p -> y = 0.0 && p <= 0.4))
            expectMetric (Metric.falsePositives 0.4) (number (fun y p -> y = 0.0 && p > 0.4))
            expectMetric (Metric.falseNegatives 0.4) (number (fun y p -> y = 1.0 && p <= 0.4))

        testCase "overlaps of classes, roots and angles"
        <| fun () ->
            // classes 2, 1, 0, 2 are taken for 1, 1, 2, 2: 0 of 2 (class 0 is met once each way, never right), 1 of 2, 1 of 3
            let labels = Tensor.create [ 4 ] [| 2; 1; 0; 2 |]

            let scores =
                Tensor.ofRows [
                    [ 0.1; 0.9; 0.0; 0.0 ]
                    [ 0.0; 1.0; 0.0; 0.0 ]
                    [ 0.2; 0.3; 0.5; 0.0 ]
                    [ 0.1; 0.1; 0.8; 0.0 ]
                ]

            near
                (Metric.evaluate Metric.meanIntersectionOverUnion labels scores)
                ((0.0 + 0.5 + 1.0 / 3.0) / 3.0)
                "mean IoU, class 3 not met"

            let t, p = Tensor.ofSeq [ 1.0; 2.0; 4.0 ], Tensor.ofSeq [ 1.5; 2.0; 3.0 ]
            near (Metric.evaluate Metric.rootMeanSquaredError t p) (sqrt (1.25 / 3.0)) "RMSE"
            let cosine = (1.5 + 4.0 + 12.0) / (sqrt 21.0 * sqrt (2.25 + 4.0 + 9.0))
            near (Metric.evaluate Metric.cosineSimilarity (reshape [ 1; 3 ] t) (reshape [ 1; 3 ] p)) cosine "cosine"

        testCase "bad input"
        <| fun () ->
            expectRefused [ "1 thresholds"; "2" ] (fun () -> Curves.auc Curves.Roc 1)
            expectRefused [ "recall_at_precision"; "[0, 1]"; "1.5" ] (fun () -> Curves.recallAtPrecision 1.5 200)

            expectRefused [ "Curves.auc"; "2"; "3" ] (fun () ->
                Metric.evaluate (Curves.auc Curves.Roc 200) (Tensor.zeros [ 2 ]) (Tensor.zeros [ 3 ]))
    ]
