/// The house rules that a compiler does not check.
module Functional.Tests.House

open System.IO
open System.Text.RegularExpressions
open Expecto
open Microsoft.FSharp.Reflection
open Functional.Operations
open Functional.Tests.Oracles

/// The project's own text files: everything that is neither built nor fetched.
let private sources =
    lazy
        (Directory.EnumerateFiles(repositoryRoot, "*", SearchOption.AllDirectories)
         |> Seq.map (fun path -> Path.GetRelativePath(repositoryRoot, path).Replace('\\', '/'))
         |> Seq.filter (fun path -> not (Regex.IsMatch(path, @"(^|/)(bin|obj|\.git|\.vs|paket-files|artifacts)(/|$)")))
         |> Seq.filter (fun path ->
             Regex.IsMatch(path, @"\.(fs|fsi|fsx|cs|md|json|props|targets|fsproj|csproj|dependencies)$"))
         |> Seq.map (fun path -> path, File.ReadAllText(Path.Combine(repositoryRoot, path)))
         |> List.ofSeq)

let private listed =
    lazy
        (Regex.Matches(
            File.ReadAllText(Path.Combine(repositoryRoot, "paket.dependencies")),
            @"(?m)^nuget +(\S+) +(\S+)\s*$"
         )
         |> Seq.map (fun line -> line.Groups[1].Value)
         |> Set.ofSeq)

/// The cases of the vocabulary, and what begins a pattern over instructions.
let private cases =
    [ typeof<Op>; typeof<ManyOp>; typeof<LinearAlgebra>; typeof<Instruction> ]
    |> Seq.collect FSharpType.GetUnionCases
    |> Seq.map _.Name
    |> Set.ofSeq

/// Where single numbers and views take a short cut past the table of kernels, which knows every operation.
let private shortCuts = Set [ "src/Core.fs"; "src/Operations/Evaluate.fs" ]

/// The lines (from 1) of wildcards beside patterns of operations: arms of one match stand at one indentation, in a row
/// that ends where something else begins there or further to the left.
let private wildcards (lines: string[]) : int list =
    let indentation (line: string) = line.Length - line.TrimStart().Length
    let isArm (line: string) = line.TrimStart().StartsWith "| "

    let isCase (line: string) =
        let pattern = Regex.Match(line, @"^\s*\|\s*\(?(\w+)(?!\w|\.)")
        pattern.Success && cases.Contains pattern.Groups[1].Value

    [
        for i in 0 .. lines.Length - 1 do
            if Regex.IsMatch(lines[i], @"^\s*\| _(, _)*\s*(->|when)") then
                let before =
                    lines[.. i - 1]
                    |> Array.rev
                    |> Seq.filter (fun line -> line.Trim() <> "" && not (line.TrimStart().StartsWith "//"))
                    |> Seq.takeWhile (fun line ->
                        indentation line > indentation lines[i]
                        || (indentation line = indentation lines[i] && isArm line))
                    |> Seq.filter (fun line -> indentation line = indentation lines[i])

                if Seq.exists isCase before then
                    i + 1
    ]

/// The files of a project in the order in which F# compiles them.
let private compileOrder (project: string) =
    let text = File.ReadAllText(Path.Combine(repositoryRoot, project))
    [ for file in Regex.Matches(text, @"<Compile Include=""([^""]+)""") -> file.Groups[1].Value ]

/// Functions that are tables, of about a line for each case, and so may be long.
let private tables =
    Set [
        "src/Operations/Shapes.fs: infer"
        "src/Rewrites/Simplify.fs: rewrite"
        "src/Data/Glyphs.fs: styles"
    ]

/// Files that are still to be taken apart.
let private tooLongFiles = Set [ "src/CSharpApi/Models/Model.Training.cs" ]

/// Functions that are still to be taken apart.
let private tooLong: Set<string> = Set.empty

/// The functions and members of an F# file, down to the second level, with their numbers of lines.
let private functions (lines: string[]) : (string * int) list =
    let indentation (line: string) = line.Length - line.TrimStart().Length
    let isBlank (line: string) = line.Trim() = ""

    [
        for i in 0 .. lines.Length - 1 do
            let head =
                Regex.Match(
                    lines[i],
                    @"^( {0,4})(?:let|and|member|override|static member)(?: rec| inline| private| internal| mutable)* (?:\w+\.)?(?!\[<)(\w+)"
                )

            if head.Success && not (Regex.IsMatch(lines[i], @"^and (\[<|internal |private )")) then
                let rest =
                    lines[i + 1 ..]
                    |> Array.takeWhile (fun line -> isBlank line || indentation line > indentation lines[i])

                let length =
                    1 + (rest |> Array.tryFindIndexBack (isBlank >> not) |> Option.map ((+) 1) |> Option.defaultValue 0)

                head.Groups[2].Value, length
    ]

