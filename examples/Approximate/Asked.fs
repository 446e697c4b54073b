/// What was asked for: a formula over intervals or a table, an error, and how the network is to be.
module Generator.Asked

open System
open System.Globalization
open Functional
open Examples

/// What is to be approximated.
type Wish =
    | Function of formula: Formula * variables: string list * box: (float * float) list
    | Table of source: string * variables: string list * x: float[][] * y: float[][]

let private refuse (message: string) = raise (ArgumentException message)

let private number (whole: string) (text: string) =
    match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
    | true, x -> x
    | false, _ -> refuse $"--on {whole}: '{text}' is no number; an interval is written -2..2, or x=-2..2"

/// An interval such as `-2..2` or `x=-2..2`, with its name if it has one.
let private interval (text: string) : string option * (float * float) =
    let name, range =
        match text.Split('=', 2) with
        | [| name; range |] -> Some(name.Trim()), range
        | _ -> None, text

    match range.Split("..", 2) with
    | [| low; high |] -> name, (number text low, number text high)
    | _ -> refuse $"--on {text}: an interval is written -2..2, or x=-2..2"

/// Which interval belongs to which variable; variables and intervals that do not go together are named.
let private over (formula: Formula) (asked: string) : string list * (float * float) list =
    let intervals =
        asked.Split(' ', StringSplitOptions.RemoveEmptyEntries) |> Array.map interval |> List.ofArray

    let variables = formula.Variables
    let named = intervals |> List.choose fst
    let list (names: string list) = if names.IsEmpty then "none" else String.concat ", " names

    match intervals with
    | [ None, range ] when variables.Length <= 1 -> (if variables.IsEmpty then [ "x" ] else variables), [ range ]
    | _ when named.Length < intervals.Length ->
        let example = String.Join(" ", variables |> List.map (fun name -> $"{name}=-1..1"))

        refuse
            $"'{formula}' has the variables {list variables}; --on gives {intervals.Length} intervals without all their names; write --on {example}"
    | _ ->
        let missing = variables |> List.filter (fun name -> not (List.contains name named))

        if not missing.IsEmpty || (List.distinct named).Length < named.Length then
            refuse
                $"'{formula}' has the variables {list variables}, and --on gives intervals for {list named}; each variable has one"

        named, List.map snd intervals

/// The columns of a file: the target and all others. Cells without a number are named by the reader, with file and line.
let private readTable (path: string) (target: string) : Wish =
    let table = Csv.read Csv.defaults path

    let known = String.concat ", " table.Columns

    if isNull target then
        refuse $"--csv {path} needs --target, one of the columns {known}"

    let targets = target.Split ',' |> List.ofArray

    for name in targets do
        if not (Array.contains name table.Columns) then
            refuse $"{path} has no column '{name}'; there are {known}"

    let variables = table.Columns |> Array.filter (fun c -> not (List.contains c targets)) |> List.ofArray

    if variables.IsEmpty then
        refuse $"{path} has no column besides {target}: there is nothing to compute it from"

    let columns (names: string list) = Csv.numbers names table |> Tensor.toFloats |> Array.chunkBySize names.Length

    Table(path, variables, columns variables, columns targets)

/// What is asked for by a formula and the options.
let wish (formula: string option) (command: Command) : Wish =
    match formula, command.Text "csv" with
    | Some _, path when not (isNull path) -> refuse "a formula and --csv are two wishes; give one of them"
    | None, null ->
        refuse
            "what is to be approximated? Give a formula, such as \"sin(3*x) + abs(x)\" --on -2..2, or --csv FILE --target COLUMN"
    | None, path -> readTable path (command.Text "target")
    | Some text, _ ->
        let formula = Formula.Parse text

        match command.Text "on" with
        | null -> refuse $"over what? Give an interval: --on -1..1, or --on x=-1..1 y=0..2"
        | asked ->
            let variables, box = over formula asked
            Function(formula, variables, box)

let private choice (option: string) (known: (string * 'T) list) (text: string) : 'T =
    match text, known with
    | null, (_, first) :: _ -> first
    | _ ->
        match List.tryFind (fst >> (=) text) known with
        | Some(_, found) -> found
        | None -> refuse $"""--{option} is one of {String.Join(", ", List.map fst known)}; '{text}' was given"""

let private real (command: Command) (option: string) (otherwise: float) =
    match command.Text option with
    | null -> otherwise
    | text ->
        match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, x -> x
        | false, _ -> refuse $"--{option} takes a number; '{text}' was given"

/// How the network is to be, and how it is looked for.
let options (command: Command) : ApproximationOptions =
    let activations = [
        "tanh", HiddenActivation.Tanh
        "sigmoid", HiddenActivation.Sigmoid
        "relu", HiddenActivation.Relu
        "gaussian", HiddenActivation.Gaussian
        "sin", HiddenActivation.Sin
    ]

    let minimizers = [
        "lm", Approximate.defaults.Minimizer
        "lbfgs", Minimizer.lbfgs
        "bfgs", Minimizer.bfgs
        "broyden", Minimizer.selfScaledBroyden
    ]

    {
        Approximate.defaults with
            Epsilon = real command "epsilon" Approximate.defaults.Epsilon
            Activation = choice "activation" activations (command.Text "activation")
            Minimizer = choice "optimiser" minimizers (command.Text "optimiser")
            Depth = command.Count("depth", 1)
            MaxWidth = command.Count("most", 256)
            Restarts = command.Count("starts", 3)
            Seed = int64 (command.Number("seed", 1))
            Seconds = real command "seconds" Approximate.defaults.Seconds
    }

/// The command line's formula, and the rest as pairs: the intervals after `--on` become one value.
let arranged (arguments: string list) : string option * string list =
    let rec join (rest: string list) =
        match rest with
        | "--on" :: first :: second :: more when second.Contains ".." && not (second.StartsWith "--") ->
            join ("--on" :: (first + " " + second) :: more)
        | other -> other

    let rec split rest formula kept =
        match join rest with
        | [] -> formula, List.rev kept
        | "--help" :: more -> split more formula ("--help" :: kept)
        | option :: value :: more when option.StartsWith "--" -> split more formula (value :: option :: kept)
        | text :: more when not (text.StartsWith "--") && Option.isNone formula -> split more (Some text) kept
        | text :: more -> split more formula (text :: kept)

    split arguments None []
