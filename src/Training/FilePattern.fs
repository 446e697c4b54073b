namespace Functional

// Names of files with an epoch's numbers in them, as Keras writes them: `w.{epoch:02d}-{val_loss:.2f}.safetensors`.

open System
open System.Globalization
open System.Text.RegularExpressions

/// Filling the braces of a file's name.
[<RequireQualifiedAccess>]
module internal FilePattern =

    let private braces = Regex(@"\{([^{}:]*)(?::([^{}]*))?\}", RegexOptions.CultureInvariant)

    /// Python's way to say how a number is shown, as far as file names have it: 02d, .2f, 8.3e.
    let private python = Regex(@"^(0?)(\d*)(?:\.(\d+))?([dfeg]?)$", RegexOptions.CultureInvariant)

    let private invariant = CultureInfo.InvariantCulture

    let private show (format: string) (value: float) : string =
        let spec = python.Match format

        if not spec.Success then
            // .NET's own, such as D3 or F2; D is of whole numbers alone
            if format.StartsWith('D') || format.StartsWith('d') then
                (int64 value).ToString(format, invariant)
            else
                value.ToString(format, invariant)
        else
            let digits = spec.Groups[3].Value

            let text =
                match spec.Groups[4].Value with
                | "d" -> (int64 value).ToString invariant
                | "f" -> value.ToString("F" + (if digits = "" then "6" else digits), invariant)
                | "e" ->
                    value.ToString(
                        (if digits = "" then "0.000000e+00" else $"0.{String('0', int digits)}e+00"),
                        invariant
                    )
                | _ -> value.ToString((if digits = "" then "" else "G" + digits), invariant)

            let width = if spec.Groups[2].Value = "" then 0 else int spec.Groups[2].Value
            text.PadLeft(width, (if spec.Groups[1].Value = "0" then '0' else ' '))

    let private refuse (callback: string) (path: string) what : 'T =
        invalidArg "path" $"{callback}: the path \"{path}\" {what}"

    /// The path of an epoch. Errors: a name in braces that is no number of the training, a format that is none.
    let fill (callback: string) (path: string) (epoch: int) (numbers: (string * float) list) : string =
        let known = ("epoch", float epoch) :: numbers

        braces.Replace(
            path,
            fun (place: Match) ->
                let name = place.Groups[1].Value

                match known |> List.tryFind (fun (n, _) -> n = name) with
                | Some(_, value) ->
                    try
                        show place.Groups[2].Value value
                    with :? FormatException ->
                        refuse
                            callback
                            path
                            $"shows {name} in the format \"{place.Groups[2].Value}\", which is none; {{{name}:.2f}} has two digits"
                | None ->
                    let names = known |> List.map fst |> String.concat ", "
                    refuse callback path $"names \"{{{name}}}\", which the training does not report; there are {names}"
        )

    /// Refuses a path that no epoch of a training could fill.
    let check (callback: string) (names: string list) (path: string) : unit =
        fill callback path 1 (names |> List.map (fun name -> name, 0.0)) |> ignore
