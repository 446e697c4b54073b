// Layers made again from the description of a saved model.
using System.Text.Json.Nodes;

namespace Functional.CSharp;

internal static class LayerReader
{
    private static readonly Dictionary<string, Func<LayerConfig, Layer>> Makers = new()
    {
        [nameof(Activation)] = c => new Activation(c.Text("activation")) { Name = NameOf(c), InputShape = ShapeOf(c) },
        [nameof(LeakyReLU)] = c => new LeakyReLU(c.Double("alpha")) { Name = NameOf(c), InputShape = ShapeOf(c) },
        [nameof(PReLU)] = c => new PReLU { Name = NameOf(c), InputShape = ShapeOf(c), Trainable = IsTrained(c) },
        [nameof(ELU)] = c => new ELU(c.Double("alpha")) { Name = NameOf(c), InputShape = ShapeOf(c) },
        [nameof(InputLayer)] = c => new InputLayer(c.Ints("input_shape")),
        [nameof(Flatten)] = c => new Flatten { Name = NameOf(c), InputShape = ShapeOf(c) },
        [nameof(Reshape)] = c => new Reshape(c.Ints("target_shape")) { Name = NameOf(c), InputShape = ShapeOf(c) },
        [nameof(Permute)] = c => new Permute(c.Ints("dims")) { Name = NameOf(c), InputShape = ShapeOf(c) },
        [nameof(RepeatVector)] = c => new RepeatVector(c.Int("n")) { Name = NameOf(c), InputShape = ShapeOf(c) },
        [nameof(Dropout)] = c => new Dropout(c.Double("rate")) { Name = NameOf(c), InputShape = ShapeOf(c) },
        [nameof(GaussianNoise)] = c => new GaussianNoise(c.Double("stddev")) { Name = NameOf(c), InputShape = ShapeOf(c) },
        [nameof(Dense)] = Dense.Read,
    };

    public static Layer Read(JsonNode? node)
    {
        var config = LayerConfig.Parse(node);
        return Makers.TryGetValue(config.Kind, out var make)
            ? make(config)
            : throw new InvalidDataException(
                $"load: the model has a layer of class \"{config.Kind}\", which this version does not know; it knows {string.Join(", ", Makers.Keys)}");
    }

    public static string? NameOf(LayerConfig config) => config.Has("name") ? config.Text("name") : null;

    public static int[]? ShapeOf(LayerConfig config) => config.Has("input_shape") ? config.Ints("input_shape") : null;

    public static bool IsTrained(LayerConfig config) => !config.Has("trainable") || config.Bool("trainable");
}
