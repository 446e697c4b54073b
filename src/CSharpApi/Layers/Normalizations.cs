// Normalisations: over the batch, over an example's features, over groups of its channels, over neighbouring channels.
namespace Functional.CSharp;

/// <summary>What Keras' normalisations share: a trained offset and factor for every feature.</summary>
internal sealed record Scaling(
    int Axis,
    double Epsilon,
    bool Center,
    bool Scale,
    Initializer? BetaInitializer,
    Initializer? GammaInitializer,
    Regularizer? BetaRegularizer,
    Regularizer? GammaRegularizer,
    Constraint? BetaConstraint,
    Constraint? GammaConstraint)
{
    public IReadOnlyList<Part> Parts => [new(nameof(NormalizationParameters.Normalization.Beta), BetaRegularizer, BetaConstraint), new(nameof(NormalizationParameters.Normalization.Gamma), GammaRegularizer, GammaConstraint)];

    /// <summary>Settings for F#; running statistics are batch normalisation's alone.</summary>
    public NormalizationSettings Settings(double momentum = 0, Initializer? mean = null, Initializer? variance = null) => new(
        axis: Axis,
        momentum: momentum,
        epsilon: Epsilon,
        center: Center,
        scale: Scale,
        gammaInitializer: (GammaInitializer ?? Initializer.Ones).Function,
        betaInitializer: (BetaInitializer ?? Initializer.Zeros).Function,
        meanInitializer: (mean ?? Initializer.Zeros).Function,
        varianceInitializer: (variance ?? Initializer.Ones).Function,
        dType: DType.Float32);

    public LayerConfig? Write(LayerConfig config) => config
        .Set("axis", Axis)
        .Set("epsilon", Epsilon)
        .Set("center", Center)
        .Set("scale", Scale)
        .SetRegularizer("beta_regularizer", BetaRegularizer)?
        .SetRegularizer("gamma_regularizer", GammaRegularizer)?
        .SetConstraint("beta_constraint", BetaConstraint)?
        .SetConstraint("gamma_constraint", GammaConstraint);

    /// <summary>As they were written; initialisers are not kept, since the weights are.</summary>
    public static Scaling Read(LayerConfig c) => new(
        c.Int("axis"),
        c.Double("epsilon"),
        c.Bool("center"),
        c.Bool("scale"),
        null,
        null,
        c.Regularizer("beta_regularizer"),
        c.Regularizer("gamma_regularizer"),
        c.Constraint("beta_constraint"),
        c.Constraint("gamma_constraint"));
}

/// <summary>Normalises every feature over the batch to mean 0 and variance 1, then scales and shifts it by trained numbers.
/// While learning it uses the batch's own statistics and moves the running ones, which it uses to answer.</summary>
/// <example><code>model.Add(new BatchNormalization());</code></example>
public sealed class BatchNormalization : Layer
{
    private readonly double momentum;
    private readonly Initializer? mean;
    private readonly Initializer? variance;
    private readonly Scaling scaling;

    /// <summary>A normalisation over the batch.</summary>
    /// <param name="axis">The axis of features; the batch is 0, −1 the last; 1 for images whose channels lie first.</param>
    /// <param name="momentum">How much of the running statistics a step keeps, in [0, 1].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="center">Whether there is a trained offset.</param>
    /// <param name="scale">Whether there is a trained factor.</param>
    /// <param name="betaInitializer">How the offset begins; zeros by default.</param>
    /// <param name="gammaInitializer">How the factor begins; ones by default.</param>
    /// <param name="movingMeanInitializer">How the running means begin; zeros by default.</param>
    /// <param name="movingVarianceInitializer">How the running variances begin; ones by default.</param>
    /// <param name="betaRegularizer">A penalty on the offset.</param>
    /// <param name="gammaRegularizer">A penalty on the factor.</param>
    /// <param name="betaConstraint">What the offset is brought back to after each step.</param>
    /// <param name="gammaConstraint">What the factor is brought back to after each step.</param>
    public BatchNormalization(
        int axis = -1,
        double momentum = 0.99,
        double epsilon = 1e-3,
        bool center = true,
        bool scale = true,
        Initializer? betaInitializer = null,
        Initializer? gammaInitializer = null,
        Initializer? movingMeanInitializer = null,
        Initializer? movingVarianceInitializer = null,
        Regularizer? betaRegularizer = null,
        Regularizer? gammaRegularizer = null,
        Constraint? betaConstraint = null,
        Constraint? gammaConstraint = null)
        : this(new(axis, epsilon, center, scale, betaInitializer, gammaInitializer, betaRegularizer, gammaRegularizer, betaConstraint, gammaConstraint), momentum, movingMeanInitializer, movingVarianceInitializer)
    {
    }

    internal BatchNormalization(LayerConfig config)
        : this(Scaling.Read(config), config.Double("momentum"), null, null)
    {
    }

    private BatchNormalization(Scaling scaling, double momentum, Initializer? mean, Initializer? variance) =>
        (this.scaling, this.momentum, this.mean, this.variance) = (scaling, momentum, mean, variance);

