/// Every fenced block of every page, and every example of every docstring, runs as it stands, and is what it says it is.
module Functional.Tests.Pages.PageTests

open System
open System.IO
open System.Text.RegularExpressions
open System.Xml.Linq
open Expecto
open Functional.Tests.Folders
open Functional.Tests.Oracles
open Functional.Tests.Pages.Pieces

let private fsharpPages =
    lazy
        (pages.Value
         |> List.map (fun path -> blocks path |> List.filter (fun (language, _) -> language = "fsharp") |> List.map snd)
         |> List.filter (List.isEmpty >> not))

/// The commands of a page, wherever they stand: what follows `dotnet` up to the end of the line or of the code.
let private commands (text: string) = [
    for m in Regex.Matches(text, @"(?m)(?:^|`)(dotnet [^`\n]*|\.ci/run)") -> m.Groups[1].Value
]

/// Options that belong to Expecto, not to the tests' program.
let private expectosOwn = Set [ "--filter"; "--list-tests"; "--sequenced"; "--help" ]

let private sourcesOf (project: string) =
    let folder = Path.Combine(repositoryRoot, project)

    Directory.EnumerateFiles(folder, "*.?s", SearchOption.AllDirectories)
    |> Seq.filter (fun path -> not (Regex.IsMatch(path, @"[\\/](bin|obj)[\\/]")))
    |> Seq.append (Directory.EnumerateFiles(Path.Combine(repositoryRoot, "examples/Shared"), "*.fs"))
    |> Seq.map File.ReadAllText
    |> String.concat "\n"

/// What is wrong with a command: a project that is not there, an option that its program does not know.
let private problems (command: string) = [
    let project = Regex.Match(command, @"--project (\S+)")

    if project.Success && not (project.Groups[1].Value.Contains "NAME") then
        let name = project.Groups[1].Value

        if not (Directory.Exists(Path.Combine(repositoryRoot, name))) then
            $"{command}: there is no {name}"
        else
            let options = Regex.Match(command, @" -- (.*)$").Groups[1].Value
            let sources = lazy (sourcesOf name)

            for option in Regex.Matches(options, @"--[a-z][\w-]*") do
                if
                    not (expectosOwn.Contains option.Value) && not (sources.Value.Contains(option.Value.TrimStart '-'))
                then
                    $"{command}: {name} knows no {option.Value}"
]

/// GitHub's anchor of a heading.
let private anchor (heading: string) =
    Regex.Replace(heading.Trim().ToLowerInvariant().Replace("`", ""), @"[^\w\- ]", "").Replace(' ', '-')

let private anchors (text: string) = Set [ for m in Regex.Matches(text, @"(?m)^#+ (.*)$") -> anchor m.Groups[1].Value ]

[<Tests>]
let tests =
    testList "pages" [
        testCase "the F# of pages and docstrings runs as it stands"
        <| inFolder (fun folder ->
            let pages, examples = fsharpPages.Value, fsharpExamples.Value
            let text, errors, code = FSharpScript.run folder (FSharpScript.script pages examples)
            let all = List.concat pages @ examples

            let said =
                all
                |> List.sumBy (fun piece ->
                    Regex.Matches(piece.Code, "(?m)^\S.* // = ").Count + Option.count piece.Numbers)

            Expect.equal (text.Trim(), code) ($"{all.Length} begun, {said} compared", 0) errors)
        |> Functional.Tests.Selection.slow

        testCase "the C# of pages and docstrings runs as it stands"
        <| inFolder (fun folder ->
            use child =
                Functional.Tests.DurabilityTests.start (
                    Functional.Tests.DurabilityTests.thisProgram @ [ "--csharp-pieces"; folder ]
                )

            let text = child.StandardOutput.ReadToEnd()
            child.WaitForExit()
            Expect.equal (text.Trim()) $"{CSharpProgram.all.Value.Length} run" "every piece")
        |> Functional.Tests.Selection.slow

        testCase "no example is overlooked"
        <| fun () ->
            Expect.equal csharpExamples.Value.Length (countOf ".cs" "<example>") "C#"
            Expect.equal fsharpExamples.Value.Length (countOf ".fs" @"\bExample(, [^:\n]*)?:") "F#"

        testCase "every block says what it is"
        <| fun () ->
            for path in pages.Value do
                for language, block in blocks path do
                    Expect.contains
                        [ "fsharp"; "csharp"; "sh"; "text"; "xml" ]
                        language
                        $"{path}:{block.Line}: what cannot be run is text"

                    if language = "xml" then
                        XDocument.Parse block.Code |> ignore

                let fences = Regex.Matches(page path, "(?m)^```").Count

                Expect.equal
                    fences
                    (Regex.Matches(page path, @"(?m)^```\w+$").Count * 2)
                    $"{path}: a block without a language"

        testCase "commands name projects and options that there are"
        <| fun () ->
            let found = [
                for path in pages.Value do
                    for command in commands (page path) do
                        for problem in problems command do
                            $"{path}: {problem}"
            ]

            Expect.equal found [] "every command"

        testCase "files that pages name are there"
        <| fun () ->
            let folders = [ ""; "src"; "tests"; "tests/Functional.Tests" ]

            let found = [
                for path in pages.Value do
                    for m in Regex.Matches(page path, @"`([\w.]+(?:/[\w.]+)+\.(?:fs|cs|fsx|fsproj|csproj))`") do
                        let isAt folder = File.Exists(Path.Combine(repositoryRoot, folder, m.Groups[1].Value))

                        if not (List.exists isAt folders) then
                            $"{path}: there is no {m.Groups[1].Value}"
            ]

            Expect.equal found [] "every file"

        testCase "links lead somewhere"
        <| fun () ->
            let found = [
                for path in pages.Value do
                    let text = page path

                    for m in Regex.Matches(text, @"\]\(([^)\s]+)\)") do
                        let target = m.Groups[1].Value

                        if not (target.Contains "://") then
                            let file, place =
                                match target.IndexOf '#' with
                                | -1 -> target, ""
                                | at -> target[.. at - 1], target[at + 1 ..]

                            let folder = Path.GetDirectoryName(Path.Combine(repositoryRoot, path))

                            let full =
                                if file = "" then
                                    Path.Combine(repositoryRoot, path)
                                else
                                    Path.GetFullPath(Path.Combine(folder, file))

                            if not (Path.Exists full) then
                                $"{path}: there is no {file}"
                            elif place <> "" && not ((anchors (File.ReadAllText full)).Contains place) then
                                $"{path}: {target} is no heading"
            ]

            Expect.equal found [] "every link"
    ]
