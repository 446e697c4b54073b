// Measuring a model, and asking it.
using Trainer = Functional.Trainer<object[], Functional.Tensor[], Functional.Masked[]>;

namespace Functional.CSharp;

public partial class Model
{
    /// <summary>The loss and the metrics of the model on some data.</summary>
    /// <param name="x">The examples; of several inputs, in brackets.</param>
    /// <param name="y">What the model should answer for each; of several outputs, in brackets.</param>
    /// <param name="batchSize">Examples computed at once.</param>
    /// <param name="sampleWeight">How much each example, or each step of each, counts in the loss and in weighted metrics.</param>
    /// <example><code>var (loss, accuracy) = model.Evaluate(xTest, yTest);</code></example>
    /// <exception cref="InvalidOperationException">The model is not compiled.</exception>
    public Evaluation Evaluate(TensorLike x, TensorLike y, int batchSize = 32, TensorLike? sampleWeight = null)
    {
        var data = Examples("Evaluate", x, y, Weighting.From("Evaluate", sampleWeight));
        var measured = built!.Remembering is { } remembering
            ? Training.evaluate(
                batchSize,
                Known(TrainerFor("Evaluate")),
                built.Parameters,
                DatasetModule.create(remembering.Predict("Evaluate", built.Parameters, data.Inputs, batchSize), data.Targets))
            : Training.evaluate(batchSize, TrainerFor("Evaluate"), built.Parameters, data);
        return new Evaluation(Bridge.Dictionary(measured));
    }

    /// <summary>The model's answers.</summary>
    /// <param name="x">The examples; of several inputs, in brackets.</param>
    /// <param name="batchSize">Examples computed at once.</param>
    /// <returns>One answer for each example, along the first axis.</returns>
    /// <exception cref="InvalidOperationException">The model has several outputs: <see cref="PredictAll"/> gives them.</exception>
    /// <example><code>Tensor digits = model.Predict(images).ArgMax();</code></example>
    public Tensor Predict(TensorLike x, int batchSize = 32) => PredictAll(x, batchSize) is [var only]
        ? only
        : throw new InvalidOperationException($"Predict: the model has several outputs ({string.Join(", ", OutputNames)}); PredictAll returns them");

    /// <summary>The answers of all outputs.</summary>
    /// <param name="x">The examples; of several inputs, in brackets.</param>
    /// <param name="batchSize">Examples computed at once.</param>
    /// <returns>For each output, one answer for each example, along the first axis.</returns>
    /// <example><code>Tensor[] answers = twins.PredictAll([left, right]);</code></example>
    public Tensor[] PredictAll(TensorLike x, int batchSize = 32)
    {
        var (model, inputs) = BuildFor("Predict", x.ToTensors());
        var answers = model.Remembering is { } remembering
            ? remembering.Predict("Predict", model.Parameters, inputs, batchSize)
            : Training.predict(batchSize, Untrained(model), model.Parameters, inputs);
        return [.. answers.Select(answer => answer.Value)];
    }

    /// <summary>The trainer that is given what the model has answered.</summary>
    private static Trainer<object[], Masked[], Masked[]> Known(Trainer trainer) => new(
        apply: Bridge.Curry<Phase, object[], Masked[], Tuple<Masked[], object[]>>((_, parameters, answers) => Tuple.Create(answers, parameters)),
        loss: trainer.Loss,
        penalty: trainer.Penalty,
        constraint: trainer.Constraint,
        optimizer: trainer.Optimizer,
        metrics: trainer.Metrics);

    /// <summary>The trainer of a model that is only asked: predictions need neither loss nor optimiser.</summary>
    private static Trainer Untrained(Built model)
    {
        var goals = model.OutputNames.Select(name => new OutputGoal(output: name, loss: ((Loss)Losses.MeanSquaredError).Function, weight: 1.0, metrics: Bridge.List<MetricType.Metric<Tensor>>([])));
        return TrainerModule.ofNetwork(model.Network, Bridge.List(goals), OptimizerModule.sgd(0.0));
    }
}
