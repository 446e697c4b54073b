// What a model's stateful layers remember from batch to batch. The F# network takes states and gives the next; the only place
// where they are kept is here.
using State = Functional.TrainingState<object[]>;

namespace Functional.CSharp;

/// <summary>The states of a model's layers, and the network that goes on from them.</summary>
internal sealed class Remembering
{
    private readonly StatefulNetwork network;
    private readonly Microsoft.FSharp.Core.FSharpFunc<Phase, Microsoft.FSharp.Core.FSharpFunc<object[], Microsoft.FSharp.Core.FSharpFunc<Tensor[], Microsoft.FSharp.Core.FSharpFunc<Masked[], Tuple<Masked[], Tensor[], object[]>>>>> apply;

    private Remembering(StatefulNetwork network)
    {
        this.network = network;
        apply = StatefulNetworkModule.apply(network);
    }

    /// <summary>The last states; null: zeros, for as many sequences as come.</summary>
    public Tensor[]? States { get; private set; }

    private int Blocks => network.Network.Blocks.Length;

    /// <summary>What the layers of a network remember; null where none does.</summary>
    public static Remembering? Of(Network network, IReadOnlyList<Layer> layers, int[][] inputShapes)
    {
        var calls = network.Calls
            .Select((call, i) => (Place: i, Own: call.Inputs.Length == 1 ? layers[call.Block].BeforeStates : null))
            .Where(call => call.Own is not null)
            .Select(call => Tuple.Create(call.Place, call.Own!.Value))
            .ToList();
        return calls.Count == 0 ? null : new(StatefulNetworkModule.create(inputShapes, Bridge.List(calls), network));
    }

    /// <summary>Zeros, for a number of sequences, or for as many as come.</summary>
    public void Reset(int? batchSize = null) => States = batchSize is { } batch ? StatefulNetworkModule.start(DType.Float32, batch, network) : null;

    /// <summary>The answers for some inputs, batch by batch, each going on where the one before ended.</summary>
    public Masked[] Predict(string operation, object[] parameters, Tensor[] inputs, int batchSize)
    {
        if (batchSize < 1) throw new ArgumentOutOfRangeException(nameof(batchSize), $"{operation}: a batch of {batchSize} examples would be empty; the batch size is at least 1");
        var count = inputs[0].Shape[0];
        if (count == 0) throw new ArgumentException($"{operation}: there are no examples", nameof(inputs));
        RequireWhole(operation, count, Math.Min(batchSize, count));
        var answers = new List<Masked[]>();
        for (var start = 0; start < count; start += batchSize)
        {
            var batch = inputs.Select(x => MaskedModule.ofTensor(x.Slice(start..Math.Min(count, start + batchSize)))).ToArray();
            Begin(operation, batch[0].Value.Shape[0]);
            var (outputs, next, _) = apply.Invoke(Phase.Inference).Invoke(parameters).Invoke(States!).Invoke(batch);
            States = next;
            answers.Add(outputs);
        }
        Tensor Joined(Func<Masked[], Tensor> part) => Tensor.Concat([.. answers.Select(part)], 0);
        return
        [
            .. answers[0].Select((first, i) => new Masked(
                Joined(outputs => outputs[i].Value),
                first.Mask is null ? null : Bridge.Option(Joined(outputs => outputs[i].Mask!.Value)))),
        ];
    }

    /// <summary>Refuses batches of different sizes.</summary>
    public static void RequireWhole(string operation, int count, int batchSize)
    {
        if (count % batchSize != 0)
            throw new ArgumentException(
                $"{operation}: {count} examples are not whole batches of {batchSize}; stateful layers go on from batch to batch, so that all batches have as many examples: take a batch size that divides {count}");
    }

    /// <summary>The trainer that carries the states along.</summary>
    public Trainer<object[], Tensor[], Masked[]> Carrying(Trainer<object[], Tensor[], Masked[]> trainer) => TrainerModule.carrying(network, trainer);

    /// <summary>Parameters with the states as the last of them, for batches of a size.</summary>
    public object[] With(string operation, object[] parameters, int? batchSize)
    {
        if (batchSize is { } batch) Begin(operation, batch);
        return
        [
            .. parameters,
            new Frozen<Tensor[]>(States ?? throw new InvalidOperationException(
                $"{operation}: stateful layers must know how many sequences a batch has before the first comes; call model.ResetStates(batchSize: 32)")),
        ];
    }

    /// <summary>Parameters without the states, which are taken.</summary>
    public object[] Take(object[] parameters)
    {
        if (parameters.Length == Blocks) return parameters;
        States = ((Frozen<Tensor[]>)parameters[Blocks]).Value;
        return parameters[..Blocks];
    }

    /// <summary>A training's state with states of zeros, where they were reset meanwhile; else null.</summary>
    public State? AfterReset(Func<State> now)
    {
        if (States is not null) return null;
        var state = now();
        Reset(((Frozen<Tensor[]>)state.Parameters[Blocks]).Value[0].Shape[0]);
        return state.With(parameters: With("Fit", state.Parameters[..Blocks], null));
    }

    /// <summary>Parameters as they are written to a file, with the states where there are some.</summary>
    public object[] InFile(object[] parameters) => States is null ? parameters : [.. parameters, new Frozen<Tensor[]>(States)];

    /// <summary>Parameters as a file has them, perhaps with the states of the training that wrote it.</summary>
    public object[] InFile(string path, object[] parameters)
    {
        var shapes = Checkpoint.shapes(path)
            .Where(entry => entry.Item1.StartsWith($"[{Blocks}]", StringComparison.Ordinal))
            .Select(entry => Tensor.Zeros(entry.Item2, DType.Float32))
            .ToArray();
        return shapes.Length == 0 ? parameters : [.. parameters, new Frozen<Tensor[]>(shapes)];
    }

    private void Begin(string operation, int batch)
    {
        if (States is null) Reset(batch);
        else if (States[0].Shape[0] != batch)
            throw new ArgumentException(
                $"{operation}: the layers remember {States[0].Shape[0]} sequences, the batch has {batch}; call model.ResetStates() to begin anew, or give batches of {States[0].Shape[0]}");
    }
}