[<Tests>]
let tests =
    testList "house" [
        testCase "arrows go one way: every folder of src stands in one place of the compile order"
        <| fun () ->
            // a file sees those before it only, so folders that do not interleave see each other one way
            let folders =
                compileOrder "src/Functional.fsproj"
                |> List.map (fun file -> Path.GetDirectoryName(file).Split('/')[0])

            let stretches =
                folders
                |> List.pairwise
                |> List.filter (fun (before, after) -> before <> after)
                |> List.map snd
                |> fun rest -> List.head folders :: rest

            let again =
                stretches |> List.filter ((<>) "") |> List.countBy id |> List.filter (fun (_, times) -> times > 1)

            Expect.equal again [] "folders on several storeys"

        testCase "a file of src has 400 lines at most"
        <| fun () ->
            let long = [
                for path, text in sources.Value do
                    if path.StartsWith "src/" && Regex.IsMatch(path, @"\.(fs|cs)$") then
                        let lines = text.TrimEnd().Split('\n').Length

                        if lines > 400 && not (tooLongFiles.Contains path) then
                            $"{path}: {lines}"
            ]

            Expect.equal long [] "files to take apart"

        testCase "a function of the F# library has 80 lines at most, tables aside"
        <| fun () ->
            let long =
                Set [
                    for path, text in sources.Value do
                        if path.StartsWith "src/" && path.EndsWith ".fs" then
                            for name, lines in functions (text.Split '\n') do
                                if lines > 80 then
                                    $"{path}: {name}"
                ]

            Expect.equal (long - tables) tooLong "functions to take apart"

        testCase "paket.dependencies names no feed"
        <| fun () ->
            let text = File.ReadAllText(Path.Combine(repositoryRoot, "paket.dependencies"))
            Expect.isFalse (Regex.IsMatch(text, @"(?m)^\s*source\b")) "the machine's configuration says where feeds are"

        testCase "every package reference is listed in paket.dependencies and says no version"
        <| fun () ->
            for path, text in sources.Value do
                if path.EndsWith "proj" then
                    for reference in Regex.Matches(text, @"<PackageReference\s+Include=""([^""]+)""([^>]*)>") do
                        Expect.isTrue
                            (listed.Value.Contains reference.Groups[1].Value)
                            $"{path} refers to {reference.Groups[1].Value}, which paket.dependencies does not list"

                        Expect.isFalse
                            (reference.Groups[2].Value.Contains "Version")
                            $"{path} gives {reference.Groups[1].Value} a version of its own"

        testCase "every source file of src says in its first lines what it is for"
        <| fun () ->
            for path, text in sources.Value do
                if path.StartsWith "src/" && Regex.IsMatch(path, @"\.(fs|cs)$") then
                    // the first lines, past usings, opens and attributes, are a comment of some words
                    let head =
                        Regex.Match(
                            text,
                            @"\A\uFEFF?\s*((using|open|namespace|module|\[<|#)[^\n]*\n\s*)*(?<words>(//[^\n]*\n\s*)+)"
                        )

                    let words = Regex.Matches(Regex.Replace(head.Groups["words"].Value, "<[^>]*>", ""), @"\w+").Count
                    Expect.isGreaterThanOrEqual words 3 $"{path} does not say in its first lines what it is for"

        testCase "no word of postponed work"
        <| fun () ->
            let word = Regex(@"\b(TO" + @"DO|FIX" + @"ME|T" + @"BD)\b")

            for path, text in sources.Value do
                Expect.isFalse (word.IsMatch text) $"{path} postpones something"

        testCase "no question about an operation is answered by a wildcard"
        <| fun () ->
            let found = [
                for path, text in sources.Value do
                    if path.StartsWith "src/" && path.EndsWith ".fs" && not (shortCuts.Contains path) then
                        for line in wildcards (text.Split '\n') do
                            $"{path}:{line}"
            ]

            Expect.equal found [] "a new operation must not compile until every question has an answer for it"
    ]
