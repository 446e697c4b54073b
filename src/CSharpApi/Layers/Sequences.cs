// Where sequences begin: vectors for tokens, and which of the steps are there.
namespace Functional.CSharp;

/// <summary>A trained vector for every token of a vocabulary: integers [steps] give [steps, outputDim].</summary>
/// <example><code>model.Add(new Embedding(inputDim: 10_000, outputDim: 64, maskZero: true, inputLength: 80));</code></example>
public sealed class Embedding : Layer
{
    private readonly int inputDim;
    private readonly int outputDim;
    private readonly Initializer? initializer;
    private readonly Regularizer? regularizer;
    private readonly Constraint? constraint;
    private readonly bool maskZero;

    internal override bool TakesIntegers => true;

    /// <summary>Vectors for a vocabulary.</summary>
    /// <param name="inputDim">The number of tokens: those given lie in 0 … inputDim − 1.</param>
    /// <param name="outputDim">The number of features of a vector.</param>
    /// <param name="embeddingsInitializer">How the vectors begin; uniform within ±0.05 by default.</param>
    /// <param name="embeddingsRegularizer">A penalty on the vectors.</param>
    /// <param name="embeddingsConstraint">What the vectors are brought back to after each step.</param>
    /// <param name="maskZero">Whether token 0 is padding, which the layers behind leave out.</param>
    /// <param name="inputLength">The number of steps, where this is the first layer and the data do not say it.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one token or feature.</exception>
    public Embedding(
        int inputDim,
        int outputDim,
        Initializer? embeddingsInitializer = null,
        Regularizer? embeddingsRegularizer = null,
        Constraint? embeddingsConstraint = null,
        bool maskZero = false,
        int? inputLength = null)
    {
        if (inputDim < 1) throw new ArgumentOutOfRangeException(nameof(inputDim), $"Embedding: {inputDim} tokens; there must be at least one");
        if (outputDim < 1) throw new ArgumentOutOfRangeException(nameof(outputDim), $"Embedding: vectors of {outputDim} features; there must be at least one");
        this.inputDim = inputDim;
        this.outputDim = outputDim;
        initializer = embeddingsInitializer;
        regularizer = embeddingsRegularizer;
        constraint = embeddingsConstraint;
        this.maskZero = maskZero;
        if (inputLength is { } length) InputShape = [length];
    }

    internal override LayerConfig? Config() => Settings
        .Set("input_dim", inputDim)
        .Set("output_dim", outputDim)
        .Set("mask_zero", maskZero)
        .SetRegularizer("embeddings_regularizer", regularizer)?
        .SetConstraint("embeddings_constraint", constraint);

    internal static Embedding Read(LayerConfig c) => new(
        c.Int("input_dim"), c.Int("output_dim"), null, c.Regularizer("embeddings_regularizer"), c.Constraint("embeddings_constraint"), c.Bool("mask_zero"));

    internal override IReadOnlyList<Part> Parts => [new(nameof(EmbeddingParameters.Embedding.Vectors), regularizer, constraint)];

    private protected override Block Create()
    {
        var draw = initializer?.Function ?? EmbeddingModule.defaultInitializer;
        return Erase(BlockModule.embedding(maskZero ? Bridge.Option<int>(0) : null, Functional.Layers.embeddingWith(draw, inputDim, outputDim)));
    }
}

/// <summary>Steps whose features all have a value are padding, which the layers behind leave out.</summary>
/// <param name="maskValue">The value.</param>
/// <example><code>
/// model.Add(new Masking { InputShape = [80, 4] });
/// model.Add(new LSTM(32));
/// </code></example>
public sealed class Masking(double maskValue = 0) : Layer
{
    internal override LayerConfig Config() => Settings.Set("mask_value", maskValue);

    private protected override Block Create() => Erase(BlockModule.masking(maskValue));
}

/// <summary>Sequences and a mask that is data: the second input says which steps of the first are there, 0 for those that are
/// not.</summary>
/// <example><code>var known = new WithMask().Apply([sequence, present]);</code></example>
public sealed class WithMask : Layer
{
    /// <summary>Sequences with a mask, where there is one.</summary>
    internal static Node Of(Node sequence, Node? mask)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        return mask is null ? sequence : new WithMask().Apply([sequence, mask]);
    }

    internal override bool TakesIntegers => true;

    internal override LayerConfig Config() => Settings;

    private protected override Block Create() => Erase(BlockModule.withMask);
}
