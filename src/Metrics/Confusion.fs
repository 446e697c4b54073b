/// Confusion matrices: how often each class was taken for each. Targets are class numbers of an integer type, one for
/// each row of the prediction, or one-hot rows of the prediction's shape; a prediction [.., classes] means the class of
/// its largest number. Matrices of several batches add up by `+`.
[<RequireQualifiedAccess>]
module Functional.Confusion

open Functional.Kernels
open Functional.Operations

/// The classes that targets name, Int32 and flat, for a prediction whose last axis is the classes.
let internal trueClasses (name: string) (target: Tensor) (prediction: Tensor) : Tensor =
    if prediction.Rank = 0 then
        invalidArg "prediction" $"{name}: the prediction is a single number; it needs an axis of classes"

    let lead = prediction.Shape[.. prediction.Rank - 2]
    let isLabels = Shape.same target.Shape lead || Shape.same target.Shape (Array.append lead [| 1 |])

    if Shape.same target.Shape prediction.Shape && not (isLabels && not (target.DType.IsFloat())) then
        argmax -1 target |> flatten
    elif isLabels then
        Labels.check name prediction.Shape[prediction.Rank - 1] target
        target |> cast DType.Int32 |> flatten
    else
        invalidArg
            "target"
            $"{name}: a target of shape {Shape.show target.Shape} for a prediction of {Shape.show prediction.Shape}; it holds class numbers ({Shape.show lead}) or one-hot rows ({Shape.show prediction.Shape})"

/// The classes that a prediction names, Int32 and flat.
let internal predictedClasses (prediction: Tensor) : Tensor = argmax -1 prediction |> flatten

/// [classes, classes], Float64: row the true class, column the predicted one.
/// Example: `Confusion.matrix labels (predict net x)`.
let matrix (target: Tensor) (prediction: Tensor) : Tensor =
    let truth = trueClasses "Confusion.matrix" target prediction
    let classes = prediction.Shape[prediction.Rank - 1]
    let place = truth * float classes + predictedClasses prediction

    Tensor.full DType.Float64 place.Shape 1.0
    |> scatterAdd 0 (classes * classes) place
    |> reshape [ classes; classes ]

let private hits (matrix: Tensor) = LinearAlgebra.diagonal matrix

/// The share of all that were taken for what they are.
let accuracy (matrix: Tensor) : Tensor = safeDivide (sum (hits matrix)) (sum matrix)

/// For every class, the share of those taken for it that belong to it; 0 where none was.
let precision (matrix: Tensor) : Tensor = safeDivide (hits matrix) (sumOver [ 0 ] matrix)

/// For every class, the share of those that belong to it that were taken for it; 0 where there are none.
let recall (matrix: Tensor) : Tensor = safeDivide (hits matrix) (sumOver [ 1 ] matrix)

/// For every class, those taken for it that belong to it, as a share of those that are taken for it or belong to it; 0 where
/// the class does not occur.
let intersectionOverUnion (matrix: Tensor) : Tensor =
    safeDivide (hits matrix) (sumOver [ 0 ] matrix + sumOver [ 1 ] matrix - hits matrix)

/// For every class, the harmonic mean of precision and recall; 0 where the class does not occur.
let f1 (matrix: Tensor) : Tensor = safeDivide (2.0 * hits matrix) (sumOver [ 0 ] matrix + sumOver [ 1 ] matrix)
