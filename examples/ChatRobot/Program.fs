/// A chat robot that learns a small book of dialogues by heart, in Chinese and English, and then talks. It is a network from
/// sequence to sequence, character by character, with attention: nothing in it knows what a word is.
module ChatRobot.Program

open System
open System.Threading.Tasks
open Functional
open Examples
open Functional.Plots
open ChatRobot.Dialogues
open ChatRobot.Robot

let private say (text: string) = Console.WriteLine $"Robi: {text}"

/// Talks until the other says no more. What is piped in is answered line by line; nobody waits for a pipe that is empty.
let private talk (robot: Robot) (dialogues: Dialogues) (asked: bool) =
    let piped = Console.IsInputRedirected
    let dice = Random()
    let next () = Task.Run(fun () -> Console.In.ReadLine())

    let first =
        if piped && not asked then
            let line = next ()
            if line.Wait 1000 then line.Result else null
        else
            Console.WriteLine()
            say "Hello! 你好！ Type something; ? for ideas, ! to see what I looked at, an empty line to leave."

            if not piped then
                Console.Write "You:  "

            Console.In.ReadLine()

    let rec go (line: string) (last: string) =
        let leaves = isNull line || not piped && line.Trim() = ""

        if not leaves then
            if piped && line.Trim() <> "" then
                Console.WriteLine $"You:  {line.Trim()}"

            let last =
                match line.Trim() with
                | "" -> last
                | "?" ->
                    let ideas =
                        dialogues.Lines |> Array.map fst |> Array.randomSampleWith dice (min 8 dialogues.Lines.Length)

                    say ("You could say: " + String.Join(" / ", ideas))
                    last
                | "!" when last = "" ->
                    say "I have not answered anything yet."
                    last
                | "!" ->
                    let found = (answer robot [| last |] |> Array.head).Text
                    Drawing.print last found (attention robot last found)
                    last
                | text ->
                    say (Reply.reply robot dialogues text).Text
                    let question = Dialogues.simplify text
                    if question <> "" && (unknown robot question).Length = 0 then question else last

            if not piped then
                Console.Write "You:  "

            go (Console.In.ReadLine()) last

    go first ""

/// Questions to draw, as far as there is a font for them and for their answers: names are copied, where one can see what
/// attention does. One of the names is in no dialogue.
let private drawn (robot: Robot) (dialogues: Dialogues) : (string * string)[] =
    let known = dialogues.Lines |> Array.map fst

    let wanted =
        [ "my name is lily"; "my name is sabrina"; "我叫小明"; "what is two plus three"; "一加二等于几"; "thank you" ]
        |> List.filter (fun question -> (unknown robot question).Length = 0)
        |> Array.ofList

    let questions = Array.append wanted known |> Array.distinct
    let lines = Array.zip questions (answer robot questions |> Array.map _.Text)

    if lines |> Array.exists (fun (question, text) -> not (Fonts.CanDraw(question + text))) then
        Console.WriteLine
            "No font here has all the characters, so the picture shows lines that can be drawn. In a talk, ! shows any."

    lines |> Array.filter (fun (question, text) -> Fonts.CanDraw(question + text)) |> Array.truncate 4

/// Teaches a new robot, says how it goes, and writes it to a file.
let private train (command: Command) rounds (dialogues: Dialogues) (fresh: Robot) =
    let clock = Diagnostics.Stopwatch.StartNew()

    Console.WriteLine
        $"{dialogues.Lines.Length} lines to learn; {fresh.Letters.Size - 3} characters in questions, {fresh.Signs.Size - 3} in answers, {Tree.count fresh.Net} parameters."

    let report (p: Progress) =
        match p.Exact with
        | Some exact ->
            Console.WriteLine
                $"round %4d{p.Round}   loss %.4f{p.Loss}   {exact} of {dialogues.Lines.Length} lines exact   %.0f{clock.Elapsed.TotalSeconds} s"
        | None when p.Round % 20 = 0 || p.Round = 1 ->
            Console.WriteLine $"round %4d{p.Round}   loss %.4f{p.Loss}   %.0f{clock.Elapsed.TotalSeconds} s"
        | None -> ()

    let robot = teach rounds report dialogues fresh
    let file = command.File "chatrobot.safetensors"
    Checkpoint.save file robot.Net
    command.Announce $"{file} (--net talks again without learning)"
    robot

[<EntryPoint>]
let main arguments =
    Console.OutputEncoding <- Text.Encoding.UTF8
    Console.InputEncoding <- Text.Encoding.UTF8

    let command =
        Command(
            "ChatRobot",
            [
                struct ("corpus", "a file of your own, a line for each \"question | answer\"")
                struct ("rounds", "how often all lines are taught at most (default 160)")
                struct ("net", "a robot trained before, from the file that training writes")
            ],
            [ struct ("talk", "talk even if the input is no terminal") ],
            arguments
        )

    let refuse (message: string) =
        Console.Error.WriteLine $"ChatRobot: {message}"
        exit 2

    let rounds = command.Count("rounds", 160)

    let dialogues =
        try
            Dialogues.read (command.Text "corpus")
        with e ->
            refuse e.Message

    let robot =
        match command.Text "net" with
        | null -> train command rounds dialogues (create dialogues)
        | file ->
            try
                load file dialogues
            with e ->
                refuse e.Message

    let answers = answer robot (Array.map fst dialogues.Lines)

    let wrong =
        Array.zip dialogues.Lines answers |> Array.filter (fun ((_, text), found) -> found.Text <> text)

    let exact = 1.0 - float wrong.Length / float dialogues.Lines.Length

    for (question, text), found in Array.truncate 5 wrong do
        Console.WriteLine $"not yet right: {question} → {found.Text} (should be: {text})"

    let least = answers |> Array.map _.Probability |> Array.min

    Console.WriteLine
        $"{dialogues.Lines.Length - wrong.Length} of {dialogues.Lines.Length} lines are answered exactly, each with a probability of %.2f{least} or more."

    if dialogues.Patterns.Length > 0 then
        let copied (lines: (string * string)[]) =
            Array.map2 (fun (_, text) found -> found.Text = text) lines (answer robot (Array.map fst lines))
            |> Array.filter id
            |> Array.length

        let madeUp, heldOut = fill (Random 12) 100 dialogues, fillHeldOut dialogues

        Console.WriteLine
            $"Letter by letter it copies {copied madeUp} of {madeUp.Length} made-up names, and {copied heldOut} of {heldOut.Length} real ones that it was never taught."

    match drawn robot dialogues with
    | [||] -> ()
    | lines ->
        let path = command.File "attention.png"
        Drawing.save path [| for q, a in lines -> q, a, attention robot q a |]
        command.Announce path

    talk robot dialogues (command.IsSet "talk")
    Command.Result("exact", exact)
    0