    internal override IReadOnlyList<Part> Parts => scaling.Parts;

    internal override LayerConfig? Config() => scaling.Write(Settings.Set("momentum", momentum));

    private protected override Block Create() =>
        Erase(ImageLayers.batchNormalization(scaling.Settings(momentum, mean, variance)), keepsMask: true);
}

/// <summary>Normalises every example's features at each place, then scales and shifts them by trained numbers.</summary>
/// <example><code>model.Add(new LayerNormalization());</code></example>
public sealed class LayerNormalization : Layer
{
    private readonly Scaling scaling;

    /// <summary>A normalisation of each example.</summary>
    /// <param name="axis">The axis of features; the batch is 0, −1 the last.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="center">Whether there is a trained offset.</param>
    /// <param name="scale">Whether there is a trained factor.</param>
    /// <param name="betaInitializer">How the offset begins; zeros by default.</param>
    /// <param name="gammaInitializer">How the factor begins; ones by default.</param>
    /// <param name="betaRegularizer">A penalty on the offset.</param>
    /// <param name="gammaRegularizer">A penalty on the factor.</param>
    /// <param name="betaConstraint">What the offset is brought back to after each step.</param>
    /// <param name="gammaConstraint">What the factor is brought back to after each step.</param>
    public LayerNormalization(
        int axis = -1,
        double epsilon = 1e-3,
        bool center = true,
        bool scale = true,
        Initializer? betaInitializer = null,
        Initializer? gammaInitializer = null,
        Regularizer? betaRegularizer = null,
        Regularizer? gammaRegularizer = null,
        Constraint? betaConstraint = null,
        Constraint? gammaConstraint = null)
        : this(new Scaling(axis, epsilon, center, scale, betaInitializer, gammaInitializer, betaRegularizer, gammaRegularizer, betaConstraint, gammaConstraint))
    {
    }

    internal LayerNormalization(LayerConfig config)
        : this(Scaling.Read(config))
    {
    }

    private LayerNormalization(Scaling scaling) => this.scaling = scaling;

    internal override IReadOnlyList<Part> Parts => scaling.Parts;

    internal override LayerConfig? Config() => scaling.Write(Settings);

    private protected override Block Create() => Erase(ImageLayers.layerNormalization(scaling.Settings()), keepsMask: true);
}

/// <summary>Normalises groups of each example's channels over all of space, then scales and shifts them by trained
/// numbers.</summary>
/// <example><code>model.Add(new GroupNormalization(groups: 8));</code></example>
public sealed class GroupNormalization : Layer
{
    private readonly int groups;
    private readonly Scaling scaling;

    /// <summary>A normalisation of groups of channels.</summary>
    /// <param name="groups">The number of groups, which divides that of the channels; 1 is the whole example, −1 (or as many as
    /// channels) is instance normalisation.</param>
    /// <param name="axis">The axis of channels; the batch is 0, −1 the last; 1 for images whose channels lie first.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="center">Whether there is a trained offset.</param>
    /// <param name="scale">Whether there is a trained factor.</param>
    /// <param name="betaInitializer">How the offset begins; zeros by default.</param>
    /// <param name="gammaInitializer">How the factor begins; ones by default.</param>
    /// <param name="betaRegularizer">A penalty on the offset.</param>
    /// <param name="gammaRegularizer">A penalty on the factor.</param>
    /// <param name="betaConstraint">What the offset is brought back to after each step.</param>
    /// <param name="gammaConstraint">What the factor is brought back to after each step.</param>
    public GroupNormalization(
        int groups = 32,
        int axis = -1,
        double epsilon = 1e-3,
        bool center = true,
        bool scale = true,
        Initializer? betaInitializer = null,
        Initializer? gammaInitializer = null,
        Regularizer? betaRegularizer = null,
        Regularizer? gammaRegularizer = null,
        Constraint? betaConstraint = null,
        Constraint? gammaConstraint = null)
        : this(new(axis, epsilon, center, scale, betaInitializer, gammaInitializer, betaRegularizer, gammaRegularizer, betaConstraint, gammaConstraint), groups)
    {
    }

    internal GroupNormalization(LayerConfig config)
        : this(Scaling.Read(config), config.Int("groups"))
    {
    }

    private GroupNormalization(Scaling scaling, int groups) => (this.scaling, this.groups) = (scaling, groups);

    internal override IReadOnlyList<Part> Parts => scaling.Parts;

    internal override LayerConfig? Config() => scaling.Write(Settings.Set("groups", groups));

    private protected override Block Create() => Erase(ImageLayers.groupNormalization(scaling.Settings(), groups));
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
    private protected override Block Create() => Erase(ImageLayers.localResponseNormalization(new LocalResponse(size: size, bias: bias, alpha: alpha, beta: beta)));

    internal override LayerConfig Config() => Settings
        .Set("size", size)
        .Set("bias", bias)
        .Set("alpha", alpha)
        .Set("beta", beta);

    internal static LocalResponseNormalization Read(LayerConfig c) => new(c.Int("size"), c.Double("bias"), c.Double("alpha"), c.Double("beta"));
}
