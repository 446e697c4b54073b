// From nodes to a network: the applications of layers that lie between inputs and outputs, and what can be wrong with them.
namespace Functional.CSharp;

internal static class Graph
{
    /// <summary>The model between inputs and outputs, with parameters as they are drawn.</summary>
    public static Built Build(string name, Node[] inputs, Node[] outputs, Func<Network, int[][], object[]> draw)
    {
        if (inputs.Length == 0) throw new ArgumentException($"{name}: a model needs an input: Model.Input(784)", nameof(inputs));
        if (outputs.Length == 0) throw new ArgumentException($"{name}: a model needs an output: a node that a layer gave", nameof(outputs));
        if (inputs.Distinct().Count() < inputs.Length) throw new ArgumentException($"{name}: an input is listed twice", nameof(inputs));

        var calls = Between(name, inputs, outputs);
        List<Layer> layers = [.. calls.Select(call => call.Layer).Distinct()];
        var place = calls.Select((call, i) => (call, i)).ToDictionary(pair => pair.call, pair => pair.i);

        Source SourceOf(Node node) => Array.IndexOf(inputs, node) is >= 0 and var i ? new Source(call: -1, output: i) : new Source(call: place[node.Call], output: node.Output);

        var network = new Network(
            name: name,
            blocks: [.. layers.Select(layer => layer.Block)],
            calls: [.. calls.Select(call => new Call(
                block: layers.IndexOf(call.Layer),
                inputs: [.. call.Inputs.Select(SourceOf)],
                @as: Bridge.Option(call.Arguments is null ? null : call.Block)))],
            outputs: [.. outputs.Select(SourceOf)]);
        RequireUsed(name, inputs, network);
        string[] inputNames = [.. inputs.Select((node, i) => node.Layer.Name ?? $"input_{i + 1}")];
        return Built.Create(network, layers, [.. calls.Select(call => call.Arguments)], inputNames, [.. inputs.Select(node => node.Sizes)], draw);
    }

    /// <summary>A model's layers applied to other nodes.</summary>
    public static Node[] Replay(Built model, Node[] inputs)
    {
        var made = new List<Node[]>();
        Node At(Source source) => source.Call < 0 ? inputs[source.Output] : made[source.Call][source.Output];

        foreach (var (call, arguments) in model.Network.Calls.Zip(model.Arguments))
            made.Add(new LayerCall(model.Layers[call.Block], [.. call.Inputs.Select(At)], arguments).Outputs);
        return [.. model.Network.Outputs.Select(At)];
    }

    /// <summary>The applications that the outputs need, in the order in which they were made.</summary>
    private static List<LayerCall> Between(string name, Node[] inputs, Node[] outputs)
    {
        var found = new HashSet<LayerCall>();
        var open = new Stack<Node>(outputs);
        while (open.TryPop(out var node))
        {
            if (inputs.Contains(node)) continue;
            if (node.Call.Inputs.Length == 0)
                throw new ArgumentException(
                    $"{name}: the graph is disconnected: the outputs need the input {node}, which is not among the inputs ({string.Join(", ", inputs.Select(input => input.ToString()))})", nameof(inputs));
            if (!found.Add(node.Call)) continue;
            foreach (var input in node.Call.Inputs) open.Push(input);
        }
        return [.. found.OrderBy(call => call.Number)];
    }

    private static void RequireUsed(string name, Node[] inputs, Network network)
    {
        var used = network.Calls.SelectMany(call => call.Inputs).Concat(network.Outputs).Where(source => source.Call < 0).Select(source => source.Output).ToHashSet();
        for (var i = 0; i < inputs.Length; i++)
            if (!used.Contains(i))
                throw new ArgumentException($"{name}: no output depends on the input {inputs[i]} (number {i + 1}); leave it out, or connect it", nameof(inputs));
    }
}
