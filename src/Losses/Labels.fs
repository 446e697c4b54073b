/// Class numbers, as losses and metrics take them.
[<RequireQualifiedAccess>]
module internal Functional.Labels

open System
open Functional.Kernels

/// Refuses a label smoothing that is no share.
let checkSmoothing (name: string) (smoothing: float) =
    if not (smoothing >= 0.0 && smoothing <= 1.0) then
        invalidArg "smoothing" $"Loss.{name}: the label smoothing lies in [0, 1]; {smoothing} was given"

let private isOutside name classes (label: int64) place =
    if label < 0L || label >= int64 classes then
        invalidArg "labels" $"{name}: label {label} at place {place} is outside the classes 0 … {classes - 1}"

/// Refuses labels that are not integers within 0 … classes − 1. Inside a transformation, where labels have no value
/// yet, only the type is looked at; the operation that uses them as places refuses the rest.
let check (name: string) (classes: int) (labels: Tensor) =
    match labels with
    | _ when labels.DType = DType.Int32 || labels.DType = DType.Int64 ->
        if isNull labels.Level then
            let value = Tensor.value name labels

            if labels.DType = DType.Int32 then
                let span = value.AsSpan<int>()

                for i in 0 .. span.Length - 1 do
                    isOutside name classes (int64 span[i]) i
            else
                let span = value.AsSpan<int64>()

                for i in 0 .. span.Length - 1 do
                    isOutside name classes span[i] i

            GC.KeepAlive labels
    | _ ->
        invalidArg
            "labels"
            $"{name}: labels are class numbers of an integer type, not {labels.DType}; cast them (cast DType.Int32), or use the categorical form for one-hot rows"
