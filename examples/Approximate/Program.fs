/// The arbitrary function generator. For every continuous function on a box and every ε there are N, α, w, b with
/// sup |f − Σ αᵢ φ(wᵢ·x + bᵢ)| < ε: ask for the function, and get the network.
module Generator.Program

open System
open System.Globalization
open System.IO
open System.Threading
open Functional
open Examples
open Generator.Asked

let private short (x: float) = x.ToString("G3", CultureInfo.InvariantCulture)

/// Sets the network beside what an analyst tries first.
let private compare (a: Approximation) (baselines: Baselines.Baseline list) =
    for b in baselines do
        let reached = if b.Reached then "" else $"   NOT below {short a.Epsilon}"
        Console.WriteLine $"  %-28s{b.Name} %6d{b.Numbers} numbers, sup error {short b.Sup}{reached}"

    let better =
        baselines |> List.filter (fun b -> b.Reached && (not a.Reached || b.Numbers < a.Parameters))

    match better |> List.sortBy _.Numbers with
    | best :: _ ->
        Console.WriteLine
            $"Better here than the network: {best.Name}, with {best.Numbers} numbers to its {a.Parameters}."
    | [] when not baselines.IsEmpty && a.Reached ->
        Console.WriteLine $"None of these does with fewer numbers than the network's {a.Parameters}."
    | [] -> ()

let private write (command: Command) (a: Approximation) =
    let save (name: string) (write: string -> unit) =
        let path = command.File name
        write path
        command.Announce path

    save "network.safetensors" (fun path -> Checkpoint.save path a.Network)
    save "Network.fs" (fun path -> File.WriteAllText(path, NetworkSource.fsharp a))
    save "Network.cs" (fun path -> File.WriteAllText(path, NetworkSource.csharp a))

let private commandOf (arguments: string list) =
    Command(
        "Approximate",
        [
            struct ("on", "the box: -2..2, or x=-1..1 y=0..2")
            struct ("epsilon", "the error to undercut everywhere (default 1e-3)")
            struct ("csv", "a table instead of a formula; needs --target")
            struct ("target", "the table's column to compute from the others; several with commas")
            struct ("activation", "tanh (default), sigmoid, relu, gaussian, sin")
            struct ("depth", "hidden layers (default 1)")
            struct ("optimiser", "lm (default: Levenberg and Marquardt), lbfgs, bfgs, broyden")
            struct ("seed", "what the starts are drawn from (default 1)")
            struct ("starts", "starts for each width (default 3)")
            struct ("most", "the largest width that is tried (default 256)")
            struct ("seconds", "after so many seconds no new width is begun (default 25)")
            struct ("baseline", "what to compare with: all (default) or none")
        ],
        Array.ofList arguments
    )

let private run (formula: string option) (command: Command) =
    let wish = wish formula command
    let stopped = new ManualResetEventSlim false

    // what has been found is kept: the first Ctrl-C ends the search, a second one the program
    Console.CancelKeyPress.Add(fun e ->
        e.Cancel <- not stopped.IsSet
        stopped.Set())

    let options = {
        options command with
            Stop = fun () -> stopped.IsSet
            Progress = fun t -> Console.WriteLine $"  N = %-4d{t.Width} sup error %-10s{short t.Sup} {t.Steps} steps"
    }

    let withBaselines =
        match command.Text "baseline" with
        | null
        | "all" -> true
        | "none" -> false
        | other -> raise (ArgumentException $"--baseline is all or none; '{other}' was given")

    let found, baselines, draw =
        match wish with
        | Function(formula, variables, box) ->
            let f = formula.Over variables
            let ranges = List.map2 (fun name (low, high) -> $"{name} in [{short low}, {short high}]") variables box
            Console.WriteLine $"""{formula} for {String.Join(", ", ranges)}, to {short options.Epsilon}:"""
            let a = Approximate.find options box f

            let baselines =
                if withBaselines && not stopped.IsSet then
                    Baselines.find options.Epsilon box f
                else
                    []

            a, baselines, (fun path -> Drawing.ofFunction path (string formula) variables a f)
        | Table(source, variables, x, y) ->
            Console.WriteLine
                $"""{source}: {x.Length} rows, from {String.Join(", ", variables)}, to {short options.Epsilon}:"""

            let a = Approximate.table options x y
            a, [], (fun path -> Drawing.ofTable path source a x y)

    Console.WriteLine()
    Console.WriteLine(string found)

    if stopped.IsSet then
        Console.WriteLine
            $"Interrupted: this is the best of the widths tried so far. The same command begins again; --seed {options.Seed} draws the same starts."
    elif not found.Reached then
        Console.WriteLine "More --seconds, more --starts or another --activation may do."

    compare found baselines
    write command found
    let picture = command.File "approximation.png"
    draw picture
    command.Announce picture
    Command.Result("units", int64 found.Width)
    if found.Reached then 0 else 1

[<EntryPoint>]
let main arguments =
    let formula, rest = arranged (List.ofArray arguments)
    run formula (commandOf rest)
