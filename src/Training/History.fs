namespace Functional

// What training reports: a row of numbers for each epoch.

open System
open System.Globalization

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module HistoryType =

    /// The numbers of each finished epoch by name: loss, the metrics, and `val_` in front of those of the validation data.
    type History = internal {
        /// The names, in the order they are shown.
        Columns: string list
        /// A row for each epoch, the newest first.
        Rows: float[] list
    } with

        /// The names of the numbers.
        member h.Names = h.Columns
        /// The number of finished epochs.
        member h.Epochs = h.Rows.Length

        /// The values of a name, epoch by epoch. Example: `history["val_accuracy"]`.
        member h.Item
            with get (name: string): float[] =
                match List.tryFindIndex ((=) name) h.Columns with
                | Some column ->
                    let values = h.Rows |> List.map (fun row -> row[column]) |> Array.ofList
                    Array.Reverse values
                    values
                | None ->
                    let known = String.Join(", ", h.Columns)
                    invalidArg "name" $"history: there is no \"{name}\"; there are: {known}"

        /// The numbers of the last epoch.
        member h.Last: (string * float) list =
            match h.Rows with
            | row :: _ -> h.Columns |> List.mapi (fun i name -> name, row[i])
            | [] -> []

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module History =

    /// No epoch yet.
    let empty: History = { Columns = []; Rows = [] }

    /// From names and a row for each epoch, the oldest first.
    let internal ofRows (names: string list) (rows: float[] list) : History = { Columns = names; Rows = List.rev rows }

    /// With one more epoch. A name that is new, or missing, has NaN where it has no value.
    let add (numbers: (string * float) list) (history: History) : History =
        let fresh = numbers |> List.map fst |> List.except history.Columns
        let columns = history.Columns @ fresh

        let value name =
            numbers |> List.tryPick (fun (n, v) -> if n = name then Some v else None) |> Option.defaultValue nan

        let rows =
            if fresh.IsEmpty then
                history.Rows
            else
                history.Rows |> List.map (fun row -> Array.append row (Array.create fresh.Length nan))

        {
            Columns = columns
            Rows = (columns |> List.map value |> Array.ofList) :: rows
        }

    /// A line of comma-separated values.
    let internal csvLine (epoch: int) (row: float[]) : string =
        String.Join(
            ",",
            Seq.append [ string epoch ] (row |> Seq.map (fun v -> v.ToString("R", CultureInfo.InvariantCulture)))
        )

    /// All epochs as comma-separated values, a line of names first; epochs are counted from 1.
    let toCsv (history: History) : string =
        let lines = [
            String.Join(",", "epoch" :: history.Columns)
            yield! history.Rows |> List.rev |> List.mapi (fun i row -> csvLine (i + 1) row)
        ]

        String.Join("\n", lines) + "\n"
