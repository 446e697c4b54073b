// The network as a program that needs nothing: C# or F#, to paste and run.
using System.Globalization;

namespace Playground.Functions;

internal static class Source
{
    private static readonly Dictionary<string, (string CSharp, string FSharp)> Activations = new()
    {
        ["tanh"] = ("Math.Tanh(z)", "tanh z"),
        ["relu"] = ("Math.Max(0.0, z)", "max 0.0 z"),
        ["sigmoid"] = ("1.0 / (1.0 + Math.Exp(-z))", "1.0 / (1.0 + exp -z)"),
        ["linear"] = ("z", "z"),
        ["sin"] = ("Math.Sin(z)", "sin z"),
        ["gaussian"] = ("Math.Exp(-z * z)", "exp (-z * z)"),
    };

    /// <summary>A class <c>Network</c> with a function <c>F</c>.</summary>
    public static string CSharp(Net net, Lesson lesson, string activation)
    {
        string List(IEnumerable<string> items) => $"[{string.Join(", ", items)}]";
        var arguments = lesson.Inputs == 1 ? "double x" : "double x, double y";
        var answer = lesson.Classifies ? "Math.Tanh(values[0])" : $"{Number(lesson.OutputScale.Middle)} + {Number(lesson.OutputScale.Half)} * values[0]";
        return $$"""
            // A network of {{net.Count}} parameters, as it was learnt in the playground.
            using System;

            public static class Network
            {
                // layer by layer, for each of its neurons: the weights of its inputs
                private static readonly double[][][] Weights =
                [
            {{Lines(net, rows => $"        {List(rows.Select(row => List(row.Select(Number))))},")}}
                ];

                private static readonly double[][] Bias =
                [
            {{string.Join("\n", net.Layers.Select(layer => $"        {List(layer.Bias.ToDoubles().Select(Number))},"))}}
                ];

                private static double Activation(double z) => {{Activations[activation].CSharp}};

                public static double F({{arguments}})
                {
                    double[] values = {{List(Inputs(lesson))}};
                    for (var layer = 0; layer < Weights.Length; layer++)
                    {
                        var next = new double[Bias[layer].Length];
                        for (var neuron = 0; neuron < next.Length; neuron++)
                        {
                            var sum = Bias[layer][neuron];
                            for (var input = 0; input < values.Length; input++) sum += Weights[layer][neuron][input] * values[input];
                            next[neuron] = layer < Weights.Length - 1 ? Activation(sum) : sum;
                        }
                        values = next;
                    }
                    return {{answer}};
                }
            }

            """;
    }

    /// <summary>A module <c>Network</c> with a function <c>f</c>.</summary>
    public static string FSharp(Net net, Lesson lesson, string activation)
    {
        string List(IEnumerable<string> items) => $"[| {string.Join("; ", items)} |]";
        var arguments = lesson.Inputs == 1 ? "(x: float)" : "(x: float) (y: float)";
        var answer = lesson.Classifies ? "tanh out" : $"{Number(lesson.OutputScale.Middle)} + {Number(lesson.OutputScale.Half)} * out";
        return $$"""
            /// A network of {{net.Count}} parameters, as it was learnt in the playground.
            module Network

            // layer by layer, for each of its neurons: the weights of its inputs
            let private weights = [|
            {{Lines(net, rows => $"    {List(rows.Select(row => List(row.Select(Number))))}")}}
            |]

            let private bias = [|
            {{string.Join("\n", net.Layers.Select(layer => $"    {List(layer.Bias.ToDoubles().Select(Number))}"))}}
            |]

            let private activation (z: float) = {{Activations[activation].FSharp}}

            let private layer (weights: float[][]) (bias: float[]) (values: float[]) =
                Array.map2 (fun row b -> b + Array.sum (Array.map2 (*) row values)) weights bias

            let f {{arguments}} : float =
                let last = weights.Length - 1
                let hidden = Seq.fold (fun values i -> layer weights[i] bias[i] values |> Array.map activation) {{List(Inputs(lesson))}} (seq { 0 .. last - 1 })
                let out = (layer weights[last] bias[last] hidden)[0]
                {{answer}}

            """;
    }

    private static IEnumerable<string> Inputs(Lesson lesson) =>
        lesson.InputScales.Select((scale, i) => $"({"xy"[i]} - {Number(scale.Middle)}) / {Number(scale.Half)}");

    /// <summary>A line for each layer, from the weights of its neurons.</summary>
    private static string Lines(Net net, Func<double[][], string> line) =>
        string.Join("\n", net.Layers.Select(layer => line(layer.Weights.Transpose().ToRows())));

    /// <summary>A number with all its digits, which both languages read as one with a point; a sign has brackets.</summary>
    private static string Number(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        if (!text.Contains('.') && !text.Contains('E')) text += ".0";
        return value < 0 ? $"({text})" : text;
    }
}
