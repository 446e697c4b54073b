// What is known of a model once the shapes of its inputs are: the network, its parameters, what everything is called.
namespace Functional.CSharp;

/// <summary>A network with its parameters.</summary>
internal sealed class Built
{
    private static readonly EqualityComparer<int[]> SameShape = EqualityComparer<int[]>.Create((a, b) => a!.AsSpan().SequenceEqual(b));

    private readonly int[][][] shapes;
    private object[] parameters;
    private readonly bool[] takesIntegers;
    private Func<TrainingState<object[]>>? lent;

    /// <param name="network">The F# network.</param>
    /// <param name="layers">The layers of its blocks, in order.</param>
    /// <param name="arguments">What the layers are told, call by call.</param>
    /// <param name="inputNames">What its inputs are called.</param>
    /// <param name="inputShapes">The shapes of its inputs, without the batch axis.</param>
    /// <param name="parameters">Its parameters.</param>
    private Built(Network network, IReadOnlyList<Layer> layers, IReadOnlyList<LayerConfig?> arguments, string[] inputNames, int[][] inputShapes, object[] parameters)
    {
        Network = network;
        Layers = layers;
        Arguments = arguments;
        InputShapes = inputShapes;
        this.parameters = parameters;
        InputNames = inputNames;
        LayerNames = NameLayers(layers);
        shapes = [.. NetworkModule.shapes(network, inputShapes).Select((outputs, i) => layers[network.Calls[i].Block].Seen(outputs))];
        OutputShapes = [.. network.Outputs.Select(ShapeOf)];
        OutputNames = Unique([.. network.Outputs.Select(NameOf)]);
        Remembering = Remembering.Of(network, layers, inputShapes);
        takesIntegers = TakeIntegers(network, layers, inputNames.Length);
        var types = Tree.leaves(parameters).Select(weight => weight.DType).Where(type => type.IsFloat()).Distinct().ToArray();
        FloatType = types is [var one] ? one : null;
    }

    public Network Network { get; }

    public IReadOnlyList<Layer> Layers { get; }

    public IReadOnlyList<LayerConfig?> Arguments { get; }

    public string[] LayerNames { get; }

    public string[] InputNames { get; }

    public int[][] InputShapes { get; }

    public string[] OutputNames { get; }

    public int[][] OutputShapes { get; }

    public object[] Parameters
    {
        get
        {
            if (lent is not null) Parameters = lent().Parameters;
            return parameters;
        }

        set => (parameters, lent) = (Remembering?.Take(value) ?? value, null);
    }

    /// <summary>What the weights are, and so the data must be; null where there are none, or several kinds.</summary>
    public DType? FloatType { get; }

    /// <summary>Inputs as the layers take them, as in Keras: floats of the weights' type, integers too where no layer behind
    /// reads classes or tokens; one number for each example stands for a column.</summary>
    public Tensor[] Cast(Tensor[] inputs)
    {
        Tensor One(Tensor x, int i)
        {
            if (x.Rank == 1 && InputShapes[i] is [1]) x = x.ExpandDims(1);
            var isNumber = x.DType.IsFloat() || (x.DType != DType.Bool && !takesIntegers[i]);
            return FloatType is { } type && isNumber && x.DType != type ? x.Cast(type) : x;
        }

        return [.. inputs.Select(One)];
    }

    /// <summary>What stateful layers remember; null where there are none.</summary>
    public Remembering? Remembering { get; }

    /// <summary>A way to parameters that are copied out when somebody looks at them; null: as they are here.</summary>
    public void Lend(Func<TrainingState<object[]>>? state) => lent = state;

    /// <summary>The model with parameters as they are drawn.</summary>
    public static Built Create(
        Network network, IReadOnlyList<Layer> layers, IReadOnlyList<LayerConfig?> arguments, string[] inputNames, int[][] inputShapes, Func<Network, int[][], object[]> draw) =>
        new(network, layers, arguments, inputNames, inputShapes, draw(network, inputShapes));

