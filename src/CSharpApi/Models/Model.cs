// Keras' Model: a mutable shell around an immutable F# network. All the work is done by the F# functions.
using System.Runtime.CompilerServices;

namespace Functional.CSharp;

/// <summary>A model: a network between inputs and outputs with its weights, and all that is done with it. Made of nodes it is
/// any graph, with several inputs and outputs and layers that are used more than once; <see cref="Sequential"/> is the row of
/// layers.</summary>
/// <example><code>
/// var words = Model.Input(20);
/// var numbers = Model.Input(4);
/// var text = new LSTM(32).Apply(new Embedding(1000, 16).Apply(words));
/// var both = new Concatenate().Apply([text, numbers]);
/// var model = new Model(inputs: [words, numbers], outputs: new Dense(1, "sigmoid").Apply(both));
/// model.Compile(loss: "binary_crossentropy", optimizer: "adam", metrics: ["accuracy"]);
/// model.Fit([texts, counts], labels, epochs: 5);
/// </code></example>
public partial class Model
{
    private readonly long drawnFrom;
    private Built? built;

    /// <summary>The model between inputs and outputs.</summary>
    /// <param name="inputs">The nodes that data is given for: a node, or several in brackets.</param>
    /// <param name="outputs">The nodes that it answers with: a node, or several in brackets.</param>
    /// <param name="name">What it is called in the summary.</param>
    /// <param name="seed">What the weights are drawn from: the same seed gives the same weights; random when null.</param>
    /// <param name="weightsFrom">A model that has some of the layers: they begin with the weights that they have there. Later
    /// neither model changes the other.</param>
    /// <exception cref="ArgumentException">An output needs an input that is not listed, or an input is used by no output.</exception>
    /// <example><code>
    /// var model = new Model(x, new Dense(10, "softmax").Apply(features));
    /// var extractor = new Model(x, features, weightsFrom: model);   // what the trained model sees
    /// </code></example>
    public Model(Nodes inputs, Nodes outputs, string name = "model", long? seed = null, Model? weightsFrom = null)
        : this(name, seed)
    {
        built = Graph.Build(name, inputs.ToArray(), outputs.ToArray(), Draw);
        if (weightsFrom is not null) built.BeginAs(weightsFrom.RequireBuilt("weightsFrom"));
    }

