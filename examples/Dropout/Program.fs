/// Dropout against overfitting: a network far too large for 1,000 digits learns them by heart. The same network with
/// dropout, which hides a random part of every layer at each step, has to spread what it knows, and the gap between
/// what it has seen and what is new shrinks. Both are measured after every epoch with dropout switched off.
module DropoutExample

open Functional
open Examples
open Functional.Plots

let private block units rate = [
    Layers.dense units |> Layer.activated "relu" relu |> Layer.erase
    if rate > 0.0 then
        Layers.dropout rate |> Layer.erase
]

/// 784-512-512-10, with a fifth of the pixels and a share of the hidden units dropped, or with nothing dropped.
let private network rate =
    Layers.sequential "digits" [
        if rate > 0.0 then
            Layers.dropout 0.2 |> Layer.erase
        yield! block 512 rate
        yield! block 512 rate
        Layers.dense 10 |> Layer.erase
    ]

/// Loss and accuracy after each epoch, on the digits learnt from and on new ones.
type private Curves = {
    TrainLoss: float[]
    TrainAccuracy: float[]
    NewLoss: float[]
    NewAccuracy: float[]
} with

    /// How much worse the network is on new digits, at the end.
    member c.Gap = Array.last c.NewLoss - Array.last c.TrainLoss

let private learn epochs rate (known: Dataset) (fresh: Dataset) =
    let layer = network rate

    let trainer =
        Trainer.ofLayer layer Loss.sparseCategoricalCrossEntropyFromLogits (Optimizer.adam 0.001) [ Metric.accuracy ]

    let seen = ResizeArray<float * float>()

    let measure = {
        Callback.create "digits seen, without dropout" with
            EpochEnd =
                fun _ state ->
                    let numbers = Training.evaluate 1_000 trainer state.Parameters known |> Map.ofList
                    seen.Add(numbers["loss"], numbers["accuracy"])
                    state, Continue
    }

    let options = {
        FitOptions.create epochs with
            Batching = Batching.ofSize 50
            Validation = Examples fresh
            Callbacks = [ measure ]
            Display = Silent
    }

    let fitted = Training.fit options trainer (layer.Initialize (Key.create 1L) [| 784 |]) known

    {
        TrainLoss = seen |> Seq.map fst |> Array.ofSeq
        TrainAccuracy = seen |> Seq.map snd |> Array.ofSeq
        NewLoss = fitted.History["val_loss"]
        NewAccuracy = fitted.History["val_accuracy"]
    }

let private draw title ylabel corner low high known fresh =
    let panel = Chart(title, "epoch", ylabel)
    let epochs = Array.init (Array.length known) (fun i -> float (i + 1))
    panel.Band("", epochs, known, fresh, Palette.Orange.WithAlpha 0.18) |> ignore
    panel.Line("digits learnt from", epochs, known, Palette.Blue, 2.5) |> ignore
    panel.Line("new digits", epochs, fresh, Palette.Orange, 2.5) |> ignore
    panel.Legend(corner) |> ignore
    panel.Plot.Axes.SetLimits(1.0, float epochs.Length, low, high)
    panel

[<EntryPoint>]
let main arguments =
    let command =
        Command(
            "Dropout",
            [
                struct ("data", "folder with MNIST (default: FUNCTIONAL_DATA, then the user's cache, else drawn digits)")
                struct ("wrong", "percent of the labels to falsify (default 0 on MNIST, 20 on drawn digits)")
                struct ("epochs", "epochs (default 30)")
            ],
            arguments
        )

    let epochs = command.Number("epochs", 30)

    let digits =
        Mnist.load {
            Mnist.defaults with
                Directory = Option.ofObj (command.Text "data")
                AllowDownload = false
                DrawnTrain = 1_000
                DrawnTest = 5_000
        }

    printfn $"The digits are {digits.Source}."

    let isMnist =
        match digits.Source with
        | DigitSource.Drawn _ -> false
        | _ -> true

    // drawn digits are so alike that there is little to overfit: wrong labels, which can only be learnt by heart, make up for it
    let wrong = command.Number("wrong", (if isMnist then 0 else 20))

    if wrong > 0 then
        printfn
            $"{wrong} %% of the labels are wrong, of the digits learnt from and of the new ones alike: nobody can get these right but by heart."

    let dice = System.Random 1

    let part count (images: LabelledImages) =
        let labels =
            Tensor.toArray<int> images.Labels
            |> Array.take count
            |> Array.map (fun label -> if dice.Next 100 < wrong then (label + 1 + dice.Next 9) % 10 else label)

        Dataset.create (narrow 0 0 count images.Images) (Tensor.ofSeq labels)

    let known, fresh = part 1_000 digits.Train, part 5_000 digits.Test
    let plain = learn epochs 0.0 known fresh
    let dropped = learn epochs 0.7 known fresh

    let row name (c: Curves) =
        printfn
            $"%-17s{name} %14.4f{Array.last c.TrainLoss} %10.4f{Array.last c.NewLoss} %8.4f{c.Gap} %15.2f{100.0 * Array.last c.TrainAccuracy} %10.2f{100.0 * Array.last c.NewAccuracy}"

    printfn "                     loss: seen        new      gap   accuracy: seen        new"
    row "without dropout" plain
    row "with dropout" dropped

    let top = 1.3 * max (Array.max plain.NewLoss) (Array.max dropped.NewLoss)

    let lowest =
        Array.min [| plain.NewAccuracy[0]; dropped.NewAccuracy[0]; plain.TrainAccuracy[0]; dropped.TrainAccuracy[0] |]

    let loss title (c: Curves) =
        draw $"{title}: the gap is {c.Gap:F3}" "loss (cross-entropy)" Corner.UpperRight 0.0 top c.TrainLoss c.NewLoss

    let accuracy title (c: Curves) =
        draw
            $"{title}: {100.0 * Array.last c.NewAccuracy:F1} %% of new digits right"
            "accuracy"
            Corner.LowerRight
            (floor (20.0 * lowest) / 20.0)
            1.005
            c.TrainAccuracy
            c.NewAccuracy

    let path = command.File "dropout.png"

    Figure.Save(
        path,
        2,
        680,
        430,
        [
            loss "Without dropout" plain
            loss "With dropout" dropped
            accuracy "Without dropout" plain
            accuracy "With dropout" dropped
        ]
    )

    command.Announce path
    let reduction = 1.0 - dropped.Gap / plain.Gap

    printfn
        $"Without dropout the network has {100.0 * Array.last plain.TrainAccuracy:F1} %% of its 1,000 digits by heart, but {100.0 * Array.last plain.NewAccuracy:F1} %% of new ones right."

    if reduction > 0.0 then
        printfn
            $"With dropout the gap between the losses on seen and on new digits is {100.0 * reduction:F0} %% smaller."
    else
        printfn "Dropout has not made the gap smaller here."

    Command.Result("gap-reduction", reduction)
    0
