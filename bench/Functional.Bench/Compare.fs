/// Our times beside a peer's. The peer is any program that takes --threads, --seconds and --cases and prints
/// `case median_us`. Both sides run in turns, since a shared machine is faster at one minute than at the next.
module Functional.Bench.Compare

open System
open Functional.Bench.Options

/// A peer's command and its own first arguments, in one string, apart at the spaces.
let private commandLine (command: string) =
    match List.ofArray (command.Split(' ', StringSplitOptions.RemoveEmptyEntries)) with
    | program :: arguments -> program, arguments
    | [] -> failwith "compare: PEER_COMMAND is empty; give the program that times the peer"

/// Prints a table of medians over the rounds; `ratio` is how many times faster we are.
/// `groups` are the beginnings of case names, each with the benchmark of ours that prints them.
let run (groups: (string * string) list) (command: string) options =
    let program, first = commandLine command

    let asked =
        match options.Cases with
        | None -> groups
        | Some cases ->
            cases
            |> List.collect (fun case ->
                groups
                |> List.filter (fun (group: string, _) -> case.StartsWith group || group.StartsWith case)
                |> List.map (fun (group, benchmark) -> (if case.Length > group.Length then case else group), benchmark))
            |> List.distinct

    Console.WriteLine $"""{"case", -28} {"ours us", 12} {"peer us", 12} {"ratio", 8}   ratios of the rounds"""

    for group, benchmark in asked do
        let rounds = [
            for _ in 1 .. options.Rounds do
                let shared = sharedArguments options group
                let theirs = Map.ofList (Measure.run program (first @ shared))
                let eager = if options.Eager then [ "--eager" ] else []
                let ours = Map.ofList (Measure.runSelf (benchmark :: eager @ shared))
                ours, theirs
        ]

        let both =
            rounds
            |> List.collect (fun (ours, theirs) -> List.ofSeq (Seq.append (Map.keys ours) (Map.keys theirs)))
            |> List.distinct

        for case in both do
            let times side = rounds |> List.choose (side >> Map.tryFind case)

            match times fst, times snd with
            | [], theirs -> Console.WriteLine $"""{case, -28} {"-", 12} {Measure.median theirs, 12:F1}"""
            | ours, [] -> Console.WriteLine $"""{case, -28} {Measure.median ours, 12:F1} {"-", 12}"""
            | ours, theirs ->
                let mine, other = Measure.median ours, Measure.median theirs
                let each = List.map2 (/) theirs ours |> List.map (fun r -> $"{r:F2}") |> String.concat " "
                Console.WriteLine $"{case, -28} {mine, 12:F1} {other, 12:F1} {other / mine, 8:F2}   {each}"
