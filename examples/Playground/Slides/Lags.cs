// How strongly the last output of a recurrent network depends on what it read k steps before: the size of the gradient
// against the lag, for networks that have learnt nothing yet. In Float64, since what vanishes would be nothing in Float32.
using Microsoft.FSharp.Core;
using static Functional.CSharp.Differentiate;

namespace Playground.Slides;

internal static class Lags
{
    private const int Examples = 8, Features = 2;

    /// <summary>The mean size of the gradient at each lag, for four kinds of networks.</summary>
    /// <param name="length">Steps of the sequences.</param>
    /// <param name="units">Units of each network.</param>
    /// <param name="keep">What is added to the bias of the gates that keep: an LSTM's forget gate, a GRU's update gate.</param>
    public static object Measure(int length, int units, double keep)
    {
        var bound = 1 / Math.Sqrt(units);
        var plain = Sizes(SimpleRnnModule.cell, Start(FuncConvert.FromFunc<DType, int[], Tensor, Tensor>((dtype, shape, key) => InitializerModule.uniform(-bound, bound, dtype, shape, key))), p => p, length, units);
        var orthogonal = Sizes(SimpleRnnModule.cell, Start(null), p => p, length, units);
        var lstm = Sizes(LstmModule.cell, Start(null), p => new Lstm(p.Kernel, p.RecurrentKernel, More(p.Bias, units, units, keep)), length, units);
        var gru = Sizes(GruModule.cell, Start(null), p => new Gru(p.Kernel, p.RecurrentKernel, More(p.Bias, 0, units, keep)), length, units);
        return new { plain, orthogonal, lstm, gru };
    }

    private static double?[] Sizes<TParameters, TState>(
        Cell<TParameters, TState> cell, CellSettings start, Func<TParameters, TParameters> adapt, int length, int units)
    {
        var keys = Key.split(2, Key.create(1));
        var parameters = adapt(cell.Initialize.Invoke(start).Invoke(keys[0]).Invoke(Features).Invoke(units));
        var x = RandomModule.normal(DType.Float64, [Examples, length, Features], keys[1]);
        var slope = Gradient(read => TensorMath.Square(Recurrent.last(cell, Recurrent.defaults, parameters, read)).Sum(), x);
        var sizes = TensorMath.Sqrt(TensorMath.Square(slope).Sum(2)).Mean(0).ToDoubles();
        Array.Reverse(sizes);
        return [.. sizes.Select(size => size > 0 && double.IsFinite(size) ? size : (double?)null)];
    }

    private static CellSettings Start(FSharpFunc<DType, FSharpFunc<int[], FSharpFunc<Tensor, Tensor>>>? recurrent)
    {
        var usual = CellModule.defaults;
        return new CellSettings(usual.KernelInitializer, recurrent ?? usual.RecurrentInitializer, usual.BiasInitializer, DType.Float64);
    }

    /// <summary>A bias with something added to one gate's part.</summary>
    private static FSharpOption<Tensor> More(FSharpOption<Tensor> bias, int start, int units, double keep)
    {
        var numbers = bias.Value.ToDoubles();
        for (var i = start; i < start + units; i++) numbers[i] += keep;
        return FSharpOption<Tensor>.Some(Tensor.Of(numbers));
    }
}
