/// The NIST's reference sets for nonlinear least squares (StRD), with certified results, and their models.
module Functional.Tests.Minimizers.NistSets

open System
open System.IO
open System.Text.Json
open Functional

type NistSet = {
    Name: string
    X: Tensor
    Y: Tensor
    /// Far from the solution, and near it.
    Starts: Tensor list
    Parameters: float[]
    Deviations: float[]
    Squares: float
    DegreesOfFreedom: int
}

let private gaussians (b: Tensor) (x: Tensor) =
    b[0] * exp (-b[1] * x)
    + b[2] * exp (-square((x - b[3]) / b[4]))
    + b[5] * exp (-square((x - b[6]) / b[7]))

let private exponentials (b: Tensor) (x: Tensor) =
    b[0] * exp (-b[1] * x) + b[2] * exp (-b[3] * x) + b[4] * exp (-b[5] * x)

let private quotient (b: Tensor) (x: Tensor) = exp (-b[0] * x) / (b[1] + b[2] * x)

/// The model of a set: parameters, then x.
let model (name: string) (b: Tensor) (x: Tensor) : Tensor =
    match name with
    | "Chwirut1"
    | "Chwirut2" -> quotient b x
    | "DanWood" -> b[0] * x ** b[1]
    | "Gauss1"
    | "Gauss2"
    | "Gauss3" -> gaussians b x
    | "Kirby2" -> (b[0] + b[1] * x + b[2] * x * x) / (1.0 + b[3] * x + b[4] * x * x)
    | "Lanczos1"
    | "Lanczos2"
    | "Lanczos3" -> exponentials b x
    | "Misra1a" -> b[0] * (1.0 - exp (-b[1] * x))
    | "Misra1b" -> b[0] * (1.0 - (1.0 + b[1] * x / 2.0) ** -2.0)
    | "Misra1c" -> b[0] * (1.0 - (1.0 + 2.0 * b[1] * x) ** -0.5)
    | "Misra1d" -> b[0] * b[1] * x / (1.0 + b[1] * x)
    | "Roszman1" -> b[0] - b[1] * x - atan (b[2] / (x - b[3])) / Math.PI
    | other -> failwith $"no model of {other} is written down"

let read (path: string) : NistSet list =
    use document = JsonDocument.Parse(File.ReadAllText path)
    let floats (e: JsonElement) = [| for x in e.EnumerateArray() -> x.GetDouble() |]

    [
        for set in document.RootElement.EnumerateArray() do
            let get (name: string) = set.GetProperty name
            let rows = [| for row in get("data").EnumerateArray() -> floats row |]

            {
                Name = get("name").GetString()
                Y = rows |> Array.map (fun row -> row[0]) |> Tensor.ofSeq
                X = rows |> Array.map (fun row -> row[1]) |> Tensor.ofSeq
                Starts = [ for start in [ "start1"; "start2" ] -> Tensor.ofSeq (floats (get start)) ]
                Parameters = floats (get "certified")
                Deviations = floats (get "certifiedStdDev")
                Squares = get("residualSumOfSquares").GetDouble()
                DegreesOfFreedom = get("degreesOfFreedom").GetInt32()
            }
    ]

/// To how many digits numbers are right, the worst of them.
let digits (right: float[]) (found: float[]) : float =
    Array.map2 (fun (a: float) b -> if a = b then 16.0 else -Math.Log10(abs ((b - a) / a))) right found
    |> Array.min
