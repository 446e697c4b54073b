/// Runs C# pieces: all of them are one assembly, a class for each, compiled by Roslyn and run in a process of its own (they
/// write files and set the number of threads).
module Functional.Tests.Pages.CSharpProgram

open System
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open System.Threading.Tasks
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.CSharp
open Microsoft.CodeAnalysis.CSharp.Syntax
open Functional.Tests.Oracles
open Functional.Tests.Pages.Pieces

let private options = CSharpParseOptions.Default.WithLanguageVersion LanguageVersion.Preview
let private givenPath = "tests/Functional.Tests/Pages/Given.cs"
let private given = lazy (File.ReadAllText(Path.Combine(repositoryRoot, givenPath)))

/// The class whose members an example takes as given: that of its file, of the nearest of its folders, or the one for all.
let private givenFor (path: string) =
    Path.GetFileNameWithoutExtension(path).Replace(".", "")
    :: List.rev (List.ofArray (Path.GetDirectoryName(path).Split Path.DirectorySeparatorChar))
    |> List.map (fun name -> name + "Given")
    |> List.tryFind (fun name -> given.Value.Contains $"class {name} ")
    |> Option.defaultValue "Given"

let private quote (text: string) = "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\""

/// What comments say of lines, as statements that check it: numbers or a shape of what the line declares, the text of
/// what it prints.
let private checks (piece: Piece) = [
    for i, line in Seq.indexed (piece.Code.Split '\n') do
        let place = quote $"{piece.Path}:{piece.Line + i}"

        let declared =
            Regex.Match(
                line,
                @"^var \(?([\w, ]+?)\)? = .*;\s*// (shape [\d×]+|-?[\d\[][-\d\[\],. ]*?(?: and [\d.]+)?)$"
            )

        let printed = Regex.Match(line, @"^Console\.WriteLine\((.*)\);\s*// (.*)$")

        if declared.Success then
            $"Check({place}, {quote declared.Groups[2].Value}, {declared.Groups[1].Value});"
        elif printed.Success then
            $"CheckText({place}, {quote printed.Groups[2].Value}, {printed.Groups[1].Value});"
]

/// A class for a piece: its statements are a method's, its types are the class's.
let private ofPiece at (piece: Piece) =
    let code = piece.Code.TrimEnd()
    let code = if Regex.IsMatch(code, @"[;}]\s*(//.*)?$") then code else code + ";"
    let root = CSharpSyntaxTree.ParseText(code, options).GetCompilationUnitRoot()
    let line (node: SyntaxNode) = piece.Line + node.GetLocation().GetLineSpan().StartLinePosition.Line

    let placed (node: SyntaxNode) =
        $"#line {line node} {quote piece.Path}\n{node.ToFullString().Trim()}\n#line default\n"

    let statements, types =
        List.ofSeq root.Members |> List.partition (fun member' -> member' :? GlobalStatementSyntax)

    String.concat "\n" [
        $"public sealed class Piece{at} : {givenFor piece.Path}\n{{"
        yield! types |> List.map placed
        "public override async Task Run()\n{"
        yield! statements |> List.map placed
        yield! checks piece
        "}\n}"
    ]

let private references =
    lazy
        ((AppContext.GetData "TRUSTED_PLATFORM_ASSEMBLIES" :?> string).Split Path.PathSeparator
         |> Array.map (fun path -> MetadataReference.CreateFromFile path :> MetadataReference))

/// The pieces as an assembly; what does not compile is an error that lists the compiler's.
let private compile (pieces: Piece list) : Assembly =
    let text = String.concat "\n" (List.mapi ofPiece pieces)

    let trees = [
        CSharpSyntaxTree.ParseText(given.Value, options, givenPath)
        CSharpSyntaxTree.ParseText(text, options, "pieces.cs")
    ]

    let settings =
        CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe = true).WithOptimizationLevel
            OptimizationLevel.Release

    use file = new MemoryStream()
    let result = CSharpCompilation.Create("Pieces", trees, references.Value, settings).Emit file

    if not result.Success then
        result.Diagnostics
        |> Seq.filter (fun d -> d.Severity = DiagnosticSeverity.Error)
        |> Seq.map (fun d ->
            let span = d.Location.GetMappedLineSpan()
            $"{span.Path}:{span.StartLinePosition.Line + 1}: {d.GetMessage()}")
        |> String.concat "\n"
        |> failwithf "%s"

    Assembly.Load(file.ToArray())

/// Runs the pieces in the folder and returns what went wrong.
let run (folder: string) (pieces: Piece list) : string list =
    Directory.SetCurrentDirectory folder
    let assembly = compile pieces
    let out = Console.Out
    Console.SetOut TextWriter.Null

    let failures =
        pieces
        |> List.mapi (fun at piece -> [
            let made = Activator.CreateInstance(assembly.GetType $"Piece{at}")

            try
                (made.GetType().GetMethod("Run").Invoke(made, [||]) :?> Task).GetAwaiter().GetResult()
            with e ->
                $"{piece.Path}:{piece.Line}: {e.Message}"

            yield! made.GetType().GetField("Failures").GetValue made :?> seq<string>
        ])
        |> List.concat

    Console.SetOut out
    failures

/// The C# blocks of the pages, a piece for each section, and the examples of the docstrings.
let all =
    lazy
        [
            for path in pages.Value do
                let csharp = blocks path |> List.filter (fun (language, _) -> language = "csharp") |> List.map snd

                let starts = [
                    for i, line in Seq.indexed ((page path).Split '\n') do
                        if line.StartsWith "## " then
                            i + 1
                ]

                let section (piece: Piece) = starts |> List.tryFindBack (fun start -> start < piece.Line)

                for _, parts in List.groupBy section csharp do
                    // lines between the blocks are left empty, so that each keeps its place
                    let code =
                        (("", parts.Head.Line), parts)
                        ||> List.fold (fun (text, line) part ->
                            text + String('\n', part.Line - line) + part.Code,
                            part.Line + Seq.length (Seq.filter ((=) '\n') part.Code))
                        |> fst

                    { parts.Head with Code = code }
            yield! csharpExamples.Value
        ]

/// The process in which the pieces run.
let (|Child|_|) (args: string[]) =
    match args with
    | [| "--csharp-pieces"; folder |] ->
        Some(fun () ->
            try
                let failures = run folder all.Value
                List.iter (printfn "%s") failures
                printfn "%d run" all.Value.Length
            with e ->
                printfn "%s" e.Message)
    | _ -> None
