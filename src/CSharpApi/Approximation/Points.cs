// Points to measure on, in order or at random: thin shells around F#'s Points and Grid.
namespace Functional.CSharp;

/// <summary>Points that fill the unit cube, as rows [n, d] of Float64, and choices among candidates. What is random takes a
/// key.</summary>
/// <example><code>var points = Points.InBox(Points.Sobol(1024, 2), [-1, 0], [1, 10]);</code></example>
public static class Points
{
    /// <summary>The first points of Sobol's sequence, up to 21 coordinates; powers of 2 are best.</summary>
    /// <param name="count">How many points.</param>
    /// <param name="dimensions">How many coordinates.</param>
    public static Tensor Sobol(int count, int dimensions) => Functional.PointsModule.sobol(count, dimensions);

    /// <summary>Points of Halton's sequence, from its number 1 on.</summary>
    /// <param name="count">How many points.</param>
    /// <param name="dimensions">How many coordinates.</param>
    public static Tensor Halton(int count, int dimensions) => Functional.PointsModule.halton(count, dimensions);

    /// <summary>Random points of which each slice of each coordinate has one.</summary>
    /// <param name="count">How many points, and slices.</param>
    /// <param name="dimensions">How many coordinates.</param>
    /// <param name="key">Where the numbers come from.</param>
    public static Tensor LatinHypercube(int count, int dimensions, Tensor key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Functional.PointsModule.latinHypercube(count, dimensions, key);
    }

    /// <summary>All points moved by one random vector, round the ends of the cube.</summary>
    /// <param name="points">Points of the unit cube.</param>
    /// <param name="key">Where the vector comes from.</param>
    public static Tensor Shifted(Tensor points, Tensor key)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(key);
        return Functional.PointsModule.shifted(key, points);
    }

    /// <summary>Points of the unit cube as points of a box.</summary>
    /// <param name="points">Points of the unit cube.</param>
    /// <param name="low">The lowest corner.</param>
    /// <param name="high">The highest corner.</param>
    public static Tensor InBox(Tensor points, IEnumerable<double> low, IEnumerable<double> high)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(low);
        ArgumentNullException.ThrowIfNull(high);
        return Functional.PointsModule.inBox(low, high, points);
    }

    /// <summary>The places of some of the weights, without repetition, drawn in proportion to the weights among those left.</summary>
    /// <param name="count">How many places.</param>
    /// <param name="weights">A vector; weights of 0 come last.</param>
    /// <param name="key">Where the numbers come from.</param>
    public static Tensor Weighted(int count, Tensor weights, Tensor key)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(key);
        return Functional.PointsModule.weighted(count, weights, key);
    }

    /// <summary>The places of some of the candidates, drawn where a residual is large.</summary>
    /// <param name="count">How many places.</param>
    /// <param name="residual">A vector, a number for each candidate.</param>
    /// <param name="key">Where the numbers come from.</param>
    /// <param name="power">Weights are |residual| to this power, divided by their mean,</param>
    /// <param name="floor">plus this.</param>
    public static Tensor ByResidual(int count, Tensor residual, Tensor key, double power = 1, double floor = 1)
    {
        ArgumentNullException.ThrowIfNull(residual);
        ArgumentNullException.ThrowIfNull(key);
        return Functional.PointsModule.byResidual(power, floor, count, residual, key);
    }

    /// <summary>The zeros of Chebyshev's polynomial of a degree, ascending: nodes for interpolation.</summary>
    /// <param name="low">Where the interval begins.</param>
    /// <param name="high">Where it ends.</param>
    /// <param name="count">How many nodes.</param>
    public static Tensor Chebyshev(double low, double high, int count) => Functional.Grid.chebyshev(low, high, count);

    /// <summary>The nodes and weights of Gauss and Legendre's quadrature.</summary>
    /// <param name="low">Where the interval begins.</param>
    /// <param name="high">Where it ends.</param>
    /// <param name="count">How many nodes.</param>
    public static (Tensor Nodes, Tensor Weights) GaussLegendre(double low, double high, int count)
    {
        var (nodes, weights) = Functional.Grid.gaussLegendre(low, high, count);
        return (nodes, weights);
    }

    /// <summary>The points of a grid as rows, the last coordinate changing first.</summary>
    /// <param name="axes">A vector for each coordinate.</param>
    public static Tensor Grid(params Tensor[] axes)
    {
        ArgumentNullException.ThrowIfNull(axes);
        return Functional.Grid.points(axes);
    }
}
