/// The training loop: it learns, it is deterministic, it resumes exactly, and it refuses bad input with the reason.
module Functional.Tests.FitTests

open System
open System.IO
open System.Threading
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Oracles
open Functional.Tests.Selection
open Functional.Tests.Toys

let private rows (history: History) =
    history.Names
    |> List.map (fun name -> name, history[name] |> Array.map BitConverter.DoubleToInt64Bits)

let private sameState (a: TrainingState<Net>) (b: TrainingState<Net>) =
    Expect.equal (bits b.Parameters) (bits a.Parameters) "parameters"
    Expect.equal (bits b.Optimizer) (bits a.Optimizer) "optimiser"
    Expect.equal (bits b.Sums) (bits a.Sums) "sums"
    Expect.equal (b.Epoch, b.Batch) (a.Epoch, a.Batch) "position"
    Expect.equal (rows b.History) (rows a.History) "history"
    Expect.equal (Map.map (fun _ m -> bits m) b.Memory) (Map.map (fun _ m -> bits m) a.Memory) "callbacks' memory"

/// Trains until so many batches are done, counted over the epochs, and is interrupted then.
let private interrupted (batches: int) (options: FitOptions<'P>) (trainer: Trainer<'P>) (start: 'P) (data: Dataset) =
    use source = new CancellationTokenSource()
    let mutable seen = 0

    let counting =
        Callback.onBatchEnd (fun _ _ _ ->
            seen <- seen + 1

            if seen = batches then
                source.Cancel())

    let options = {
        options with
            Cancellation = source.Token
            Callbacks = options.Callbacks @ [ counting ]
    }

    Training.fit options trainer start data

/// A network with noise in training, so that keys matter.
let private noisy: Trainer<Net> =
    let apply phase net x =
        let hidden = tanh (dense net.Hidden x)

        match phase with
        | Phase.Training key -> dense net.Output (hidden + 0.1 * Random.normal DType.Float32 hidden.Shape key), net
        | Inference -> dense net.Output hidden, net

    { trainer with Apply = apply; Metrics = [ Metric.accuracy; Metric.rSquared ] }

let private stopping =
    Callbacks.earlyStopping { Monitor = Monitor.create "val_loss"; Patience = 3; RestoreBest = true }

let private reducing =
    Callbacks.reduceRateOnPlateau {
        Monitor = { Monitor.create "loss" with MinDelta = 0.01 }
        Factor = 0.5
        Patience = 1
        Cooldown = 0
        MinScale = 0.0
    }

[<Tests>]
let tests =
    // one after another: some change the number of threads or the error output of the whole process
    testSequenced
    <| testList "fit" [
        testCase "several inputs and outputs: pairs and records go where tensors go"
        <| fun () ->
            let data = points 64
            let column i (t: Tensor) = narrow 1 i 1 t

            let paired: Dataset<Tensor * Tensor, Tensor * Tensor> =
                Dataset.create
                    (column 0 data.Inputs, column 1 data.Inputs)
                    (column 0 data.Targets, column 1 data.Targets)

            let together net (a, b) =
                let y = predict net (concat 1 [ a; b ])
                column 0 y, column 1 y

            let loss (a, b) (p, q) = 0.5 * Loss.meanSquaredError a p + 0.5 * Loss.meanSquaredError b q
            let bias = Metric.ofPart "second_mae" snd Metric.meanAbsoluteError
            let twin = Trainer.ofFunction together loss (Optimizer.adam 0.01) [ bias ]
            let options = { FitOptions.create 4 with Display = Silent; Validation = Fraction 0.25 }
            let fitted = Training.fit options twin (init 1L 2 8 2) paired
            let single = Training.fit { quiet 4 with Validation = Fraction 0.25 } trainer (init 1L 2 8 2) data

            for i in 0..3 do
                Expect.floatClose
                    Accuracy.medium
                    fitted.History["val_loss"].[i]
                    single.History["val_loss"].[i]
                    "the same loss as of one tensor that holds both"

            let first, second = Training.predict 10 twin fitted.Parameters paired.Inputs
            Expect.equal (first.Shape, second.Shape) ([| 64; 1 |], [| 64; 1 |]) "both answers"
            let numbers = Training.evaluate 10 twin fitted.Parameters paired
            Expect.equal (List.map fst numbers) [ "loss"; "second_mae" ] "numbers"

            Expect.throwsC
                (fun () ->
                    Dataset.create (narrow 0 0 63 (column 0 data.Inputs), column 1 data.Inputs) data.Targets |> ignore)
                (fun e -> Expect.stringContains e.Message "64 inputs Item2" "which one has another number")

        testCase "learns, and reports each epoch by name"
        <| fun () ->
            let fitted =
                Training.fit
                    { quiet 30 with Validation = Fraction 0.25 }
                    (trainerWith (Optimizer.adam 0.03))
                    (init 1L 2 16 2)
                    (points 400)

            Expect.equal fitted.Ending Completed "ending"
            Expect.equal fitted.History.Names [ "loss"; "accuracy"; "val_loss"; "val_accuracy" ] "names"
            Expect.equal fitted.History.Epochs 30 "epochs"
            let loss, accuracy = fitted.History["loss"], fitted.History["val_accuracy"]
            Expect.isLessThan (Array.last loss) (0.3 * loss[0]) "the loss falls"
            Expect.isGreaterThan (Array.last accuracy) 0.94 "the accuracy rises"

        testCase "the numbers of an epoch are means over the examples, the last batch counting by its size"
        <| fun () ->
            // at rate 0 the parameters stay, and the mean over batches must be the mean over everything
            let still = trainerWith (Optimizer.sgd 0.0)
            let net, data = init 1L 2 8 2, points 103
            let fitted = Training.fit { quiet 1 with Batching = Batching.ofSize 10 } still net data
            let whole = Tensor.toFloat (Loss.meanSquaredError data.Targets (predict net data.Inputs))
            Expect.floatClose Accuracy.medium fitted.History["loss"].[0] whole "loss"
            let measured = Training.evaluate 10 still net data |> Map.ofList
            Expect.floatClose Accuracy.medium measured["loss"] whole "evaluate"
            Expect.floatClose Accuracy.medium measured["accuracy"] fitted.History["accuracy"].[0] "accuracy"

        testCase "equals a loop written by hand, bit for bit; compiled, within rounding"
        <| fun () ->
            let net, data = init 2L 2 8 2, points 70
            let optimizer = Optimizer.momentum 0.9 0.1
            let batching = { Batching.ofSize 20 with Shuffle = false }

            let fit compile =
                let options = { quiet 2 with Batching = batching; Compile = compile }
                (Training.fit options (trainerWith optimizer) net data).Parameters

            let mutable p, state = net, Optimizer.init optimizer net

            for _ in 1..2 do
                for x, y in Dataset.batches batching (Key.create 0L) data do
                    let gradient = grad (fun net -> Loss.meanSquaredError y (predict net x)) p
                    let p', state' = Optimizer.step optimizer gradient state p
                    p <- p'
                    state <- state'

            Expect.equal (bits (fit false)) (bits p) "parameters"
            let compiled = Tree.leaves (fit true) |> Array.collect Tensor.toFloats
            let eager = Tree.leaves p |> Array.collect Tensor.toFloats
            let difference = Array.map2 (fun a b -> abs (a - b)) compiled eager |> Array.max
            Expect.isLessThan difference 1e-6 "compiled"

        testCase "what cannot be compiled runs as it is, and says why"
        <| fun () ->
            let looking net (x: Tensor) =
                let y = predict net x
                if Tensor.toFloat (Tensor.detach (mean y)) > 1e9 then 2.0 * y else y

            let trainer = Trainer.ofFunction looking Loss.meanSquaredError (Optimizer.adam 0.01) []
            let before = Console.Error
            use said = new StringWriter()
            Console.SetError said

            let fitted =
                try
                    Training.fit { quiet 2 with Validation = Fraction 0.3 } trainer (init 1L 2 4 2) (points 20)
                finally
                    Console.SetError before

            Expect.equal fitted.History.Epochs 2 "it is trained"
            Expect.equal fitted.Warnings.Length 1 "said once"

            mentions
                [ "the training step is not compiled"; "the result of mul"; "FitTests.fs, line" ]
                fitted.Warnings.Head

            mentions [ "warning: fit" ] (string said)

        testCase "a step allocates nothing where callbacks do not ask for the state"
        <| fun () ->
            let data = points 64
            let batch = data.Inputs, data.Targets
            let source = { Batches = Some 1500; Read = fun _ _ -> Seq.replicate 1500 batch }
            let mutable before, after = 0L, 0L

            let watching =
                Callback.onBatchEnd (fun _ batch _ ->
                    if batch = 400 then
                        before <- GC.GetAllocatedBytesForCurrentThread()
                    elif batch = 1400 then
                        after <- GC.GetAllocatedBytesForCurrentThread())

            let start = TrainingState.create trainer (Key.create 1L) (init 1L 2 16 2)

            withoutShadow (fun () ->
                Training.fitSource { quiet 1 with Callbacks = [ watching ] } trainer start source |> ignore)

            Expect.equal (after - before) 0L "bytes in 1,000 steps"

        testCase "it is traced once for whole batches and once for the last, smaller one, in all epochs together"
        <| fun () ->
            let traces, seen = ref 0, ref 0

            let apply phase net x =
                match phase with
                | Phase.Training _ -> traces.Value <- traces.Value + 1
                | Inference -> seen.Value <- seen.Value + 1

                predict net x, net

            let counting = { trainer with Apply = apply; Metrics = [ accuracy ] }

            let options = { quiet 7 with Batching = Batching.ofSize 16; Validation = Examples(points 40) }

            let fitted = Training.fit options counting (init 1L 2 4 2) (points 50)
            Expect.equal (traces.Value, seen.Value) (2, 2) "traces of training and of validation"
            Expect.isEmpty fitted.Warnings "nothing went wrong"

        testCase "metrics that learn the shape of their sums are compiled, too"
        <| fun () ->
            let metrics = [ Metric.rSquared; Metric.ofConfusion "macro_f1" Confusion.f1 ]
            let traces = ref 0

            let apply _ net x =
                traces.Value <- traces.Value + 1
                predict net x, net

            let counting = { trainer with Apply = apply; Metrics = metrics }

            let fit compile =
                let options = { quiet 3 with Batching = Batching.ofSize 16; Compile = compile }
                Training.fit options counting (init 1L 2 4 2) (points 64)

            let compiled = fit true
            Expect.equal traces.Value 2 "one trace with sums without a shape, one with"
            Expect.isEmpty compiled.Warnings "nothing went wrong"
            let eager = fit false

            for name in [ "loss"; "r2"; "macro_f1" ] do
                Array.iter2
                    (fun a b -> Expect.floatClose Accuracy.medium a b name)
                    compiled.History[name]
                    eager.History[name]

        testCase "callbacks see the state of their batch and the one before, and can replace it"
        <| fun () ->
            let fit compile =
                let seen = ResizeArray<int64[][] * int64[][] * int>()
                let late = ref None

                let looking = {
                    Callback.create "looking" with
                        ReadsBefore = true
                        BatchEnd =
                            fun report ->
                                seen.Add(
                                    bits report.Before.Parameters,
                                    bits report.State.Parameters,
                                    report.State.Batch
                                )

                                late.Value <- late.Value |> Option.orElse (Some report.Before)

                                if report.Epoch = 2 && report.Batch = 2 then
                                    struct (Some { report.State with Parameters = init 9L 2 8 2 }, Continue)
                                else
                                    Callback.goOn
                }

                let options = {
                    quiet 2 with
                        Batching = Batching.ofSize 16
                        Callbacks = [ looking ]
                        Compile = compile
                }

                let fitted = Training.fit options noisy (init 4L 2 8 2) (points 60)
                Expect.isEmpty fitted.Warnings "nothing went wrong"
                List.ofSeq seen, fitted, late.Value.Value

            let seen, fitted, early = fit true
            Expect.equal seen.Length 8 "eight batches"
            Expect.equal (seen |> List.map (fun (_, _, batch) -> batch)) [ 1; 2; 3; 4; 1; 2; 3; 4 ] "places"
            Expect.equal (bits early.Parameters) (bits (init 4L 2 8 2)) "the state before the first batch"

            for (_, after, _), (before, _, _), place in List.zip3 seen (seen.Tail @ [ seen.Head ]) [ 1..8 ] do
                if place < 8 && place <> 6 then
                    Expect.equal before after $"the state after batch {place} is the one before the next"

            let before, _, _ = seen[6]
            Expect.equal before (bits (init 9L 2 8 2)) "the replaced one"
            let _, last, _ = List.last seen
            Expect.equal (bits fitted.Parameters) last "the last one"
            let _, eager, _ = fit false

            let difference =
                Array.map2
                    (fun a b -> abs (a - b))
                    (Tree.leaves fitted.Parameters |> Array.collect Tensor.toFloats)
                    (Tree.leaves eager.Parameters |> Array.collect Tensor.toFloats)
                |> Array.max

            Expect.isLessThan difference 1e-5 "compiled and eager"

        testCase "a report does not show another batch's state"
        <| fun () ->
            let kept = ref None

            let keeping = {
                Callback.create "keeping" with
                    BatchEnd =
                        fun report ->
                            kept.Value <- kept.Value |> Option.orElse (Some report)
                            Callback.goOn
            }

            let options = { quiet 1 with Batching = Batching.ofSize 5; Callbacks = [ keeping ] }
            Training.fit options trainer (init 1L 2 4 2) (points 20) |> ignore
            let report: BatchReport<Net> = kept.Value.Value
            Expect.equal report.Batch 1 "its numbers stay"

            for read in [ (fun () -> ignore report.State); (fun () -> ignore (report.SoFar())) ] do
                messageOf<InvalidOperationException> read |> mentions [ "batch 1 of epoch 1"; "gone on" ]

            let unsaid = {
                Callback.create "unsaid" with
                    BatchEnd = fun report -> struct (Some report.Before, Continue)
            }

            messageOf<TrainingException>(fun () ->
                Training.fit { options with Callbacks = [ unsaid ] } trainer (init 1L 2 4 2) (points 20) |> ignore)
            |> mentions [ "ReadsBefore" ]

        testCase "a batch that fails in the middle of a step leaves the state from before it"
        <| fun () ->
            let labelled = {
                trainer with
                    Loss = Loss.sparseCategoricalCrossEntropyFromLogits
                    Metrics = []
            }

            let inputs = (points 8).Inputs
            let good = Tensor.create [ 8 ] [| 0; 1; 1; 0; 1; 0; 0; 1 |]
            let bad = Tensor.create [ 8 ] [| 0; 1; 1; 0; 1; 0; 0; 2 |]

            let train targets =
                let source = BatchSource.ofSeq None (fun _ -> targets |> Seq.map (fun y -> inputs, y))
                let start = TrainingState.create labelled (Key.create 1L) (init 1L 2 4 2)
                Training.fitSource { quiet 1 with StopOnCtrlC = false } labelled start source

            let two = (train [ good; good ]).Parameters

            try
                train [ good; good; bad ] |> ignore
                failtest "class 2 of 2"
            with :? TrainingException as e ->
                mentions [ "label 2"; "after 2" ] e.Message
                let state = e.State :?> TrainingState<Net>
                Expect.equal (bits state.Parameters) (bits two) "what two batches taught"
                Expect.equal state.Batch 2 "two batches"

        testCase "the same key gives the same bits on one and two threads, another key others"
        <| fun () ->
            let train seed threads =
                withThreads threads (fun () ->
                    let options = { quiet 2 with Key = Key.create seed; Batching = Batching.ofSize 64 }
                    (Training.fit options noisy (init 1L 2 300 2) (points 500)).State)

            sameState (train 5L 1) (train 5L 2)
            Expect.notEqual (bits (train 6L 1).Parameters) (bits (train 5L 1).Parameters) "another key"

        testCase "one epoch of MNIST is the same on one and two threads"
        <| skipWithout "mnist" (fun folder ->
            let digits = Mnist.load { Mnist.defaults with Directory = Some folder; AllowDownload = false }

            let data =
                Dataset.create digits.Train.Images (Prepare.oneHot DType.Float32 10 digits.Train.Labels)
                |> Dataset.narrow 0 20000

            let train threads =
                withThreads threads (fun () ->
                    let fitted =
                        Training.fit { quiet 1 with Batching = Batching.ofSize 100 } trainer (init 3L 784 32 10) data

                    Expect.isGreaterThan fitted.History["accuracy"].[0] 0.7 "it learns"
                    fitted.State)

            sameState (train 1) (train 2))
        |> slow

        testCase "resumed from a file anywhere, it goes on bit for bit"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "run.safetensors")
            let net, data = init 4L 2 8 2, points 90

            let options = {
                quiet 6 with
                    Batching = Batching.ofSize 16
                    Validation = Fraction 0.2
                    Key = Key.create 9L
                    Callbacks = [ stopping; reducing ]
            }

            let whole = (Training.fit options noisy net data).State

            for batches in [ 1; 4; 5; 6; 13; 24 ] do
                let part = interrupted batches options noisy net data
                Expect.equal part.Ending Interrupted "stopped on the way"
                TrainingState.saveWith (Map [ "model", "{}" ]) path part.State
                let loaded = TrainingState.load path noisy (init 0L 2 8 2)
                sameState part.State loaded
                sameState whole (Training.resume options noisy loaded data).State

            Expect.equal (Checkpoint.metadata path).["model"] "{}" "the model's description is in the file"
            let weights = Checkpoint.load path (init 0L 2 8 2)
            Expect.equal (bits weights).Length 4 "the file is also one of parameters")

        testCase "more epochs later are the same as all at once"
        <| fun () ->
            let net, data = init 4L 2 8 2, points 50
            let first = Training.fit (quiet 2) noisy net data
            let second = Training.resume (quiet 5) noisy first.State data
            sameState (Training.fit (quiet 5) noisy net data).State second.State
            Expect.equal second.History.Epochs 5 "the history goes on"

        testCase "running statistics come back from the layer, frozen leaves are not trained"
        <| fun () ->
            let apply phase (p: {| Weight: Tensor; Mean: Frozen |}) (x: Tensor) =
                match phase with
                | Phase.Training _ -> x * p.Weight, {| p with Mean = { Value = 0.9 * p.Mean.Value + 0.1 * mean x } |}
                | Inference -> x * p.Weight, p

            let trainer = {
                Apply = apply
                Loss = Loss.meanSquaredError
                Penalty = None
                Constraint = None
                Optimizer = Optimizer.sgd 0.1
                Metrics = []
            }

            let start = {| Weight = scalar 1.0; Mean = { Value = scalar 0.0 } |}
            let data = Dataset.create (Tensor.ones [ 8; 1 ]) (Tensor.full DType.Float64 [ 8; 1 ] 3.0)
            let fitted = Training.fit { quiet 1 with Batching = Batching.ofSize 4 } trainer start data

            Expect.floatClose
                Accuracy.high
                (Tensor.toFloat fitted.Parameters.Mean.Value)
                0.19
                "the statistics of two batches"

            Expect.floatClose Accuracy.high (Tensor.toFloat fitted.Parameters.Weight) 1.72 "the weight of two steps"
            Expect.equal (Tensor.toFloat start.Mean.Value) 0.0 "what was given is as it was"

        testCase "a penalty is added to the loss"
        <| fun () ->
            let net, data = init 1L 2 4 2, points 20
            let still = trainerWith (Optimizer.sgd 0.0)
            let penalty = Penalty.onWeights (Penalty.l2 0.5)
            let loss trainer = Training.evaluate 20 trainer net data |> List.head |> snd
            let added = loss (Trainer.withPenalty penalty still) - loss still
            Expect.floatClose Accuracy.medium added (Tensor.toFloat (penalty net)) "the penalty"

        testCase "predictions in batches are the predictions"
        <| fun () ->
            let net, data = init 1L 2 4 2, points 23
            let whole = Training.predict 100 trainer net data.Inputs
            let calls = ref 0

            let apply _ net x =
                calls.Value <- calls.Value + 1
                predict net x, net

            let counting = { trainer with Apply = apply }

            // few batches one by one; many as a program, which is traced once for each size
            for size, traces in [ 5, 5; 2, 2 ] do
                calls.Value <- 0
                let parts = Training.predict size counting net data.Inputs
                Expect.equal parts.Shape [| 23; 2 |] "shape"
                Expect.equal calls.Value traces "calls"

                let difference =
                    Array.map2 (fun a b -> abs (a - b)) (Tensor.toFloats whole) (Tensor.toFloats parts) |> Array.max

                Expect.isLessThan difference 1e-6 "numbers"

            calls.Value <- 0
            let few, many = Training.evaluate 23 counting net data, Training.evaluate 2 counting net data
            Expect.equal calls.Value 3 "calls"
            List.iter2 (fun (_, a) (_, b) -> Expect.floatClose Accuracy.medium a b "evaluated") few many

        testCase "a token stops after the current batch and keeps what was learnt; it can go on from there"
        <| fun () ->
            let net, data = init 1L 2 8 2, points 64
            use source = new CancellationTokenSource()

            let cancelling =
                Callback.onBatchEnd (fun epoch batch _ ->
                    if epoch = 2 && batch = 3 then
                        source.Cancel())

            let options = {
                quiet 3 with
                    Batching = Batching.ofSize 8
                    Cancellation = source.Token
                    Callbacks = [ cancelling ]
            }

            let fitted = Training.fit options trainer net data
            Expect.equal fitted.Ending Interrupted "ending"
            Expect.equal (fitted.State.Epoch, fitted.State.Batch) (1, 3) "where"
            Expect.notEqual (bits fitted.Parameters) (bits net) "what was learnt is kept"
            let rest = Training.resume { quiet 3 with Batching = Batching.ofSize 8 } trainer fitted.State data
            sameState (Training.fit { quiet 3 with Batching = Batching.ofSize 8 } trainer net data).State rest.State

        testCase "batches from anywhere"
        <| fun () ->
            let data = points 40
            let net = init 1L 2 8 2

            let source = BatchSource.ofSeq None (fun key -> Dataset.batches (Batching.ofSize 10) key data)

            let fromSource =
                Training.fitSource (quiet 3) trainer (TrainingState.create trainer (Key.create 0L) net) source

            let fromData = Training.fit { quiet 3 with Batching = Batching.ofSize 10 } trainer net data
            sameState fromData.State fromSource.State
    ]

