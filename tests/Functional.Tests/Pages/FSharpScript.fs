/// Runs F# pieces: all of them are one script, a module for each, and one `dotnet fsi` against this build runs it.
module Functional.Tests.Pages.FSharpScript

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Functional
open Functional.Tests.Oracles
open Functional.Tests.Pages.Pieces

let private quote (text: string) = "@\"" + text.TrimEnd().Replace("\"", "\"\"") + "\""

let private within (code: string) =
    code.TrimEnd().Split '\n'
    |> Array.map (fun line -> if line = "" then "" else "    " + line)
    |> String.concat "\n"

let private at (piece: Piece) line = quote $"{piece.Path}:{piece.Line + line}"
let private beginning piece = "    begin_ " + at piece 0 + "\n"

/// A line `expression // = text` is compared with the text; where it stands stays its line.
let private compared (piece: Piece) =
    let lines =
        piece.Code.Split '\n'
        |> Array.mapi (fun i line ->
            let found = Regex.Match(line, @"^(\S.*?)\s*// = (.*?)\s*$")

            if found.Success then
                let code, text = found.Groups[1].Value, found.Groups[2].Value
                $"expect {at piece i} {quote text} (string ({code}))"
            else
                line)

    String.concat "\n" lines

let private place (piece: Piece) = $"#line {piece.Line} \"{piece.Path}\"\n"

/// The blocks of a page: a module each, inside the page's, and each sees those before it.
let private ofPage number (blocks: Piece list) =
    let ofBlock i block = $"[<AutoOpen>]\nmodule Block{i} =\n" + beginning block + place block + within (compared block)

    $"module Page{number} =\n" + within (String.concat "\n" (List.mapi ofBlock blocks))

let private given =
    lazy (File.ReadAllText(Path.Combine(repositoryRoot, "tests/Functional.Tests/Pages/Given.fsx")))

/// What a docstring's example takes as given, besides what all do: by its file, and by its folder.
let private givenFor (path: string) =
    let names = [ Path.GetFileName(Path.GetDirectoryName path); Path.GetFileNameWithoutExtension path ]

    [
        for name in List.distinct names do
            if Regex.IsMatch(given.Value, $@"(?m)^module Given{name} =") then
                $"    open Given{name}\n"
    ]
    |> String.concat ""

let private isExpression (code: string) = not (Regex.IsMatch(code, @"^\s*(let|use|for|open|type|module)\b"))

let private ofExample number (example: Piece) =
    let body = example.Code.TrimEnd() + (if isExpression example.Code then "" else "\n()")
    let it = $"let it () =\n{within body}\n"

    let run =
        match example.Numbers with
        | Some numbers -> $"attempt {at example 0} (it >> expectNumbers {at example 0} {quote numbers})"
        | None -> $"attempt {at example 0} it"

    $"module Example{number} =\n"
    + givenFor example.Path
    + beginning example
    + place example
    + within (it + run)

let private head () =
    let reference (t: Type) = $"#r {quote t.Assembly.Location}"

    String.concat "\n" [
        "#nowarn 20 25 64 1182 3370 3886"
        reference typeof<DType>
        reference typeof<Tensor>
        reference typeof<MathNet.Numerics.Complex32>
        reference typeof<Functional.Plots.Chart>
        reference typeof<ScottPlot.Plot>
        reference typeof<SkiaSharp.SKCanvas>
        "#line 1 \"tests/Functional.Tests/Pages/Given.fsx\""
        given.Value
    ]

/// The script of pages, each a list of blocks, and of examples.
let script (pages: Piece list list) (examples: Piece list) =
    String.concat "\n" [
        head ()
        yield! List.mapi ofExample examples
        yield! List.mapi ofPage pages
        "out.WriteLine $\"{begun} begun, {compared} compared\""
    ]

/// What `dotnet fsi` prints of a script, its errors, and its exit code. What it writes goes into the folder.
let run (folder: string) (script: string) : string * string * int =
    let path = Path.Combine(folder, "pieces.fsx")
    File.WriteAllText(path, script)

    let info =
        ProcessStartInfo(
            "dotnet",
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder
        )

    // references by file bring no native libraries along: they lie where this program has its own
    info.Environment["LD_LIBRARY_PATH"] <- AppContext.GetData "NATIVE_DLL_SEARCH_DIRECTORIES" :?> string

    for argument in [ "fsi"; "--quiet"; "--exec"; path ] do
        info.ArgumentList.Add argument

    use fsi = Process.Start info
    let errors = fsi.StandardError.ReadToEndAsync()
    let text = fsi.StandardOutput.ReadToEnd()
    fsi.WaitForExit()
    text, errors.Result, fsi.ExitCode
