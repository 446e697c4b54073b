// Pooling over all of space: one number for each channel.
namespace Functional.CSharp;

/// <summary>The largest number of each channel: [steps, channels] gives [channels].</summary>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <example><code>model.Add(new GlobalMaxPooling1D());</code></example>
public sealed class GlobalMaxPooling1D(Named<DataFormat> dataFormat = default) : SpaceLayer(1, dataFormat)
{
    private protected override WeightlessLayer Over() => ImageLayers.globalMaxPool;
}

/// <summary>The largest number of each channel: [height, width, channels] gives [channels].</summary>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <example><code>model.Add(new GlobalMaxPooling2D());</code></example>
public sealed class GlobalMaxPooling2D(Named<DataFormat> dataFormat = default) : SpaceLayer(2, dataFormat)
{
    private protected override WeightlessLayer Over() => ImageLayers.globalMaxPool;
}

/// <summary>The average of each channel over the steps, those that are masked left out: [steps, channels] gives [channels].</summary>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <example><code>model.Add(new GlobalAveragePooling1D());</code></example>
public sealed class GlobalAveragePooling1D(Named<DataFormat> dataFormat = default) : SpaceLayer(1, dataFormat)
{
    private readonly bool stepsFirst = dataFormat.Value == DataFormat.ChannelsLast;

    private protected override WeightlessLayer Over() => ImageLayers.globalAveragePool;

    private protected override WeightlessBlock WithMask(WeightlessLayer layer)
    {
        var block = base.WithMask(layer);
        return stepsFirst ? new WeightlessBlock(block.Name, block.Place, BlockModule.averageOverTime.Apply) : block;
    }
}

/// <summary>The average of each channel: [height, width, channels] gives [channels].</summary>
/// <param name="dataFormat"><c>"channels_last"</c> or <c>"channels_first"</c>.</param>
/// <example><code>model.Add(new GlobalAveragePooling2D());</code></example>
public sealed class GlobalAveragePooling2D(Named<DataFormat> dataFormat = default) : SpaceLayer(2, dataFormat)
{
    private protected override WeightlessLayer Over() => ImageLayers.globalAveragePool;
}
