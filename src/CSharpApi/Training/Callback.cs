// Callbacks: what looks on while a model learns, and may stop it.
using Microsoft.FSharp.Core;
using FSharpCallback = Functional.Callback<object[]>;
using State = Functional.TrainingState<object[]>;

namespace Functional.CSharp;

/// <summary>What a callback is told of the model: its sight of the parameters as they are now.</summary>
/// <param name="Model">The model that is trained.</param>
/// <param name="Show">Gives the model the parameters of a state.</param>
/// <param name="Lend">Gives the model a way to its parameters, taken when it needs them; null takes it back.</param>
/// <param name="Changed">The state with what the callback has changed of the model, its weights or its layers' states; null where it changed nothing.</param>
/// <param name="Rate">The learning rate, where it is known.</param>
internal sealed record CallbackContext(Model Model, Action<State> Show, Action<Func<State>?> Lend, Func<Func<State>, State?> Changed, double? Rate);

/// <summary>Looks on while a model learns, and may stop it. Derive from it for callbacks of one's own; epochs and batches
/// are counted from 1.</summary>
/// <example><code>
/// sealed class Patience : Callback
/// {
///     protected override void OnEpochEnd(int epoch, IReadOnlyDictionary&lt;string, double&gt; numbers)
///     {
///         if (numbers["loss"] &lt; 0.01) StopTraining("the loss is small enough");
///     }
/// }
/// </code></example>
public abstract class Callback
{
    private string? stopReason;
    private Model? model;

    // Whose training this looks on at, now.
    private Model? watched;

    /// <summary>The model that is being trained, its weights as they are now. Weights that are set, or read from a file, count:
    /// training goes on from them.</summary>
    /// <exception cref="InvalidOperationException">No training is under way.</exception>
    protected Model Model => model ?? throw new InvalidOperationException("Callback: there is no model before training begins");

    /// <summary>Before the first batch.</summary>
    protected virtual void OnTrainBegin()
    {
    }

    /// <summary>After a batch.</summary>
    /// <param name="epoch">Counted from 1.</param>
    /// <param name="batch">Counted from 1.</param>
    /// <param name="loss">The loss of this batch.</param>
    protected virtual void OnBatchEnd(int epoch, int batch, double loss)
    {
    }

    /// <summary>After an epoch.</summary>
    /// <param name="epoch">Counted from 1.</param>
    /// <param name="numbers">The loss, the metrics, and those of the validation data.</param>
    protected virtual void OnEpochEnd(int epoch, IReadOnlyDictionary<string, double> numbers)
    {
    }

    /// <summary>After the last batch, however the training ended.</summary>
    protected virtual void OnTrainEnd()
    {
    }

    /// <summary>Ends the training after the batch or epoch at hand.</summary>
    /// <param name="reason">What the user is told.</param>
    protected void StopTraining(string reason) => stopReason = reason ?? throw new ArgumentNullException(nameof(reason));

    /// <summary>Free for another training.</summary>
    internal void Leave(Model trained) => Interlocked.CompareExchange(ref watched, null, trained);

    internal virtual FSharpCallback Create(CallbackContext context)
    {
        // the state after a hook, which sees the model as it is and may change its weights
        State Hook(State state, Action hook)
        {
            context.Show(state);
            context.Model.Call(hook);
            return context.Changed(() => state) ?? state;
        }

        Signal Answer()
        {
            var signal = stopReason is null ? Signal.Continue : Signal.NewStop(stopReason);
            stopReason = null;
            return signal;
        }

        if (Interlocked.CompareExchange(ref watched, context.Model, null) is { } other && other != context.Model)
            throw new InvalidOperationException($"Fit: the callback {GetType().Name} looks on at the training of another model; give each training a callback of its own");
        model = context.Model;
        stopReason = null;
        return new FSharpCallback(
            GetType().Name,
            null,
            false,
            Bridge.Curry<TrainingPlan, State, State>((_, state) => Hook(state, OnTrainBegin)),
            false,
            Bridge.Curry<BatchReport<object[]>, (FSharpOption<State>?, Signal)>(report =>
            {
                // the parameters are copied out only if the callback looks at the model
                context.Lend(() => report.State);
                context.Model.Call(() => OnBatchEnd(report.Epoch, report.Batch, report.Loss));
                var changed = context.Changed(() => report.State);
                context.Lend(null);
                return (Bridge.Option(changed), Answer());
            }),
            Bridge.Curry<EpochReport, State, Tuple<State, Signal>>((report, state) =>
            {
                var next = Hook(state, () => OnEpochEnd(report.Epoch, Bridge.Dictionary(report.Numbers)));
                return Tuple.Create(next, Answer());
            }),
            Bridge.Curry<Ending, State, State>((_, state) => Hook(state, OnTrainEnd)));
    }
}

/// <summary>A callback made of functions.</summary>
/// <param name="onEpochEnd">Given the epoch, counted from 1, and its numbers.</param>
/// <param name="onBatchEnd">Given the epoch, the batch and its loss.</param>
/// <param name="onTrainBegin">Before the first batch.</param>
/// <param name="onTrainEnd">After the last batch.</param>
/// <example><code>new LambdaCallback(onEpochEnd: (epoch, numbers) => Console.WriteLine(numbers["loss"]))</code></example>
public sealed class LambdaCallback(
    Action<int, IReadOnlyDictionary<string, double>>? onEpochEnd = null,
    Action<int, int, double>? onBatchEnd = null,
    Action? onTrainBegin = null,
    Action? onTrainEnd = null) : Callback
{
    /// <inheritdoc/>
    protected override void OnTrainBegin() => onTrainBegin?.Invoke();

    /// <inheritdoc/>
    protected override void OnBatchEnd(int epoch, int batch, double loss) => onBatchEnd?.Invoke(epoch, batch, loss);

    /// <inheritdoc/>
    protected override void OnEpochEnd(int epoch, IReadOnlyDictionary<string, double> numbers) => onEpochEnd?.Invoke(epoch, numbers);

    /// <inheritdoc/>
    protected override void OnTrainEnd() => onTrainEnd?.Invoke();
}