[<Tests>]
let badInput =
    let net = init 1L 2 8 2
    let fit options trainer data = Training.fit options trainer net data |> ignore

    testList "fit, bad input" [
        testCase "NaN in the data, with where"
        <| fun () ->
            let data = Dataset.ofRows [ [ 1.0f; 2.0f ]; [ 3.0f; nanf ] ] [ [ 1.0f; 0.0f ]; [ 1.0f; 0.0f ] ]

            messageOf<ArgumentException>(fun () -> fit (quiet 1) trainer data)
            |> mentions [ "inputs hold NaN at [1, 1]" ]

        testCase "inputs that do not fit the network, with the parameter's path"
        <| fun () ->
            let data =
                Dataset.create (Tensor.full DType.Float32 [ 4; 3 ] 0.0) (Tensor.full DType.Float32 [ 4; 2 ] 0.0)

            messageOf<ArgumentException>(fun () -> fit (quiet 1) trainer data)
            |> mentions [ "4×3"; "2×8"; "Hidden.Weights" ]

        testCase "targets that do not fit the predictions"
        <| fun () ->
            let data = Dataset.create (Tensor.full DType.Float32 [ 4; 2 ] 0.0) (Tensor.full DType.Float32 [ 4 ] 0.0)
            messageOf<ArgumentException>(fun () -> fit (quiet 1) trainer data) |> mentions [ "4×2"; "target" ]

        testCase "data of another float type"
        <| fun () ->
            let data = Dataset.create (Tensor.zeros [ 4; 2 ]) (Tensor.zeros [ 4; 2 ])

            messageOf<ArgumentException>(fun () -> fit (quiet 1) trainer data)
            |> mentions [ "Float64"; "Float32" ]

        testCase "labels outside the classes"
        <| fun () ->
            let trainer = {
                trainer with
                    Loss = Loss.sparseCategoricalCrossEntropyFromLogits
                    Metrics = []
            }

            let data = Dataset.create (Tensor.full DType.Float32 [ 3; 2 ] 0.0) (Tensor.create [ 3 ] [| 0; 2; 1 |])
            messageOf<ArgumentException>(fun () -> fit (quiet 1) trainer data) |> mentions [ "2" ]

        testCase "options that make no sense"
        <| fun () ->
            let data = points 10
            let batches size keep = { quiet 1 with Batching = { Size = size; Shuffle = true; KeepLast = keep } }

            messageOf<ArgumentException>(fun () -> fit (batches 0 true) trainer data)
            |> mentions [ "at least 1" ]

            messageOf<ArgumentException>(fun () -> fit (batches 20 false) trainer data)
            |> mentions [ "10 examples"; "20" ]

            messageOf<ArgumentException>(fun () -> fit { quiet -1 with Key = Key.create 1L } trainer data)
            |> mentions [ "-1 epochs" ]

            messageOf<ArgumentException>(fun () -> fit { quiet 1 with Validation = Fraction 1.5 } trainer data)
            |> mentions [ "fraction"; "1.5" ]

            messageOf<ArgumentException>(fun () -> fit (quiet 1) { trainer with Metrics = [ accuracy; accuracy ] } data)
            |> mentions [ "two metrics"; "accuracy" ]

            messageOf<ArgumentException>(fun () -> Training.predict 0 trainer net data.Inputs |> ignore)
            |> mentions [ "predict" ]

            messageOf<ArgumentException>(fun () -> Training.predict 1 trainer net (Tensor.zeros [ 0; 2 ]) |> ignore)
            |> mentions [ "no examples"; "0×2" ]

        testCase "a stream's batches are checked as they come, and what was learnt before is not lost"
        <| fun () ->
            let good = points 8
            let bad = { good with Targets = Tensor.full DType.Float32 [ 8; 2 ] infinity }

            let source =
                BatchSource.ofSeq None (fun _ -> [ good; good; bad ] |> Seq.map (fun d -> d.Inputs, d.Targets))

            let start = TrainingState.create trainer (Key.create 1L) net

            let state =
                try
                    Training.fitSource (quiet 1) trainer start source |> ignore
                    failtest "the third batch is infinite"
                with :? TrainingException as e ->
                    mentions [ "epoch 1"; "after 2"; "batch 3"; "targets"; "∞" ] (e.Message.Replace("Infinity", "∞"))
                    e.State :?> TrainingState<Net>

            Expect.equal state.Batch 2 "two batches were learnt"
            Expect.notEqual (bits state.Parameters) (bits net) "and are kept"

            let empty = BatchSource.ofSeq None (fun _ -> Seq.empty)

            messageOf<ArgumentException>(fun () -> Training.fitSource (quiet 1) trainer start empty |> ignore)
            |> mentions [ "no batches" ]

        testCase "a checkpoint of parameters, of another network, of another optimiser"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "x.safetensors")
            Checkpoint.save path net

            messageOf<InvalidDataException>(fun () -> TrainingState.load path trainer net |> ignore)
            |> mentions [ "no training"; "Checkpoint.load" ]

            TrainingState.save path (TrainingState.create trainer (Key.create 1L) net)

            messageOf<InvalidDataException>(fun () -> TrainingState.load path trainer (init 1L 2 9 2) |> ignore)
            |> mentions [ "Hidden.Weights is Float32 2×8 in the file and Float32 2×9 in the model" ]

            messageOf<InvalidDataException>(fun () ->
                TrainingState.load path (trainerWith (Optimizer.sgd 0.1)) net |> ignore)
            |> mentions [ "only in the file: training/Optimizer.Slots" ])
    ]
