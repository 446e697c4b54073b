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
    private readonly Weighted weighted;

    /// <summary>A layer of a number of units; the number of inputs is that of the layer before, or of the data.</summary>
    /// <param name="units">The number of outputs.</param>
    /// <param name="activation">Applied to the output: a name, an <see cref="Activations"/>, a function; none by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="kernelInitializer">How the weights begin; Glorot-uniform by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="kernelRegularizer">A penalty on the weights.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="kernelConstraint">What the kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
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
        Constraint? kernelConstraint = null,
        Constraint? biasConstraint = null,
        int? inputDim = null)
    {
        if (units < 1) throw new ArgumentOutOfRangeException(nameof(units), $"Dense: {units} units; there must be at least one");
        if (inputDim < 1) throw new ArgumentOutOfRangeException(nameof(inputDim), $"Dense: {inputDim} inputs; there must be at least one");
        this.units = units;
        weighted = new Weighted(activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint);
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

    private Dense(int units, Weighted weighted)
    {
        this.units = units;
        this.weighted = weighted;
    }

    internal static Dense Read(LayerConfig config) => new(config.Int("units"), Weighted.Read(config));

    private protected override Block Create() =>
        Erase(weighted.Activated(Functional.Layers.denseWith(new DenseSettings(weightInitializer: weighted.Kernel, biasInitializer: weighted.Bias, dType: DType.Float32), units)), keepsMask: true);

    internal override IReadOnlyList<Part> Parts => weighted.Parts(nameof(DenseParameters.Dense.Weights));

    internal override LayerConfig? Config() => weighted.Write(Settings.Set("units", units));
}
