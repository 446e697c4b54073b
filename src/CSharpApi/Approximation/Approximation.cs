// Ask for a function and get a network: the search of Approximate.fs for C#.
namespace Functional.CSharp;

/// <summary>What the units of a network's hidden layers compute.</summary>
public enum HiddenUnit
{
    /// <summary>tanh z.</summary>
    Tanh,

    /// <summary>1 / (1 + exp −z).</summary>
    Sigmoid,

    /// <summary>max(0, z).</summary>
    Relu,

    /// <summary>exp −z².</summary>
    Gaussian,

    /// <summary>sin z.</summary>
    Sin,
}

/// <summary>A network that approximates a function over a box, and what was measured of it: the smallest that was found whose
/// error is below ε everywhere.</summary>
/// <example><code>
/// var found = Approximation.Find(x => Sin(3 * x), [(-2, 2)], epsilon: 1e-2);
/// Console.WriteLine(found.Reached);   // True
/// var y = found.Apply(Tensor.Linspace(-2, 2, 9).Reshape(9, 1));
/// </code></example>
public sealed class Approximation
{
    private readonly ApproximationResult.Approximation found;

    private Approximation(ApproximationResult.Approximation found) => this.found = found;

    /// <summary>Whether the error is below ε.</summary>
    public bool Reached => found.Reached;

    /// <summary>Units of a hidden layer.</summary>
    public int Width => found.Width;

    /// <summary>The numbers that the network consists of.</summary>
    public int Parameters => found.Parameters;

    /// <summary>The largest error that was found, on the grid and by searching on from its worst points.</summary>
    public double Sup => found.Sup;

    /// <summary>√∫|error|² over the box, by the grid.</summary>
    public double L2 => found.L2;

    /// <summary>Where the largest error is.</summary>
    public double[] Worst => [.. found.Worst];

    /// <summary>How many points the error was measured on.</summary>
    public int Points => found.Points;

    /// <summary>The minimiser's steps, of all widths and starts.</summary>
    public int Steps => found.Steps;

    /// <summary>How long the search took.</summary>
    public double Seconds => found.Seconds;

    /// <summary>The widths that were tried, in that order, and the sup error that each came to.</summary>
    public IReadOnlyList<(int Width, double Sup)> Trials => [.. found.Trials.Select(trial => (trial.Width, trial.Sup))];

    /// <summary>Looks for the smallest network whose error is below ε everywhere on a box: doubling the width, several starts
    /// for each, then halving the interval. One that is not good enough is returned as well, and says so (<see cref="Reached"/>).</summary>
    /// <param name="function">Takes points, shape [n, variables], Float64, to values [n] or [n, outputs].</param>
    /// <param name="box">The interval of each variable.</param>
    /// <param name="epsilon">The error to undercut.</param>
    /// <param name="unit">What hidden units compute.</param>
    /// <param name="depth">Hidden layers, all of one width.</param>
    /// <param name="seed">What the starts are drawn from.</param>
    /// <param name="restarts">Starts for each width.</param>
    /// <param name="maxWidth">The largest width that is tried.</param>
    /// <param name="seconds">After so many seconds no new width is begun.</param>
    /// <exception cref="ArgumentException">The function is not finite on its box, an interval is none, or ε is below what
    /// rounding allows.</exception>
    public static Approximation Find(
        Func<Tensor, Tensor> function, (double Low, double High)[] box, double epsilon = 1e-3, HiddenUnit unit = HiddenUnit.Tanh, int depth = 1,
        long seed = 1, int restarts = 3, int maxWidth = 256, double seconds = 25)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(box);
        var defaults = Approximate.defaults;
        var options = new ApproximationOptions(
            epsilon: epsilon, activation: Activation(unit), depth: depth, minimizer: defaults.Minimizer, seed: seed, restarts: restarts,
            maxWidth: maxWidth, seconds: seconds, progress: defaults.Progress, stop: defaults.Stop);
        return new(Approximate.find(options, Bridge.List(box.Select(side => Tuple.Create(side.Low, side.High))), Bridge.Curry(function)));
    }

    /// <summary>The network at points, shape [n, variables]: values [n, outputs].</summary>
    public Tensor Apply(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return found.Apply(x);
    }

    /// <summary>The network as an F# module that depends on nothing.</summary>
    public string ToFSharp() => NetworkSource.fsharp(found);

    /// <summary>The network as a C# class that depends on nothing.</summary>
    public string ToCSharp() => NetworkSource.csharp(found);

    /// <summary>What was measured, in words.</summary>
    public override string ToString() => found.ToString();

    private static HiddenActivation Activation(HiddenUnit unit) => unit switch
    {
        HiddenUnit.Tanh => HiddenActivation.Tanh,
        HiddenUnit.Sigmoid => HiddenActivation.Sigmoid,
        HiddenUnit.Relu => HiddenActivation.Relu,
        HiddenUnit.Gaussian => HiddenActivation.Gaussian,
        HiddenUnit.Sin => HiddenActivation.Sin,
        _ => throw new ArgumentOutOfRangeException(nameof(unit), unit, "there is no such hidden unit"),
    };
}
