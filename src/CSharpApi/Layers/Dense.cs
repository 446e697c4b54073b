// The fully connected layer.
namespace Functional.CSharp;

/// <summary>A fully connected layer: activation(x·weights + bias) over the last axis.</summary>
/// <example><code>
/// model.Add(new Dense(inputDim: 28 * 28, outputDim: 500));   // the first layer says what comes in
/// model.Add(new Dense(500, activation: "relu"));             // the others work it out
/// </code></example>
public sealed class Dense : Layer
{
    private readonly int units;
    private readonly ActivationFunction? activation;
    private readonly bool useBias;
    private readonly Initializer kernelInitializer;
    private readonly Initializer biasInitializer;
    private readonly Regularizer? kernelRegularizer;
    private readonly Regularizer? biasRegularizer;

    /// <summary>A layer of a number of units; the number of inputs is that of the layer before, or of the data.</summary>
    /// <param name="units">The number of outputs.</param>
    /// <param name="activation">Applied to the output: a name, an <see cref="Activations"/>, a function; none by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="kernelInitializer">How the weights begin; Glorot-uniform by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="kernelRegularizer">A penalty on the weights.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="inputDim">The number of inputs, where this is the first layer.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one unit or input.</exception>
    public Dense(
        int units,
        ActivationFunction? activation = null,
        bool useBias = true,
        Initializer? kernelInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? kernelRegularizer = null,
        Regularizer? biasRegularizer = null,
        int? inputDim = null)
    {
        if (units < 1) throw new ArgumentOutOfRangeException(nameof(units), $"Dense: {units} units; there must be at least one");
        if (inputDim < 1) throw new ArgumentOutOfRangeException(nameof(inputDim), $"Dense: {inputDim} inputs; there must be at least one");
        this.units = units;
        this.activation = activation;
        this.useBias = useBias;
        this.kernelInitializer = kernelInitializer ?? Initializer.GlorotUniform;
        this.biasInitializer = biasInitializer ?? Initializer.Zeros;
        this.kernelRegularizer = kernelRegularizer;
        this.biasRegularizer = biasRegularizer;
        if (inputDim is { } inputs) InputShape = [inputs];
    }

    /// <summary>A first layer, by the numbers of its inputs and outputs.</summary>
    /// <param name="inputDim">The number of inputs.</param>
    /// <param name="outputDim">The number of outputs.</param>
    /// <param name="activation">Applied to the output; none by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one input or output.</exception>
    public Dense(int inputDim, int outputDim, ActivationFunction? activation = null)
        : this(outputDim, activation, true, inputDim: inputDim)
    {
    }

    /// <summary>A layer by the number of its outputs, as Keras 1 called its units.</summary>
    /// <param name="outputDim">The number of outputs.</param>
    public Dense(int outputDim)
        : this(units: outputDim, activation: null)
    {
    }

    internal override Layer<object> Create()
    {
        var settings = new DenseSettings(
            kernelInitializer.Function, useBias ? Bridge.Option(biasInitializer.Function) : null, DType.Float32);
        var layer = Functional.Layers.denseWith(settings, units);
        return Erase(activation is null ? layer : LayerModule.activated(activation.Name, activation.Function, layer));
    }

    internal override Func<object, Tensor>? Penalties()
    {
        if (!Trainable || (kernelRegularizer is null && biasRegularizer is null)) return null;
        return parameters =>
        {
            var dense = (DenseParameters.Dense)parameters;
            var penalty = kernelRegularizer?.Of(dense.Weights);
            if (biasRegularizer is null || dense.Bias is null) return penalty ?? Tensor.Scalar(0, dense.Weights.DType);
            var ofBias = biasRegularizer.Of(dense.Bias.Value);
            return penalty is null ? ofBias : penalty + ofBias;
        };
    }

    internal override LayerConfig? Config()
    {
        if (activation is { HasKnownName: false }) return null;
        var config = new LayerConfig(nameof(Dense)).Set("units", units).Set("use_bias", useBias);
        if (activation is not null) config.Set("activation", activation.Name);
        foreach (var (name, penalty) in new[] { ("kernel_regularizer", kernelRegularizer), ("bias_regularizer", biasRegularizer) })
        {
            if (penalty is null) continue;
            if (double.IsNaN(penalty.L1Strength)) return null;
            config.Set(name + "_l1", penalty.L1Strength).Set(name + "_l2", penalty.L2Strength);
        }
        return config;
    }

    internal static Dense Read(LayerConfig config)
    {
        Regularizer? Penalty(string name) => config.Has(name + "_l1") ? Regularizer.L1L2(config.Double(name + "_l1"), config.Double(name + "_l2")) : null;
        return new Dense(
            config.Int("units"),
            config.Has("activation") ? (ActivationFunction)config.Text("activation") : null,
            config.Bool("use_bias"),
            kernelRegularizer: Penalty("kernel_regularizer"),
            biasRegularizer: Penalty("bias_regularizer"))
        {
            Name = LayerReader.NameOf(config),
            InputShape = LayerReader.ShapeOf(config),
            Trainable = LayerReader.IsTrained(config),
        };
    }
}
