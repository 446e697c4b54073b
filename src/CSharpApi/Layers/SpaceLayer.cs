// What layers over space without weights share: the number of axes they are for, and where the channels lie.
namespace Functional.CSharp;

/// <summary>A layer over sequences or images that has no weights.</summary>
public abstract class SpaceLayer : Layer
{
    private readonly int axes;
    private readonly DataFormat format;

    private protected SpaceLayer(int axes, Named<DataFormat> format)
    {
        this.axes = axes;
        this.format = format.Value;
    }

    private protected sealed override Block Create()
    {
        var layer = Over();
        if (format == DataFormat.ChannelsFirst) layer = ImageLayers.channelsFirst(layer);
        var kind = Kind;
        return Erase(WithMask(new WeightlessLayer(layer.Name, Bridge.Curry((int[] shape) => layer.Place.Invoke(Fitting(kind, shape))), layer.Apply)));
    }

    /// <summary>The layer with what it does to masks: by default they end here.</summary>
    private protected virtual WeightlessBlock WithMask(WeightlessLayer layer) => BlockModule.ofLayer(MaskUse.Drops, layer);

    internal sealed override LayerConfig Config() => Write(Settings.Set("data_format", Names.Snake(format)));

    /// <summary>The F# layer for channels that lie last.</summary>
    private protected abstract WeightlessLayer Over();

    /// <summary>The settings with the layer's own.</summary>
    private protected virtual LayerConfig Write(LayerConfig config) => config;

    private int[] Fitting(string kind, int[] shape) => shape.Length == axes + 1
        ? shape
        : throw new ArgumentException(
            $"{kind}: an example of shape ({string.Join(", ", shape)}); {(axes == 1 ? "sequences [steps, channels]" : "images [height, width, channels]")} are needed");
}