    /// <summary>Takes the parameters of the layers that another model has, too.</summary>
    public void BeginAs(Built other)
    {
        var begun = Parameters.ToArray();
        if (!Layers.Any(layer => other.Layers.Contains(layer)) && Layers.Count > 0)
            throw new ArgumentException("weightsFrom: the two models have no layer in common, so that no weights would be taken; a layer is the same where it is one object. Of a model made in the same way, set the weights: model.Weights = other.Weights");
        for (var i = 0; i < begun.Length; i++)
        {
            var there = other.Layers.ToList().IndexOf(Layers[i]);
            if (there < 0) continue;
            var (ours, theirs) = (Tree.leaves(begun[i]), Tree.leaves(other.Parameters[there]));
            if (!ours.Select(t => t.Shape).SequenceEqual(theirs.Select(t => t.Shape), SameShape))
                throw new ArgumentException($"weightsFrom: {LayerNames[i]} has weights of other shapes there; it is applied to other inputs");
            begun[i] = other.Parameters[there];
        }
        Parameters = begun;
    }

    /// <summary>Keras' table. In a row of layers every line follows the one before; in a graph each says what it follows.</summary>
    public Summary Summarize(bool isGraph)
    {
        var rows = new List<SummaryRow>();
        if (isGraph)
            rows.AddRange(InputNames.Select((name, i) => SummaryModule.row(name, nameof(InputLayer), Bridge.List([InputShapes[i]]), Bridge.List<string>([]), Array.Empty<Tensor>())));
        var counted = new HashSet<int>();
        for (var i = 0; i < Network.Calls.Length; i++)
        {
            var call = Network.Calls[i];
            object parameters = counted.Add(call.Block) ? Parameters[call.Block] : Array.Empty<Tensor>();
            var from = isGraph ? call.Inputs.Select(NameOf) : [];
            rows.Add(SummaryModule.row(LayerNames[call.Block], Layers[call.Block].Kind, Bridge.List(shapes[i]), Bridge.List(from), parameters));
        }
        return new Summary(Network.Name, Bridge.List(rows));
    }

    // which inputs go, over whatever layers, to one that may read integers as what they are
    private static bool[] TakeIntegers(Network network, IReadOnlyList<Layer> layers, int count)
    {
        var from = new HashSet<int>[network.Calls.Length];
        var takes = new bool[count];
        for (var i = 0; i < from.Length; i++)
        {
            var call = network.Calls[i];
            from[i] = [.. call.Inputs.SelectMany(source => source.Call < 0 ? [source.Output] : from[source.Call])];
            if (layers[call.Block].TakesIntegers)
                foreach (var input in from[i]) takes[input] = true;
        }
        return takes;
    }

    private string NameOf(Source source) => source.Call < 0 ? InputNames[source.Output] : LayerNames[Network.Calls[source.Call].Block];

    private int[] ShapeOf(Source source) => source.Call < 0 ? InputShapes[source.Output] : shapes[source.Call][source.Output];

    /// <summary>The names that layers were given; the others are called by their kind and number, as Keras does.</summary>
    private static string[] NameLayers(IReadOnlyList<Layer> layers)
    {
        var numbers = new Dictionary<string, int>();
        var names = new string[layers.Count];
        for (var i = 0; i < names.Length; i++)
        {
            var kind = Names.Snake(layers[i].Kind);
            var number = numbers[kind] = numbers.GetValueOrDefault(kind) + 1;
            names[i] = layers[i].Name ?? $"{kind}_{number}";
        }
        if (names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"model: two layers are called \"{twice.Key}\"; their names must differ");
        return names;
    }

    /// <summary>Names with a number behind those that are there already.</summary>
    private static string[] Unique(string[] names) =>
        [.. names.Select((name, i) => names[..i].Count(before => before == name) is > 0 and var others ? $"{name}_{others + 1}" : name)];
}
