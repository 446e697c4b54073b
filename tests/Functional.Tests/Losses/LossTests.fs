/// Losses against numbers worked out by hand or by their formulas; gradients against differences; refusals.
module Functional.Tests.Losses.LossTests

open System
open Expecto
open Functional
open Functional.Tests.Layers.Close

let private rows (xs: float list list) = Tensor.ofRows xs
let private target = rows [ [ 0.0; 1.0 ]; [ 0.0; 0.0 ] ]
let private prediction = rows [ [ 0.6; 0.4 ]; [ 0.4; 0.6 ] ]
let private softmaxOf (xs: float list) = let total = List.sumBy exp xs in List.map (fun x -> exp x / total) xs

let private logits = [ [ 1.0; -2.0; 0.5 ]; [ 3.0; 0.1; -1.0 ] ]
let private labels = Tensor.create [ 2 ] [| 2; 0 |]
let private oneHotLabels = oneHot DType.Float64 3 labels
let private crossEntropy = -(log (softmaxOf logits[0]).[2] + log (softmaxOf logits[1]).[0]) / 2.0
let private probabilities = rows (List.map softmaxOf logits)

let private distances: (string * (Tensor -> Tensor -> Tensor) * float) list = [
    // Keras' documentation of these classes: 0.5 and 0.5 …
    "half squared error", Loss.halfSquaredError, 0.5 * (0.36 + 0.36 + 0.16 + 0.36)
    "mean squared error", Loss.meanSquaredError, 0.31
    "mean absolute error", Loss.meanAbsoluteError, 0.55
    // keras/losses: Huber()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]) = 0.155
    "huber", Loss.huber 1.0, 0.155
    "huber, small delta", Loss.huber 0.5, (3.0 * (0.5 * 0.6 - 0.125) + 0.08) / 4.0
    // keras/losses: BinaryCrossentropy()(the same) = 0.815
    "binary cross-entropy", Loss.binaryCrossEntropy, -(log 0.4 + log 0.4 + log 0.6 + log 0.4) / 4.0
    // keras/losses: KLDivergence()(the same) = 0.458
    "Kullback-Leibler", Loss.kullbackLeibler, log (1.0 / 0.4) / 2.0
    // keras/losses: Hinge()(the same) = 1.3, SquaredHinge()(the same) = 1.86: targets of 0 and 1 are −1 and 1
    "hinge", Loss.hinge, 1.3
    "squared hinge", Loss.squaredHinge, 1.86
]

// the rows of target and prediction once more, for Keras' formulas in plain numbers
let private t, p = [ [ 0.0; 1.0 ]; [ 0.0; 0.0 ] ], [ [ 0.6; 0.4 ]; [ 0.4; 0.6 ] ]
let private pairs = List.zip (List.concat t) (List.concat p)
let private meanOf f = pairs |> List.averageBy (fun (t, p) -> f t p)

let private focalOf gamma t p =
    (1.0 - (t * p + (1.0 - t) * (1.0 - p))) ** gamma * -(t * log p + (1.0 - t) * log (1.0 - p))

let private both = pairs |> List.sumBy (fun (t, p) -> t * p)

