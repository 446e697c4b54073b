namespace Functional

// Where a training is, whole: saved and loaded, it goes on bit for bit as if it had not stopped.

open System
open System.Globalization
open System.IO
open System.Text
open System.Text.Json
open Functional.Operations

/// Where a training is. Everything that decides how it goes on is in here.
type TrainingState<'P> = {
    Parameters: 'P
    Optimizer: OptimizerState
    /// The key that the order of the examples and all noise come from.
    Key: Tensor
    /// Finished epochs.
    Epoch: int
    /// Finished batches of the epoch that has begun.
    Batch: int
    /// What the loss and the metrics have gathered in the epoch that has begun.
    Sums: Tensor[][]
    History: History
    /// What callbacks remember, by their names: the best parameters so far, how long they have waited.
    Memory: Map<string, Tensor[]>
} with

    /// What the training's steps change.
    member internal s.OfSteps: StepState<'P> = {
        Parameters = s.Parameters
        Optimizer = s.Optimizer
        Sums = s.Sums
        Batch = Tensor.create [] [| int64 s.Batch |]
    }

    /// The state after steps that came to so many batches.
    member internal s.After(steps: StepState<'P>, batch: int) : TrainingState<'P> = {
        s with
            Parameters = steps.Parameters
            Optimizer = steps.Optimizer
            Sums = steps.Sums
            Batch = batch
    }

/// Making training states, and keeping them on disk.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module TrainingState =

    /// Before the first step.
    let create (trainer: Trainer<'P, 'X, 'Y>) (key: Tensor) (parameters: 'P) : TrainingState<'P> = {
        Parameters = parameters
        Optimizer = Optimizer.init trainer.Optimizer parameters
        Key = key
        Epoch = 0
        Batch = 0
        Sums = Trainer.noSums trainer
        History = History.empty
        Memory = Map.empty
    }

    let private historyName = Checkpoint.trainingPrefix + "history"
    let private memoryPrefix = Checkpoint.trainingPrefix + "memory/"
    let private columnsName = "history"

    let private columnsText (columns: string list) =
        use buffer = new MemoryStream()

        using (new Utf8JsonWriter(buffer)) (fun json ->
            json.WriteStartArray()
            columns |> List.iter (fun (name: string) -> json.WriteStringValue name)
            json.WriteEndArray())

        Encoding.UTF8.GetString(buffer.ToArray())

    /// The part of a state whose structure the trainer knows beforehand, as it lies in files.
    let private tensorsOf (state: TrainingState<'P>) = {|
        Key = state.Key
        Position = Tensor.create [ 2 ] [| int64 state.Epoch; int64 state.Batch |]
        Optimizer = state.Optimizer
        Sums = state.Sums
    |}

    /// Writes a state, with texts beside it. The parameters lie in the file as `Checkpoint.save` writes them, so it can
    /// be loaded as a checkpoint of the network too.
    let saveWith (metadata: Map<string, string>) (path: string) (state: TrainingState<'P>) : unit =
        let tensors = tensorsOf state
        let rows = List.rev state.History.Rows
        let columns = state.History.Columns

        let history = Tensor.create [ rows.Length; columns.Length ] (Array.concat rows)

        Formats.write path (metadata |> Map.add columnsName (columnsText columns)) [|
            yield! Array.zip (Checkpoint.names state.Parameters) (Tree.leaves state.Parameters)
            yield! Array.zip (Checkpoint.names tensors |> Array.map Checkpoint.trainingName) (Tree.leaves tensors)
            historyName, history

            for KeyValue(name, memory) in state.Memory do
                for i in 0 .. memory.Length - 1 do
                    $"{memoryPrefix}{name}/{i}", memory[i]
        |]

    /// Writes a state. Example: `TrainingState.save "run.safetensors" fitted.State`.
    let save (path: string) (state: TrainingState<'P>) : unit = saveWith Map.empty path state

    let private damaged path what : exn = InvalidDataException $"load: the training in {path} is damaged: {what}"

    /// The names of the history's numbers.
    let private readColumns path (text: string) : string list =
        let columns =
            try
                use json = JsonDocument.Parse text

                [
                    for name in json.RootElement.EnumerateArray() do
                        name.GetString()
                ]
            with
            | :? JsonException
            | :? InvalidOperationException as e ->
                raise (damaged path $"the names of its history are none ({e.Message})")

        if List.exists isNull columns || (List.distinct columns).Length < columns.Length then
            let names = columns |> List.map (fun name -> if isNull name then "null" else name) |> String.concat ", "
            raise (damaged path $"its history has the columns {names}; each has a name of its own")

        columns

    let private readHistory path (entries: StoredTensor[]) (metadata: Map<string, string>) (epochs: int) =
        let columns = readColumns path metadata[columnsName]

        match entries |> Array.tryFind (fun e -> e.Name = historyName) with
        | Some e when e.DType = Some DType.Float64 && e.Shape.Length = 2 && e.Shape[1] = columns.Length ->
            let rows =
                if columns.IsEmpty then
                    []
                else
                    e.Read() |> Tensor.toFloats |> Array.chunkBySize columns.Length |> List.ofArray

            if rows.Length <> epochs && not rows.IsEmpty then
                raise (damaged path $"its history has {rows.Length} epochs, of which {epochs} are done")

            History.ofRows columns rows
        | Some e ->
            raise (
                damaged path $"its history is {e.Stored} {Shape.show e.Shape}; it has {columns.Length} columns of F64"
            )
        | None -> raise (damaged path "the numbers of its history are missing")

    /// A count that a position can have.
    let private readCount path what (count: int64) =
        if count < 0L || count > int64 Int32.MaxValue then
            raise (damaged path $"it has done {count} {what}")

        int count

    /// The callbacks' memory: `NAME/0`, `NAME/1` …
    let private readMemory path (entries: StoredTensor[]) : Map<string, Tensor[]> =
        entries
        |> Array.filter (fun e -> e.Name.StartsWith(memoryPrefix, StringComparison.Ordinal))
        |> Array.map (fun e ->
            if e.DType.IsNone then
                raise (damaged path $"\"{e.Name}\" is of {e.Stored}, which no callback can have written")

            let slash = e.Name.LastIndexOf '/'

            match Int32.TryParse(e.Name[slash + 1 ..], NumberStyles.None, CultureInfo.InvariantCulture) with
            | true, i when slash >= memoryPrefix.Length -> e.Name[memoryPrefix.Length .. slash - 1], i, e
            | _ ->
                raise (
                    InvalidDataException $"load: {path} holds a tensor \"{e.Name}\" that no callback can have written"
                ))
        |> Array.groupBy (fun (name, _, _) -> name)
        |> Array.map (fun (name, parts) ->
            let parts = parts |> Array.sortBy (fun (_, i, _) -> i)

            parts
            |> Array.iteri (fun place (_, i, _) ->
                if i <> place then
                    raise (damaged path $"of what \"{name}\" remembers, number {place} is missing"))

            name, parts |> Array.map (fun (_, _, e) -> e.Read()))
        |> Map.ofArray

    /// Reads a state that was saved by a trainer of the same kind; the parameters given say what their structure is.
    /// Errors: the file is damaged, holds a state in which no training can be, no training, or one of another network or
    /// optimiser (the leaves that differ are listed).
    let load (path: string) (trainer: Trainer<'P, 'X, 'Y>) (parameters: 'P) : TrainingState<'P> =
        use file = Formats.openFile path
        let training, network = file.Tensors |> Array.partition Checkpoint.ofTraining

        if training.Length = 0 || not (file.Texts.ContainsKey columnsName) then
            raise (
                InvalidDataException
                    $"load: {path} holds parameters but no training to go on with; load them with Checkpoint.load"
            )

        let parameters = Checkpoint.read path id network parameters
        let empty = create trainer (Key.create 0L) parameters

        // some metrics learn the shape of their sums from the first batch
        let sums =
            empty.Sums
            |> Array.mapi (fun i metric ->
                metric
                |> Array.mapi (fun j sum ->
                    training
                    |> Array.tryFind (fun e ->
                        e.Name = $"{Checkpoint.trainingPrefix}Sums[{i}][{j}]" && e.DType = Some sum.DType)
                    |> Option.fold (fun _ e -> Tensor.full sum.DType e.Shape 0.0) sum))

        let known =
            training
            |> Array.filter (fun e ->
                e.Name <> historyName && not (e.Name.StartsWith(memoryPrefix, StringComparison.Ordinal)))

        let tensors = Checkpoint.read path Checkpoint.trainingName known (tensorsOf { empty with Sums = sums })

        Checkpoint.requirePossible path tensors.Optimizer
        let position = Tensor.toArray<int64> tensors.Position
        let epochs = readCount path "epochs" position[0]

        {
            Parameters = parameters
            Optimizer = tensors.Optimizer
            Key = tensors.Key
            Epoch = epochs
            Batch = readCount path "batches" position[1]
            Sums = tensors.Sums
            History = readHistory path training file.Texts epochs
            Memory = readMemory path training
        }
