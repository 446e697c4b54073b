// Data sets by name, as C# wants them.
namespace Functional.CSharp;

/// <summary>Handwritten digits to learn from and to be tested on.</summary>
public sealed class DigitSet
{
    internal DigitSet(DigitData data)
    {
        XTrain = data.Train.Images;
        YTrain = data.Train.Labels;
        XTest = data.Test.Images;
        YTest = data.Test.Labels;
        Source = data.Source.ToString();
        IsMnist = !data.Source.IsDrawn;
    }

    /// <summary>Images to learn from: Float32, n × 784, from 0 (background) to 1.</summary>
    public Tensor XTrain { get; }

    /// <summary>Their digits: Int32, n. <c>YTrain.OneHot(10)</c> makes rows of them.</summary>
    public Tensor YTrain { get; }

    /// <summary>Images to be tested on: Float32, m × 784.</summary>
    public Tensor XTest { get; }

    /// <summary>Their digits: Int32, m.</summary>
    public Tensor YTest { get; }

    /// <summary>One sentence for the user that says which data this is.</summary>
    public string Source { get; }

    /// <summary>Whether these are the digits of MNIST, not drawn ones.</summary>
    public bool IsMnist { get; }
}

/// <summary>Data sets to learn from.</summary>
public static class Datasets
{
    /// <summary>The digits of MNIST: from a folder (or the one that the environment variable FUNCTIONAL_DATA names), else
    /// from the user's cache, else downloaded; where none of this works, digits drawn by a generator.
    /// <see cref="DigitSet.Source"/> says which.</summary>
    /// <param name="directory">A folder with the four files of MNIST; null looks elsewhere.</param>
    /// <param name="allowDownload">Whether files that are nowhere may be downloaded.</param>
    /// <param name="progress">Told of a download: the file, the bytes received, and all its bytes (−1: not known).</param>
    /// <param name="cancellationToken">Stops a download.</param>
    /// <exception cref="DirectoryNotFoundException">The folder given does not exist.</exception>
    /// <exception cref="InvalidDataException">A file is cut off or damaged.</exception>
    /// <example><code>var digits = Datasets.Digits();</code></example>
    public static DigitSet Digits(
        string? directory = null,
        bool allowDownload = true,
        Action<string, long, long>? progress = null,
        CancellationToken cancellationToken = default) =>
        DigitsAsync(directory, allowDownload, progress, cancellationToken).GetAwaiter().GetResult();

    /// <inheritdoc cref="Digits"/>
    public static async Task<DigitSet> DigitsAsync(
        string? directory = null,
        bool allowDownload = true,
        Action<string, long, long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var usual = Mnist.defaults;
        var options = new MnistOptions(
            directory: Bridge.Option(string.IsNullOrEmpty(directory) ? null : directory),
            cache: usual.Cache,
            allowDownload: allowDownload,
            mirrors: usual.Mirrors,
            progress: progress is null ? null : Bridge.Act<DownloadProgress>(p => progress(p.File, p.Received, p.Total)),
            drawnTrain: usual.DrawnTrain,
            drawnTest: usual.DrawnTest,
            seed: usual.Seed);
        return new DigitSet(await Mnist.loadAsync(options, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Digits drawn by a generator: strokes with random slant, thickness, place and noise, in MNIST's format.</summary>
    /// <param name="train">How many to learn from.</param>
    /// <param name="test">How many to be tested on.</param>
    /// <param name="seed">What they are drawn from.</param>
    /// <example><code>var digits = Datasets.DrawnDigits(train: 10_000, test: 1_000);</code></example>
    public static DigitSet DrawnDigits(int train = 60_000, int test = 10_000, long seed = 1)
    {
        var usual = Mnist.defaults;
        return new DigitSet(Mnist.draw(new MnistOptions(
            directory: null, cache: null, allowDownload: false, mirrors: usual.Mirrors, progress: null, drawnTrain: train, drawnTest: test, seed: seed)));
    }
}
