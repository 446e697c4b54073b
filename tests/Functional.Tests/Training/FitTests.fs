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
                    Training.fit (quiet 2) trainer (init 1L 2 4 2) (points 20)
                finally
                    Console.SetError before

            Expect.equal fitted.History.Epochs 2 "it is trained"
            Expect.equal fitted.Warnings.Length 1 "said once"
            mentions [ "not compiled"; "compile" ] fitted.Warnings.Head
            mentions [ "warning: fit" ] (string said)

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
            let digits = Mnist.load { MnistOptions.Default with Directory = folder; AllowDownload = false }

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
            let parts = Training.predict 5 trainer net data.Inputs
            Expect.equal parts.Shape [| 23; 2 |] "shape"

            let difference =
                Array.map2 (fun a b -> abs (a - b)) (Tensor.toFloats whole) (Tensor.toFloats parts) |> Array.max

            Expect.isLessThan difference 1e-6 "numbers"

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
