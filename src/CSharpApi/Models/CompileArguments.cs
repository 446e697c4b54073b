// How a model is trained: losses and metrics of its outputs, the optimiser, and the F# trainer made of them.
using System.Text.Json.Nodes;

namespace Functional.CSharp;

/// <summary>What Compile was given. One loss stands for those of all outputs, and so do the metrics of one output.</summary>
internal sealed record CompileArguments(
    Loss[] Losses, double[]? LossWeights, Metric[][] Metrics, Optimizer Optimizer, bool RunEagerly, Metric[]? WeightedMetrics = null)
{
    /// <summary>What each output of a model is trained towards.</summary>
    public IReadOnlyList<OutputGoal> Goals(Built model)
    {
        var outputs = model.OutputNames;
        void Require(string what, int given)
        {
            if (given != outputs.Length)
                throw new ArgumentException($"Compile: {what} for {given} outputs; the model has {outputs.Length}: {string.Join(", ", outputs)}");
        }

        if (Losses.Length != 1) Require("losses", Losses.Length);
        if (LossWeights is not null) Require("lossWeights", LossWeights.Length);
        if (Metrics.Length > 1 || (Metrics.Length == 1 && Losses.Length > 1)) Require("metrics", Metrics.Length);
        return
        [
            .. outputs.Select((name, i) => new OutputGoal(
                output: name,
                loss: LossOf(i).Function,
                weight: LossWeights?[i] ?? 1.0,
                metrics: Bridge.List((Metrics.Length == 0 ? [] : Metrics[Metrics.Length == 1 ? 0 : i]).Select(metric => metric.Value)))),
        ];
    }

    /// <summary>The trainer of a model, with its layers' penalties.</summary>
    public Trainer<object[], Tensor[], Masked[]> Trainer(Built model)
    {
        var weighted = Bridge.List((WeightedMetrics ?? []).Select(metric => metric.Value));
        var trainer = TrainerModule.ofWeightedNetwork(
            model.Network, Bridge.List(Goals(model)), Bridge.List(model.OutputNames.Select(_ => weighted)), Optimizer.Create());
        if (model.Remembering is { } remembering) trainer = remembering.Carrying(trainer);

        // where in the parameters there is something to be asked of the weights
        List<(int Layer, int Leaf, Part Part)> all =
        [
            .. model.Layers.SelectMany((layer, i) => layer.Trainable
                ? layer.Parts.SelectMany(part => part.Places(model.Parameters[i]).Select(leaf => (i, leaf, part)))
                : []),
        ];
        var penalties = all.Where(one => one.Part.Regularizer is not null).ToList();
        if (penalties.Count > 0)
            trainer = TrainerModule.withPenalty(
                Bridge.Curry<object[], Tensor>(parameters => penalties
                    .Select(one => one.Part.Regularizer!.Penalty(Tree.leaves(parameters[one.Layer])[one.Leaf]))
                    .Aggregate((a, b) => a + b)),
                trainer);
        var constraints = all.Where(one => one.Part.Constraint is not null).GroupBy(one => one.Layer).ToList();
        if (constraints.Count > 0)
            trainer = TrainerModule.withConstraint(
                Bridge.Curry<object[], object[]>(parameters =>
                {
                    var next = parameters.ToArray();
                    foreach (var layer in constraints)
                    {
                        var leaves = Tree.leaves(next[layer.Key]).ToArray();
                        foreach (var one in layer) leaves[one.Leaf] = one.Part.Constraint!.Project(leaves[one.Leaf]);
                        next[layer.Key] = Tree.rebuild(next[layer.Key], leaves);
                    }
                    return next;
                }),
                trainer);
        return trainer;
    }

    /// <summary>Targets as the losses want them, as Keras takes them: one number for each example stands for a column where
    /// the model answers with one number, and integers become numbers unless the loss takes classes.</summary>
    public Masked[] Targets(string operation, Built model, Tensor[] targets, Weighting? weighting = null)
    {
        if (targets.Length != model.OutputNames.Length)
            throw new ArgumentException(
                $"{operation}: the model has {model.OutputNames.Length} outputs ({string.Join(", ", model.OutputNames)}), targets for {targets.Length} were given", nameof(targets));
        return [.. targets.Select((target, i) => Weigh(Target(operation, LossOf(i), model.OutputShapes[i], model.FloatType ?? DType.Float32, target), i))];

        Masked Weigh(Tensor target, int i) => weighting?.Of(operation, LossOf(i), target, i, targets.Length) is { } weights
            ? MaskedModule.weighted(weights, target)
            : MaskedModule.ofTensor(target);
    }

    /// <summary>What of this no file can hold, as it is a function of the user's own; null where there is nothing.</summary>
    public string? Obstacle()
    {
        if (Losses.FirstOrDefault(loss => loss.Describe() is null) is { } own) return $"the loss \"{own.Name}\"";
        if (Metrics.SelectMany(all => all).Concat(WeightedMetrics ?? []).FirstOrDefault(metric => metric.Describe() is null) is { } mine) return $"the metric \"{mine.Name}\"";
        return Optimizer.Describe() is null ? "the learning rate's schedule" : null;
    }

    /// <summary>The description in a file; there must be no <see cref="Obstacle"/>.</summary>
    public JsonObject Describe()
    {
        var description = new JsonObject
        {
            ["losses"] = new JsonArray([.. Losses.Select(loss => loss.Describe())]),
            ["optimizer"] = Optimizer.Describe(),
            ["metrics"] = new JsonArray([.. Metrics.Select(all => new JsonArray([.. all.Select(metric => metric.Describe())]))]),
            ["run_eagerly"] = RunEagerly,
        };
        if (WeightedMetrics is not null) description["weighted_metrics"] = new JsonArray([.. WeightedMetrics.Select(metric => metric.Describe())]);
        if (LossWeights is not null) description["loss_weights"] = new JsonArray([.. LossWeights.Select(weight => JsonValue.Create(weight))]);
        return description;
    }

    /// <summary>As it was described.</summary>
    public static CompileArguments Read(JsonObject description) => new(
        [.. Described.Array(description, "losses").Select(Loss.Read)],
        description["loss_weights"] is { } weights ? Described.Numbers(weights, "loss_weights") : null,
        [.. Described.Array(description, "metrics").Select(all => Described.Array(all, "metrics").Select(Metric.Read).ToArray())],
        CSharp.Optimizer.Read(Described.Object(description["optimizer"], "optimizer")),
        Described.Switch(description["run_eagerly"], "run_eagerly"),
        description["weighted_metrics"] is { } weighted ? [.. Described.Array(weighted, "weighted_metrics").Select(Metric.Read)] : null);

    private static Tensor Target(string operation, Loss loss, int[] shape, DType type, Tensor target)
    {
        if (loss.TakesLabels) return target.DType.IsFloat() ? Labels(operation, loss, target) : target;
        if (target.Rank == 1 && shape is [1]) target = target.ExpandDims(1);
        return target.DType == type || !(loss.HasKnownName || target.DType.IsFloat()) ? target : target.Cast(type);
    }

    private static Tensor Labels(string operation, Loss loss, Tensor target)
    {
        var labels = target.Cast(DType.Int32);
        return labels.Cast(target.DType).ToDoubles().AsSpan().SequenceEqual(target.ToDoubles())
            ? labels
            : throw new ArgumentException($"{operation}: the loss {loss.Name} takes class numbers, and some of y are not whole numbers", nameof(target));
    }

    private Loss LossOf(int output) => Losses[Losses.Length == 1 ? 0 : output];
}
