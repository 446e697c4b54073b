// A small convolutional network that reads digits, after LeNet-5, and what each of its layers makes of one.
namespace Playground.Digits;

/// <summary>What a network makes of a digit.</summary>
/// <param name="Layers">For each layer its maps, or its numbers as a map of one row.</param>
/// <param name="Bars">How sure it is of each digit.</param>
internal sealed record Sight(IReadOnlyList<Maps> Layers, double[] Bars);

/// <summary>The maps of a layer: height, width, and the numbers of each, a byte each, 254 the largest of the layer.</summary>
internal sealed record Maps(string Name, int Height, int Width, IReadOnlyList<byte[]> Images);

internal sealed class Eye
{
    private static readonly string[] Names = ["convolution", "pooling", "convolution", "pooling", "dense"];

    private readonly Model model;
    private readonly Model layers;

    public Eye()
    {
        var image = Model.Input(Drawing.Side, Drawing.Side, 1);
        var first = new Conv2D(8, 5, activation: "relu").Apply(image);
        var smaller = new MaxPooling2D(2).Apply(first);
        var second = new Conv2D(16, 5, activation: "relu").Apply(smaller);
        var small = new MaxPooling2D(2).Apply(second);
        var dense = new Dense(64, activation: "relu").Apply(new Flatten().Apply(small));
        var answer = new Dense(10, activation: "softmax").Apply(dense);
        model = new Model(image, answer, seed: 1);
        layers = new Model(image, new[] { first, smaller, second, small, dense, answer }, weightsFrom: model);
    }

    /// <summary>Another with the same weights, which learns by itself.</summary>
    public Eye Copy() => new() { Weights = Weights };

    private IReadOnlyList<Tensor> Weights
    {
        get => model.Weights;
        init => model.Weights = layers.Weights = value;
    }

    /// <summary>Learns from batches; `progress` is told after each, and may look.</summary>
    public void Learn(Func<long, IEnumerable<(Tensor X, Tensor Y)>> batches, LearningRate rate, Action progress, CancellationToken cancellation)
    {
        model.Compile(loss: "categorical_crossentropy", optimizer: new Adam(rate));
        model.Fit(
            seed => batches(seed).Select(batch => (Images(batch.X), batch.Y)),
            verbose: 0, seed: 1, callbacks: [new LambdaCallback(onBatchEnd: (_, _, _) => progress())], cancellationToken: cancellation);
        Look();
    }

    /// <summary>What is seen is what has been learnt up to now.</summary>
    public void Look() => layers.Weights = model.Weights;

    /// <summary>The share of digits that are read rightly.</summary>
    public double Accuracy(Tensor images, Tensor labels)
    {
        var said = model.Predict(Images(images), batchSize: 500).ArgMax().ToArray<int>();
        return (double)said.Zip(labels.ToArray<int>()).Count(pair => pair.First == pair.Second) / said.Length;
    }

    public Sight See(float[] digit)
    {
        var found = layers.PredictAll(Tensor.Of(digit, [1, Drawing.Side, Drawing.Side, 1]));
        return new Sight([.. found[..^1].Select((layer, i) => MapsOf(Names[i], layer))], found[^1].ToDoubles());
    }

    private static Tensor Images(Tensor rows) => rows.Reshape(rows.Shape[0], Drawing.Side, Drawing.Side, 1);

    private static Maps MapsOf(string name, Tensor layer)
    {
        var (height, width, count) = layer.Rank == 4 ? (layer.Shape[1], layer.Shape[2], layer.Shape[3]) : (1, layer.Shape[1], 1);
        var numbers = layer.ToArray<float>();
        var largest = Math.Max(1e-6f, numbers.Max());
        byte[] Image(int map) => [.. Enumerable.Range(0, height * width).Select(place => (byte)(254 * Math.Max(0, numbers[place * count + map]) / largest))];
        return new Maps(name, height, width, [.. Enumerable.Range(0, count).Select(Image)]);
    }
}
