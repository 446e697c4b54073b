namespace Functional

// What a metric is: a number about predictions that is gathered batch by batch.

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module MetricType =

    /// A number about predictions, gathered batch by batch into a few tensors of sums. The functions are pure, so the sums
    /// can be saved in the middle of an epoch, compiled and added up.
    type Metric = {
        /// What the number is called in the history: "accuracy".
        Name: string
        /// The sums before the first batch.
        Init: Tensor[]
        /// sums → target → prediction → the sums with one more batch.
        Update: Tensor[] -> Tensor -> Tensor -> Tensor[]
        /// sums → the number, 0-d.
        Result: Tensor[] -> Tensor
    }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Metric =

    let private none = Tensor.scalar 0.0

    /// The mean over all examples of a number that is a mean over each batch: every batch counts by its size.
    /// `f` takes target and prediction to a single number, as a loss does.
    let ofMean (name: string) (f: Tensor -> Tensor -> Tensor) : Metric = {
        Name = name
        Init = [| none; none |]
        Update =
            fun sums target prediction ->
                let size = float prediction.Shape[0]
                [| sums[0] + cast DType.Float64 (f target prediction) * size; sums[1] + size |]
        Result = fun sums -> sums[0] / sums[1]
    }
