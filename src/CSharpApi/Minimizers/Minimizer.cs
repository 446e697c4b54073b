// Minimisers: what makes any function of parameters small, to the last digits. Each makes the F# minimiser of its settings.
using Microsoft.FSharp.Core;
using FSharpMinimizer = Functional.MinimizerType.Minimizer;
using MinimizerReport = Functional.MinimizerReports.MinimizerReport;

namespace Functional.CSharp;

/// <summary>A way of making a function of parameters small. The parameters are any tree of double-precision tensors.</summary>
/// <example><code>
/// var minimum = new LBFGS().Minimize((Tensor p) => ((p - 1) * (p - 1)).Sum(), Tensor.Zeros([3], DType.Float64));
/// </code></example>
public abstract class Minimizer
{
    private protected Minimizer() { }

    /// <summary>The most steps.</summary>
    public int MaxSteps { get; init; } = 1000;

    /// <summary>It stops where no component of the gradient is larger; in least squares, where no cosine between the
    /// residuals and a column of their Jacobian is.</summary>
    public double GradientTolerance { get; init; } = 1e-10;

    /// <summary>It stops after a step that is shorter, relative to the parameters.</summary>
    public double StepTolerance { get; init; } = 1e-14;

    /// <summary>It stops where the loss is as low.</summary>
    public double LossTarget { get; init; } = double.NegativeInfinity;

    /// <summary>When it stops.</summary>
    internal Stopping Rules
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(MaxSteps);
            var usual = StoppingModule.defaults;
            return new Stopping(
                gradient: GradientTolerance, step: StepTolerance, decrease: usual.Decrease, patience: usual.Patience, loss: LossTarget,
                steps: MaxSteps);
        }
    }

    /// <summary>Makes a function small.</summary>
    /// <param name="loss">Takes the parameters to a tensor of shape [].</param>
    /// <param name="parameters">Where to begin.</param>
    /// <param name="bounds">What the parameters stay within.</param>
    /// <param name="cancellationToken">Stops after the current step and keeps what was found.</param>
    /// <returns>Where it ended, and why.</returns>
    /// <exception cref="ArgumentException">The loss or a parameter is not finite where it begins; the loss is no single number.</exception>
    /// <example><code>
    /// var minimum = new BFGS().Minimize((Tensor p) => ((p - 1) * (p - 1)).Sum(), Tensor.Of([3.0, 4.0]));
    /// // minimum.Parameters is 1, 1; minimum.Converged is true
    /// </code></example>
    public Minimum<TParameters> Minimize<TParameters>(
        Func<TParameters, Tensor> loss, TParameters parameters, Bounds<TParameters>? bounds = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(loss);
        var objective = Within(Objective.loss(Bridge.Curry(loss)), bounds);
        return Run(Bridge.Curry<Unit, Objective<TParameters>>(_ => objective), null!, parameters, cancellationToken);
    }

    /// <summary>Makes half the sum of the squares of residuals small.</summary>
    /// <param name="residual">Takes the parameters and one example to its residual, or to several in a tensor.</param>
    /// <param name="examples">A tree of tensors with the examples along their first axes.</param>
    /// <param name="parameters">Where to begin.</param>
    /// <param name="bounds">What the parameters stay within.</param>
    /// <param name="cancellationToken">Stops after the current step and keeps what was found.</param>
    /// <returns>Where it ended, and why.</returns>
    /// <exception cref="ArgumentException">The loss or a parameter is not finite where it begins.</exception>
    /// <example><code>
    /// var (xs, ys) = (Tensor.Of([0.0, 1.0, 2.0]), Tensor.Of([1.0, 3.0, 5.0]));
    /// var line = new LevenbergMarquardt().LeastSquares(
    ///     ((Tensor A, Tensor B) p, (Tensor X, Tensor Y) at) => at.Y - (p.A + p.B * at.X), (xs, ys),
    ///     (Tensor.Scalar(0), Tensor.Scalar(0)));
    /// </code></example>
    public Minimum<TParameters> LeastSquares<TParameters, TExamples>(
        Func<TParameters, TExamples, Tensor> residual, TExamples examples, TParameters parameters,
        Bounds<TParameters>? bounds = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(residual);
        ArgumentNullException.ThrowIfNull(examples);
        var curried = Bridge.Curry(residual);
        return Run(
            Bridge.Curry<TExamples, Objective<TParameters>>(data => Within(Objective.squares(curried, data), bounds)),
            examples, parameters, cancellationToken);
    }

    private static Objective<TParameters> Within<TParameters>(Objective<TParameters> objective, Bounds<TParameters>? bounds) =>
        bounds is null ? objective : Objective.within(bounds.Lower, bounds.Upper, objective);

    private Minimum<TParameters> Run<TParameters, TData>(
        FSharpFunc<TData, Objective<TParameters>> objective, TData data, TParameters parameters, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using var run = new Minimization<TParameters, TData>(Create(), objective, parameters, data);
        var report = run.Run(Rules, Bridge.Curry<MinimizerReport, bool>(_ => !cancellationToken.IsCancellationRequested));
        return new Minimum<TParameters>(run.Parameters, report);
    }

    private protected abstract FSharpMinimizer Create();
}

/// <summary>What parameters stay within: trees like them, with infinities where there is no bound.</summary>
/// <param name="Lower">The lower bounds.</param>
/// <param name="Upper">The upper bounds, which are above them.</param>
/// <example><code>var positive = new Bounds&lt;Tensor&gt;(Tensor.Of([0.0, 0.0]), Tensor.Of([9.0, double.PositiveInfinity]));</code></example>
public sealed record Bounds<TParameters>(TParameters Lower, TParameters Upper);
