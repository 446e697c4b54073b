// Convolutions: what Keras' five kinds share, and the plain ones over sequences and images.
using Microsoft.FSharp.Collections;
using FSharpInitializer = Microsoft.FSharp.Core.FSharpFunc<Functional.DType, Microsoft.FSharp.Core.FSharpFunc<int[], Microsoft.FSharp.Core.FSharpFunc<Functional.Tensor, Functional.Tensor>>>;

namespace Functional.CSharp;

/// <summary>The arguments of a convolution, checked.</summary>
internal sealed record ConvArguments(int Filters, int[] KernelSize, int[] Strides, PaddingMode Padding, DataFormat Format, int[] DilationRate, int Groups, Weighted Weighted)
{
    public FSharpList<int> Window => Bridge.List(KernelSize);

    public ConvSettings Settings => SettingsWith(null);

    /// <summary>The settings with an initialiser for the second kernel of a separable convolution.</summary>
    public ConvSettings SettingsWith(FSharpInitializer? pointwise) => new(
        options: Options,
        kernelInitializer: Weighted.Kernel,
        pointwiseInitializer: Bridge.Option(pointwise),
        biasInitializer: Weighted.Bias,
        dType: DType.Float32);

    private ConvOptions Options => new(
        strides: Bridge.List(Strides),
        padding: FSharpPadding(Padding),
        dilations: Bridge.List(DilationRate),
        groups: Groups);

    public static Padding FSharpPadding(PaddingMode padding) => padding switch
    {
        PaddingMode.Same => Functional.Padding.Same,
        PaddingMode.Causal => Functional.Padding.Causal,
        _ => Functional.Padding.Valid,
    };

    /// <summary>Arguments as Keras' constructors take them.</summary>
    public static ConvArguments Check(
        string layer, int axes, int filters, Sizes kernelSize, Sizes strides, PaddingMode padding, DataFormat format, Sizes dilationRate, int groups, Weighted weighted)
    {
        if (filters < 1)
            throw new ArgumentOutOfRangeException(nameof(filters), $"{layer}: {filters} filters; there must be at least one");
        if (groups < 1 || filters % groups != 0)
            throw new ArgumentException($"{layer}: {filters} filters cannot be divided into {groups} groups", nameof(groups));
        if (padding == PaddingMode.Causal && axes > 1)
            throw new ArgumentException($"{layer}: padding \"causal\" is for sequences, of one axis; this layer has {axes} axes of space", nameof(padding));
        return new(
            filters,
            kernelSize.For(layer, nameof(kernelSize), axes),
            strides.For(layer, nameof(strides), axes),
            padding,
            format,
            dilationRate.For(layer, nameof(dilationRate), axes),
            groups,
            weighted);
    }

    public LayerConfig? Write(LayerConfig config) => Weighted.Write(config
        .Set("filters", Filters)
        .Set("kernel_size", KernelSize)
        .Set("strides", Strides)
        .Set("padding", Names.Snake(Padding))
        .Set("data_format", Names.Snake(Format))
        .Set("dilation_rate", DilationRate)
        .Set("groups", Groups));

    public static ConvArguments Read(LayerConfig config) => Check(
        config.Kind,
        config.Ints("kernel_size").Length,
        config.Int("filters"),
        config.Ints("kernel_size"),
        config.Ints("strides"),
        config.Choice<PaddingMode>("padding").Value,
        config.Choice<DataFormat>("data_format").Value,
        config.Ints("dilation_rate"),
        config.Int("groups"),
        Weighted.Read(config));
}

/// <summary>A layer of a kernel that moves over sequences or images.</summary>
public abstract class Convolution : Layer
{
    private protected Convolution(ConvArguments arguments) => Arguments = arguments;

    private protected ConvArguments Arguments { get; }

    internal override LayerConfig? Config() => Arguments.Write(Settings);

    internal override IReadOnlyList<Part> Parts => Arguments.Weighted.Parts(nameof(ConvolutionParameters.Conv.Kernel));

