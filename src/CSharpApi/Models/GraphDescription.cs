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

    public static Model Read(JsonObject description, IReadOnlyList<Layer> layers)
    {
        Node[] inputs =
        [
            .. description["inputs"]!.AsArray().Select(input => Model.Input(input!["name"]!.GetValue<string>(), Dimensions.Seen(input["shape"]!.AsArray().Select(size => size!.GetValue<int>())))),
        ];
        var made = new List<Node[]>();
        Node At(JsonNode? source) => source![0]!.GetValue<int>() is >= 0 and var call ? made[call][source[1]!.GetValue<int>()] : inputs[source[1]!.GetValue<int>()];
        Node[] All(JsonNode? sources) => [.. sources!.AsArray().Select(At)];

        foreach (var call in description["calls"]!.AsArray())
            made.Add(new LayerCall(layers[call!["layer"]!.GetValue<int>()], All(call["inputs"]), call["arguments"] is { } told ? LayerConfig.Parse(told) : null).Outputs);
        return new Model(inputs, All(description["outputs"]), description["name"]!.GetValue<string>());
    }

    private static JsonObject Called(Call call, LayerConfig? arguments)
    {
        var description = new JsonObject { ["layer"] = call.Block, ["inputs"] = Sources(call.Inputs) };
        if (arguments is not null) description["arguments"] = arguments.ToJson().DeepClone();
        return description;
    }

    private static JsonArray Sources(Source[] sources) => new([.. sources.Select(source => Numbers([source.Call, source.Output]))]);

    private static JsonArray Numbers(int[] numbers) => new([.. numbers.Select(number => JsonValue.Create(number))]);
}
