/// A network as a program that depends on nothing: F# or C# to paste and run.
[<RequireQualifiedAccess>]
module Functional.NetworkSource

open System
open System.Globalization

let private number (x: float) =
    let text = x.ToString("R", CultureInfo.InvariantCulture)
    if Seq.exists (fun c -> c = '.' || c = 'E') text then text else text + ".0"

/// Of each layer a row of weights for each unit, and the biases.
let private layers (a: Approximation) = [
    for layer in a.Network.Hidden @ [ a.Network.Output ] ->
        let units = layer.Weights.Shape[1]
        let rows = Tensor.toFloats (transpose layer.Weights) |> Array.chunkBySize layer.Weights.Shape[0]
        let bias = layer.Bias |> Option.map Tensor.toFloats |> Option.defaultValue (Array.zeroCreate units)
        rows, bias
]

let private about (a: Approximation) =
    let short (x: float) = x.ToString("G3", CultureInfo.InvariantCulture)
    let box = a.Box |> List.map (fun (low, high) -> $"[{short low}, {short high}]") |> String.concat " × "
    $"A network of {a.Parameters} numbers that was fitted over {box}; its largest error was found to be {short a.Sup}."

/// F#: a module `Network` with a function `f` from the variables to the outputs.
let fsharp (a: Approximation) : string =
    let row (xs: float[]) = "[| " + String.Join("; ", Array.map number xs) + " |]"

    let activation =
        match a.Activation with
        | HiddenActivation.Sigmoid -> "1.0 / (1.0 + exp -z)"
        | HiddenActivation.Tanh -> "tanh z"
        | HiddenActivation.Relu -> "max 0.0 z"
        | HiddenActivation.Gaussian -> "exp (-z * z)"
        | HiddenActivation.Sin -> "sin z"

    String.Join(
        "\n",
        [
            $"/// {about a}"
            "module Network"
            ""
            for i, (weights, bias) in List.indexed (layers a) do
                $"let private weights{i + 1} = [|"

                for units in weights do
                    "    " + row units

                "|]"
                ""
                $"let private bias{i + 1} = {row bias}"
                ""
            $"let private unit z = {activation}"
            ""
            "let private layer (weights: float[][]) (bias: float[]) (x: float[]) ="
            "    Array.map2 (fun row b -> b + Array.sum (Array.map2 (*) row x)) weights bias"
            ""
            "/// The outputs at a point."
            "let f (x: float[]) : float[] ="
            "    x"
            for i in 1 .. a.Network.Hidden.Length do
                $"    |> layer weights{i} bias{i}"
                "    |> Array.map unit"
            let last = a.Network.Hidden.Length + 1
            $"    |> layer weights{last} bias{last}"
            ""
        ]
    )

/// C#: a class `Network` with a method `F` from the variables to the outputs.
let csharp (a: Approximation) : string =
    let row (xs: float[]) = "[" + String.Join(", ", Array.map number xs) + "]"

    let activation =
        match a.Activation with
        | HiddenActivation.Sigmoid -> "1 / (1 + Math.Exp(-z))"
        | HiddenActivation.Tanh -> "Math.Tanh(z)"
        | HiddenActivation.Relu -> "Math.Max(0, z)"
        | HiddenActivation.Gaussian -> "Math.Exp(-z * z)"
        | HiddenActivation.Sin -> "Math.Sin(z)"

    String.Join(
        "\n",
        [
            "using System;"
            "using System.Linq;"
            ""
            $"/// <summary>{about a}</summary>"
            "public static class Network"
            "{"
            for i, (weights, bias) in List.indexed (layers a) do
                $"    private static readonly double[][] Weights{i + 1} ="
                "    ["

                for units in weights do
                    $"        {row units},"

                "    ];"
                ""
                $"    private static readonly double[] Bias{i + 1} = {row bias};"
                ""
            "    /// <summary>The outputs at a point.</summary>"
            "    public static double[] F(params double[] x)"
            "    {"
            for i in 1 .. a.Network.Hidden.Length do
                $"        x = Layer(Weights{i}, Bias{i}, x).Select(Unit).ToArray();"
            let last = a.Network.Hidden.Length + 1
            $"        return Layer(Weights{last}, Bias{last}, x);"
            "    }"
            ""
            $"    private static double Unit(double z) => {activation};"
            ""
            "    private static double[] Layer(double[][] weights, double[] bias, double[] x) =>"
            "        weights.Select((row, i) => bias[i] + row.Zip(x, (w, v) => w * v).Sum()).ToArray();"
            "}"
            ""
        ]
    )