    /// <summary>The layer with its activation, for channels where they lie.</summary>
    private protected Block Complete<TParameters>(Layer<TParameters, Tensor, int[]> layer)
    {
        var activated = Arguments.Weighted.Activated(layer);
        return Erase(Arguments.Format == DataFormat.ChannelsFirst ? ImageLayers.channelsFirst(activated) : activated);
    }
}

/// <summary>A convolution over the steps of a sequence: [steps, channels] gives [fewer steps, filters].</summary>
/// <example><code>model.Add(new Conv1D(64, 3, padding: "causal", activation: "relu"));</code></example>
public sealed class Conv1D : Convolution
{
    /// <summary>A layer of filters over a number of steps.</summary>
    /// <param name="filters">The number of features that come out.</param>
    /// <param name="kernelSize">The number of steps that a filter sees.</param>
    /// <param name="strides">How far the filter moves.</param>
    /// <param name="padding"><c>"valid"</c>, <c>"same"</c> or <c>"causal"</c>.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <param name="dilationRate">How far the steps that a filter sees lie apart.</param>
    /// <param name="groups">Into how many groups channels and filters are divided.</param>
    /// <param name="activation">Applied to the output; none by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="kernelInitializer">How the kernel begins; Glorot-uniform by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="kernelRegularizer">A penalty on the kernel.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="kernelConstraint">What the kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive, groups that do not divide the filters.</exception>
    public Conv1D(
        int filters,
        int kernelSize,
        int strides = 1,
        Named<PaddingMode> padding = default,
        Named<DataFormat> dataFormat = default,
        int dilationRate = 1,
        int groups = 1,
        ActivationFunction? activation = null,
        bool useBias = true,
        Initializer? kernelInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? kernelRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? kernelConstraint = null,
        Constraint? biasConstraint = null)
        : base(ConvArguments.Check(
            nameof(Conv1D), 1, filters, kernelSize, strides, padding.Value, dataFormat.Value, dilationRate, groups,
            new(activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint)))
    {
    }

    internal Conv1D(ConvArguments arguments)
        : base(arguments)
    {
    }

    private protected override Block Create() => Complete(ImageLayers.conv(Arguments.Settings, Arguments.Filters, Arguments.Window));
}

/// <summary>A convolution over images: [height, width, channels] gives [smaller height, smaller width, filters].</summary>
/// <example><code>
/// model.Add(new Conv2D(32, (3, 3), activation: "relu") { InputShape = [28, 28, 1] });
/// model.Add(new Conv2D(64, 3, strides: 2, padding: "same"));
/// </code></example>
public sealed class Conv2D : Convolution
{
    /// <summary>A layer of filters over a window.</summary>
    /// <param name="filters">The number of features that come out.</param>
    /// <param name="kernelSize">Height and width of the window: a number for both, or two.</param>
    /// <param name="strides">How far the window moves: a number for both axes, or two; 1 by default.</param>
    /// <param name="padding"><c>"valid"</c> or <c>"same"</c>.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <param name="dilationRate">How far the window's places lie apart; 1 by default.</param>
    /// <param name="groups">Into how many groups channels and filters are divided.</param>
    /// <param name="activation">Applied to the output; none by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="kernelInitializer">How the kernel begins; Glorot-uniform by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="kernelRegularizer">A penalty on the kernel.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="kernelConstraint">What the kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive, groups that do not divide the filters.</exception>
    public Conv2D(
        int filters,
        Sizes kernelSize,
        Sizes strides = default,
        Named<PaddingMode> padding = default,
        Named<DataFormat> dataFormat = default,
        Sizes dilationRate = default,
        int groups = 1,
        ActivationFunction? activation = null,
        bool useBias = true,
        Initializer? kernelInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? kernelRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? kernelConstraint = null,
        Constraint? biasConstraint = null)
        : base(ConvArguments.Check(
            nameof(Conv2D), 2, filters, kernelSize, strides, padding.Value, dataFormat.Value, dilationRate, groups,
            new(activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint)))
    {
    }

    internal Conv2D(ConvArguments arguments)
        : base(arguments)
    {
    }

    private protected override Block Create() => Complete(ImageLayers.conv(Arguments.Settings, Arguments.Filters, Arguments.Window));
}
