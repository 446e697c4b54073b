// What a minimisation came to.
using FSharpReason = Functional.MinimizerReports.StopReason;
using MinimizerReport = Functional.MinimizerReports.MinimizerReport;

namespace Functional.CSharp;

/// <summary>Why a minimiser stopped.</summary>
public enum StopReason
{
    /// <summary>The gradient is gone: converged.</summary>
    GradientVanished,

    /// <summary>The last step was too short to count: converged.</summary>
    StepVanished,

    /// <summary>The loss does not fall any more: converged.</summary>
    LossStalled,

    /// <summary>The loss is as low as was asked for.</summary>
    LossReached,

    /// <summary>All steps that were allowed are done.</summary>
    StepsDone,

    /// <summary>No step lowers the loss, and the gradient is not gone.</summary>
    NoDescent,

    /// <summary>The loss or its gradient is not finite, or the loss falls without end.</summary>
    NotFinite,

    /// <summary>It was cancelled.</summary>
    Interrupted,
}

/// <summary>Where a minimisation ended, and why.</summary>
/// <typeparam name="TParameters">The type of the parameters.</typeparam>
public sealed class Minimum<TParameters>
{
    private readonly MinimizerReport report;

    internal Minimum(TParameters parameters, MinimizerReport report) => (Parameters, this.report) = (parameters, report);

    /// <summary>The best parameters found.</summary>
    public TParameters Parameters { get; }

    /// <summary>Whether it stopped at what looks like a minimum, and not because it could not go on or was not let.</summary>
    public bool Converged => report.Converged;

    /// <summary>Why it stopped.</summary>
    public StopReason Reason => Reasons.Of(report.Reason);

    /// <summary>The loss there; in least squares, half the sum of the squares.</summary>
    public double Loss => report.Loss;

    /// <summary>What is left of the gradient: its largest component.</summary>
    public double Gradient => report.Gradient;

    /// <summary>How many steps it took.</summary>
    public int Steps => report.Steps;

    /// <summary>How often the loss was computed.</summary>
    public int Evaluations => report.Evaluations;

    /// <summary>The report in a line.</summary>
    public override string ToString() => report.ToString();
}

internal static class Reasons
{
    public static StopReason Of(FSharpReason reason) => reason.Tag switch
    {
        FSharpReason.Tags.GradientVanished => StopReason.GradientVanished,
        FSharpReason.Tags.StepVanished => StopReason.StepVanished,
        FSharpReason.Tags.LossStalled => StopReason.LossStalled,
        FSharpReason.Tags.LossReached => StopReason.LossReached,
        FSharpReason.Tags.StepsDone => StopReason.StepsDone,
        FSharpReason.Tags.NoDescent => StopReason.NoDescent,
        FSharpReason.Tags.NotFinite => StopReason.NotFinite,
        _ => StopReason.Interrupted,
    };
}
