// Normalisations: over the batch, over an example's features, over groups of its channels, over neighbouring channels.
namespace Functional.CSharp;

/// <summary>Normalises every feature over the batch to mean 0 and variance 1, then scales and shifts it by trained numbers.
/// While learning it uses the batch's own statistics and moves the running ones, which it uses to answer.</summary>
/// <param name="axis">The axis of features; the batch is 0, −1 the last; 1 for images whose channels lie first.</param>
/// <param name="momentum">How much of the running statistics a step keeps, in [0, 1].</param>
/// <param name="epsilon">Added to the variance.</param>
/// <param name="center">Whether there is a trained offset.</param>
/// <param name="scale">Whether there is a trained factor.</param>
/// <example><code>model.Add(new BatchNormalization());</code></example>
public sealed class BatchNormalization(int axis = -1, double momentum = 0.99, double epsilon = 1e-3, bool center = true, bool scale = true) : Layer
{
    private protected override Block<object> Create() =>
        Erase(ImageLayers.batchNormalization(new NormalizationSettings(axis, momentum, epsilon, center, scale, DType.Float32)), keepsMask: true);

    internal override LayerConfig Config() => Settings
        .Set("axis", axis)
        .Set("momentum", momentum)
        .Set("epsilon", epsilon)
        .Set("center", center)
        .Set("scale", scale);

    internal static BatchNormalization Read(LayerConfig c) =>
        new(c.Int("axis"), c.Double("momentum"), c.Double("epsilon"), c.Bool("center"), c.Bool("scale"));
}

/// <summary>Normalises every example's features at each place, then scales and shifts them by trained numbers.</summary>
/// <param name="axis">The axis of features; the batch is 0, −1 the last.</param>
/// <param name="epsilon">Added to the variance.</param>
/// <param name="center">Whether there is a trained offset.</param>
/// <param name="scale">Whether there is a trained factor.</param>
/// <example><code>model.Add(new LayerNormalization());</code></example>
public sealed class LayerNormalization(int axis = -1, double epsilon = 1e-3, bool center = true, bool scale = true) : Layer
{
    private protected override Block<object> Create() =>
        Erase(ImageLayers.layerNormalization(new NormalizationSettings(axis, 0.0, epsilon, center, scale, DType.Float32)), keepsMask: true);

    internal override LayerConfig Config() => Settings
        .Set("axis", axis)
        .Set("epsilon", epsilon)
        .Set("center", center)
        .Set("scale", scale);

    internal static LayerNormalization Read(LayerConfig c) => new(c.Int("axis"), c.Double("epsilon"), c.Bool("center"), c.Bool("scale"));
}

/// <summary>Normalises groups of each example's channels over all of space, then scales and shifts them by trained numbers;
/// channels lie last.</summary>
/// <param name="groups">The number of groups, which divides that of the channels; 1 is the whole example, as many as
/// channels is instance normalisation.</param>
/// <param name="epsilon">Added to the variance.</param>
/// <param name="center">Whether there is a trained offset.</param>
/// <param name="scale">Whether there is a trained factor.</param>
/// <example><code>model.Add(new GroupNormalization(groups: 8));</code></example>
public sealed class GroupNormalization(int groups = 32, double epsilon = 1e-3, bool center = true, bool scale = true) : Layer
{
    private protected override Block<object> Create() =>
        Erase(ImageLayers.groupNormalization(new NormalizationSettings(-1, 0.0, epsilon, center, scale, DType.Float32), groups));

    internal override LayerConfig Config() => Settings
        .Set("groups", groups)
        .Set("epsilon", epsilon)
        .Set("center", center)
        .Set("scale", scale);

    internal static GroupNormalization Read(LayerConfig c) => new(c.Int("groups"), c.Double("epsilon"), c.Bool("center"), c.Bool("scale"));
}

/// <summary>Divides every number by (bias + alpha · Σ x²)^beta, the sum over neighbouring channels at the same place:
/// Krizhevsky, Sutskever and Hinton (2012), whose numbers are the defaults. Channels lie last.</summary>
/// <param name="size">How many channels are summed over, the number's own in the middle.</param>
/// <param name="bias">The paper's k.</param>
/// <param name="alpha">The factor of the sum.</param>
/// <param name="beta">The exponent.</param>
/// <example><code>model.Add(new LocalResponseNormalization());</code></example>
public sealed class LocalResponseNormalization(int size = 5, double bias = 2, double alpha = 1e-4, double beta = 0.75) : Layer
{
    private protected override Block<object> Create() => Erase(ImageLayers.localResponseNormalization(new LocalResponse(size, bias, alpha, beta)));

    internal override LayerConfig Config() => Settings
        .Set("size", size)
        .Set("bias", bias)
        .Set("alpha", alpha)
        .Set("beta", beta);

    internal static LocalResponseNormalization Read(LayerConfig c) => new(c.Int("size"), c.Double("bias"), c.Double("alpha"), c.Double("beta"));
}
