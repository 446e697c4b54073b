/// The attention as pictures: squares as dark as the weights, in a PNG and in the terminal.
module ChatRobot.Drawing

open System
open Examples
open Functional.Plots
open Functional
open SkiaSharp

let private cell, margin, heading = 24.0, 44.0, 74.0

/// A space that one can see, and a sign for the answer's end.
let private visible text = if text = " " then "␣" else text

let private labels (text: string) = Vocabulary.characters text |> Array.map visible

/// Lines and their attention in a row, each with its question across and its answer down.
let save (path: string) (lines: (string * string * float[,])[]) : unit =
    let size (weights: float[,]) = max 320.0 (margin + cell * float (Array2D.length2 weights) + 40.0)
    let width = lines |> Array.sumBy (fun (_, _, w) -> size w)

    let height =
        lines |> Array.map (fun (_, _, w) -> heading + 40.0 + cell * float (Array2D.length1 w)) |> Array.max

    use sheet = new Sheet(int (width + 24.0), int height + 30)
    let mutable left = 24.0

    for question, answer, weights in lines do
        sheet.Bold(question, left, 26.0, 15.0, Shade.Ink, SKTextAlign.Left)
        sheet.Words(answer, left, 46.0, 14.0, Shade.Quiet, SKTextAlign.Left)
        let x, y = left + margin, heading + 20.0
        let columns, rows = labels question, Array.append (labels answer) [| "end" |]

        weights
        |> Array2D.iteri (fun row column weight ->
            let across, down = x + cell * float column, y + cell * float row
            sheet.Box(across, down, cell, cell, Shade.Blues(sqrt weight))
            sheet.Frame(across, down, cell, cell, Shade.Line, 0.5))

        columns
        |> Array.iteri (fun i text ->
            sheet.Words(text, x + cell * (float i + 0.5), y - 7.0, 14.0, Shade.Ink, SKTextAlign.Center))

        rows
        |> Array.iteri (fun i text ->
            sheet.Words(text, x - 10.0, y + cell * (float i + 0.7), 14.0, Shade.Ink, SKTextAlign.Right))

        left <- left + size weights

    sheet.Save path

/// For the terminal: for every character of the answer those of the question that it looks at most.
let print (question: string) (answer: string) (weights: float[,]) : unit =
    let columns = Vocabulary.characters question

    Array.append (Vocabulary.characters answer) [| "end" |]
    |> Array.iteri (fun row sign ->
        let seen =
            columns
            |> Array.mapi (fun column text ->
                if weights[row, column] >= 0.15 then text
                // as wide as what it stands for
                elif Dialogues.isChinese text then "・"
                else "·")

        let shown = visible sign
        let pad = String(' ', max 0 (5 - shown.Length - (if Dialogues.isChinese shown then 1 else 0)))
        Console.WriteLine $"{pad}{shown}  {String.Concat seen}")
