/// The dialogues the robot learns: lines of "question | answer".
module ChatRobot.Dialogues

open System
open System.IO
open System.Reflection

/// A question as the robot reads it: without capitals, punctuation and superfluous spaces, "I'm" written as "i am".
let simplify (question: string) : string =
    let plain =
        question.ToLowerInvariant().Replace('’', '\'').Replace("'m", " am").Replace("'s", " is").Replace("'re", " are")

    let kept =
        plain
        |> String.map (fun c -> if Char.IsPunctuation c && c <> '#' || Char.IsControl c then ' ' else c)

    String.Join(" ", kept.Split(' ', StringSplitOptions.RemoveEmptyEntries))

/// Whether a text has Chinese characters.
let isChinese (text: string) : bool = text |> Seq.exists (fun c -> c >= '\u4e00' && c <= '\u9fff')

/// What the robot learns: lines, and patterns with a place where any name may stand, such as "my name is * | Hello, *!".
type Dialogues = { Lines: (string * string)[]; Patterns: (string * string)[] }

/// Stands for a name in a pattern, where it is no punctuation.
let private place = "\uE000"

/// The lines and patterns of a text. Empty lines and those that begin with # are left out.
let private parse (name: string) (text: string) : Dialogues =
    let pairs =
        text.Split('\n')
        |> Array.mapi (fun i line -> i + 1, line.Trim())
        |> Array.filter (fun (_, line) -> line <> "" && not (line.StartsWith '#'))
        |> Array.map (fun (number, line) ->
            match line.Replace("*", place).Split '|' |> Array.map _.Trim() with
            | [| question; answer |] when
                simplify question <> "" && answer <> "" && question.Contains place = answer.Contains place
                ->
                simplify question, answer
            | _ ->
                failwith
                    $"{name}, line {number}: a line is \"question | answer\", with a * in both or in none; this one is \"{line}\"")

    match pairs |> Array.countBy fst |> Array.tryFind (fun (_, n) -> n > 1) with
    | Some(question, n) -> failwith $"{name}: \"{question}\" has {n} answers; the robot learns one for each question"
    | None ->
        let patterns, lines = pairs |> Array.partition (fun (question, _) -> question.Contains place)

        if lines.Length < 2 then
            failwith $"{name}: at least two lines are needed to learn from"

        { Lines = lines; Patterns = patterns }

/// The dialogues of a file, or those the robot comes with.
let read (path: string) : Dialogues =
    if isNull path then
        use stream = Assembly.GetExecutingAssembly().GetManifestResourceStream "dialogues.txt"
        use reader = new StreamReader(stream)
        parse "dialogues.txt" (reader.ReadToEnd())
    else
        parse (Path.GetFileName path) (File.ReadAllText path)

/// What Chinese names are made of here.
let private characters = "小大阿明红雨华文丽强伟芳静云海月星林"

/// The most letters of a made-up name.
let longestName = 12

/// Names that are never taught: what the robot answers to them it has not learnt by heart.
let heldOut: string[] =
    "sabrina anna hannah bobby jennifer christopher maximilian alexandria elizabeth matthew phillip emma aaron isabella guinevere bartholomew wilhelmina rebecca lee molly jessica william scott russell brittany annabelle theodore xavier quincy yvonne constantine"
        .Split
        ' '

/// A made-up name: consonants and vowels in turn, now and then any letter instead, or one twice; or two or three Chinese
/// characters.
let rec private madeUp (dice: Random) (chinese: bool) : string =
    let any (from: string) = from[dice.Next from.Length]

    if chinese then
        String.init (dice.Next(2, 4)) (fun _ -> string (any characters))
    else
        let length, first = dice.Next(2, longestName + 1), dice.Next 2

        let letter place =
            if dice.Next 6 = 0 then any "abcdefghijklmnopqrstuvwxyz"
            elif (place + first) % 2 = 0 then any "aeiouy"
            else any "bcdfghjklmnpqrstvwxz"

        let letters =
            List.init length letter |> List.collect (fun c -> if dice.Next 7 = 0 then [ c; c ] else [ c ])

        let name = String(letters |> List.truncate length |> Array.ofList)
        if Array.contains name heldOut then madeUp dice chinese else name

/// A pattern with a name in its place.
let withName (name: string) (question: string, answer: string) : string * string =
    let capital = name.Substring(0, 1).ToUpperInvariant() + name.Substring 1
    question.Replace(place, name), answer.Replace(place, capital)

/// Every pattern so many times, each time with another made-up name.
let fill (dice: Random) (count: int) (dialogues: Dialogues) : (string * string)[] =
    dialogues.Patterns
    |> Array.collect (fun pattern ->
        Array.init count (fun _ -> withName (madeUp dice (isChinese (fst pattern))) pattern))

/// The patterns in letters with every name that is never taught.
let fillHeldOut (dialogues: Dialogues) : (string * string)[] =
    dialogues.Patterns
    |> Array.filter (fst >> isChinese >> not)
    |> Array.collect (fun pattern -> heldOut |> Array.map (fun name -> withName name pattern))

/// Whether a question is one of a pattern's, with a name in its place.
let isNamed (dialogues: Dialogues) (question: string) : bool =
    dialogues.Patterns
    |> Array.exists (fun (pattern, _) ->
        let parts = pattern.Split place

        question.StartsWith(parts[0], StringComparison.Ordinal)
        && question.EndsWith(Array.last parts, StringComparison.Ordinal))

/// How many characters must be put in, left out or replaced to make one text of another (Levenshtein 1966).
let private distance (a: string) (b: string) : int =
    let first = [| 0 .. b.Length |]

    let next (row: int[]) (c: char) =
        let mutable left = row[0] + 1

        Array.append [| left |] [|
            for i in 1 .. b.Length do
                left <- min (min (left + 1) (row[i] + 1)) (row[i - 1] + (if b[i - 1] = c then 0 else 1))
                left
        |]

    Array.last (Seq.fold next first a)

/// The line whose question is most like a text.
let nearest (dialogues: Dialogues) (text: string) : string =
    dialogues.Lines |> Array.map fst |> Array.minBy (distance text)
