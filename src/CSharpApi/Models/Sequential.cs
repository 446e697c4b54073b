// Keras' Sequential: a mutable shell around an immutable F# model. Layers are added, built when the input's shape is
// known, trained and used; all the work is done by the F# functions.
namespace Functional.CSharp;

/// <summary>A model of layers one after another, with Keras' names and defaults.</summary>
/// <example><code>
/// var model = new Sequential();
/// model.Add(new Dense(inputDim: 28 * 28, outputDim: 500));
/// model.Add(new Activation("sigmoid"));
/// model.Add(new Dense(outputDim: 10));
/// model.Add(new Activation("softmax"));
/// model.Compile(loss: "mse", optimizer: new SGD(lr: 0.1), metrics: ["accuracy"]);
/// model.Fit(x, y, batchSize: 100, epochs: 20);
/// var (loss, accuracy) = model.Evaluate(xTest, yTest);
/// </code></example>
public sealed partial class Sequential
{
    private readonly List<Layer> layers = [];
    private readonly long seed;
    private Built? built;

    /// <summary>A model without layers.</summary>
    /// <param name="name">What it is called in the summary.</param>
    /// <param name="seed">What the weights are drawn from: the same seed gives the same weights; random when null.</param>
    public Sequential(string name = "sequential", long? seed = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        this.seed = seed ?? System.Random.Shared.NextInt64();
    }

    /// <summary>A model of layers.</summary>
    /// <param name="layers">The layers, in order.</param>
    /// <param name="name">What it is called in the summary.</param>
    /// <param name="seed">What the weights are drawn from; random when null.</param>
    /// <example><code>var model = new Sequential([new Dense(64, "relu"), new Dense(1)]);</code></example>
    public Sequential(IEnumerable<Layer> layers, string name = "sequential", long? seed = null)
        : this(name, seed)
    {
        ArgumentNullException.ThrowIfNull(layers);
        foreach (var layer in layers) Add(layer);
    }

    /// <summary>What the model is called.</summary>
    public string Name { get; }

    /// <summary>The layers, in order.</summary>
    public IReadOnlyList<Layer> Layers => layers;

    /// <summary>The shape of one example, without the batch axis; null as long as it is not known.</summary>
    public IReadOnlyList<int>? InputShape => built?.InputShape ?? layers.FirstOrDefault()?.InputShape;

    /// <summary>The shape of one answer, without the batch axis.</summary>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    public IReadOnlyList<int> OutputShape => RequireBuilt("OutputShape").OutputShape;

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

    /// <summary>Adds a layer at the end.</summary>
    /// <param name="layer">The layer.</param>
    /// <exception cref="InvalidOperationException">The model has learnt something already.</exception>
    public void Add(Layer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (hasLearnt)
            throw new InvalidOperationException("Add: the model has weights that were learnt or set, and another layer would make a model of other weights; add all layers first");
        layers.Add(layer);
        built = null;
        trainer = null;
    }

    /// <summary>Draws the weights for examples of a shape; done by itself when the first layer or the data say the shape.</summary>
    /// <param name="inputShape">The shape of one example, without the batch axis.</param>
    /// <exception cref="ArgumentException">A layer cannot follow the one before it; the message names both.</exception>
    public void Build(params int[] inputShape)
    {
        ArgumentNullException.ThrowIfNull(inputShape);
        if (built is not null)
        {
            if (!built.InputShape.SequenceEqual(inputShape))
                throw new InvalidOperationException($"Build: the model is built for examples of shape {Show(built.InputShape)} already, not {Show(inputShape)}");
            return;
        }

        var real = layers.Where(layer => layer is not InputLayer).ToList();
        if (real.Count == 0)
            throw new InvalidOperationException("Build: the model has no layers; add some first: model.Add(new Dense(10))");
        var made = real.Select(layer => layer.Create()).ToList();
        var network = LayerModule.sequential(Name, Bridge.List(made));
        int[] output = network.OutputShape.Invoke(inputShape);
        var parameters = Bridge.Call(network.Initialize, Key.create(seed), inputShape);
        built = new Built([.. inputShape], output, real, made, network, parameters);
    }

    /// <summary>The number of numbers that the model's weights hold.</summary>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    /// <example><code>Console.WriteLine(model.CountParams());   // 648,010 for 784-500-500-10</code></example>
    public long CountParams() => Tree.leaves(RequireBuilt("CountParams").Parameters).Sum(t => (long)t.Size);

    /// <summary>The layers, their output shapes and the number of their parameters, as Keras prints it.</summary>
    /// <param name="output">Where to print; the console when null.</param>
    /// <returns>The text that was printed.</returns>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    public string Summary(TextWriter? output = null)
    {
        var model = RequireBuilt("Summary");
        var rows = new List<SummaryRow>();
        var counts = new Dictionary<string, int>();
        var shape = model.InputShape;
        for (var i = 0; i < model.Layers.Count; i++)
        {
            var layer = model.Layers[i];
            shape = model.Made[i].OutputShape.Invoke(shape);
            var number = counts[layer.Kind] = counts.GetValueOrDefault(layer.Kind) + 1;
            rows.Add(SummaryModule.row(layer.Name ?? $"{Names.Snake(layer.Kind)}_{number}", layer.Kind, Bridge.Option(shape), model.Parameters[i]));
        }

        var text = new Summary(Name, Bridge.List(rows)).ToString();
        (output ?? Console.Out).Write(text);
        return text;
    }

    private static string Show(IReadOnlyList<int> shape) => $"({string.Join(", ", shape)})";

    private void SetWeights(IReadOnlyList<Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
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
        model.Parameters = Tree.rebuild(model.Parameters, [.. weights]);
        hasLearnt = true;
    }

    private Built RequireBuilt(string operation)
    {
        if (built is null)
        {
            if (layers.FirstOrDefault()?.InputShape is not { } shape)
                throw new InvalidOperationException($"{operation}: the shape of the input is not known yet; give the first layer its inputDim or InputShape, call Build, or show the model data first");
            Build(shape);
        }
        return built!;
    }

    /// <summary>The model as built for data: by the first layer's shape, else by the data's.</summary>
    private Built BuildFor(string operation, Tensor x)
    {
        if (x.Rank == 0)
            throw new ArgumentException($"{operation}: the data is a single number; the first axis must count the examples", nameof(x));
        if (built is null) Build(layers.FirstOrDefault()?.InputShape ?? x.Shape[1..]);
        if (!x.Shape.AsSpan(1).SequenceEqual(built!.InputShape))
            throw new ArgumentException($"{operation}: the model takes examples of shape {Show(built.InputShape)}, the data has examples of shape {Show(x.Shape[1..])} (data {Show(x.Shape)})", nameof(x));
        return built;
    }

    /// <summary>What is known once the input's shape is.</summary>
    private sealed class Built(
        int[] inputShape, int[] outputShape, IReadOnlyList<Layer> layers, IReadOnlyList<Layer<object>> made, Layer<object[]> network, object[] parameters)
    {
        public int[] InputShape => inputShape;

        public int[] OutputShape => outputShape;

        public IReadOnlyList<Layer> Layers => layers;

        public IReadOnlyList<Layer<object>> Made => made;

        public Layer<object[]> Network => network;

        public object[] Parameters
        {
            get
            {
                if (lent is not null) Parameters = lent().Parameters;
                return parameters;
            }

            set => (parameters, lent) = (value, null);
        }

        /// <summary>A way to parameters that are copied out when somebody looks at them; null: as they are here.</summary>
        public void Lend(Func<TrainingState<object[]>>? state) => lent = state;

        private Func<TrainingState<object[]>>? lent;
    }
}
