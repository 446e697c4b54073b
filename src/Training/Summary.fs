namespace Functional

// The table of a network's layers, their output shapes and the number of their parameters, as Keras prints it.

open System
open System.Globalization
open System.Text
open Functional.Operations

/// A line of a summary.
type SummaryRow = {
    /// What the layer is called.
    Layer: string
    /// What it is: "Dense". May be empty.
    Kind: string
    /// The shapes of its outputs without the batch axis; none where they are not known, and a size may be `UnknownSize.Value`.
    Outputs: int[] list
    /// The layers that its inputs come from, where they are not simply those of the line before.
    From: string list
    /// Numbers that are trained.
    Trainable: int64
    /// Numbers that are carried along.
    NonTrainable: int64
    /// Bytes of both.
    Bytes: int64
}

/// A network's layers and the sums of their parameters; `string summary` is Keras' table.
type Summary = {
    Model: string
    Rows: SummaryRow list
} with

    member s.Trainable = s.Rows |> List.sumBy _.Trainable
    member s.NonTrainable = s.Rows |> List.sumBy _.NonTrainable
    /// The number of all parameters.
    member s.Total = s.Trainable + s.NonTrainable

    override s.ToString() =
        let grouped (n: int64) = n.ToString("N0", CultureInfo.InvariantCulture)

        let size (bytes: int64) =
            let units = [| "Byte"; "KB"; "MB"; "GB"; "TB" |]
            let mutable unit = 0
            let mutable value = float bytes

            while value >= 1024.0 && unit < units.Length - 1 do
                value <- value / 1024.0
                unit <- unit + 1

            value.ToString("F2", CultureInfo.InvariantCulture) + " " + units[unit]

        let shape (sizes: int[]) =
            "(" + String.Join(", ", Seq.append [ "None" ] (sizes |> Seq.map UnknownSize.name)) + ")"

        let shapes (outputs: int[] list) =
            match outputs with
            | [] -> ""
            | [ one ] -> shape one
            | several -> "[" + String.Join(", ", several |> List.map shape) + "]"

        let connected = s.Rows |> List.exists (fun row -> not row.From.IsEmpty)

        let lines =
            s.Rows
            |> List.map (fun row ->
                (if row.Kind = "" then row.Layer else $"{row.Layer} ({row.Kind})"),
                shapes row.Outputs,
                grouped (row.Trainable + row.NonTrainable),
                String.Join(", ", row.From))

        let head = "Layer (type)", "Output Shape", "Param #", (if connected then "Connected to" else "")
        let width least pick = head :: lines |> List.fold (fun w line -> max w (String.length (pick line) + 2)) least

        let first, second, third, fourth =
            width 29 (fun (a, _, _, _) -> a),
            width 26 (fun (_, b, _, _) -> b),
            width 10 (fun (_, _, c, _) -> c),
            (if connected then width 14 (fun (_, _, _, d) -> d) else 0)

        let rule (c: char) = String(c, first + second + third + fourth)
        let text = StringBuilder()
        let write (line: string) = text.Append(line.TrimEnd()).Append('\n') |> ignore

        let row (a: string, b: string, c: string, d: string) =
            write (a.PadRight first + b.PadRight second + c.PadRight third + d)

        if s.Model <> "" then
            write $"Model: \"{s.Model}\""

        write (rule '_')
        row head
        write (rule '=')

        lines
        |> List.iteri (fun i line ->
            if i > 0 then
                write (rule '_')

            row line)

        write (rule '=')
        write $"Total params: {grouped s.Total} ({size (s.Rows |> List.sumBy _.Bytes)})"
        write $"Trainable params: {grouped s.Trainable}"
        write $"Non-trainable params: {grouped s.NonTrainable}"
        write (rule '_')
        text.ToString()

/// Making summaries.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Summary =

    /// The line of one layer with its parameters.
    let row (layer: string) (kind: string) (outputs: int[] list) (from: string list) (parameters: 'P) : SummaryRow =
        let leaves = Tree.leaves parameters
        let sizes = leaves |> Array.map (fun t -> int64 (Shape.size t.Shape))

        let count trained =
            Array.fold2 (fun n size flag -> if flag = trained then n + size else n) 0L sizes (Tree.trainable parameters)

        {
            Layer = layer
            Kind = kind
            Outputs = outputs
            From = from
            Trainable = count true
            NonTrainable = count false
            Bytes = Array.fold2 (fun n size (t: Tensor) -> n + size * int64 (t.DType.Size())) 0L sizes leaves
        }

    /// The summary of layers in a row (`Layers.sequential`), for inputs of a shape without the batch axis. Layers are
    /// called as the paths of their leaves: `[0]`.
    let ofLayers (model: string) (input: int[]) (layers: Layer<obj> list) (parameters: obj[]) : Summary =
        if layers.Length <> parameters.Length then
            invalidArg "parameters" $"summary: parameters of {parameters.Length} layers for a model of {layers.Length}"

        let mutable shape = input

        {
            Model = model
            Rows =
                List.zip layers (List.ofArray parameters)
                |> List.mapi (fun i (layer, p) ->
                    shape <- layer.OutputShape shape
                    row $"[{i}]" layer.Name [ shape ] [] p)
        }

    /// The name of the part that a leaf belongs to: `Hidden1` of `Hidden1.Weights`, `Blocks[2]` of `Blocks[2].Bias`.
    let private part (path: string) =
        match path.LastIndexOf '.' with
        | -1 -> path
        | dot -> path[.. dot - 1]

    /// The summary of any parameter tree: a line for each part that holds tensors.
    /// Example: `printfn "%O" (Summary.ofTree "net" net)`.
    let ofTree (model: string) (tree: 'P) : Summary =
        let leaves = Array.zip (Tree.leaves tree) (Tree.trainable tree)

        let rows =
            Array.zip (Tree.paths tree) leaves
            |> Array.groupBy (fst >> part)
            |> Array.map (fun (name, members) ->
                let count trained =
                    members |> Array.sumBy (fun (_, (t, flag)) -> if flag = trained then int64 t.Size else 0L)

                {
                    Layer = (if name = "" then "parameters" else name)
                    Kind = ""
                    Outputs = []
                    From = []
                    Trainable = count true
                    NonTrainable = count false
                    Bytes = members |> Array.sumBy (fun (_, (t, _)) -> int64 t.Size * int64 (t.DType.Size()))
                })

        { Model = model; Rows = List.ofArray rows }
