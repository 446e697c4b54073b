// Convolutions that take every channel by itself: depthwise, and depthwise separable.
namespace Functional.CSharp;

/// <summary>A convolution of every channel by itself: [height, width, channels] gives [smaller height, smaller width,
/// channels · depthMultiplier].</summary>
/// <example><code>model.Add(new DepthwiseConv2D(3, depthMultiplier: 2));</code></example>
public sealed class DepthwiseConv2D : Convolution
{
    /// <summary>A layer of filters for each channel.</summary>
    /// <param name="kernelSize">Height and width of the window: a number for both, or two.</param>
    /// <param name="strides">How far the window moves; 1 by default.</param>
    /// <param name="padding"><c>"valid"</c> or <c>"same"</c>.</param>
    /// <param name="depthMultiplier">The number of features for each channel.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <param name="dilationRate">How far the window's places lie apart; 1 by default.</param>
    /// <param name="activation">Applied to the output; none by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="depthwiseInitializer">How the kernel begins; Glorot-uniform by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="depthwiseRegularizer">A penalty on the kernel.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="depthwiseConstraint">What the kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive.</exception>
    public DepthwiseConv2D(
        Sizes kernelSize,
        Sizes strides = default,
        Named<PaddingMode> padding = default,
        int depthMultiplier = 1,
        Named<DataFormat> dataFormat = default,
        Sizes dilationRate = default,
        ActivationFunction? activation = null,
        bool useBias = true,
        Initializer? depthwiseInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? depthwiseRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? depthwiseConstraint = null,
        Constraint? biasConstraint = null)
        : base(ConvArguments.Check(
            nameof(DepthwiseConv2D), 2, depthMultiplier, kernelSize, strides, padding.Value, dataFormat.Value, dilationRate, 1,
            new(activation, useBias, depthwiseInitializer, biasInitializer, depthwiseRegularizer, biasRegularizer, depthwiseConstraint, biasConstraint)))
    {
    }

    internal DepthwiseConv2D(ConvArguments arguments)
        : base(arguments)
    {
    }

    private protected override Block Create() => Complete(ImageLayers.depthwiseConv(Arguments.Settings, Arguments.Filters, Arguments.Window));
}

/// <summary>A convolution of every channel by itself, then of all channels at every place: far fewer weights than
/// <see cref="Conv2D"/>.</summary>
/// <example><code>model.Add(new SeparableConv2D(64, 3, padding: "same", activation: "relu"));</code></example>
public sealed class SeparableConv2D : Convolution
{
    private readonly int depthMultiplier;
    private readonly Initializer? pointwiseInitializer;
    private readonly Regularizer? pointwiseRegularizer;
    private readonly Constraint? pointwiseConstraint;

    /// <summary>A layer of filters for each channel and filters of them all.</summary>
    /// <param name="filters">The number of features that come out.</param>
    /// <param name="kernelSize">Height and width of the window: a number for both, or two.</param>
    /// <param name="strides">How far the window moves; 1 by default.</param>
    /// <param name="padding"><c>"valid"</c> or <c>"same"</c>.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <param name="dilationRate">How far the window's places lie apart; 1 by default.</param>
    /// <param name="depthMultiplier">The number of features for each channel before they meet.</param>
    /// <param name="activation">Applied to the output; none by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="depthwiseInitializer">How the kernel of each channel begins; Glorot-uniform by default.</param>
    /// <param name="pointwiseInitializer">How the kernel over the channels begins; Glorot-uniform by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="depthwiseRegularizer">A penalty on the kernel of each channel.</param>
    /// <param name="pointwiseRegularizer">A penalty on the kernel over the channels.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="depthwiseConstraint">What the kernel of each channel is brought back to after each step.</param>
    /// <param name="pointwiseConstraint">What the kernel over the channels is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive.</exception>
    public SeparableConv2D(
        int filters,
        Sizes kernelSize,
        Sizes strides = default,
        Named<PaddingMode> padding = default,
        Named<DataFormat> dataFormat = default,
        Sizes dilationRate = default,
        int depthMultiplier = 1,
        ActivationFunction? activation = null,
        bool useBias = true,
        Initializer? depthwiseInitializer = null,
        Initializer? pointwiseInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? depthwiseRegularizer = null,
        Regularizer? pointwiseRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? depthwiseConstraint = null,
        Constraint? pointwiseConstraint = null,
        Constraint? biasConstraint = null)
        : base(ConvArguments.Check(
            nameof(SeparableConv2D), 2, filters, kernelSize, strides, padding.Value, dataFormat.Value, dilationRate, 1,
            new(activation, useBias, depthwiseInitializer, biasInitializer, depthwiseRegularizer, biasRegularizer, depthwiseConstraint, biasConstraint)))
    {
        if (depthMultiplier < 1)
            throw new ArgumentOutOfRangeException(nameof(depthMultiplier), $"SeparableConv2D: a depth multiplier of {depthMultiplier}; it must be at least 1");
        this.depthMultiplier = depthMultiplier;
        this.pointwiseInitializer = pointwiseInitializer;
        this.pointwiseRegularizer = pointwiseRegularizer;
        this.pointwiseConstraint = pointwiseConstraint;
    }

    internal SeparableConv2D(LayerConfig config)
        : base(ConvArguments.Read(config))
    {
        depthMultiplier = config.Int("depth_multiplier");
        pointwiseRegularizer = config.Regularizer("pointwise_regularizer");
        pointwiseConstraint = config.Constraint("pointwise_constraint");
    }

    private protected override Block Create() => Complete(ImageLayers.separableConv(
        Arguments.SettingsWith((pointwiseInitializer ?? Initializer.GlorotUniform).Function), depthMultiplier, Arguments.Filters, Arguments.Window));

    internal override IReadOnlyList<Part> Parts => [.. Arguments.Weighted.Parts(nameof(ConvolutionParameters.SeparableConv.Depthwise)), new(nameof(ConvolutionParameters.SeparableConv.Pointwise), pointwiseRegularizer, pointwiseConstraint)];

    internal override LayerConfig? Config() => Arguments.Write(Settings.Set("depth_multiplier", depthMultiplier))?
        .SetRegularizer("pointwise_regularizer", pointwiseRegularizer)?
        .SetConstraint("pointwise_constraint", pointwiseConstraint);
}
