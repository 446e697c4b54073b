/// The house rules that a compiler does not check.
module Functional.Tests.House

open System.IO
open System.Text.RegularExpressions
open Expecto
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

[<Tests>]
let tests =
    testList "house" [
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
                    let head = text.Split '\n' |> Seq.truncate 12 |> String.concat "\n"
                    Expect.isTrue (Regex.IsMatch(head, @"(?m)^\s*(///?|\(\*)")) $"{path} begins without a comment"

        testCase "no word of postponed work"
        <| fun () ->
            let word = Regex(@"\b(TO" + @"DO|FIX" + @"ME|T" + @"BD)\b")

            for path, text in sources.Value do
                Expect.isFalse (word.IsMatch text) $"{path} postpones something"
    ]
