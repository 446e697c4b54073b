/// The nodes of ONNX' own tests: attributes, tensors, and what an operator is.
module Functional.Tests.OnnxNodes

open System.Text.Json
open Functional

exception Unsupported of string

let unsupported reason = raise (Unsupported reason)

/// The attributes of a node.
type Attributes(json: JsonElement) =
    let tryGet (name: string) =
        match json.TryGetProperty name with
        | true, value -> Some value
        | _ -> None

    member _.Has name = (tryGet name).IsSome
    member _.Whole(name, otherwise) = tryGet name |> Option.map (fun v -> v.GetInt32()) |> Option.defaultValue otherwise

    member _.Number(name, otherwise: float) =
        tryGet name |> Option.map (fun v -> v.GetDouble()) |> Option.defaultValue otherwise

    member _.Text(name, otherwise: string) =
        tryGet name |> Option.map (fun v -> v.GetString()) |> Option.defaultValue otherwise

    member _.Wholes name = tryGet name |> Option.map (fun v -> [ for x in v.EnumerateArray() -> x.GetInt32() ])

let number (e: JsonElement) =
    if e.ValueKind = JsonValueKind.String then
        match e.GetString() with
        | "Infinity" -> infinity
        | "-Infinity" -> -infinity
        | _ -> nan
    elif e.ValueKind = JsonValueKind.True then
        1.0
    elif e.ValueKind = JsonValueKind.False then
        0.0
    else
        e.GetDouble()

let tensor (json: JsonElement) : Tensor =
    let shape = [ for d in (json.GetProperty "shape").EnumerateArray() -> d.GetInt32() ]
    let data = json.GetProperty "data"

    match (json.GetProperty "dtype").GetString() with
    | "float32" -> Tensor.create shape [| for x in data.EnumerateArray() -> float32 (number x) |]
    | "float64" -> Tensor.create shape [| for x in data.EnumerateArray() -> number x |]
    | "int32" -> Tensor.create shape [| for x in data.EnumerateArray() -> x.GetInt32() |]
    | "int64" -> Tensor.create shape [| for x in data.EnumerateArray() -> x.GetInt64() |]
    | "bool" -> Tensor.create shape [| for x in data.EnumerateArray() -> number x <> 0.0 |]
    | other -> unsupported $"element type {other}"

let wholes (t: Tensor) = Tensor.toFloats t |> Array.map int |> List.ofArray
let given (xs: Tensor[]) i = i < xs.Length && not (isNull xs[i])
let like (x: Tensor) value = Tensor.scalarOf x.DType value

/// What an operator makes of its attributes and inputs (null where one is left out).
type Operator = Attributes -> Tensor[] -> Tensor list
