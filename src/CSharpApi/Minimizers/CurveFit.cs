// Curves through points: a model of one's own, its standard errors and its bands.
using Microsoft.FSharp.Core;
using FSharpRobust = Functional.RobustLossType.RobustLoss;

namespace Functional.CSharp;

/// <summary>What a residual counts: its square, or less where it is large, so that a few wrong observations do not decide.</summary>
public sealed class RobustLoss
{
    private RobustLoss(FSharpRobust loss) => Loss = loss;

    internal FSharpRobust Loss { get; }

    /// <summary>Its square.</summary>
    public static RobustLoss Squares { get; } = new(FSharpRobust.Squares);

    /// <summary>Its square up to a scale, beyond that in proportion.</summary>
    /// <param name="scale">The size of an ordinary residual.</param>
    public static RobustLoss Huber(double scale) => new(FSharpRobust.NewHuber(scale));

    /// <summary>As Huber's, and smooth.</summary>
    /// <param name="scale">The size of an ordinary residual.</param>
    public static RobustLoss SoftL1(double scale) => new(FSharpRobust.NewSoftL1(scale));

    /// <summary>A logarithm: what is far off hardly counts at all.</summary>
    /// <param name="scale">The size of an ordinary residual.</param>
    public static RobustLoss Cauchy(double scale) => new(FSharpRobust.NewCauchy(scale));
}

/// <summary>A curve with a band around it.</summary>
/// <param name="Value">The model's values.</param>
/// <param name="Lower">The lower edge.</param>
/// <param name="Upper">The upper edge.</param>
public sealed record CurveBand(Tensor Value, Tensor Lower, Tensor Upper);

/// <summary>Fits models of one's own to observations by least squares.</summary>
public static class CurveFit
{
    /// <summary>Fits a model.</summary>
    /// <param name="model">Takes the parameters and one observation's x to the model's value.</param>
    /// <param name="x">A tree of tensors with the observations along their first axes.</param>
    /// <param name="y">What was observed.</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="weights">What each observation counts: 1/σ², or in proportion to it.</param>
    /// <param name="knownDeviations">Whether the weights are 1/σ² themselves: then the errors' size is not estimated.</param>
    /// <param name="loss">How residuals are added up.</param>
    /// <param name="bounds">What the parameters stay within.</param>
    /// <param name="maxSteps">The most steps.</param>
    /// <exception cref="ArgumentException">Shapes disagree, numbers are not finite, or parameters are more than observations.</exception>
    /// <example><code>
    /// var x = Tensor.Of([0.0, 1.0, 2.0, 3.0, 4.0]);
    /// var y = Tensor.Of([0.1, 1.2, 1.9, 2.3, 2.7]);
    /// var fit = CurveFit.Of(
    ///     ((Tensor Limit, Tensor Rate) p, Tensor x) => p.Limit * (1 - Exp(-p.Rate * x)), x, y, (Tensor.Scalar(1), Tensor.Scalar(1)));
    /// Console.WriteLine(fit);
    /// </code></example>
    public static CurveFit<TParameters, TX> Of<TParameters, TX>(
        Func<TParameters, TX, Tensor> model, TX x, Tensor y, TParameters start, Tensor? weights = null, bool knownDeviations = false,
        RobustLoss? loss = null, Bounds<TParameters>? bounds = null, int maxSteps = 1000)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentNullException.ThrowIfNull(start);
        ArgumentOutOfRangeException.ThrowIfNegative(maxSteps);
        var options = new CurveFitOptions<TParameters>(
            weights: Bridge.Option(weights),
            knownDeviations: knownDeviations,
            loss: (loss ?? RobustLoss.Squares).Loss,
            lower: bounds is null ? null : FSharpOption<TParameters>.Some(bounds.Lower),
            upper: bounds is null ? null : FSharpOption<TParameters>.Some(bounds.Upper),
            stopping: StoppingModule.after(maxSteps));
        var curried = Bridge.Curry(model);
        return new CurveFit<TParameters, TX>(Fit.curveWith(options, curried, x, y, start), curried);
    }
}

/// <summary>A fitted model. Where the fit did not converge, there are no standard errors: they are NaN, and so are covariance
/// and bands.</summary>
/// <typeparam name="TParameters">The type of the parameters.</typeparam>
/// <typeparam name="TX">The type of the model's x.</typeparam>
public sealed class CurveFit<TParameters, TX>
{
    private readonly CurveFit<TParameters> fit;
    private readonly FSharpFunc<TParameters, FSharpFunc<TX, Tensor>> model;

    internal CurveFit(CurveFit<TParameters> fit, FSharpFunc<TParameters, FSharpFunc<TX, Tensor>> model) => (this.fit, this.model) = (fit, model);

    /// <summary>The parameters that fit best.</summary>
    public TParameters Parameters => fit.Parameters;

    /// <summary>Whether this is a minimum of the sum of squares.</summary>
    public bool Converged => fit.Converged;

    /// <summary>The standard error of each parameter; NaN where a bound holds it.</summary>
    public TParameters StandardErrors => fit.StandardErrors;

    /// <summary>The covariance of the parameters, in the order of the tree's numbers.</summary>
    public Tensor Covariance => fit.Covariance;

    /// <summary>The correlation of the parameters, in the order of the tree's numbers.</summary>
    public Tensor Correlation => fit.Correlation;

    /// <summary>Observed minus fitted.</summary>
    public Tensor Residuals => fit.Residuals;

    /// <summary>The sum of the squares of the residuals times their weights.</summary>
    public double ResidualSumOfSquares => fit.ResidualSumOfSquares;

    /// <summary>The deviation of an observation of weight 1.</summary>
    public double ResidualDeviation => fit.ResidualDeviation;

    /// <summary>Observations less parameters.</summary>
    public int DegreesOfFreedom => fit.DegreesOfFreedom;

    /// <summary>How many steps the fit took.</summary>
    public int Steps => fit.Report.Steps;

    /// <summary>Why the fit stopped.</summary>
    public StopReason Reason => Reasons.Of(fit.Report.Reason);

    /// <summary>The interval of each parameter at a confidence level.</summary>
    /// <param name="level">Between 0 and 1.</param>
    public (TParameters Lower, TParameters Upper) Intervals(double level = 0.95)
    {
        var (lower, upper) = fit.Intervals(level);
        return (lower, upper);
    }

    /// <summary>The model's values, and where they lie at a confidence level: what is uncertain is the curve.</summary>
    /// <param name="x">Where, with a first axis.</param>
    /// <param name="level">Between 0 and 1.</param>
    public CurveBand ConfidenceBand(TX x, double level = 0.95) => Of(Fit.confidenceBand(level, model, fit, x));

    /// <summary>The model's values, and where new observations lie at a confidence level.</summary>
    /// <param name="x">Where, with a first axis.</param>
    /// <param name="level">Between 0 and 1.</param>
    public CurveBand PredictionBand(TX x, double level = 0.95) => Of(Fit.predictionBand(level, model, fit, x));

    /// <summary>Parameters with their errors, the sum of squares, and why the fit stopped.</summary>
    public override string ToString() => fit.ToString();

    private static CurveBand Of(Band band) => new(band.Value, band.Lower, band.Upper);
}
