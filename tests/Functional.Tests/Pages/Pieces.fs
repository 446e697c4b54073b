/// The pieces of code in pages and docstrings, each with the place it stands at.
module Functional.Tests.Pages.Pieces

open System
open System.IO
open System.Net
open System.Text.RegularExpressions
open Functional.Tests.Oracles

/// Code, where it stands (a path from the repository's root and a line, from 1), and, where a sentence says so, the
/// numbers that it is.
type Piece = { Path: string; Line: int; Code: string; Numbers: string option }

let private relative (path: string) = Path.GetRelativePath(repositoryRoot, path).Replace('\\', '/')
let private lineOf (text: string) (at: int) = 1 + Seq.length (Seq.filter ((=) '\n') text[.. at - 1])

let private read (path: string) = File.ReadAllText(Path.Combine(repositoryRoot, path)).Replace("\r", "")

/// The pages: README.md and what lies in docs, and CONTRIBUTING.md.
let pages =
    lazy
        [
            for path in Directory.GetFiles(repositoryRoot, "*.md") do
                if Path.GetFileName path <> "CHANGELOG.md" then
                    relative path
            for path in Directory.GetFiles(Path.Combine(repositoryRoot, "docs"), "*.md") |> Array.sort do
                relative path
        ]

/// The text of a page.
let page (path: string) = read path

/// The fenced blocks of a page, with their languages. A comment `<!-- fsharp`, or `<!-- csharp`, holds what the blocks
/// after it take as given and no reader needs to see: it is a block like the others.
let blocks (path: string) : (string * Piece) list =
    let text = read path

    [
        for m in Regex.Matches(text, @"(?ms)^(?:```(\w*)$|<!-- (fsharp|csharp)$)\n(.*?)^(?:```|-->)$") do
            let language = m.Groups[1].Value + m.Groups[2].Value
            let code = m.Groups[3]

            language,
            {
                Path = path
                Line = lineOf text code.Index
                Code = code.Value
                Numbers = None
            }
    ]

let private sources extension = [
    for path in
        Directory.GetFiles(Path.Combine(repositoryRoot, "src"), "*" + extension, SearchOption.AllDirectories)
        |> Array.sort do
        let path = relative path

        if not (Regex.IsMatch(path, "/(bin|obj)/")) then
            path
]

/// The runs of doc comments of a text: the first line of each, and its lines without their slashes.
let private comments (text: string) = [
    for m in Regex.Matches(text, @"(?m)(^[ \t]*///.*\n)+") ->
        lineOf text m.Index, Regex.Replace(m.Value, @"(?m)^[ \t]*/// ?", "")
]

let private fsharpExample = Regex @"\bExample(?:, [^:\n]*)?:\s*"

let private quoted =
    Regex(@"\G`([^`]*)`(?:\s+is\s+([-\d\[][-\d\[\],;.\s]*?)(?=\.?\s*(?:[A-Za-z<(]|$)))?", RegexOptions.None)

let private indented = Regex(@"\G(?:    .*(?:\n|$))+")

/// The examples of F#'s docstrings: `Example: ` and code in backquotes, perhaps with ` is ` and numbers, or `Example:` and
/// indented lines.
let fsharpExamples =
    lazy
        [
            for path in sources ".fs" do
                for first, comment in comments (read path) do
                    for m in fsharpExample.Matches comment do
                        let after = m.Index + m.Length
                        let inLine = quoted.Match(comment, after)
                        let start = comment.LastIndexOf('\n', after - 1) + 1
                        let below = indented.Match(comment, start)

                        let piece code numbers at = {
                            Path = path
                            Line = first + lineOf comment at - 1
                            Code = code
                            Numbers = numbers
                        }

                        if inLine.Success then
                            let numbers = inLine.Groups[2]
                            let numbers = if numbers.Success then Some numbers.Value else None
                            piece (Regex.Replace(inLine.Groups[1].Value, @"\s*\n\s*", " ")) numbers after
                        elif below.Success then
                            piece (Regex.Replace(below.Value, "(?m)^    ", "")) None start
                        else
                            failwith
                                $"{path}:{first + lineOf comment after - 1}: an example is code in backquotes or indented lines"
        ]

/// The examples of C#'s docstrings.
let csharpExamples =
    lazy
        [
            for path in sources ".cs" do
                for first, comment in comments (read path) do
                    for m in Regex.Matches(comment, @"(?s)<example>\s*<code>\n?(.*?)</code>\s*</example>") do
                        {
                            Path = path
                            Line = first + lineOf comment m.Groups[1].Index - 1
                            Code = WebUtility.HtmlDecode m.Groups[1].Value
                            Numbers = None
                        }
        ]

/// How many examples there are in the sources, however they are written.
let countOf (extension: string) (word: string) =
    sources extension
    |> List.sumBy (fun path ->
        comments (read path) |> List.sumBy (fun (_, comment) -> Regex.Matches(comment, word).Count))
