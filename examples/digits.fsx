// The talk's program in F#: a network of 784-500-500-10 learns handwritten digits. It is a function over a record of
// parameters; training, saving and drawing are functions too.
//
//     dotnet build -c Release src
//     dotnet fsi --optimize+ examples/digits.fsx --data DIR --recipe talk|best --epochs N --batch N --seed N --threads N --out DIR
//
// With the package installed, `#r "nuget: Functional"` replaces the two lines below.
#r "../src/bin/Release/net10.0/Functional.Kernels.dll"
#r "../src/bin/Release/net10.0/Functional.dll"

open System
open System.IO
open Functional

// ---- what was asked for

let options = [ "--recipe"; "--data"; "--epochs"; "--batch"; "--seed"; "--threads"; "--out" ]

let fail (message: string) =
    eprintfn $"digits: {message}"
    exit 2

let rec parse (asked: Map<string, string>) arguments =
    match arguments with
    | [] -> asked
    | "--help" :: _ ->
        let list = String.Join(" ", options |> List.map (fun name -> $"[{name} VALUE]"))
        printfn $"digits.fsx {list}\nrecipes: talk (the slide) and best (the default)"
        exit 0
    | name :: value :: rest when List.contains name options -> parse (asked.Add(name, value)) rest
    | [ name ] when List.contains name options -> fail $"{name} needs a value"
    | name :: _ ->
        let known = String.Join(", ", options)
        fail $"there is no option {name}; there are {known}, --help"

let asked = fsi.CommandLineArgs |> List.ofArray |> List.tail |> parse Map.empty
let text name otherwise = asked.TryFind name |> Option.defaultValue otherwise

let number name (least: int) (otherwise: int) =
    match asked.TryFind name with
    | None -> otherwise
    | Some value ->
        match Int32.TryParse value with
        | true, n when n >= least -> n
        | _ -> fail $"{name} is a whole number from {least} on; {value} was given"

let isTalk =
    match text "--recipe" "best" with
    | "talk" -> true
    | "best" -> false
    | other -> fail $"--recipe is talk or best; {other} was given"

let out = text "--out" (Path.Combine("artifacts", "digits"))
let epochs = number "--epochs" 0 20
let batch = number "--batch" 1 (if isTalk then 100 else 128)
let seed = number "--seed" Int32.MinValue 1 |> int64

if asked.ContainsKey "--threads" then
    Kernels.Workers.Count <- number "--threads" 1 1

// ---- the network

type Net = { Hidden1: Dense; Hidden2: Dense; Output: Dense }

let hidden = if isTalk then sigmoid else relu
let predict net = dense net.Hidden1 >> hidden >> dense net.Hidden2 >> hidden >> dense net.Output >> softmax

let start key =
    let keys = Key.split 3 key

    {
        Hidden1 = Dense.init keys[0] 784 500
        Hidden2 = Dense.init keys[1] 500 500
        Output = Dense.init keys[2] 500 10
    }

// ---- digits that are never twice the same: shifted by up to two pixels, anew in each epoch

let moved (key: Tensor) (images: Tensor) =
    let keys = Key.split 2 key
    let count = images.Shape[0]
    let shift axis = floor (Random.uniform DType.Float32 [ count; 1 ] keys[axis] * 5.0) - 2.0 |> cast DType.Int32
    let place = Tensor.iota 28 |> reshape [ 1; 28 ]

    // an index for each row and each column of each image; what comes from outside is background
    let from axis = place + shift axis

    let inside i =
        logicalAnd (greaterEqual i (cast DType.Int32 (scalar 0.0))) (less i (cast DType.Int32 (scalar 28.0)))

    let rows, columns = from 0, from 1
    let rows', columns' = expandDims 2 rows, expandDims 1 columns

    let pixels =
        minimum (maximum (rows' * 28.0 + columns') (cast DType.Int32 (scalar 0.0))) (cast DType.Int32 (scalar 783.0))

    let visible = logicalAnd (inside rows') (inside columns') |> reshape [ count; 784 ]
    where visible (images |> gatherAlong 1 (reshape [ count; 784 ] pixels)) (Tensor.zerosLike images)

// ---- learning

try
    Directory.CreateDirectory out |> ignore
with
| :? IOException
| :? UnauthorizedAccessException as e ->
    fail $"nothing can be written to {out} ({e.Message}); name another folder with --out DIR"

let data =
    try
        Mnist.load { Mnist.defaults with Directory = asked.TryFind "--data" }
    with :? IOException as e ->
        fail e.Message

printfn $"data: {data.Source}"
let oneHotLabels (digits: LabelledImages) = oneHot DType.Float32 10 digits.Labels

let train, test =
    Dataset.create data.Train.Images (oneHotLabels data.Train), Dataset.create data.Test.Images (oneHotLabels data.Test)

let net = start (Key.create seed)
printfn $"""{Summary.ofTree "digits" net}"""

let batches = Batching.count (Batching.ofSize batch) train.Count

let trainer =
    if isTalk then
        Trainer.ofFunction predict Loss.meanSquaredError (Optimizer.sgd 0.1) [ Metric.accuracy ]
    else
        let rate = Schedule.oneCycle 0.002 (max 2 (epochs * batches))
        let adam = Adam.create { Adam.defaults with Rate = rate } |> Optimizer.weightDecay 0.01
        Trainer.ofFunction predict Loss.categoricalCrossEntropy adam [ Metric.accuracy ]

let source =
    let plain = BatchSource.ofDataset (Batching.ofSize batch) train

    if isTalk then
        plain
    else
        let moving (key: Tensor) first =
            let keys = Key.split 2 key

            plain.Read keys[0] first
            |> Seq.mapi (fun i (x, y) -> moved (Key.fold (int64 (first + i)) keys[1]) x, y)

        { plain with Read = moving }

let fitted =
    let settings = {
        FitOptions.create epochs with
            Key = Key.create seed
            Validation = Examples test
    }

    Training.fitSource settings trainer (TrainingState.create trainer settings.Key net) source

// ---- what was learnt

Checkpoint.save (Path.Combine(out, "net.safetensors")) fitted.Parameters
File.WriteAllText(Path.Combine(out, "history.csv"), History.toCsv fitted.History)

/// An image in characters.
let show (image: Tensor) =
    let pixels = Tensor.toFloats image

    for row in 0..2..27 do
        let line =
            String(Array.init 28 (fun column -> " .:-=+*#%@"[int (pixels[28 * row + column] * 9.99) |> min 9]))

        printfn $"    {line.TrimEnd()}"

let answers = Training.predict 1000 trainer fitted.Parameters test.Inputs
let said, truth = Tensor.toArray<int>(argmax 1 answers), Tensor.toArray<int> data.Test.Labels

match Seq.zip said truth |> Seq.tryFindIndex (fun (a, b) -> a <> b) with
| Some i ->
    printfn $"\nthe first of its mistakes: it says {said[i]}, and should say {truth[i]}"
    show (index 0 i test.Inputs)
| None -> printfn "\nit makes no mistakes"

let result = Training.evaluate 1000 trainer fitted.Parameters test |> Map.ofList
printfn $"""test accuracy {result["accuracy"].ToString("F4", Globalization.CultureInfo.InvariantCulture)}"""
