/// Memory: an epoch of MNIST step by step, and whether many steps leave anything behind.
module Functional.Bench.Footprint

open System
open System.Diagnostics
open Functional
open Functional.Kernels
open Functional.Bench.Options

/// Steps before the first look, so that pools and compiled code are there.
let private warmUp = 500

let private steps = 10_000

/// Resident memory and its peak so far, in MB.
let private resident () =
    use self = Process.GetCurrentProcess()
    let megabytes bytes = float bytes / 1048576.0
    megabytes self.WorkingSet64, megabytes self.PeakWorkingSet64

/// Training examples and test examples, one-hot.
let private mnist folder =
    let digits = Mnist.load { Mnist.defaults with Directory = Option.ofObj folder; AllowDownload = false }
    eprintfn $"{digits.Source}"

    let examples (part: LabelledImages) = Dataset.create part.Images (Prepare.oneHot DType.Float32 10 part.Labels)

    examples digits.Train, examples digits.Test

/// One epoch of case b through `fit`, and the measure of the test examples after it.
let private epoch options =
    let train, test = mnist (Option.toObj options.Data)

    let trainer =
        Trainer.ofFunction Steps.predictTalk Loss.meanSquaredError (Optimizer.sgd 0.1) [ Metric.accuracy ]

    let fitting = {
        FitOptions.create 1 with
            Batching = Batching.ofSize 128
            Display = Silent
            Compile = not options.Eager
            StopOnCtrlC = false
    }

    let fitted = Training.fit fitting trainer (Steps.netTalk ()) train
    Training.evaluate 128 trainer fitted.Parameters test |> ignore

/// Prints MB: after an epoch of case b on MNIST and at its peak, and what 10,000 more steps add.
let run options =
    options.Threads |> Option.iter (fun n -> Workers.Count <- n)
    epoch options
    let now, peak = resident ()
    Measure.print "epoch_b_mlp_f32_resident_mb" now
    Measure.print "epoch_b_mlp_f32_peak_mb" peak
    let step = (Steps.case "b_mlp_f32").Make options.Eager

    for _ in 1..warmUp do
        step ()

    let before, _ = resident ()

    for _ in 1..steps do
        step ()

    let after, _ = resident ()
    Measure.print $"growth_b_mlp_f32_{steps}_steps_mb" (after - before)
