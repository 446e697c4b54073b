// Keras' Sequential: the model that is a row of layers, built when the input's shape is known.
using System.Runtime.CompilerServices;

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
public sealed class Sequential : Model
{
    private readonly List<Layer> layers = [];

    /// <summary>A model without layers.</summary>
    /// <param name="name">What it is called in the summary.</param>
    /// <param name="seed">What the weights are drawn from: the same seed gives the same weights; random when null.</param>
    public Sequential(string name = "sequential", long? seed = null)
        : base(name, seed)
    {
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

    /// <summary>A row of layers whose weights are in a file.</summary>
    internal Sequential(IReadOnlyList<Layer> layers, string name, int[] inputShape)
        : base(name, null, isFromFile: true)
    {
        this.layers.AddRange(layers);
        BuildFor(inputShape);
    }

    /// <summary>The layers, in order.</summary>
    public override IReadOnlyList<Layer> Layers => layers;

    /// <summary>The shape of one example, without the batch axis; null as long as it is not known. A size of null may be another
    /// for every batch.</summary>
    public IReadOnlyList<int?>? InputShape => (Current?.InputShapes[0] ?? layers.FirstOrDefault()?.ExampleShape) is { } shape ? Dimensions.Seen(shape) : null;

    /// <summary>The shape of one answer, without the batch axis.</summary>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    public IReadOnlyList<int?> OutputShape => Dimensions.Seen(RequireBuilt("OutputShape").OutputShapes[0]);

    private protected override bool IsGraph => false;

    /// <summary>Adds a layer at the end.</summary>
    /// <param name="layer">The layer.</param>
    /// <exception cref="InvalidOperationException">The model has learnt something already.</exception>
    public void Add(Layer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (HasLearnt)
            throw new InvalidOperationException("Add: the model has weights that were learnt or set, and another layer would make a model of other weights; add all layers first");
        if (layers.Contains(layer))
            throw new ArgumentException($"Add: the {layer.Kind} layer is in the model already, and a row of layers has each once; make another, or a graph in which its weights are used twice: layer.Apply(layer.Apply(x))", nameof(layer));
        layers.Add(layer);
        Current = null;
    }

    /// <summary>Takes away the last layer.</summary>
    /// <returns>The layer.</returns>
    /// <exception cref="InvalidOperationException">There is none, or the model has learnt something already.</exception>
    public Layer Pop()
    {
        if (HasLearnt)
            throw new InvalidOperationException("Pop: the model has weights that were learnt or set, and without a layer it would be a model of other weights; make another model that begins with them: new Model(…, weightsFrom: model)");
        if (layers.Count == 0) throw new InvalidOperationException("Pop: the model has no layers");
        var last = layers[^1];
        layers.RemoveAt(layers.Count - 1);
        Current = null;
        return last;
    }

    /// <summary>Draws the weights for examples of a shape; done by itself when the first layer or the data say the shape.</summary>
    /// <param name="inputShape">The shape of one example, without the batch axis; null for a size that may be another for every
    /// batch. Left out where the first layer says it.</param>
    /// <exception cref="ArgumentException">A layer cannot follow the one before it; the message names both.</exception>
    [OverloadResolutionPriority(1)]
    public void Build(params int?[]? inputShape) =>
        BuildFor(inputShape is [] && layers.FirstOrDefault()?.ExampleShape is { } known ? known : Dimensions.Known(inputShape ?? [null]));

    /// <summary>Draws the weights for examples of a shape that is known.</summary>
    /// <param name="inputShape">The shape of one example, without the batch axis.</param>
    /// <exception cref="ArgumentException">A layer cannot follow the one before it; the message names both.</exception>
    public void Build(int[] inputShape)
    {
        ArgumentNullException.ThrowIfNull(inputShape);
        BuildFor([.. inputShape]);
    }

    private void BuildFor(int[] inputShape)
    {
        if (Current is { InputShapes: [var known] })
        {
            if (!known.SequenceEqual(inputShape))
                throw new InvalidOperationException($"Build: the model is built for examples of shape {Show(known)} already, not {Show(inputShape)}");
            return;
        }

        var real = layers.Where(layer => layer is not InputLayer).ToList();
        if (real.Count == 0)
            throw new InvalidOperationException("Build: the model has no layers; add some first: model.Add(new Dense(10))");
        var network = NetworkModule.chain(Name, real.Select(layer => layer.Block));
        Current = Built.Create(network, real, new LayerConfig?[real.Count], ["input_1"], [inputShape], Draw);
    }

    /// <summary>The model of a file that <see cref="Model.Save"/> or <see cref="ModelCheckpoint"/> wrote, compiled as it
    /// was.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or holds a graph, or layers that are functions of one's
    /// own.</exception>
    /// <example><code>var model = Sequential.Load("model.safetensors");</code></example>
    public static new Sequential Load(string path) => Model.Load(path) as Sequential
        ?? throw new InvalidDataException($"load: {path} holds a graph of layers, not a row of them; load it with Model.Load");

    private protected override Built? TryBuild(int[]? exampleShape)
    {
        if ((layers.FirstOrDefault()?.ExampleShape ?? exampleShape) is { } shape) BuildFor(shape);
        return Current;
    }
}
