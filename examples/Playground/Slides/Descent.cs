// Gradient descent on a surface: where it goes from a place, for a rate and a kind of descent.
using Playground.Functions;
using Playground.Server;
using static Functional.CSharp.Differentiate;

namespace Playground.Slides;

internal static class Descent
{
    private const int Side = 61, Steps = 150;

    /// <summary>The surface's heights, and the path over it.</summary>
    public static object Follow(Wish wish)
    {
        var surface = Formula.Read(wish.Text("formula", 300), "x", "y");
        var reach = wish.Number("reach", 0.01, 1000);
        double[] start = [wish.Number("x", -reach, reach), wish.Number("y", -reach, reach)];
        if (!Plan.Optimizers.TryGetValue(wish.Text("optimizer", 20), out var optimizer)) throw new Refusal("malformed");
        double[] grid = [.. Enumerable.Range(0, Side).Select(i => reach * (2.0 * i / (Side - 1) - 1))];
        var heights = surface([
            Tensor.Of([.. grid.SelectMany(_ => grid)]),
            Tensor.Of([.. grid.SelectMany(y => Enumerable.Repeat(y, Side))])]).ToDoubles();
        return new
        {
            side = Side,
            reach,
            heights = heights.Select(height => double.IsFinite(height) ? (float?)height : null),
            path = Path(surface, start, optimizer(wish.Number("rate", 1e-6, 1e3)), 1000 * reach),
        };
    }

    /// <summary>Places and heights, step by step, until it leaves for good or there is no slope.</summary>
    private static List<double[]> Path(Func<Tensor[], Tensor> surface, double[] start, Functional.OptimizerType.Optimizer optimizer, double far)
    {
        var place = Tensor.Of(start);
        var memory = OptimizerModule.init(optimizer, place);
        var path = new List<double[]>();
        for (var step = 0; step <= Steps; step++)
        {
            var (height, slope) = ValueAndGradient(at => surface([at.Slice(0), at.Slice(1)]), place);
            var numbers = place.ToDoubles();
            path.Add([numbers[0], numbers[1], height.ToDouble()]);
            if (!path[^1].Concat(slope.ToDoubles()).All(number => Math.Abs(number) < far * 1e3)) break;
            (place, memory) = OptimizerModule.step(optimizer, slope, memory, place);
        }
        path.RemoveAll(point => !point.All(double.IsFinite));
        return path;
    }
}
