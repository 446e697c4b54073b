// Attention in several heads with Keras' names: Vaswani et al. (2017).
namespace Functional.CSharp;

/// <summary>Attention by scaled products in several heads side by side. Queries [queries, features], values and keys [keys,
/// features] give [queries, outputs]. Keys that are padding have weight 0.</summary>
/// <example><code>
/// var seen = new MultiHeadAttention(numHeads: 8, keyDim: 64).Apply(x, x, useCausalMask: true);   // a decoder looks at itself
/// var context = new MultiHeadAttention(8, 64, dropout: 0.1).Apply(seen, encoded);                // and at what was said
/// </code></example>
public sealed class MultiHeadAttention : Layer
{
    private readonly int numHeads;
    private readonly int keyDim;
    private readonly int? valueDim;
    private readonly double dropout;
    private readonly int? outputShape;
    private readonly int[]? attentionAxes;
    private readonly Weighted weighted;

    /// <summary>Several attentions, and a dense layer over what they find.</summary>
    /// <param name="numHeads">The number of heads.</param>
    /// <param name="keyDim">Features of queries and keys in each head; scores are divided by its root.</param>
    /// <param name="valueDim">Features of values in each head; as many when null.</param>
    /// <param name="dropout">The fraction of weights dropped while learning.</param>
    /// <param name="useBias">Whether the dense layers of queries, keys, values and output have a bias.</param>
    /// <param name="outputShape">Features of the output; as many as the queries have when null.</param>
    /// <param name="attentionAxes">The axes attended over, the batch counted as 0; all but batch and features when null. Where
    /// others are left, queries see the keys at their own place there.</param>
    /// <param name="kernelInitializer">How the four kernels begin; Glorot-uniform by default.</param>
    /// <param name="biasInitializer">How the biases begin; zeros by default.</param>
    /// <param name="kernelRegularizer">A penalty on each kernel.</param>
    /// <param name="biasRegularizer">A penalty on each bias.</param>
    /// <param name="kernelConstraint">What each kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What each bias is brought back to after each step.</param>
    /// <exception cref="ArgumentOutOfRangeException">Numbers under 1, or a fraction outside [0, 1).</exception>
    public MultiHeadAttention(
        int numHeads,
        int keyDim,
        int? valueDim = null,
        double dropout = 0,
        bool useBias = true,
        int? outputShape = null,
        int[]? attentionAxes = null,
        Initializer? kernelInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? kernelRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? kernelConstraint = null,
        Constraint? biasConstraint = null)
        : this(numHeads, keyDim, valueDim, dropout, outputShape, attentionAxes, new Weighted(null, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint))
    {
    }

    private MultiHeadAttention(int numHeads, int keyDim, int? valueDim, double dropout, int? outputShape, int[]? attentionAxes, Weighted weighted)
    {
        foreach (var (name, number) in new[] { (nameof(numHeads), numHeads), (nameof(keyDim), keyDim), (nameof(valueDim), valueDim ?? 1), (nameof(outputShape), outputShape ?? 1) })
            if (number < 1) throw new ArgumentOutOfRangeException(name, $"MultiHeadAttention: {name} is {number}; it must be at least 1");
        this.numHeads = numHeads;
        this.keyDim = keyDim;
        this.valueDim = valueDim;
        this.dropout = AttentionLayer.Fraction(nameof(MultiHeadAttention), dropout);
        this.outputShape = outputShape;
        this.attentionAxes = attentionAxes?.ToArray();
        this.weighted = weighted;
    }

    /// <summary>What is found for each query.</summary>
    /// <param name="query">The queries: [queries, features].</param>
    /// <param name="value">The values: [keys, features].</param>
    /// <param name="key">The keys: [keys, features]; the values when null.</param>
    /// <param name="queryMask">Which queries are there: [queries], 0 for padding; when null, the mask they have.</param>
    /// <param name="valueMask">Which values are there: [keys]; when null, the mask they have.</param>
    /// <param name="keyMask">Which keys are there: [keys]; when null, the mask they have.</param>
    /// <param name="attentionMask">Which query sees which key: [queries, keys], 0 where it must not.</param>
    /// <param name="useCausalMask">Whether a query sees the keys up to its own place only.</param>
    /// <returns>[queries, outputs].</returns>
    /// <exception cref="ArgumentException">Shapes that do not fit; the message says which.</exception>
    /// <example><code>var seen = new MultiHeadAttention(2, 16).Apply(x, x, valueMask: present);</code></example>
    public Node Apply(
        Node query, Node value, Node? key = null, Node? queryMask = null, Node? valueMask = null, Node? keyMask = null, Node? attentionMask = null, bool useCausalMask = false) =>
        ApplyAll(query, value, key, queryMask, valueMask, keyMask, attentionMask, false, useCausalMask)[0];

