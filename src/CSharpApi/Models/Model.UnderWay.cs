// A model while it is being trained: one training at a time, and what its callbacks may change.
using State = Functional.TrainingState<object[]>;

namespace Functional.CSharp;

public partial class Model
{
    // the thread on which a callback is being called, 0 for none, and whether it has set weights
    private int callbackThread;
    private bool weightsSet;

    // 1 while the model is being trained.
    private int training;

    /// <summary>Begins a training, which ends when what is returned is disposed of. A model has one set of weights: a second
    /// training of it meanwhile is refused, and so is what changes it behind the first one's back.</summary>
    private UnderWay Alone(string operation, ref IEnumerable<Callback>? callbacks)
    {
        var watching = callbacks?.ToArray();
        callbacks = watching;
        if (Interlocked.CompareExchange(ref training, 1, 0) != 0) throw Busy(operation);
        weightsSet = false;
        return new(this, watching ?? []);
    }

    /// <summary>Calls what a callback does. On its thread, and meanwhile, the model's weights may be set though it is being
    /// trained: the training goes on from them.</summary>
    internal void Call(Action hook)
    {
        callbackThread = Environment.CurrentManagedThreadId;
        try
        {
            hook();
        }
        finally
        {
            callbackThread = 0;
        }
    }

    private void RequireMayChangeWeights(string operation)
    {
        if (callbackThread != Environment.CurrentManagedThreadId) RequireIdle(operation);
    }

    private void RequireIdle(string operation)
    {
        if (Volatile.Read(ref training) != 0) throw Busy(operation);
    }

    private static InvalidOperationException Busy(string operation) => new(
        $"{operation}: the model is being trained, on another thread or around this call; wait until that training ends, or take a model of its own for this");

    private readonly struct UnderWay(Model model, Callback?[] callbacks) : IDisposable
    {
        public void Dispose()
        {
            foreach (var callback in callbacks) callback?.Leave(model);
            Volatile.Write(ref model.training, 0);
        }
    }

    /// <summary>A training's state with what a callback has changed of the model: weights that it set or read, states that it
    /// reset; null where it changed nothing.</summary>
    private State? Changed(Func<State> now)
    {
        var reset = built!.Remembering?.AfterReset(now);
        if (!weightsSet) return reset;
        weightsSet = false;
        var state = reset ?? now();
        var weights = built.Parameters;
        return state.With(parameters: [.. weights, .. state.Parameters[weights.Length..]]);
    }
}
