// Attention with Keras' names: by products, by sums. What is found for queries, by how well keys answer them.
namespace Functional.CSharp;

/// <summary>How a key is scored by a query.</summary>
public enum ScoreMode
{
    /// <summary>Their product.</summary>
    Dot,

    /// <summary>The sum of tanh(query + key) over the features, times a trained number.</summary>
    Concat,
}

/// <summary>Attention of queries to keys: of [queries, features], values [keys, units] and keys [keys, features] it makes
/// [queries, units], the mean of the values weighted by the softmax of scores. Keys that are padding have weight 0, and
/// queries that are padding get zeros.</summary>
public abstract class AttentionLayer : Layer
{
    private protected AttentionLayer(double dropout) => Dropout = Fraction(GetType().Name, dropout);

    private protected double Dropout { get; }

    /// <summary>What is found for each query.</summary>
    /// <param name="inputs">Queries and values, or queries, values and keys; without keys the values are their own.</param>
    /// <param name="mask">Which queries, which values and, perhaps, which keys are there: [steps] each, 0 for padding; null
    /// leaves the masks that the inputs have.</param>
    /// <param name="useCausalMask">Whether a query sees the keys up to its own place only.</param>
    /// <returns>[queries, units].</returns>
    /// <exception cref="ArgumentException">Shapes that do not fit; the message says which.</exception>
    /// <example><code>var context = new Attention().Apply([decoded, encoded], mask: [null, present]);</code></example>
    public Node Apply(Nodes inputs, IReadOnlyList<Node?>? mask = null, bool useCausalMask = false) =>
        ApplyAll(inputs, mask, false, useCausalMask)[0];

    /// <summary>What is found for each query and, on request, the weights.</summary>
    /// <param name="inputs">Queries and values, or queries, values and keys; without keys the values are their own.</param>
    /// <param name="mask">Which of them are there: [steps] each, 0 for padding; null leaves the masks that they have.</param>
    /// <param name="returnAttentionScores">Whether the weights come out, too: [queries, keys], before dropout.</param>
    /// <param name="useCausalMask">Whether a query sees the keys up to its own place only.</param>
    /// <returns>[queries, units] and, on request, [queries, keys].</returns>
    /// <exception cref="ArgumentException">Shapes that do not fit; the message says which.</exception>
    /// <example><code>
    /// var found = new AdditiveAttention().ApplyAll([decoded, encoded], returnAttentionScores: true);
    /// var (context, weights) = (found[0], found[1]);
    /// </code></example>
    public Node[] ApplyAll(Nodes inputs, IReadOnlyList<Node?>? mask = null, bool returnAttentionScores = false, bool useCausalMask = false)
    {
        var nodes = inputs.ToArray();
        if (mask?.Count > nodes.Length)
            throw new ArgumentException($"{Kind}: {mask.Count} masks for {nodes.Length} inputs; there is one for each, or null", nameof(mask));
        for (var i = 0; i < mask?.Count; i++) nodes[i] = WithMask.Of(nodes[i], mask[i]);
        return new LayerCall(this, nodes, Call(returnAttentionScores, useCausalMask)).Outputs;
    }

    internal override Block BlockFor(LayerConfig call) => Attending(new AttentionCall(causal: call.Bool("use_causal_mask"), returnScores: call.Bool("return_attention_scores"), dropout: Dropout));

    /// <summary>The arguments of a call as text; null where they are what a layer does anyway.</summary>
    internal LayerConfig? Call(bool returnAttentionScores, bool useCausalMask) => returnAttentionScores || useCausalMask
        ? Settings.Set("return_attention_scores", returnAttentionScores).Set("use_causal_mask", useCausalMask)
        : null;

    internal static double Fraction(string layer, double dropout) => dropout is >= 0 and < 1
        ? dropout
        : throw new ArgumentOutOfRangeException(nameof(dropout), $"{layer}: dropout is the fraction of weights dropped, in [0, 1); {dropout} was given");

    private protected override Block Create() => Attending(new AttentionCall(causal: false, returnScores: false, dropout: Dropout));

    /// <summary>The F# block of a call.</summary>
    private protected abstract Block Attending(AttentionCall call);
}

/// <summary>Attention by products, Luong's: scores are query·key. They are not divided by anything; <c>useScale</c> multiplies
/// them by a trained number that begins at 1.</summary>
/// <param name="useScale">Whether scores are multiplied by a trained number.</param>
/// <param name="scoreMode"><c>"dot"</c>, or <c>"concat"</c> for sums of tanh(query + key).</param>
/// <param name="dropout">The fraction of weights dropped while learning.</param>
/// <exception cref="ArgumentOutOfRangeException">A fraction outside [0, 1).</exception>
/// <example><code>var context = new Attention(useScale: true).Apply([queries, values, keys]);</code></example>
public sealed class Attention(bool useScale = false, Named<ScoreMode> scoreMode = default, double dropout = 0) : AttentionLayer(dropout)
{
    private protected override Block Attending(AttentionCall call) =>
        Erase(AttentionBlock.dotProduct(call, scoreMode.Value == ScoreMode.Concat ? AttentionScore.Sums : AttentionScore.Products, useScale));

    internal override LayerConfig Config() => Settings.Set("use_scale", useScale).Set("score_mode", Names.Snake(scoreMode.Value)).Set("dropout", Dropout);

    internal static Attention Read(LayerConfig c) => new(c.Bool("use_scale"), c.Choice<ScoreMode>("score_mode"), c.Double("dropout"));
}

/// <summary>Attention by sums, Bahdanau's: scores are Σ scale·tanh(query + key) over the features.</summary>
/// <param name="useScale">Whether each feature has a trained scale; otherwise it is 1.</param>
/// <param name="dropout">The fraction of weights dropped while learning.</param>
/// <exception cref="ArgumentOutOfRangeException">A fraction outside [0, 1).</exception>
/// <example><code>var context = new AdditiveAttention().Apply([queries, values]);</code></example>
public sealed class AdditiveAttention(bool useScale = true, double dropout = 0) : AttentionLayer(dropout)
{
    private protected override Block Attending(AttentionCall call) => Erase(AttentionBlock.additive(call, useScale));

    internal override LayerConfig Config() => Settings.Set("use_scale", useScale).Set("dropout", Dropout);

    internal static AdditiveAttention Read(LayerConfig c) => new(c.Bool("use_scale"), c.Double("dropout"));
}