    /// <summary>What is found for each query and, on request, the weights.</summary>
    /// <param name="query">The queries: [queries, features].</param>
    /// <param name="value">The values: [keys, features].</param>
    /// <param name="key">The keys; the values when null.</param>
    /// <param name="queryMask">Which queries are there; when null, the mask they have.</param>
    /// <param name="valueMask">Which values are there; when null, the mask they have.</param>
    /// <param name="keyMask">Which keys are there; when null, the mask they have.</param>
    /// <param name="attentionMask">Which query sees which key: [queries, keys], 0 where it must not.</param>
    /// <param name="returnAttentionScores">Whether the weights come out, too: [heads, queries, keys], before dropout.</param>
    /// <param name="useCausalMask">Whether a query sees the keys up to its own place only.</param>
    /// <returns>[queries, outputs] and, on request, [heads, queries, keys].</returns>
    /// <exception cref="ArgumentException">Shapes that do not fit; the message says which.</exception>
    /// <example><code>Node[] foundAndWeights = new MultiHeadAttention(2, 16).ApplyAll(x, y, returnAttentionScores: true);</code></example>
    public Node[] ApplyAll(
        Node query,
        Node value,
        Node? key = null,
        Node? queryMask = null,
        Node? valueMask = null,
        Node? keyMask = null,
        Node? attentionMask = null,
        bool returnAttentionScores = false,
        bool useCausalMask = false)
    {
        var values = WithMask.Of(value, valueMask);
        List<Node> nodes = [WithMask.Of(query, queryMask), values];
        if (key is not null || keyMask is not null || attentionMask is not null) nodes.Add(WithMask.Of(key ?? values, keyMask));
        if (attentionMask is not null) nodes.Add(attentionMask);
        var call = returnAttentionScores || useCausalMask || attentionMask is not null
            ? Settings.Set("return_attention_scores", returnAttentionScores).Set("use_causal_mask", useCausalMask).Set("attention_mask", attentionMask is not null)
            : null;
        return new LayerCall(this, [.. nodes], call).Outputs;
    }

    internal override Block BlockFor(LayerConfig call) =>
        Attending(new AttentionCall(causal: call.Bool("use_causal_mask"), returnScores: call.Bool("return_attention_scores"), dropout: dropout), call.Bool("attention_mask"));

    internal override IReadOnlyList<Part> Parts => weighted.Parts(nameof(DenseParameters.Dense.Weights));

    internal override LayerConfig? Config()
    {
        var config = Settings.Set("num_heads", numHeads).Set("key_dim", keyDim).Set("dropout", dropout);
        if (valueDim is not null) config.Set("value_dim", valueDim);
        if (outputShape is not null) config.Set("output_shape", outputShape);
        if (attentionAxes is not null) config.Set("attention_axes", attentionAxes);
        return weighted.Write(config);
    }

    internal static MultiHeadAttention Read(LayerConfig c) => new(
        c.Int("num_heads"),
        c.Int("key_dim"),
        c.Has("value_dim") ? c.Int("value_dim") : null,
        c.Double("dropout"),
        c.Has("output_shape") ? c.Int("output_shape") : null,
        c.Has("attention_axes") ? c.Ints("attention_axes") : null,
        Weighted.Read(c));

    private protected override Block Create() => Attending(new AttentionCall(causal: false, returnScores: false, dropout: dropout), false);

    private Block Attending(AttentionCall call, bool masked) => Erase(MultiHeadBlock.create(
        call,
        attentionAxes is null ? null : Microsoft.FSharp.Core.FSharpOption<Microsoft.FSharp.Collections.FSharpList<int>>.Some(Bridge.List(attentionAxes)),
        masked,
        new MultiHeadSettings(
            heads: numHeads,
            keyUnits: keyDim,
            valueUnits: Bridge.Option(valueDim),
            outputs: Bridge.Option(outputShape),
            dense: new DenseSettings(weightInitializer: weighted.Kernel, biasInitializer: weighted.Bias, dType: DType.Float32))));
}
