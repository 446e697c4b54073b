// How much each example, or each step of it, counts: Keras' sample_weight and class_weight.
namespace Functional.CSharp;

/// <summary>Weights of data, as Fit was given them: of examples, or of classes.</summary>
/// <param name="Samples">A number for each example or step, of each output, or one that is for all of them; null for none.</param>
/// <param name="Classes">What the examples of a class count; those of a class that is not there count 1. Null for none.</param>
internal sealed record Weighting(Tensor[]? Samples, IReadOnlyDictionary<int, double>? Classes)
{
    /// <summary>The weighting of arguments; null where there is none.</summary>
    /// <exception cref="ArgumentException">Both were given, or a weight is no number of at least 0.</exception>
    public static Weighting? From(string operation, TensorLike? sampleWeight, IReadOnlyDictionary<int, double>? classWeight = null)
    {
        if (sampleWeight is not null && classWeight is not null)
            throw new ArgumentException($"{operation}: sampleWeight and classWeight were both given; as in Keras, give one of them (multiply the examples' weights by their classes')", nameof(classWeight));
        foreach (var (label, weight) in classWeight ?? new Dictionary<int, double>())
            if (!(weight >= 0 && double.IsFinite(weight)))
                throw new ArgumentException($"{operation}: the weight of class {label} is {weight}; weights are numbers of at least 0", nameof(classWeight));
        return sampleWeight is null && classWeight is null ? null : new(sampleWeight?.ToTensors(), classWeight);
    }

    /// <summary>The weights of one output's targets.</summary>
    public Tensor Of(string operation, Loss loss, Tensor target, int output, int outputs)
    {
        if (Samples is not null)
        {
            if (Samples.Length != 1 && Samples.Length != outputs)
                throw new ArgumentException($"{operation}: sampleWeight has weights for {Samples.Length} outputs; the model has {outputs}", "sampleWeight");
            var weights = Samples[Samples.Length == 1 ? 0 : output];
            // a column of weights is one for each example
            if (weights.Rank == 2 && weights.Shape[1] == 1 && target.Shape is [_, not 1] or [_]) weights = weights.Reshape(-1);
            return weights.DType == DType.Float32 ? weights : weights.Cast(DType.Float32);
        }

        if (outputs > 1)
            throw new ArgumentException($"{operation}: classWeight is for models of one output, as in Keras; this one has {outputs}: give sampleWeight, weights for each output in brackets", "classWeight");
        var classes = Labels(operation, loss, target);
        return Tensor.Of([.. classes.Select(label => (float)Classes!.GetValueOrDefault(label, 1.0))], [classes.Length]);
    }

    private static int[] Labels(string operation, Loss loss, Tensor target)
    {
        var labels = loss.TakesLabels ? target : target.Rank == 2 && target.Shape[1] > 1 ? target.ArgMax() : target;
        if (labels.Rank > 2 || labels.Size != target.Shape[0])
            throw new ArgumentException($"{operation}: classWeight needs one class for each example; the targets are {Dimensions.Show(target.Shape)}: give sampleWeight, which may have a number for each step", "classWeight");
        return [.. labels.ToDoubles().Select(label => (int)Math.Round(label))];
    }
}
