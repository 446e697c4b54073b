// Sequences and images made larger or smaller: zeros around them, places taken away, places repeated.
namespace Functional.CSharp;

/// <summary>Zeros before and behind a sequence: [steps, channels] gives [more steps, channels].</summary>
/// <param name="padding">A number for both ends, or two: before and behind; 1 by default.</param>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <exception cref="ArgumentException">A negative width.</exception>
/// <example><code>model.Add(new ZeroPadding1D((2, 0)));</code></example>
public sealed class ZeroPadding1D(Margins padding = default, Named<DataFormat> dataFormat = default) : SpaceLayer(1, dataFormat)
{
    private readonly (int Low, int High)[] widths = padding.For(nameof(ZeroPadding1D), nameof(padding), 1);

    private protected override WeightlessLayer Over() => ImageLayers.zeroPadding(Margins.List(widths));

    private protected override LayerConfig Write(LayerConfig config) => config.Set("padding", Margins.Numbers(widths));
}

/// <summary>Zeros around an image: [height, width, channels] gives [larger height, larger width, channels].</summary>
/// <param name="padding">A number for all sides, two for height and width, or two pairs; 1 by default.</param>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <exception cref="ArgumentException">A negative width.</exception>
/// <example><code>model.Add(new ZeroPadding2D(((1, 0), (2, 0))));</code></example>
public sealed class ZeroPadding2D(Margins padding = default, Named<DataFormat> dataFormat = default) : SpaceLayer(2, dataFormat)
{
    private readonly (int Low, int High)[] widths = padding.For(nameof(ZeroPadding2D), nameof(padding), 2);

    private protected override WeightlessLayer Over() => ImageLayers.zeroPadding(Margins.List(widths));

    private protected override LayerConfig Write(LayerConfig config) => config.Set("padding", Margins.Numbers(widths));
}

/// <summary>Steps taken away at both ends of a sequence: [steps, channels] gives [fewer steps, channels].</summary>
/// <param name="cropping">A number for both ends, or two: before and behind; 1 by default.</param>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <exception cref="ArgumentException">A negative width.</exception>
/// <example><code>model.Add(new Cropping1D((2, 0)));</code></example>
public sealed class Cropping1D(Margins cropping = default, Named<DataFormat> dataFormat = default) : SpaceLayer(1, dataFormat)
{
    private readonly (int Low, int High)[] widths = cropping.For(nameof(Cropping1D), nameof(cropping), 1);

    private protected override WeightlessLayer Over() => ImageLayers.cropping(Margins.List(widths));

    private protected override LayerConfig Write(LayerConfig config) => config.Set("cropping", Margins.Numbers(widths));
}

/// <summary>The border of an image taken away: [height, width, channels] gives [smaller height, smaller width, channels].</summary>
/// <param name="cropping">A number for all sides, two for height and width, or two pairs; none by default.</param>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <exception cref="ArgumentException">A negative width.</exception>
/// <example><code>model.Add(new Cropping2D(((1, 0), (2, 0))));</code></example>
public sealed class Cropping2D(Margins? cropping = null, Named<DataFormat> dataFormat = default) : SpaceLayer(2, dataFormat)
{
    private readonly (int Low, int High)[] widths = (cropping ?? 0).For(nameof(Cropping2D), nameof(cropping), 2);

    private protected override WeightlessLayer Over() => ImageLayers.cropping(Margins.List(widths));

    private protected override LayerConfig Write(LayerConfig config) => config.Set("cropping", Margins.Numbers(widths));
}

/// <summary>Every step repeated: [steps, channels] gives [steps · size, channels].</summary>
/// <param name="size">How often.</param>
/// <exception cref="ArgumentException">A number under 1.</exception>
/// <example><code>model.Add(new UpSampling1D(2));</code></example>
public sealed class UpSampling1D(int size = 2) : SpaceLayer(1, default)
{
    private readonly int[] factors = ((Sizes)size).For(nameof(UpSampling1D), nameof(size), 1);

    private protected override WeightlessLayer Over() => ImageLayers.upSampling(Bridge.List(factors));

    private protected override LayerConfig Write(LayerConfig config) => config.Set("size", factors);
}

/// <summary>What lies between the places of an image made larger.</summary>
public enum Interpolation
{
    /// <summary>The place itself, repeated.</summary>
    Nearest,

    /// <summary>Means of the places around, by their distance.</summary>
    Bilinear,
}

/// <summary>Images made larger: [height, width, channels] gives [height · size, width · size, channels].</summary>
/// <param name="size">How often along height and width: a number for both, or two; 2 by default.</param>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <param name="interpolation"><c>"nearest"</c> or <c>"bilinear"</c>.</param>
/// <exception cref="ArgumentException">A number under 1.</exception>
/// <example><code>model.Add(new UpSampling2D((2, 3), interpolation: "bilinear"));</code></example>
public sealed class UpSampling2D(Sizes size = default, Named<DataFormat> dataFormat = default, Named<Interpolation> interpolation = default) : SpaceLayer(2, dataFormat)
{
    private readonly int[] factors = size.For(nameof(UpSampling2D), nameof(size), 2, 2);

    private protected override WeightlessLayer Over() => interpolation.Value == Interpolation.Bilinear
        ? ImageLayers.bilinearUpSampling(Bridge.List(factors))
        : ImageLayers.upSampling(Bridge.List(factors));

    private protected override LayerConfig Write(LayerConfig config) => config.Set("size", factors).Set("interpolation", interpolation.ToString());
}
