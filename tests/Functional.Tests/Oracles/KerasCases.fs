/// Reads single-layer cases computed by Keras 2: a few lines of Python that build a model, and numbers.
module Functional.Tests.KerasCases

open System.Globalization
open System.IO
open System.IO.Compression
open System.Text.Json
open System.Text.RegularExpressions
open Functional

/// The Python of the cases: calls, tuples or lists, names, numbers, strings.
type Python =
    | Number of float
    | Text of string
    | Name of string
    | Items of Python list
    | Call of callee: Python * arguments: Python list * named: Map<string, Python>

type Case = {
    Name: string
    /// What the case is about, in words and arguments.
    Config: string
    /// `name = expression`, line by line; empty where the case is a bare activation.
    Lines: (string * Python) list
    Inputs: Tensor list
    Weights: Tensor list
    Expected: Tensor
}

let private tokens (text: string) =
    Regex.Matches(text, @"'[^']*'|\d+\.?\d*(e[-+]?\d+)?|[A-Za-z_]\w*|[-=(),*\[\]]")
    |> Seq.map (fun m -> m.Value)
    |> List.ofSeq

/// An expression, and the tokens behind it.
let rec private expression (ts: string list) : Python * string list =
    let atom, rest =
        match ts with
        | "*" :: rest -> expression rest
        | "-" :: n :: rest -> Number -(System.Double.Parse(n, CultureInfo.InvariantCulture)), rest
        | ("(" | "[") :: rest ->
            let items, _, rest = arguments rest
            Items items, rest
        | t :: rest when t[0] = '\'' -> Text(t.Trim '\''), rest
        | t :: rest when System.Char.IsDigit t[0] -> Number(System.Double.Parse(t, CultureInfo.InvariantCulture)), rest
        | t :: rest -> Name t, rest
        | [] -> failwith "a Keras case ends in the middle of an expression"

    calls atom rest

and private calls callee ts =
    match ts with
    | "(" :: rest ->
        let items, named, rest = arguments rest
        calls (Call(callee, items, named)) rest
    | _ -> callee, ts

/// What stands up to the closing bracket.
and private arguments (ts: string list) : Python list * Map<string, Python> * string list =
    match ts with
    | (")" | "]") :: rest -> [], Map.empty, rest
    | "," :: rest -> arguments rest
    | name :: "=" :: rest ->
        let value, rest = expression rest
        let items, named, rest = arguments rest
        items, Map.add name value named, rest
    | _ ->
        let value, rest = expression ts
        let items, named, rest = arguments rest
        value :: items, named, rest

/// `name = expression`.
let line (text: string) : string * Python =
    match tokens text with
    | name :: "=" :: rest -> name, fst (expression rest)
    | _ -> failwith $"a line of a Keras case is no assignment: {text}"

let private tensor (e: JsonElement) =
    let shape = [| for n in e.GetProperty("shape").EnumerateArray() -> n.GetInt32() |]
    Tensor.create shape [| for x in e.GetProperty("data").EnumerateArray() -> x.GetDouble() |]

let private case (json: string) : Case =
    use document = JsonDocument.Parse json
    let root = document.RootElement

    let tensors (name: string) =
        match root.TryGetProperty name with
        | true, list when list.ValueKind = JsonValueKind.Array -> [ for e in list.EnumerateArray() -> tensor e ]
        | true, one -> [ tensor one ]
        | _ -> []

    {
        Name = root.GetProperty("name").GetString()
        Config = string (root.GetProperty("config").GetString())
        Lines = [ for e in root.GetProperty("kerasCtor").EnumerateArray() -> line (e.GetString()) ]
        Inputs = tensors "input" @ tensors "inputs"
        Weights = tensors "weights"
        Expected = tensor (root.GetProperty "expected")
    }

/// All cases of the file.
let read (path: string) : Case list = [
    use reader = new StreamReader(new GZipStream(File.OpenRead path, CompressionMode.Decompress))

    while not reader.EndOfStream do
        case (reader.ReadLine())
]
