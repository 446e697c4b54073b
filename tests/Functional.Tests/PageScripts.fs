/// Pages whose blocks run as they stand: the F# blocks of a page make one script, run by `dotnet fsi` against this build. A line
/// `expression   // = text` is an expression whose text, printed, is that.
module Functional.Tests.PageScripts

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Expecto
open Functional
open Functional.Tests.Oracles
open Functional.Tests.Folders

let private blocks (page: string) =
    Regex.Matches(File.ReadAllText(Path.Combine(repositoryRoot, "docs", page)), @"(?ms)^```fsharp\r?$\n(.*?)^```")
    |> Seq.map (fun m -> m.Groups[1].Value)

/// The script of a page: it prints a line for each expression that is not what the page says, and how many there are.
let private script (page: string) =
    let reference (t: Type) = $"#r @\"{t.Assembly.Location}\""

    let lines =
        blocks page
        |> Seq.collect (fun block -> block.Split '\n')
        |> Seq.map (fun line ->
            let found = Regex.Match(line, @"^(\S.*?)\s*// = (.*?)\s*$")

            if found.Success then
                let quoted (text: string) = text.Replace("\"", "\"\"")
                let code, text = found.Groups[1].Value, found.Groups[2].Value
                $"expect @\"{quoted code}\" @\"{quoted text}\" (string ({code}))"
            else
                line)

    String.concat "\n" [
        reference typeof<DType>
        reference typeof<Tensor>
        reference typeof<MathNet.Numerics.Complex32>
        "let mutable compared = 0"
        "let expect (code: string) (text: string) (found: string) ="
        "    compared <- compared + 1"
        "    if found <> text then printfn \"%s is %s, not %s\" code found text"
        yield! lines
        "printfn \"%d compared\" compared"
    ]

let private runs (page: string) =
    testCase $"docs/{page} runs as it stands"
    <| inFolder (fun folder ->
        let path = Path.Combine(folder, "page.fsx")
        File.WriteAllText(path, script page)
        let info = ProcessStartInfo("dotnet", RedirectStandardOutput = true, RedirectStandardError = true)
        info.ArgumentList.Add "fsi"
        info.ArgumentList.Add "--quiet"
        info.ArgumentList.Add path
        use fsi = Process.Start info
        let errors = fsi.StandardError.ReadToEndAsync()
        let text = fsi.StandardOutput.ReadToEnd().Trim()
        fsi.WaitForExit()
        let expected = Regex.Matches(String.concat "\n" (blocks page), "// = ").Count
        Expect.equal (text, fsi.ExitCode) ($"{expected} compared", 0) errors.Result)
    |> Selection.slow

[<Tests>]
let tests = testList "pages" [ runs "differentiation.md" ]