/// Losses of Keras 3 by the formulas of keras/src/losses/losses.py.
let private further: (string * (Tensor -> Tensor -> Tensor) * float) list = [
    "mean squared logarithmic error",
    Loss.meanSquaredLogarithmicError,
    meanOf (fun t p -> (log (max p 1e-7 + 1.0) - log (max t 1e-7 + 1.0)) ** 2.0)
    "mean absolute percentage error",
    Loss.meanAbsolutePercentageError,
    100.0 * meanOf (fun t p -> abs (t - p) / max (abs t) 1e-7)
    "log cosh", Loss.logCosh, meanOf (fun t p -> log (cosh (p - t)))
    "poisson", Loss.poisson, meanOf (fun t p -> p - t * log (p + 1e-7))
    "categorical hinge", Loss.categoricalHinge, ((0.6 - 0.4 + 1.0) + (0.6 - 0.0 + 1.0)) / 2.0
    "binary focal cross-entropy", Loss.binaryFocalCrossEntropy None 2.0, meanOf (focalOf 2.0)
    "binary focal cross-entropy, balanced",
    Loss.binaryFocalCrossEntropy (Some 0.3) 1.5,
    meanOf (fun t p -> (t * 0.3 + (1.0 - t) * 0.7) * focalOf 1.5 t p)
    "categorical focal cross-entropy",
    Loss.categoricalFocalCrossEntropy 0.25 2.0,
    (pairs |> List.sumBy (fun (t, p) -> -t * 0.25 * (1.0 - p) ** 2.0 * log p)) / 2.0
    "dice", Loss.dice, 1.0 - 2.0 * both / (1.0 + 2.0 + 1e-7)
    "tversky",
    Loss.tversky 0.7 0.2,
    (let missed, wrong =
        pairs |> List.sumBy (fun (t, p) -> t * (1.0 - p)), pairs |> List.sumBy (fun (t, p) -> p * (1.0 - t))

     1.0 - both / (both + 0.7 * missed + 0.2 * wrong + 1e-7))
    "smoothed binary cross-entropy",
    Loss.smoothedBinary 0.2 Loss.binaryCrossEntropy,
    meanOf (fun t p -> let t = t * 0.8 + 0.1 in -(t * log p + (1.0 - t) * log (1.0 - p)))
    "smoothed categorical cross-entropy",
    Loss.smoothed 0.2 Loss.categoricalCrossEntropy,
    (pairs |> List.sumBy (fun (t, p) -> -(t * 0.8 + 0.2 / 2.0) * log p)) / 2.0
]