    private protected Model(string name, long? seed, bool isFromFile = false)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        var from = seed ?? System.Random.Shared.NextInt64();
        drawnFrom = from;
        Draw = isFromFile ? NetworkModule.outline : (network, shapes) => NetworkModule.initialize(network, Key.create(from), shapes);
    }

    private Model(Node[] inputs, Node[] outputs, string name)
        : this(name, null, isFromFile: true) =>
        built = Graph.Build(name, inputs, outputs, Draw);

    /// <summary>What the model is called.</summary>
    public string Name { get; }

    /// <summary>The layers, in order; one that is used several times once.</summary>
    public virtual IReadOnlyList<Layer> Layers => RequireBuilt("Layers").Layers;

    /// <summary>The layer of a name: the one it was given, or that of its kind and number, as the summary has it.</summary>
    /// <param name="name">For example <c>"dense_1"</c>.</param>
    /// <exception cref="ArgumentException">No layer is called so; the message lists those that there are.</exception>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    /// <example><code>var features = model.GetLayer("dense_1");</code></example>
    public Layer GetLayer(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var model = RequireBuilt("GetLayer");
        var place = Array.IndexOf(model.LayerNames, name);
        return place >= 0
            ? model.Layers[place]
            : throw new ArgumentException($"GetLayer: no layer is called \"{name}\"; there are {string.Join(", ", model.LayerNames)}", nameof(name));
    }

    /// <summary>The shapes of one example of each input, without the batch axis; null for a size that is not known before there is
    /// data.</summary>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    public IReadOnlyList<IReadOnlyList<int?>> InputShapes => [.. RequireBuilt("InputShapes").InputShapes.Select(Dimensions.Seen)];

    /// <summary>The shapes of one answer of each output, without the batch axis.</summary>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    public IReadOnlyList<IReadOnlyList<int?>> OutputShapes => [.. RequireBuilt("OutputShapes").OutputShapes.Select(Dimensions.Seen)];

    /// <summary>The names of the outputs: what stands before their numbers in a history where there are several.</summary>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    public IReadOnlyList<string> OutputNames => RequireBuilt("OutputNames").OutputNames;

    /// <summary>All weights, layer by layer. Setting them checks number, shapes and types; nothing changes when they do
    /// not fit.</summary>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    /// <exception cref="ArgumentException">The weights set do not fit.</exception>
    public IReadOnlyList<Tensor> Weights
    {
        get => Tree.leaves(RequireBuilt("Weights").Parameters);
        set => SetWeights(value);
    }

    /// <summary>The names of the weights: <c>[0].Weights</c>, <c>[0].Bias</c>, in the order of <see cref="Weights"/>.</summary>
    public IReadOnlyList<string> WeightNames => Tree.paths(RequireBuilt("WeightNames").Parameters);

    /// <summary>A graph whose weights are in a file: until they are read it knows their shapes alone.</summary>
    internal static Model ForFile(Node[] inputs, Node[] outputs, string name) => new(inputs, outputs, name);

    /// <summary>Makes the weights of a network for inputs of some shapes.</summary>
    private protected Func<Network, int[][], object[]> Draw { get; }

    /// <summary>Whether the weights are no longer those that were drawn.</summary>
    private protected bool HasLearnt => hasLearnt;

    /// <summary>An input of a model.</summary>
    /// <param name="shape">The shape of one example, without the batch axis; null for a size that may be another for every
    /// batch.</param>
    /// <exception cref="ArgumentException">A size under 1.</exception>
    /// <example><code>
    /// var image = Model.Input(28, 28, 1);
    /// var sequence = Model.Input(null, 8);   // of any number of steps
    /// </code></example>
    [OverloadResolutionPriority(1)]
    public static Node Input(params int?[]? shape) => new InputLayer(shape).Apply([]);

    /// <summary>An input of a model, all of whose sizes are known.</summary>
    /// <param name="shape">The shape of one example, without the batch axis.</param>
    /// <exception cref="ArgumentException">A size under 1.</exception>
    /// <example><code>var x = Model.Input(data.Shape[1..]);</code></example>
    public static Node Input(int[] shape) => new InputLayer(shape).Apply([]);

    /// <summary>An input of a model, with a name.</summary>
    /// <param name="name">What it is called in summaries and errors.</param>
    /// <param name="shape">The shape of one example, without the batch axis; null for a size that may be another for every
    /// batch.</param>
    /// <exception cref="ArgumentException">A size under 1.</exception>
    /// <example><code>var image = Model.Input("image", 28, 28, 1);</code></example>
    public static Node Input(string name, params int?[]? shape) => new InputLayer(shape) { Name = name }.Apply([]);

    /// <summary>The model's layers applied to nodes: a part of a larger model. Applied twice, they use the same weights
    /// twice. The weights are the larger model's own; give it <c>weightsFrom</c> to begin with those of this one.</summary>
    /// <param name="inputs">A node for each input.</param>
    /// <returns>What the model will give.</returns>
    /// <exception cref="ArgumentException">A layer cannot take inputs of these shapes; the message says why.</exception>
    /// <exception cref="InvalidOperationException">The model has several outputs: <see cref="ApplyAll"/> gives them.</exception>
    /// <example><code>var likeness = new Dot(1).Apply([tower.Apply(left), tower.Apply(right)]);</code></example>
    public Node Apply(Nodes inputs) => ApplyAll(inputs) is [var one]
        ? one
        : throw new InvalidOperationException($"{Name}: the model gives several outputs; ApplyAll returns them");

    /// <summary>All outputs of the model's layers applied to nodes.</summary>
    /// <param name="inputs">A node for each input.</param>
    /// <returns>What the model will give.</returns>
    /// <exception cref="ArgumentException">A layer cannot take inputs of these shapes; the message says why.</exception>
    /// <example><code>Node[] outputs = encoder.ApplyAll(question);</code></example>
    public Node[] ApplyAll(Nodes inputs)
    {
        var nodes = inputs.ToArray();
        if (built is null && nodes is [var only]) TryBuild(only.Sizes);
        var model = RequireBuilt("Apply");
        if (nodes.Length != model.InputNames.Length)
            throw new ArgumentException($"{Name}: the model has {model.InputNames.Length} inputs ({string.Join(", ", model.InputNames)}), {nodes.Length} nodes were given", nameof(inputs));
        for (var i = 0; i < nodes.Length; i++)
            if (!Dimensions.Fits(nodes[i].Sizes, model.InputShapes[i]))
                throw new ArgumentException($"{Name}: {model.InputNames[i]} takes examples of shape {Show(model.InputShapes[i])}, the node {nodes[i]} was given", nameof(inputs));
        return Graph.Replay(model, nodes);
    }

    /// <summary>Lets the stateful layers begin anew: the next batch is the beginning of its sequences. Otherwise every batch of
    /// <see cref="Fit(TensorLike, TensorLike, int, int, int, IEnumerable{Callback}?, double, ValueTuple{TensorLike, TensorLike}?, bool, long?, string?, CancellationToken, TensorLike?, IReadOnlyDictionary{int, double}?, TensorLike?)"/>,
    /// <see cref="Evaluate"/> and <see cref="Predict"/> goes on where the one before ended, example by example; no gradient crosses
    /// from one to the other. Validation begins from zeros and changes nothing. Called from a callback it counts for the batches
    /// that follow.</summary>
    /// <param name="batchSize">How many sequences begin; as many as the next batch has when null.</param>
    /// <example><code>
    /// var model = new Sequential([new LSTM(32, stateful: true) { InputShape = [10, 1] }, new Dense(1)]);
    /// model.Compile("mse", "adam");
    /// foreach (var song in songs)
    /// {
    ///     model.Fit(song.X, song.Y, batchSize: 1, shuffle: false);
    ///     model.ResetStates();
    /// }
    /// </code></example>
    public void ResetStates(int? batchSize = null)
    {
        if (batchSize < 1) throw new ArgumentOutOfRangeException(nameof(batchSize), $"ResetStates: {batchSize} sequences; there must be at least one");
        EndOnline();
        built?.Remembering?.Reset(batchSize);
    }

    /// <summary>The number of numbers that the model's weights hold.</summary>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    /// <example><code>Console.WriteLine(model.CountParams());   // 648010</code></example>
    public long CountParams() => Tree.leaves(RequireBuilt("CountParams").Parameters).Sum(t => (long)t.Size);

    /// <summary>The layers, their output shapes and the number of their parameters, as Keras prints it.</summary>
    /// <param name="output">Where to print; the console when null.</param>
    /// <returns>The text that was printed.</returns>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    public string Summary(TextWriter? output = null)
    {
        var text = RequireBuilt("Summary").Summarize(IsGraph).ToString();
        (output ?? Console.Out).Write(text);
        return text;
    }

    /// <summary>Whether the layers' order does not say what follows what.</summary>
    private protected virtual bool IsGraph => true;

    private protected static string Show(IEnumerable<int> shape) => Dimensions.Show(shape);

    /// <summary>Builds a model whose shapes are known only now, where it can: by what its layers say, else by the data's.</summary>
    private protected virtual Built? TryBuild(int[]? exampleShape) => built;

    /// <summary>The network as it is built; null as long as it is not.</summary>
    private protected Built? Current
    {
        get => built;
        set => (built, trainer, online) = (value, null, null);
    }

    private protected Built RequireBuilt(string operation) => built ?? TryBuild(null)
        ?? throw new InvalidOperationException($"{operation}: the shape of the input is not known yet; give the first layer its inputDim or InputShape, call Build, or show the model data first");

    /// <summary>The model as built for data, and the data as its layers take them.</summary>
    private (Built Model, Tensor[] Inputs) BuildFor(string operation, Tensor[] inputs)
    {
        if (inputs.Any(x => x.Rank == 0))
            throw new ArgumentException($"{operation}: the data is a single number; the first axis must count the examples", nameof(inputs));
        var model = built ?? TryBuild(inputs[0].Rank == 1 ? [1] : inputs[0].Shape[1..])!;
        if (inputs.Length != model.InputShapes.Length)
            throw new ArgumentException($"{operation}: the model has {model.InputShapes.Length} inputs ({string.Join(", ", model.InputNames)}), data for {inputs.Length} was given", nameof(inputs));
        inputs = model.Cast(inputs);
        for (var i = 0; i < inputs.Length; i++)
        {
            var (expected, given) = (model.InputShapes[i], inputs[i].Shape);
            var which = inputs.Length == 1 ? "" : $" of {model.InputNames[i]}";
            if (!Dimensions.Fits(given.AsSpan(1), expected))
                throw new ArgumentException($"{operation}: the model takes examples of shape {Show(expected)}, the data{which} has examples of shape {Show(given[1..])} (data {Show(given)})", nameof(inputs));
        }
        return (model, inputs);
    }

    private void SetWeights(IReadOnlyList<Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        RequireMayChangeWeights("Weights");
        var model = RequireBuilt("Weights");
        var (old, names) = (Tree.leaves(model.Parameters), Tree.paths(model.Parameters));
        if (weights.Count != old.Length)
            throw new ArgumentException($"Weights: the model has {old.Length} weights ({string.Join(", ", names)}), {weights.Count} were given", nameof(weights));
        for (var i = 0; i < old.Length; i++)
        {
            if (weights[i] is null)
                throw new ArgumentNullException(nameof(weights), $"Weights: {names[i]} is null");
            if (!old[i].Shape.SequenceEqual(weights[i].Shape) || old[i].DType != weights[i].DType)
                throw new ArgumentException($"Weights: {names[i]} is {old[i].DType} {Show(old[i].Shape)}, {weights[i].DType} {Show(weights[i].Shape)} was given", nameof(weights));
        }
        EndOnline();
        model.Parameters = Tree.rebuild(model.Parameters, [.. weights]);
        hasLearnt = weightsSet = true;
    }
}
