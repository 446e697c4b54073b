// What training and measuring report.
using System.Globalization;

namespace Functional.CSharp;

/// <summary>How a training ended.</summary>
public enum TrainingEnd
{
    /// <summary>All epochs are done.</summary>
    Completed,

    /// <summary>A callback stopped it.</summary>
    Stopped,

    /// <summary>Ctrl-C or a cancellation token stopped it; what was learnt is kept.</summary>
    Interrupted,
}

/// <summary>The numbers of each epoch of a training, by name: the loss, the metrics, and <c>val_</c> in front of those of
/// the validation data.</summary>
/// <example><code>
/// var history = model.Fit(x, y, epochs: 20, validationSplit: 0.1);
/// double[] losses = history["val_loss"];
/// </code></example>
public sealed class History
{
    private readonly HistoryType.History history;

    internal History(HistoryType.History history, TrainingEnd end, string? reason, IReadOnlyList<string> warnings)
    {
        this.history = history;
        End = end;
        StopReason = reason;
        Warnings = warnings;
        Names = [.. history.Names];
    }

    /// <summary>The names of the numbers, in the order they are shown.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The number of finished epochs.</summary>
    public int Epochs => history.Epochs;

    /// <summary>How the training ended.</summary>
    public TrainingEnd End { get; }

    /// <summary>Why a callback stopped it; null where none did.</summary>
    public string? StopReason { get; }

    /// <summary>What went wrong without stopping the training.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The values of a name, epoch by epoch.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public double[] this[string name] => history[name];

    /// <summary>The numbers of the last epoch.</summary>
    public IReadOnlyDictionary<string, double> Last => Bridge.Dictionary(history.Last);

    /// <summary>All epochs as comma-separated values, a line of names first.</summary>
    public string ToCsv() => HistoryModule.toCsv(history);

    /// <summary>The numbers of the last epoch as text.</summary>
    public override string ToString() =>
        $"{Epochs} epochs: {string.Join("  ", Last.Select(n => string.Create(CultureInfo.InvariantCulture, $"{n.Key}: {n.Value:G5}")))}";
}

/// <summary>The loss and the metrics of a model on some data.</summary>
/// <example><code>var (loss, accuracy) = model.Evaluate(xTest, yTest);</code></example>
public sealed class Evaluation
{
    private readonly IReadOnlyDictionary<string, double> numbers;

    internal Evaluation(IReadOnlyDictionary<string, double> numbers) => this.numbers = numbers;

    /// <summary>The loss.</summary>
    public double Loss => numbers["loss"];

    /// <summary>The names: the loss, then the metrics in the order of <see cref="Model.Compile(CSharp.Loss, Optimizer, Metric[], bool, Metric[])"/>.</summary>
    public IReadOnlyList<string> Names => [.. numbers.Keys];

    /// <summary>The number of a name.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public double this[string name] => numbers.TryGetValue(name, out var value)
        ? value
        : throw new ArgumentException($"evaluation: there is no \"{name}\"; there are: {string.Join(", ", numbers.Keys)}", nameof(name));

    /// <summary>The loss and the first metric.</summary>
    /// <exception cref="InvalidOperationException">The model was compiled without metrics.</exception>
    public void Deconstruct(out double loss, out double metric)
    {
        loss = Loss;
        metric = numbers.Count > 1
            ? numbers.Values.ElementAt(1)
            : throw new InvalidOperationException("evaluation: the model was compiled without metrics, there is only the loss; compile it with metrics: [\"accuracy\"]");
    }

    /// <summary>All numbers as text.</summary>
    public override string ToString() =>
        string.Join("  ", numbers.Select(n => string.Create(CultureInfo.InvariantCulture, $"{n.Key}: {n.Value:0.0000}")));
}
