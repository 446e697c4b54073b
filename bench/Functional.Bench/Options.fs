/// The options that every benchmark shares.
module Functional.Bench.Options

open System
open System.Globalization

type Options = {
    /// Threads that work at once; None: as many as the machine has.
    Threads: int option
    /// How long one case is measured.
    Seconds: float
    /// Beginnings of case names; None: every case, each group in a process of its own.
    Cases: string list option
    /// Steps run operation by operation instead of as a compiled plan.
    Eager: bool
    /// How often `compare` runs both sides.
    Rounds: int
    /// The folder with MNIST's files; None: the environment variable FUNCTIONAL_DATA.
    Data: string option
}

let defaults = {
    Threads = None
    Seconds = 2.0
    Cases = None
    Eager = false
    Rounds = 3
    Data = None
}

let rec parse options arguments =
    match arguments with
    | [] -> options
    | "--eager" :: rest -> parse { options with Eager = true } rest
    | "--threads" :: n :: rest -> parse { options with Threads = Some(int n) } rest
    | "--seconds" :: s :: rest -> parse { options with Seconds = Double.Parse(s, CultureInfo.InvariantCulture) } rest
    | "--rounds" :: n :: rest -> parse { options with Rounds = int n } rest
    | "--data" :: folder :: rest -> parse { options with Data = Some folder } rest
    | "--cases" :: names :: rest -> parse { options with Cases = Some(List.ofArray (names.Split ',')) } rest
    | unknown :: _ ->
        failwith
            $"unknown option {unknown}; there are --eager, --threads N, --seconds S, --cases a_tiny,b_mlp, --rounds N and --data DIR"

/// Whether a case is asked for.
let selects options (case: string) =
    match options.Cases with
    | None -> true
    | Some beginnings -> beginnings |> List.exists case.StartsWith

/// The options shared with a peer's program, as its command line takes them.
let sharedArguments options cases = [
    match options.Threads with
    | Some n -> yield! [ "--threads"; string n ]
    | None -> ()
    yield! [ "--seconds"; options.Seconds.ToString CultureInfo.InvariantCulture ]
    yield! [ "--cases"; cases ]
]
