// Training, measuring and asking a model batch by batch, at the price of a step of Fit.
using Online = Functional.OnlineTraining<object[], Functional.Tensor[], Functional.Masked[]>;

namespace Functional.CSharp;

public partial class Model
{
    // what trains batch by batch: a program that owns the weights until they are looked at
    private Online? online;

    /// <summary>One step of the optimiser on one batch. The step's program is made once and kept; the weights are read from
    /// it when somebody looks at them.</summary>
    /// <param name="x">The examples; of several inputs, in brackets.</param>
    /// <param name="y">What the model should answer for each; of several outputs, in brackets.</param>
    /// <param name="sampleWeight">How much each example, or each step of each, counts.</param>
    /// <param name="classWeight">How much the examples of a class count; those of classes that are not in it count 1.</param>
    /// <returns>The loss and the metrics of this batch alone, before the step.</returns>
    /// <exception cref="InvalidOperationException">The model is not compiled, or is being trained.</exception>
    /// <example><code>var (loss, accuracy) = model.TrainOnBatch(images, labels);</code></example>
    public Evaluation TrainOnBatch(TensorLike x, TensorLike y, TensorLike? sampleWeight = null, IReadOnlyDictionary<int, double>? classWeight = null)
    {
        IEnumerable<Callback>? none = null;
        using var alone = Alone("TrainOnBatch", ref none);
        var data = Examples("TrainOnBatch", x, y, Weighting.From("TrainOnBatch", sampleWeight, classWeight));
        var numbers = Batches("TrainOnBatch", data.Count).Step(data.Inputs, data.Targets);
        var training = online!;
        Lend(() => training.State);
        hasLearnt = true;
        return new Evaluation(Bridge.Dictionary(numbers));
    }

    /// <summary>The loss and the metrics of one batch; nothing is learnt.</summary>
    /// <param name="x">The examples; of several inputs, in brackets.</param>
    /// <param name="y">What the model should answer for each; of several outputs, in brackets.</param>
    /// <param name="sampleWeight">How much each example, or each step of each, counts.</param>
    /// <exception cref="InvalidOperationException">The model is not compiled.</exception>
    /// <example><code>var (loss, accuracy) = model.TestOnBatch(images, labels);</code></example>
    public Evaluation TestOnBatch(TensorLike x, TensorLike y, TensorLike? sampleWeight = null)
    {
        var data = Examples("TestOnBatch", x, y, Weighting.From("TestOnBatch", sampleWeight));
        if (built!.Remembering is not null) return Evaluate(x, y, data.Count, sampleWeight);
        return new Evaluation(Bridge.Dictionary(Batches("TestOnBatch", data.Count).Measure(built.Parameters, data.Inputs, data.Targets)));
    }

    /// <summary>The model's answers for one batch.</summary>
    /// <param name="x">The examples; of several inputs, in brackets.</param>
    /// <exception cref="InvalidOperationException">The model has several outputs: <see cref="PredictAll"/> gives them.</exception>
    /// <example><code>Tensor classes = model.PredictOnBatch(images).ArgMax();</code></example>
    public Tensor PredictOnBatch(TensorLike x)
    {
        var (model, inputs) = BuildFor("PredictOnBatch", x.ToTensors());
        return compilation is null || model.Remembering is not null || model.OutputNames.Length > 1
            ? Predict(x, Math.Max(1, inputs[0].Shape[0]))
            : Batches("PredictOnBatch", inputs[0].Shape[0]).Answer(model.Parameters, inputs)[0].Value;
    }

    private Online Batches(string operation, int batchSize)
    {
        if (online is not null) return online;
        var running = TrainerFor(operation);
        var parameters = built!.Remembering?.With(operation, built.Parameters, batchSize) ?? built.Parameters;
        var start = Start(TrainingStateModule.create(running, Key.create(drawnFrom), parameters));
        return online = new Online(running, start, !compilation!.RunEagerly);
    }

    /// <summary>What was learnt batch by batch is taken over; the next batch begins with the model as it is then.</summary>
    private void EndOnline()
    {
        if (online is null) return;
        _ = built?.Parameters;
        ((IDisposable)online).Dispose();
        online = null;
    }
}
