// Layers of one's own: a function, or a function with trained parameters in a record.
using Unit = Microsoft.FSharp.Core.Unit;

namespace Functional.CSharp;

/// <summary>A function as a layer. A model with such a layer is saved without it: load its weights into a model that has
/// it.</summary>
/// <example><code>model.Add(new Lambda(x => x.Mean(axis: 1)));</code></example>
public sealed class Lambda : Layer
{
    private readonly Func<Tensor, Tensor> function;
    private readonly Func<int[], int[]>? outputShape;

    internal override bool TakesIntegers => true;

    /// <summary>A function of a batch.</summary>
    /// <param name="function">Takes a batch to a batch.</param>
    /// <param name="outputShape">From the shape of an example to that of the result, for functions that read numbers; of
    /// others it is worked out.</param>
    public Lambda(Func<Tensor, Tensor> function, Func<int[], int[]>? outputShape = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        this.function = function;
        this.outputShape = outputShape;
    }

    private protected override Block Create() => Erase(OwnLayer.Make<Unit>("lambda", (_, _) => null!, (_, x) => function(x), outputShape));

    internal override LayerConfig? Config() => null;
}

/// <summary>A layer of one's own with trained parameters, which are any record of tensors. A model with such a layer is
/// saved without it: load its weights into a model that has it.</summary>
/// <typeparam name="TParameters">The type of the parameters: any tree of tensors.</typeparam>
/// <example><code>
/// record Scale(Tensor Factor);
/// model.Add(new CustomLayer&lt;Scale&gt;(
///     (key, shape) => new Scale(Tensor.Ones(shape, DType.Float32)),
///     (scale, x) => scale.Factor * x));
/// </code></example>
public sealed class CustomLayer<TParameters> : Layer
{
    private readonly Func<Tensor, int[], TParameters> initialize;
    private readonly Func<TParameters, Tensor, Tensor> apply;
    private readonly Func<int[], int[]>? outputShape;

    internal override bool TakesIntegers => true;

    /// <summary>A layer by its functions.</summary>
    /// <param name="initialize">Takes a random key and the shape of an example to parameters.</param>
    /// <param name="apply">Takes parameters and a batch to a batch.</param>
    /// <param name="outputShape">From the shape of an example to that of the result, for functions that read numbers; of
    /// others it is worked out.</param>
    public CustomLayer(
        Func<Tensor, int[], TParameters> initialize,
        Func<TParameters, Tensor, Tensor> apply,
        Func<int[], int[]>? outputShape = null)
    {
        ArgumentNullException.ThrowIfNull(initialize);
        ArgumentNullException.ThrowIfNull(apply);
        this.initialize = initialize;
        this.apply = apply;
        this.outputShape = outputShape;
    }

    private protected override Block Create() => Erase(OwnLayer.Make("custom", initialize, apply, outputShape));

    internal override LayerConfig? Config() => null;
}

/// <summary>The way from C# functions to an F# layer.</summary>
internal static class OwnLayer
{
    public static Layer<TParameters, Tensor, int[]> Make<TParameters>(
        string name, Func<Tensor, int[], TParameters> initialize, Func<TParameters, Tensor, Tensor> apply, Func<int[], int[]>? outputShape)
    {
        var begin = Bridge.Curry(initialize);
        var run = Bridge.Curry((Phase _, TParameters p, Tensor x) => Tuple.Create(apply(p, x), p));
        return outputShape is null
            ? LayerModule.create(name, begin, run)
            : LayerModule.shaped(name, Bridge.Curry(outputShape), begin, run);
    }
}
