// Layers that do something only while the network learns.
namespace Functional.CSharp;

/// <summary>While learning, sets a fraction of the inputs to 0 and scales up the rest; otherwise passes its input on.</summary>
/// <param name="rate">The fraction dropped, in [0, 1).</param>
/// <param name="noiseShape">The shape of what is drawn, batch included: an axis of 1 is dropped as a whole, one of null is the
/// input's. By default every number by itself.</param>
/// <exception cref="ArgumentOutOfRangeException">A fraction outside [0, 1).</exception>
/// <example><code>
/// model.Add(new Dropout(0.5));
/// model.Add(new Dropout(0.2, noiseShape: [null, 1, null]));   // the same features at every step
/// </code></example>
public sealed class Dropout(double rate, int?[]? noiseShape = null) : Layer
{
    private readonly double rate = Rate.Check(nameof(Dropout), rate);
    private readonly int?[]? noiseShape = noiseShape?.ToArray();

    private protected override Block Create() => Erase(
        noiseShape is null ? Functional.Layers.dropout(rate) : Functional.Layers.dropoutOver(rate, Bridge.List(noiseShape.Select(Bridge.Option))),
        keepsMask: true);

    internal override LayerConfig Config()
    {
        var config = Settings.Set("rate", rate);
        return noiseShape is null ? config : config.Set("noise_shape", Dimensions.Known(noiseShape));
    }

    internal static Dropout Read(LayerConfig c) => new(c.Double("rate"), c.Has("noise_shape") ? Dimensions.Seen(c.Ints("noise_shape")) : null);
}

internal static class Rate
{
    /// <summary>A fraction that is dropped.</summary>
    public static double Check(string layer, double rate) => rate is >= 0 and < 1
        ? rate
        : throw new ArgumentOutOfRangeException(nameof(rate), $"{layer}: rate is the fraction dropped, in [0, 1); {rate} was given");
}

/// <summary>While learning, adds normal noise; otherwise passes its input on.</summary>
/// <param name="stddev">The noise's standard deviation.</param>
/// <example><code>model.Add(new GaussianNoise(0.1));</code></example>
public sealed class GaussianNoise(double stddev) : Layer
{
    private protected override Block Create() => Erase(Functional.Layers.gaussianNoise(stddev), keepsMask: true);

    internal override LayerConfig Config() => Settings.Set("stddev", stddev);
}

/// <summary>While learning, multiplies by normal noise of mean 1, with the variance that dropout has; otherwise passes its
/// input on.</summary>
/// <param name="rate">The dropout rate that it stands for, in [0, 1).</param>
/// <example><code>model.Add(new GaussianDropout(0.3));</code></example>
public sealed class GaussianDropout(double rate) : Layer
{
    private readonly double rate = Rate.Check(nameof(GaussianDropout), rate);

    private protected override Block Create() => Erase(Functional.Layers.gaussianDropout(rate), keepsMask: true);

    internal override LayerConfig Config() => Settings.Set("rate", rate);
}

/// <summary>While learning, drops whole features of a sequence [steps, channels]; otherwise passes its input on.</summary>
/// <param name="rate">The fraction dropped, in [0, 1).</param>
/// <example><code>model.Add(new SpatialDropout1D(0.2));</code></example>
public sealed class SpatialDropout1D(double rate) : SpaceLayer(1, default)
{
    private readonly double rate = Rate.Check(nameof(SpatialDropout1D), rate);

    private protected override WeightlessLayer Over() => Functional.Layers.spatialDropout(rate);

    private protected override WeightlessBlock WithMask(WeightlessLayer layer) => BlockModule.ofLayer(MaskUse.Keeps, layer);

    private protected override LayerConfig Write(LayerConfig config) => config.Set("rate", rate);
}

/// <summary>While learning, drops whole channels of an image [height, width, channels]; otherwise passes its input on.</summary>
/// <param name="rate">The fraction dropped, in [0, 1).</param>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <example><code>model.Add(new SpatialDropout2D(0.2));</code></example>
public sealed class SpatialDropout2D(double rate, Named<DataFormat> dataFormat = default) : SpaceLayer(2, dataFormat)
{
    private readonly double rate = Rate.Check(nameof(SpatialDropout2D), rate);

    private protected override WeightlessLayer Over() => Functional.Layers.spatialDropout(rate);

    private protected override LayerConfig Write(LayerConfig config) => config.Set("rate", rate);
}
