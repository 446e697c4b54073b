namespace Examples

// The command line of an example: `--name value` pairs, where its pictures go, and the line it ends with.

open System
open System.Globalization
open System.IO

/// The options of an example. `known` are its own (name, meaning), `flags` those without a value; every example has `--out`
/// and `--help` besides.
[<Sealed>]
type Command
    (example: string, known: struct (string * string) seq, flags: struct (string * string) seq, arguments: string[]) =
    let isFlag (option: string) = flags |> Seq.exists (fun struct (name, _) -> "--" + name = option)

    let known = [
        yield! known
        struct ("out", $"folder for the pictures (default: out/{example} in the current directory)")
    ]

    let usage () =
        let lines =
            [ yield! known; yield! flags ]
            |> List.map (fun struct (name, meaning) -> $"  --{name, -8} {meaning}")

        String.Join("\n", $"{example}: options" :: lines)

    let leave (code: int) (message: string) =
        (if code = 0 then Console.Out else Console.Error).WriteLine message
        exit code

    let values =
        let rec read (values: Map<string, string>) rest =
            match rest with
            | [] -> values
            | "--help" :: _ -> leave 0 (usage ())
            | option :: rest when isFlag option -> read (values.Add(option[2..], "")) rest
            | (option: string) :: value :: rest when known |> List.exists (fun struct (name, _) -> "--" + name = option) ->
                read (values.Add(option[2..], value)) rest
            | option :: _ ->
                leave 2 $"{example}: '{option}' is no option of this example, or lacks its value\n{usage ()}"

        read Map.empty (List.ofArray arguments)

    // what the user can mend, a file that is missing or a column that is not there, is told in a sentence
    do
        AppDomain.CurrentDomain.UnhandledException.Add(fun e ->
            match e.ExceptionObject with
            | :? IOException
            | :? InvalidDataException
            | :? UnauthorizedAccessException
            | :? ArgumentException -> leave 1 $"{example}: {(e.ExceptionObject :?> exn).Message}"
            | _ -> ())

    let folder =
        values.TryFind "out" |> Option.defaultValue (Path.Combine("out", example)) |> Path.GetFullPath

    /// An example whose options all have values.
    new(example, known, arguments) = Command(example, known, [], arguments)

    /// Whether a flag was given.
    member _.IsSet(flag: string) : bool = values.ContainsKey flag

    /// The text of an option; null where it was not given.
    member _.Text(name: string) : string = values.TryFind name |> Option.toObj

    /// The whole number of an option, or what it is without one.
    member _.Number(name: string, otherwise: int) : int =
        match values.TryFind name with
        | None -> otherwise
        | Some text ->
            match Int32.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture) with
            | true, number -> number
            | false, _ -> leave 2 $"{example}: --{name} takes a whole number; '{text}' was given"

    /// The same where it must be 1 or more.
    member command.Count(name: string, otherwise: int) : int =
        let count = command.Number(name, otherwise)

        if count < 1 then
            leave 2 $"{example}: --{name} is at least 1; {count} was given"

        count

    /// The path of a file in the folder for pictures, which is made if need be.
    member _.File(name: string) : string =
        Directory.CreateDirectory folder |> ignore
        Path.Combine(folder, name)

    /// Says where a file went.
    member _.Announce(path: string) : unit = Console.WriteLine $"written: {path}"

    /// The last line: what was counted, and how many there were.
    static member Result(metric: string, count: int64) : unit =
        Console.WriteLine("result: " + metric + " " + count.ToString CultureInfo.InvariantCulture)

    /// The last line: what was measured, and its value.
    static member Result(metric: string, value: float) : unit =
        Console.WriteLine("result: " + metric + " " + value.ToString("F4", CultureInfo.InvariantCulture))
