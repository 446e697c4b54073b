// Transposed convolutions, which make sequences and images larger.
namespace Functional.CSharp;

/// <summary>The transpose of a convolution over the steps of a sequence: [steps, channels] gives [more steps, filters].</summary>
/// <example><code>model.Add(new Conv1DTranspose(32, 3, strides: 2, padding: "same"));   // twice as many steps</code></example>
public sealed class Conv1DTranspose : Convolution
{
    /// <summary>A layer of filters over a number of steps.</summary>
    /// <param name="filters">The number of features that come out.</param>
    /// <param name="kernelSize">The number of steps that one step reaches.</param>
    /// <param name="strides">How far the steps that come in lie apart in what comes out.</param>
    /// <param name="padding"><c>"valid"</c>, or <c>"same"</c>: as many steps as came in, times the stride.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <param name="dilationRate">How far the kernel's steps lie apart.</param>
    /// <param name="activation">Applied to the output; none by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="kernelInitializer">How the kernel begins; Glorot-uniform by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="kernelRegularizer">A penalty on the kernel.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="kernelConstraint">What the kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive.</exception>
    public Conv1DTranspose(
        int filters,
        int kernelSize,
        int strides = 1,
        Named<PaddingMode> padding = default,
        Named<DataFormat> dataFormat = default,
        int dilationRate = 1,
        ActivationFunction? activation = null,
        bool useBias = true,
        Initializer? kernelInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? kernelRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? kernelConstraint = null,
        Constraint? biasConstraint = null)
        : base(ConvArguments.Check(
            nameof(Conv1DTranspose), 1, filters, kernelSize, strides, padding.Value, dataFormat.Value, dilationRate, 1,
            new(activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint)))
    {
    }

    internal Conv1DTranspose(ConvArguments arguments)
        : base(arguments)
    {
    }

    private protected override Block Create() => Complete(ImageLayers.convTranspose(Arguments.Settings, Arguments.Filters, Arguments.Window));
}

/// <summary>The transpose of a convolution over images: [height, width, channels] gives [larger height, larger width,
/// filters].</summary>
/// <example><code>model.Add(new Conv2DTranspose(32, 3, strides: 2, padding: "same"));   // twice as high and wide</code></example>
public sealed class Conv2DTranspose : Convolution
{
    /// <summary>A layer of filters over a window.</summary>
    /// <param name="filters">The number of features that come out.</param>
    /// <param name="kernelSize">Height and width that one place reaches: a number for both, or two.</param>
    /// <param name="strides">How far the places that come in lie apart in what comes out; 1 by default.</param>
    /// <param name="padding"><c>"valid"</c>, or <c>"same"</c>: the size that came in, times the stride.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <param name="dilationRate">How far the kernel's places lie apart; 1 by default.</param>
    /// <param name="activation">Applied to the output; none by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="kernelInitializer">How the kernel begins; Glorot-uniform by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="kernelRegularizer">A penalty on the kernel.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="kernelConstraint">What the kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive.</exception>
    public Conv2DTranspose(
        int filters,
        Sizes kernelSize,
        Sizes strides = default,
        Named<PaddingMode> padding = default,
        Named<DataFormat> dataFormat = default,
        Sizes dilationRate = default,
        ActivationFunction? activation = null,
        bool useBias = true,
        Initializer? kernelInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? kernelRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? kernelConstraint = null,
        Constraint? biasConstraint = null)
        : base(ConvArguments.Check(
            nameof(Conv2DTranspose), 2, filters, kernelSize, strides, padding.Value, dataFormat.Value, dilationRate, 1,
            new(activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint)))
    {
    }

    internal Conv2DTranspose(ConvArguments arguments)
        : base(arguments)
    {
    }

    private protected override Block Create() => Complete(ImageLayers.convTranspose(Arguments.Settings, Arguments.Filters, Arguments.Window));
}
