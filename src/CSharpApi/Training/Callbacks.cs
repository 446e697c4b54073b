// The callbacks that everybody needs, with Keras' names and defaults: shells of the F# ones.
using FSharpCallback = Functional.Callback<object[]>;

namespace Functional.CSharp;

internal static class Monitors
{
    /// <summary>A number that is watched, and which values of it are better; with <c>"auto"</c> the loss or the metric says it.</summary>
    public static Monitor Create(string monitor, string mode, double minDelta)
    {
        ArgumentNullException.ThrowIfNull(monitor);
        var better = Names.Find<Better?>("mode", mode, [("auto", null), ("min", Better.Lower), ("max", Better.Higher)]);
        return new Monitor(name: monitor, better: Bridge.Option(better), minDelta: Math.Abs(minDelta));
    }
}

/// <summary>Stops when a number has not improved for some epochs.</summary>
/// <param name="monitor">The number watched.</param>
/// <param name="minDelta">The least change that is an improvement.</param>
/// <param name="patience">Epochs without improvement that are waited for.</param>
/// <param name="mode"><c>"min"</c>, <c>"max"</c>, or <c>"auto"</c>: the loss and the metrics say it themselves; a metric of one's own that does not is refused.</param>
/// <param name="restoreBestWeights">Whether the weights of the best epoch are given back.</param>
/// <param name="baseline">A value that must be better for the waiting to begin anew; null for none.</param>
/// <param name="startFromEpoch">The first epochs, which are not looked at.</param>
/// <example><code>new EarlyStopping(monitor: "val_accuracy", patience: 5, restoreBestWeights: true)</code></example>
public sealed class EarlyStopping(
    string monitor = "val_loss", double minDelta = 0, int patience = 0, string mode = "auto", bool restoreBestWeights = false, double? baseline = null, int startFromEpoch = 0) : Callback
{
    internal override FSharpCallback Create(CallbackContext context) => Functional.Callbacks.earlyStoppingFrom<object[]>(
        startFromEpoch,
        Bridge.Option(baseline),
        new EarlyStoppingSettings.EarlyStopping(monitor: Monitors.Create(monitor, mode, minDelta), patience: patience, restoreBest: restoreBestWeights));
}

/// <summary>Saves the whole training (weights, optimiser, position, history) after every epoch, or after every one that
/// was the best so far. <see cref="Model.Load"/> reads the model in it; <c>Fit(…, resumeFrom: path)</c> goes on from
/// it, bit for bit.</summary>
/// <param name="path">The file. Names in braces stand for the epoch's numbers, with Python's formats or .NET's:
/// <c>run/{epoch:02d}-{val_loss:.2f}.safetensors</c>.</param>
/// <param name="monitor">The number watched where only the best is saved.</param>
/// <param name="saveBestOnly">Whether only epochs better than all before are saved.</param>
/// <param name="mode"><c>"min"</c>, <c>"max"</c>, or <c>"auto"</c>: the loss and the metrics say it themselves; a metric of one's own that does not is refused.</param>
/// <param name="every">Saves every so many epochs.</param>
/// <example><code>new ModelCheckpoint("run/epoch-{epoch}.safetensors")</code></example>
public sealed class ModelCheckpoint(
    string path, string monitor = "val_loss", bool saveBestOnly = false, string mode = "auto", int every = 1) : Callback
{
    internal override FSharpCallback Create(CallbackContext context)
    {
        ArgumentNullException.ThrowIfNull(path);
        var description = ModelFile.metadata(context.Model.Describe());
        return saveBestOnly
            ? Functional.Callbacks.checkpointBest<object[]>(path, Monitors.Create(monitor, mode, 0), description)
            : Functional.Callbacks.checkpoint<object[]>(path, every, description);
    }
}

/// <summary>Writes the numbers of each epoch to a file of comma-separated values, as it ends.</summary>
/// <param name="path">The file.</param>
/// <example><code>new CSVLogger("run/log.csv")</code></example>
public sealed class CSVLogger(string path) : Callback
{
    internal override FSharpCallback Create(CallbackContext context)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Functional.Callbacks.csvLog<object[]>(path);
    }
}

/// <summary>Lowers the learning rate when a number has not improved for some epochs.</summary>
/// <param name="monitor">The number watched.</param>
/// <param name="factor">What the rate is multiplied by.</param>
/// <param name="patience">Epochs without improvement that are waited for.</param>
/// <param name="mode"><c>"min"</c>, <c>"max"</c>, or <c>"auto"</c>: the loss and the metrics say it themselves; a metric of one's own that does not is refused.</param>
/// <param name="minDelta">The least change that is an improvement.</param>
/// <param name="cooldown">Epochs after a reduction in which nothing is counted.</param>
/// <param name="minLr">The rate never falls below this; for an optimiser whose rate is a number, not a schedule.</param>
/// <example><code>new ReduceLROnPlateau(factor: 0.5, patience: 3)</code></example>
public sealed class ReduceLROnPlateau(
    string monitor = "val_loss", double factor = 0.1, int patience = 10, string mode = "auto", double minDelta = 1e-4, int cooldown = 0, double minLr = 0) : Callback
{
    internal override FSharpCallback Create(CallbackContext context)
    {
        if (minLr > 0 && context.Rate is null)
            throw new ArgumentException("ReduceLROnPlateau: minLr is a rate, and the optimiser's follows a schedule, which is multiplied as it is; leave minLr out, or give the optimiser a number", nameof(minLr));
        return Functional.Callbacks.reduceRateOnPlateau<object[]>(
            new ReduceRate(
                monitor: Monitors.Create(monitor, mode, minDelta),
                factor: factor,
                patience: patience,
                cooldown: cooldown,
                minScale: context.Rate is { } rate ? minLr / rate : 0));
    }
}

/// <summary>Sets the learning rate of each epoch. The optimiser's own rate has to be a number, not a schedule.</summary>
/// <example><code>new LearningRateScheduler((epoch, rate) => epoch &lt; 10 ? rate : rate * 0.9)</code></example>
public sealed class LearningRateScheduler : Callback
{
    private readonly Func<int, double, double> schedule;

    /// <summary>The rate by the epoch and the rate so far.</summary>
    /// <param name="schedule">Given the epoch's number, from 0 as Keras counts here, and the rate so far.</param>
    public LearningRateScheduler(Func<int, double, double> schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        this.schedule = schedule;
    }

    /// <summary>The rate by the epoch alone.</summary>
    /// <param name="schedule">Given the epoch's number, from 0 as Keras counts here.</param>
    public LearningRateScheduler(Func<int, double> schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        this.schedule = (epoch, _) => schedule(epoch);
    }

    internal override FSharpCallback Create(CallbackContext context) => Functional.Callbacks.rateOfEpoch<object[]>(
        context.Rate ?? throw new ArgumentException("LearningRateScheduler: the optimiser's rate follows a schedule of its own; give it a number, which this callback changes"),
        Bridge.Curry(schedule));
}

/// <summary>Stops at the first batch whose loss is NaN or infinite, and keeps the weights from before it.</summary>
/// <example><code>new TerminateOnNaN()</code></example>
public sealed class TerminateOnNaN : Callback
{
    internal override FSharpCallback Create(CallbackContext context) => Functional.Callbacks.terminateOnNaN<object[]>();
}
