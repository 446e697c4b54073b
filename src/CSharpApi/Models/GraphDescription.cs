// How a graph stands in a file: inputs by name and shape, calls of layers in order, outputs. A tensor is a pair of numbers,
// the call that makes it (−1: the inputs) and which of its outputs it is. A size that is not known is −1, too.
using System.Text.Json.Nodes;

namespace Functional.CSharp;

internal static class GraphDescription
{
    public static void Write(JsonObject description, Built model)
    {
        description["inputs"] = new JsonArray(
            [.. model.InputNames.Select((name, i) => new JsonObject { ["name"] = name, ["shape"] = Numbers(model.InputShapes[i]) })]);
        description["calls"] = new JsonArray(
            [.. model.Network.Calls.Zip(model.Arguments).Select(pair => Called(pair.First, pair.Second))]);
        description["outputs"] = Sources(model.Network.Outputs);
    }

    public static Model Read(JsonObject description, IReadOnlyList<Layer> layers, string name)
    {
        Node[] inputs =
        [
            .. Described.Array(description, "inputs")
                .Select(input => Described.Object(input, "an input"))
                .Select(input => Model.Input(Described.Text(input, "name"), Dimensions.Seen(Described.Wholes(input["shape"], "shape")))),
        ];
        var made = new List<Node[]>();
        Node At(JsonNode? source) => Described.Wholes(source, "a source") is [var call, var output]
            ? call == -1 ? Described.At(inputs, output, "an input") : Described.At(Described.At(made, call, "a call"), output, "an output")
            : throw Described.Damaged("a source is not two numbers");
        Node[] All(JsonNode? sources) => [.. Described.Array(sources, "sources").Select(At)];

        foreach (var node in Described.Array(description, "calls"))
        {
            var call = Described.Object(node, "a call");
            var layer = Described.At(layers, Described.Whole(call, "layer"), "a layer");
            made.Add(new LayerCall(layer, All(call["inputs"]), call["arguments"] is { } told ? LayerConfig.Parse(told) : null).Outputs);
        }
        return Model.ForFile(inputs, All(description["outputs"]), name);
    }

    private static JsonObject Called(Call call, LayerConfig? arguments)
    {
        var description = new JsonObject { ["layer"] = call.Block, ["inputs"] = Sources(call.Inputs) };
        if (arguments is not null) description["arguments"] = arguments.ToJson().DeepClone();
        return description;
    }

    private static JsonArray Sources(Source[] sources) => new([.. sources.Select(source => Numbers([source.Call, source.Output]))]);

    public static JsonArray Numbers(int[] numbers) => new([.. numbers.Select(number => JsonValue.Create(number))]);
}
