// The network that reads digits, taught once for all pages when the first of them looks at it: on MNIST where it is found,
// else on digits that a generator draws. It takes some seconds.
using Digits;
using Microsoft.FSharp.Core;

namespace Playground.Digits;

internal sealed class School(string? data)
{
    private const int Lessons = 12_000, BatchSize = 64;

    private readonly Lock gate = new();
    private Task<Taught>? taught;
    private int done;

    /// <summary>How far teaching has got, from 0 to 1.</summary>
    public double Progress => Math.Min(1, (double)Volatile.Read(ref done) / (Passes * Lessons / BatchSize));

    /// <summary>The taught network; teaching begins when this is first asked for.</summary>
    public Task<Taught> Graduate()
    {
        lock (gate) return taught ??= Task.Run(Teach);
    }

    private const int Passes = 3;

    private Taught Teach()
    {
        var usual = Mnist.defaults;
        var digits = Mnist.load(new MnistOptions(
            directory: string.IsNullOrEmpty(data) ? null : FSharpOption<string>.Some(data),
            cache: usual.Cache, allowDownload: false, mirrors: usual.Mirrors, progress: null,
            drawnTrain: Lessons, drawnTest: 1000, seed: usual.Seed));
        var count = Math.Min(Lessons, digits.Train.Images.Shape[0]);
        var (images, labels) = (digits.Train.Images.Slice(..count), digits.Train.Labels.Slice(..count));
        var batches = new Augmentation(images, labels, BatchSize);
        var eye = new Eye();
        eye.Learn(
            seed => Enumerable.Range(0, Passes).SelectMany(pass => batches.Epoch(seed + pass)),
            LearningRate.OneCycle(0.004, Passes * batches.Batches), () => Interlocked.Increment(ref done), CancellationToken.None);
        var tested = Math.Min(2000, digits.Test.Images.Shape[0]);
        var accuracy = eye.Accuracy(digits.Test.Images.Slice(..tested), digits.Test.Labels.Slice(..tested));
        return new Taught(eye, images, labels, !digits.Source.IsDrawn, count, accuracy);
    }
}

/// <summary>A network that has been taught.</summary>
/// <param name="Eye">It.</param>
/// <param name="Images">What it was taught with, so that it does not forget it while it learns more.</param>
/// <param name="Labels">The digits of the images.</param>
/// <param name="IsMnist">Whether people wrote them.</param>
/// <param name="Count">How many there were.</param>
/// <param name="Accuracy">The share of new digits that it reads rightly.</param>
internal sealed record Taught(Eye Eye, Tensor Images, Tensor Labels, bool IsMnist, int Count, double Accuracy);
