namespace Functional

// What an optimiser or a schedule was made with, in words and numbers: enough to make it again. It is written to files beside
// what was trained, so that a saved training comes back as it was.

open System
open System.IO
open System.Text
open System.Text.Json

/// A setting of something that can be described.
[<RequireQualifiedAccess>]
type Setting =
    | Number of float
    | Switch of bool
    /// Something with settings of its own: an optimiser's schedule, the optimiser that another one is made of.
    | Part of Description

/// A kind, and its settings by name.
and Description = { Kind: string; Settings: (string * Setting) list }

/// Reading and writing descriptions: `{"kind":"sgd","rate":{"kind":"constant","rate":0.1},"momentum":0.9,"nesterov":false}`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Description =

    let rec private write (json: Utf8JsonWriter) (description: Description) =
        json.WriteStartObject()
        json.WriteString("kind", description.Kind)

        for name, setting in description.Settings do
            match setting with
            | Setting.Number number -> json.WriteNumber(name, number)
            | Setting.Switch value -> json.WriteBoolean(name, value)
            | Setting.Part part ->
                json.WritePropertyName name
                write json part

        json.WriteEndObject()

    /// A description as JSON.
    let toJson (description: Description) : string =
        use buffer = new MemoryStream()

        using (new Utf8JsonWriter(buffer)) (fun json -> write json description)
        Encoding.UTF8.GetString(buffer.ToArray())

    let private damaged what : exn = InvalidDataException $"load: a description {what}"

    let rec private read (element: JsonElement) : Description =
        if element.ValueKind <> JsonValueKind.Object then
            raise (damaged $"is {element.GetRawText()}, expected an object")

        let settings = [
            for item in element.EnumerateObject() do
                if item.Name <> "kind" then
                    item.Name,
                    match item.Value.ValueKind with
                    | JsonValueKind.Number -> Setting.Number(item.Value.GetDouble())
                    | JsonValueKind.True -> Setting.Switch true
                    | JsonValueKind.False -> Setting.Switch false
                    | JsonValueKind.Object -> Setting.Part(read item.Value)
                    | _ ->
                        raise (
                            damaged
                                $"has {item.Value.GetRawText()} as its {item.Name}, expected a number, true, false or an object"
                        )
        ]

        match element.TryGetProperty "kind" with
        | true, kind when kind.ValueKind = JsonValueKind.String -> { Kind = kind.GetString(); Settings = settings }
        | _ -> raise (damaged "has no kind")

    /// A description from JSON. Errors (`InvalidDataException`): text that is no description.
    let ofJson (text: string) : Description =
        try
            use json = JsonDocument.Parse(text, JsonDocumentOptions(AllowDuplicateProperties = false))
            read json.RootElement
        with
        | :? JsonException as e -> raise (InvalidDataException($"load: a description is no JSON ({e.Message})", e))
        | :? InvalidOperationException as e ->
            raise (InvalidDataException($"load: a description holds a text that is none ({e.Message})", e))

    // ---- settings by name

    let private find (name: string) (description: Description) : Setting =
        match description.Settings |> List.tryFind (fun (n, _) -> n = name) with
        | Some(_, setting) -> setting
        | None -> raise (damaged $"of \"{description.Kind}\" has no {name}")

    let private wrong name expected (description: Description) : exn =
        damaged $"of \"{description.Kind}\" has a {name} that is not {expected}"

    let internal number name description : float =
        match find name description with
        | Setting.Number number -> number
        | _ -> raise (wrong name "a number" description)

    let internal whole name description : int =
        let number = number name description

        if number <> Math.Truncate number || abs number > float Int32.MaxValue then
            raise (wrong name "a whole number" description)

        int number

    let internal switch name description : bool =
        match find name description with
        | Setting.Switch value -> value
        | _ -> raise (wrong name "true or false" description)

    let internal part name description : Description =
        match find name description with
        | Setting.Part part -> part
        | _ -> raise (wrong name "a description" description)

    let internal unknown what (known: string seq) (description: Description) : exn =
        let known = String.Join(", ", known)
        InvalidDataException $"load: there is no {what} \"{description.Kind}\"; there are {known}"

/// Checking settings, in the words of who gave them.
[<RequireQualifiedAccess>]
module internal Settings =

    let private refuse (name: string) (operation: string) (range: string) (given: float) =
        invalidArg name $"{operation}: the {name} {range}; {given} was given"

    /// A number that is there: neither NaN nor infinite, and not below 0.
    let notNegative operation name (value: float) =
        if not (value >= 0.0 && Double.IsFinite value) then
            refuse name operation "is a number of at least 0" value

    let atMostZero operation name (value: float) =
        if not (value <= 0.0 && Double.IsFinite value) then
            refuse name operation "is a number of at most 0" value

    let positive operation name (value: float) =
        if not (value > 0.0 && Double.IsFinite value) then
            refuse name operation "is a number above 0" value

    /// How much of a running average is kept: with 1 it would never begin.
    let kept operation name (value: float) =
        if not (value >= 0.0 && value < 1.0) then
            refuse name operation "lies in [0, 1)" value

    let share operation name (value: float) =
        if not (value >= 0.0 && value <= 1.0) then
            refuse name operation "lies in [0, 1]" value

/// A setting of an optimiser, under the name that it has in descriptions and errors.
type internal Field<'S> = {
    Name: string
    Get: 'S -> Setting
    /// Reads it from a description into the settings.
    Read: Description -> 'S -> 'S
    /// Refuses what it cannot be, in the name of an operation.
    Check: string -> 'S -> unit
}

[<RequireQualifiedAccess>]
module internal Field =

    let private number check name (get: 'S -> float) (put: float -> 'S -> 'S) : Field<'S> = {
        Name = name
        Get = get >> Setting.Number
        Read = fun description -> put (Description.number name description)
        Check = fun operation settings -> check operation (name.Replace('_', ' ')) (get settings)
    }

    let notNegative name get put : Field<'S> = number Settings.notNegative name get put
    let atMostZero name get put : Field<'S> = number Settings.atMostZero name get put
    let positive name get put : Field<'S> = number Settings.positive name get put
    let kept name get put : Field<'S> = number Settings.kept name get put
    let share name get put : Field<'S> = number Settings.share name get put

    let switch name (get: 'S -> bool) (put: bool -> 'S -> 'S) : Field<'S> = {
        Name = name
        Get = get >> Setting.Switch
        Read = fun description -> put (Description.switch name description)
        Check = fun _ _ -> ()
    }
