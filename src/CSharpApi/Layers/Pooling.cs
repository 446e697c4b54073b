// Pooling: the largest or the average number of every window, or of all of space.
namespace Functional.CSharp;

/// <summary>A layer that makes one number of every window.</summary>
public abstract class Pooling : Layer
{
    private readonly int[] poolSize;
    private readonly int[] strides;
    private readonly PaddingMode padding;
    private readonly DataFormat format;

    private protected Pooling(string layer, int axes, Sizes poolSize, Sizes strides, PaddingMode padding, DataFormat format)
    {
        if (padding == PaddingMode.Causal)
            throw new ArgumentException($"{layer}: padding is \"valid\" or \"same\"; \"causal\" was given", nameof(padding));
        this.poolSize = poolSize.For(layer, nameof(poolSize), axes, 2);
        this.strides = strides.AreGiven ? strides.For(layer, nameof(strides), axes) : this.poolSize;
        this.padding = padding;
        this.format = format;
    }

    private protected Pooling(LayerConfig config)
        : this(
            config.Kind,
            config.Ints("pool_size").Length,
            config.Ints("pool_size"),
            config.Ints("strides"),
            config.Choice<PaddingMode>("padding").Value,
            config.Choice<DataFormat>("data_format").Value)
    {
    }

    private protected override Block Create()
    {
        var pool = Of(new PoolOptions(
            size: Bridge.List(poolSize),
            strides: Bridge.List(strides),
            padding: ConvArguments.FSharpPadding(padding),
            dilations: Bridge.List<int>([]),
            countPadding: false));
        return Erase(format == DataFormat.ChannelsFirst ? ImageLayers.channelsFirst(pool) : pool);
    }

    internal override LayerConfig Config() => Settings
        .Set("pool_size", poolSize)
        .Set("strides", strides)
        .Set("padding", Names.Snake(padding))
        .Set("data_format", Names.Snake(format));

    private protected abstract WeightlessLayer Of(PoolOptions options);
}

/// <summary>The largest number of every so many steps: [steps, channels] gives [fewer steps, channels].</summary>
/// <example><code>model.Add(new MaxPooling1D(2));</code></example>
public sealed class MaxPooling1D : Pooling
{
    /// <summary>A layer of windows.</summary>
    /// <param name="poolSize">The number of steps in a window.</param>
    /// <param name="strides">How far it moves; by its size when null.</param>
    /// <param name="padding"><c>"valid"</c> or <c>"same"</c>.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive.</exception>
    public MaxPooling1D(int poolSize = 2, int? strides = null, Named<PaddingMode> padding = default, Named<DataFormat> dataFormat = default)
        : base(nameof(MaxPooling1D), 1, poolSize, strides ?? default(Sizes), padding.Value, dataFormat.Value)
    {
    }

    internal MaxPooling1D(LayerConfig config)
        : base(config)
    {
    }

    private protected override WeightlessLayer Of(PoolOptions options) => ImageLayers.maxPool(options);
}

/// <summary>The largest number of every window: [height, width, channels] gives [smaller height, smaller width, channels].</summary>
/// <example><code>model.Add(new MaxPooling2D((2, 2)));</code></example>
public sealed class MaxPooling2D : Pooling
{
    /// <summary>A layer of windows.</summary>
    /// <param name="poolSize">Height and width of the window: a number for both, or two; 2 by default.</param>
    /// <param name="strides">How far it moves; by its size by default.</param>
    /// <param name="padding"><c>"valid"</c> or <c>"same"</c>.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive.</exception>
    public MaxPooling2D(Sizes poolSize = default, Sizes strides = default, Named<PaddingMode> padding = default, Named<DataFormat> dataFormat = default)
        : base(nameof(MaxPooling2D), 2, poolSize, strides, padding.Value, dataFormat.Value)
    {
    }

    internal MaxPooling2D(LayerConfig config)
        : base(config)
    {
    }

    private protected override WeightlessLayer Of(PoolOptions options) => ImageLayers.maxPool(options);
}

/// <summary>The average of every so many steps: [steps, channels] gives [fewer steps, channels].</summary>
/// <example><code>model.Add(new AveragePooling1D(2));</code></example>
public sealed class AveragePooling1D : Pooling
{
    /// <summary>A layer of windows.</summary>
    /// <param name="poolSize">The number of steps in a window.</param>
    /// <param name="strides">How far it moves; by its size when null.</param>
    /// <param name="padding"><c>"valid"</c> or <c>"same"</c>; padding is not counted in the average.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive.</exception>
    public AveragePooling1D(int poolSize = 2, int? strides = null, Named<PaddingMode> padding = default, Named<DataFormat> dataFormat = default)
        : base(nameof(AveragePooling1D), 1, poolSize, strides ?? default(Sizes), padding.Value, dataFormat.Value)
    {
    }

    internal AveragePooling1D(LayerConfig config)
        : base(config)
    {
    }

    private protected override WeightlessLayer Of(PoolOptions options) => ImageLayers.averagePool(options);
}

/// <summary>The average of every window: [height, width, channels] gives [smaller height, smaller width, channels].</summary>
/// <example><code>model.Add(new AveragePooling2D((2, 2)));</code></example>
public sealed class AveragePooling2D : Pooling
{
    /// <summary>A layer of windows.</summary>
    /// <param name="poolSize">Height and width of the window: a number for both, or two; 2 by default.</param>
    /// <param name="strides">How far it moves; by its size by default.</param>
    /// <param name="padding"><c>"valid"</c> or <c>"same"</c>; padding is not counted in the average.</param>
    /// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
    /// <exception cref="ArgumentException">Numbers that are not positive.</exception>
    public AveragePooling2D(Sizes poolSize = default, Sizes strides = default, Named<PaddingMode> padding = default, Named<DataFormat> dataFormat = default)
        : base(nameof(AveragePooling2D), 2, poolSize, strides, padding.Value, dataFormat.Value)
    {
    }

    internal AveragePooling2D(LayerConfig config)
        : base(config)
    {
    }

    private protected override WeightlessLayer Of(PoolOptions options) => ImageLayers.averagePool(options);
}