[<Tests>]
let tests =
    testList "losses" [
        for name, loss, expected in further do
            testCase name
            <| fun () ->
                expectClose (1e-9 * abs expected + 1e-12) [ expected ] (loss target prediction) name
                expectGradient (fun p -> loss target p / max 1.0 (abs expected)) prediction name
                let single x = cast DType.Float32 x

                expectClose
                    (1e-5 * abs expected + 1e-6)
                    [ expected ]
                    (loss (single target) (single prediction))
                    $"{name} in Float32"

        testCase "labels that are ignored do not count, and need not be classes"
        <| fun () ->
            let labels = Tensor.create [ 3 ] [| 2; 255; 0 |]
            let x = rows [ logits[0]; [ 9.0; 9.0; -9.0 ]; logits[1] ]
            let loss fromLogits = Loss.sparseCategoricalCrossEntropyIgnoring 255 fromLogits
            expectNumber 1e-12 crossEntropy (loss true labels x) "logits"
            expectNumber 1e-6 crossEntropy (loss false labels (softmax x)) "probabilities"
            expectNumber 0.0 0.0 (loss true (Tensor.create [ 3 ] [| 255; 255; 255 |]) x) "none"
            expectClose 0.0 [ 0.0; 0.0; 0.0 ] (narrow 0 1 1 (grad (loss true labels) x)) "no gradient"
            expectRefused [ "7" ] (fun () -> loss true (Tensor.create [ 3 ] [| 2; 255; 7 |]) x)
            expectRefused [ "smoothing"; "1.5" ] (fun () -> Loss.smoothed 1.5 Loss.categoricalCrossEntropy)

        for name, loss, expected in distances do
            testCase name
            <| fun () ->
                // Kullback–Leibler's clipping leaves terms of 10⁻⁷·log 10⁻⁷
                expectNumber 5e-6 expected (loss target prediction) name
                expectGradient (loss target) prediction name

        testCase "binary cross-entropy from logits"
        <| fun () ->
            let x = rows [ [ 0.3; -1.2 ]; [ 2.0; 0.7 ] ]

            expectNumber
                1e-7
                (Tensor.toFloat (Loss.binaryCrossEntropy target (sigmoid x)))
                (Loss.binaryCrossEntropyFromLogits target x)
                "value"

            expectGradient (Loss.binaryCrossEntropyFromLogits target) x "value"
            let far = rows [ [ 1000.0; -1000.0 ] ]
            expectNumber 0.0 1000.0 (Loss.binaryCrossEntropyFromLogits (rows [ [ 0.0; 0.0 ] ]) far * 2.0) "far away"

            expectClose
                0.0
                [ 0.5; 0.0 ]
                (grad (Loss.binaryCrossEntropyFromLogits (rows [ [ 0.0; 0.0 ] ])) far)
                "gradient far away"

        testCase "categorical cross-entropy, all four forms"
        <| fun () ->
            let x = rows logits

            expectNumber
                1e-12
                crossEntropy
                (Loss.categoricalCrossEntropy oneHotLabels probabilities)
                "from probabilities"

            expectNumber 1e-12 crossEntropy (Loss.categoricalCrossEntropyFromLogits oneHotLabels x) "from logits"
            expectNumber 1e-12 crossEntropy (Loss.sparseCategoricalCrossEntropy labels probabilities) "sparse"
            expectNumber 1e-12 crossEntropy (Loss.sparseCategoricalCrossEntropyFromLogits labels x) "sparse from logits"
            expectGradient (Loss.categoricalCrossEntropy oneHotLabels) probabilities "from probabilities"
            expectGradient (Loss.categoricalCrossEntropyFromLogits oneHotLabels) x "from logits"
            expectGradient (Loss.sparseCategoricalCrossEntropy labels) probabilities "sparse"
            expectGradient (Loss.sparseCategoricalCrossEntropyFromLogits labels) x "sparse from logits"
            let column = reshape [ 2; 1 ] (cast DType.Int64 labels)

            expectNumber
                1e-12
                crossEntropy
                (Loss.sparseCategoricalCrossEntropyFromLogits column x)
                "labels as a column of Int64"

        testCase "Keras' documented values of the categorical cross-entropy"
        <| fun () ->
            // keras/losses: CategoricalCrossentropy()([[0,1,0],[0,0,1]], [[.05,.95,0],[.1,.8,.1]]) = 1.177
            let y = rows [ [ 0.05; 0.95; 0.0 ]; [ 0.1; 0.8; 0.1 ] ]

            expectNumber
                1e-3
                1.177
                (Loss.categoricalCrossEntropy (rows [ [ 0.0; 1.0; 0.0 ]; [ 0.0; 0.0; 1.0 ] ]) y)
                "categorical"

            expectNumber 1e-3 1.177 (Loss.sparseCategoricalCrossEntropy (Tensor.create [ 2 ] [| 1; 2 |]) y) "sparse"

        testCase "probabilities of 0 are clipped, logits of any size are right"
        <| fun () ->
            let certain = rows [ [ 1.0; 0.0 ] ]
            expectNumber 1e-12 -(log 1e-7) (Loss.categoricalCrossEntropy (rows [ [ 0.0; 1.0 ] ]) certain) "clipped"
            expectNumber 1e-12 -(log 1e-7) (Loss.binaryCrossEntropy (scalar 1.0) (scalar 0.0)) "binary, clipped"
            let far = rows [ [ 1000.0; 0.0 ] ]

            expectNumber
                0.0
                1000.0
                (Loss.sparseCategoricalCrossEntropyFromLogits (Tensor.create [ 1 ] [| 1 |]) far)
                "far logits"

            expectClose
                0.0
                [ 1.0; -1.0 ]
                (grad (Loss.sparseCategoricalCrossEntropyFromLogits (Tensor.create [ 1 ] [| 1 |])) far)
                "their gradient"

        testCase "cosine similarity"
        <| fun () ->
            // keras/losses: CosineSimilarity(axis=1)([[0., 1.], [1., 1.]], [[1., 0.], [1., 1.]]) = -0.5
            let t, p = rows [ [ 0.0; 1.0 ]; [ 1.0; 1.0 ] ], rows [ [ 1.0; 0.0 ]; [ 1.0; 1.0 ] ]
            expectNumber 1e-12 -0.5 (Loss.cosineSimilarity t p) "value"
            expectGradient (Loss.cosineSimilarity t) (numbers 5 [ 2; 2 ]) "value"

        testCase "penalties"
        <| fun () ->
            let x = Tensor.ofSeq [ 1.0; -2.0 ]
            expectNumber 1e-15 0.3 (Penalty.l1 0.1 x) "l1"
            expectNumber 1e-15 0.5 (Penalty.l2 0.1 x) "l2"
            expectNumber 1e-15 0.8 (Penalty.l1l2 0.1 0.1 x) "both"
            let p: Dense = { Weights = rows [ [ 1.0; 2.0 ] ]; Bias = Some(Tensor.ofSeq [ 9.0; 9.0 ]) }
            expectNumber 1e-15 0.5 (Penalty.onWeights (Penalty.l2 0.1) p) "weights only"
            expectNumber 1e-15 0.5 (Penalty.onWeights (Penalty.l2 0.1) (p, { Value = p })) "not of frozen ones"

            expectClose
                1e-15
                [ 0.2; 0.4; 0.0; 0.0 ]
                (Tree.leaves (grad (Penalty.onWeights (Penalty.l2 0.1)) p) |> Array.map flatten |> concat 0)
                "gradient"

        testCase "constraints, with Keras' numbers"
        <| fun () ->
            let w = rows [ [ 3.0; -0.5 ]; [ 4.0; 0.0 ] ] // columns of lengths 5 and 0.5
            let close = expectClose 1e-6
            close [ 1.2; -0.5; 1.6; 0.0 ] (Constraint.maxNorm 2.0 [ 0 ] w) "no longer than 2"
            close [ 0.6; -1.0; 0.8; 0.0 ] (Constraint.unitNorm [ 0 ] w) "of length 1"
            close [ 3.0; 0.0; 4.0; 0.0 ] (Constraint.nonNegative w) "not negative"
            close [ 1.8; -1.0; 2.4; 0.0 ] (Constraint.minMaxNorm 1.0 3.0 1.0 [ 0 ] w) "from 1 to 3"
            close [ 2.4; -0.75; 3.2; 0.0 ] (Constraint.minMaxNorm 1.0 3.0 0.5 [ 0 ] w) "half of the way"
            let all = Constraint.maxNorm 1.0 [ 0; 1 ] w
            expectNumber 1e-6 1.0 (sqrt (sum (square all))) "over all"
            close [ 0.0; 0.0 ] (Constraint.unitNorm [ 0 ] (Tensor.zeros [ 2; 1 ])) "zeros stay"

        testCase "bad input is refused with what was given"
        <| fun () ->
            let p = rows [ [ 0.2; 0.8 ]; [ 0.5; 0.5 ] ]

            expectRefused [ "Loss.meanSquaredError"; "2×1"; "2" ] (fun () ->
                Loss.meanSquaredError (Tensor.zeros [ 2 ]) (Tensor.zeros [ 2; 1 ]))

            expectRefused [ "empty" ] (fun () -> Loss.meanSquaredError (Tensor.zeros [ 0; 2 ]) (Tensor.zeros [ 0; 2 ]))
            let sparse (labels: int[]) = Loss.sparseCategoricalCrossEntropy (Tensor.create [ labels.Length ] labels) p
            expectRefused [ "label 2 at place 1"; "0 … 1" ] (fun () -> sparse [| 0; 2 |])
            expectRefused [ "label -1 at place 0" ] (fun () -> sparse [| -1; 0 |])
            expectRefused [ "labels of shape [3]"; "2×2" ] (fun () -> sparse [| 0; 1; 0 |])

            expectRefused [ "integer type"; "Float64" ] (fun () ->
                Loss.sparseCategoricalCrossEntropy (Tensor.zeros [ 2 ]) p)

            expectRefused [ "delta" ] (fun () -> Loss.huber 0.0 p p)
            expectRefused [ "Float32"; "Float64" ] (fun () -> Loss.meanSquaredError p (cast DType.Float32 p))

        testCase "a label outside the classes is refused inside transformations too"
        <| fun () ->
            let far = Tensor.create [ 2 ] [| 0; 3 |]
            let loss labels = Loss.sparseCategoricalCrossEntropyFromLogits labels (rows logits)
            expectRefused [ "3" ] (fun () -> compile loss far)

            expectRefused [ "3" ] (fun () ->
                vmap (fun (t, p) -> Loss.sparseCategoricalCrossEntropyFromLogits t p) (far, rows logits))

            expectRefused [ "-1" ] (fun () -> compile loss (far - 1.0))

            expectRefused [ "label 3 at place 1" ] (fun () ->
                grad (Loss.sparseCategoricalCrossEntropyFromLogits far) (rows logits))

        testCase "losses batch: one number for each example"
        <| fun () ->
            let each = vmap (fun (t, p) -> Loss.sparseCategoricalCrossEntropyFromLogits t p) (labels, rows logits)
            expectClose 1e-12 [ -(log (softmaxOf logits[0]).[2]); -(log (softmaxOf logits[1]).[0]) ] each "per example"
    ]
