namespace Functional

// Bringing numbers into the form that networks learn well from.

open System
open Functional.Operations

/// The mean and the standard deviation of each feature, as `Prepare.statistics` found them. It is a tree of tensors, so
/// it can be saved beside the network that needs it.
type Standardization = { Mean: Tensor; Deviation: Tensor }

/// Bringing data into the form that networks learn well from.
[<RequireQualifiedAccess>]
module Prepare =

    /// The mean and the standard deviation of each feature over the examples (the first axis). A feature that does not
    /// vary counts as one of deviation 1, so that standardising makes it 0 and nothing is divided by 0.
    let statistics (x: Tensor) : Standardization =
        if x.Rank = 0 || x.Shape[0] = 0 then
            invalidArg "x" $"Prepare.statistics: {Shape.show x.Shape} holds no examples along its first axis"

        if not (x.DType.IsFloat()) then
            invalidArg "x" $"Prepare.statistics: defined for float types, not for {x.DType}; cast the tensor first"

        Finite.require "Prepare.statistics" "inputs" x
        let deviation = sqrt (varianceOver [ 0 ] x)

        {
            Mean = meanOver [ 0 ] x
            Deviation = where (equal deviation (Tensor.zerosLike deviation)) (Tensor.onesLike deviation) deviation
        }

    /// (x − mean)/deviation, feature by feature. Use the statistics of the training data for all data.
    let standardize (s: Standardization) (x: Tensor) : Tensor = (x - s.Mean) / s.Deviation

    /// The inverse of `standardize`.
    let restore (s: Standardization) (x: Tensor) : Tensor = x * s.Deviation + s.Mean

    /// Whole numbers 0 … classes − 1 as rows of zeros with a one, in a new last axis. A label outside the classes is an
    /// error that says which and where.
    let oneHot (dtype: DType) (classes: int) (labels: Tensor) : Tensor =
        if classes < 1 then
            invalidArg "classes" $"Prepare.oneHot: {classes} classes; there must be at least one"

        let values = Tensor.toFloats labels

        match values |> Array.tryFindIndex (fun v -> not (v >= 0.0 && v < float classes && v = Math.Floor v)) with
        | Some i ->
            let at = if labels.Rank = 0 then "" else " at " + Finite.place labels.Shape i

            invalidArg
                "labels"
                $"Prepare.oneHot: the label {values[i]}{at} is none of the {classes} classes; labels are whole numbers from 0 to {classes - 1}"
        | None -> IndexFunctions.oneHot dtype classes (cast DType.Int32 labels)

    let private windowPlaces operation (length: int) (step: int) (last: int64) (series: Tensor) =
        if length < 1 || step < 1 then
            invalidArg "length" $"{operation}: windows of {length} steps every {step}; both are at least 1"

        if series.Rank = 0 || last < 0L then
            invalidArg
                "series"
                $"{operation}: a series of shape {Shape.show series.Shape} is too short for a single window of {length}"

        Array.init (int (last / int64 step) + 1) (fun i -> i * step)

    let private windowsAt operation (starts: int[]) (length: int) (series: Tensor) =
        let shape = Array.concat [ [| starts.Length; length |]; series.Shape[1..] ]
        Evaluate.stored operation shape series.DType |> ignore
        let places = starts |> Array.collect (fun s -> Array.init length (fun i -> s + i))
        Tensor.Bind(Gather 0, series, Tensor.create [ starts.Length; length ] places)

    let private steps (series: Tensor) = if series.Rank = 0 then 0L else int64 series.Shape[0]

    /// All windows of so many steps along the first axis, a new one every `step`: [windows, length, ..].
    /// Example: `Prepare.windows 3 2 (Tensor.arange 0.0 7.0 1.0)` is [0 1 2] [2 3 4] [4 5 6].
    let windows (length: int) (step: int) (series: Tensor) : Tensor =
        let starts = windowPlaces "Prepare.windows" length step (steps series - int64 length) series
        windowsAt "Prepare.windows" starts length series

    /// Windows of a series as inputs, and the `horizon` steps that follow each as targets.
    let forecasting (length: int) (horizon: int) (step: int) (series: Tensor) : Dataset =
        if horizon < 1 then
            invalidArg "horizon" $"Prepare.forecasting: {horizon} steps ahead; there must be at least one"

        let operation = "Prepare.forecasting"
        let starts = windowPlaces operation length step (steps series - int64 length - int64 horizon) series
        let targets = starts |> Array.map ((+) length)
        Dataset.create (windowsAt operation starts length series) (windowsAt operation targets horizon series)
