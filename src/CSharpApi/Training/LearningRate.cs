// Learning rates: a number, or a schedule over the steps.
using Schedule = Microsoft.FSharp.Core.FSharpFunc<Functional.Tensor, Functional.Tensor>;

namespace Functional.CSharp;

/// <summary>A learning rate; a number converts to it. Steps are batches, not epochs.</summary>
/// <example><code>
/// new SGD(lr: 0.1);
/// new Adam(lr: LearningRate.OneCycle(0.003, steps: 30 * 600));
/// </code></example>
public sealed class LearningRate
{
    private LearningRate(Schedule schedule, double? constant)
    {
        Schedule = schedule;
        Value = constant;
    }

    /// <summary>The rate where it is constant; null for a schedule.</summary>
    public double? Value { get; }

    internal Schedule Schedule { get; }

    /// <summary>The same rate always.</summary>
    /// <exception cref="ArgumentException">A rate below 0, or none: NaN, infinity.</exception>
    public static implicit operator LearningRate(double rate) => new(ScheduleModule.constant(rate), rate);

    /// <summary>The schedule of a saved optimiser.</summary>
    internal static LearningRate Restored(Schedule schedule) => new(schedule, ScheduleModule.constantRate(schedule)?.Value);

    /// <summary>rate·factor^⌊step/every⌋.</summary>
    public static LearningRate Step(double rate, int every, double factor) => new(ScheduleModule.step(rate, every, factor), null);

    /// <summary>rate·factor^(step/every): Keras' ExponentialDecay.</summary>
    public static LearningRate Exponential(double rate, int every, double factor) => new(ScheduleModule.exponential(rate, every, factor), null);

    /// <summary>Half a cosine from the rate down to floor·rate: Keras' CosineDecay.</summary>
    public static LearningRate Cosine(double rate, int steps, double floor = 0.0) => new(ScheduleModule.cosine(rate, steps, floor), null);

    /// <summary>rate/(1 + factor·step/every), or with whole steps of <paramref name="every"/>: Keras' InverseTimeDecay.</summary>
    public static LearningRate InverseTime(double rate, int every, double factor, bool staircase = false) =>
        new(ScheduleModule.inverseTime(rate, every, factor, staircase), null);

    /// <summary>From the rate down to <paramref name="last"/> along (1 − step/steps)^power: Keras' PolynomialDecay.</summary>
    public static LearningRate Polynomial(double rate, int steps, double last = 0.0001, double power = 1.0, bool cycle = false) =>
        new(ScheduleModule.polynomial(rate, steps, last, power, cycle), null);

    /// <summary>Half cosines one after another, each longer than the one before: Keras' CosineDecayRestarts.</summary>
    public static LearningRate CosineRestarts(double rate, int steps, double longer = 2.0, double lower = 1.0, double floor = 0.0) =>
        new(ScheduleModule.cosineRestarts(rate, steps, longer, lower, floor), null);

    /// <summary>One rate up to each boundary, the last from there on: Keras' PiecewiseConstantDecay.</summary>
    public static LearningRate Piecewise(int[] boundaries, double[] rates)
    {
        ArgumentNullException.ThrowIfNull(boundaries);
        ArgumentNullException.ThrowIfNull(rates);
        return new(ScheduleModule.piecewise(Bridge.List(boundaries), Bridge.List(rates)), null);
    }

    /// <summary>Up to the highest rate and down again to almost nothing.</summary>
    public static LearningRate OneCycle(double highest, int steps) => new(ScheduleModule.oneCycle(highest, steps), null);

    /// <summary>A schedule of one's own. A model whose optimiser has one can be saved without its training alone.</summary>
    /// <param name="schedule">Takes the number of steps done (0-d, Int64) to the rate of the next one (0-d, Float64).</param>
    public static LearningRate Of(Func<Tensor, Tensor> schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return new(Bridge.Curry(schedule), null);
    }

    /// <summary>This schedule after a line from almost 0 up to its beginning.</summary>
    /// <param name="steps">The length of the line.</param>
    public LearningRate WithWarmUp(int steps) => new(ScheduleModule.warmUp(steps, Schedule), null);
}
