// The exhibit of drawn digits: what the network sees while one draws, and how it learns from being told.
using Digits;
using Playground.Server;

namespace Playground.Digits;

internal sealed class DigitExhibit(Outbox outbox, Turns turns, School school) : Exhibit
{
    /// <summary>Steps after each drawing that was told, drawings that are remembered, and digits that go with them.</summary>
    private const int Steps = 24, MostTold = 100, Reminders = 96;

    private const int MostSide = 128;

    private readonly CancellationTokenSource left = new();
    private readonly List<(float[] Digit, int Label)> told = [];
    private Taught? taught;
    private Eye? own;

    private Taught School => taught ?? throw new Refusal("still-learning");

    public override async Task Do(Wish wish, CancellationToken cancellation)
    {
        switch (wish.Text("do", 20))
        {
            case "look":
                _ = Announce(left.Token);
                break;
            case "read":
                await Read(wish, cancellation);
                break;
            case "tell":
                await Tell(wish, cancellation);
                break;
            case "forget":
                (own, _) = (null, School);
                told.Clear();
                outbox.Answer(new { exhibit = "digit", told = 0 });
                break;
            case var other:
                throw new Refusal("wish-unknown", new { given = other });
        }
    }

    public override void Leave() => left.Cancel();

    /// <summary>Tells the page how teaching goes, and at last what was taught.</summary>
    private async Task Announce(CancellationToken cancellation)
    {
        try
        {
            var teaching = school.Graduate();
            while (!teaching.IsCompleted)
            {
                outbox.Show("digit-school", new { exhibit = "digit", progress = school.Progress });
                await Task.WhenAny(teaching, Task.Delay(100, cancellation));
                cancellation.ThrowIfCancellationRequested();
            }
            taught = await teaching;
            outbox.Answer(new { exhibit = "digit", school = new { taught.IsMnist, taught.Count, taught.Accuracy } });
        }
        catch (OperationCanceledException)
        {
            // the page is gone
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            outbox.Answer(new { exhibit = "digit", error = "no-digits", about = new { e.Message } });
        }
    }

    private async Task Read(Wish wish, CancellationToken cancellation)
    {
        _ = School;
        var digit = Digit(wish);
        await turns.Take(() => See(digit), cancellation);
    }

    /// <summary>Learns the drawing that it read wrongly, among others so that it forgets nothing, before the visitor's eyes.</summary>
    private async Task Tell(Wish wish, CancellationToken cancellation)
    {
        var (digit, label, all) = (Digit(wish), wish.Whole("digit", 0, 9), School);
        if (told.Count == MostTold) told.RemoveAt(0);
        told.Add((digit, label));
        own ??= all.Eye.Copy();
        var (images, labels) = Mixed(all);
        var batches = new Augmentation(images, labels, batchSize: labels.Shape[0]);
        await turns.Take(() =>
        {
            var eye = own;
            eye.Learn(
                seed => Enumerable.Range(0, Steps).SelectMany(step => batches.Epoch(seed + step)),
                0.002,
                () =>
                {
                    eye.Look();
                    See(digit);
                },
                cancellation);
            return See(digit);
        }, cancellation);
        outbox.Answer(new { exhibit = "digit", told = told.Count });
    }

    /// <summary>All drawings that were told, several times, beside as many of the digits it was taught with.</summary>
    private (Tensor Images, Tensor Labels) Mixed(Taught all)
    {
        var random = new System.Random(told.Count);
        var copies = Math.Max(1, 32 / told.Count);
        int[] places = [.. Enumerable.Range(0, Reminders).Select(_ => random.Next(all.Labels.Shape[0]))];
        float[] drawn = [.. told.SelectMany(item => Enumerable.Repeat(item.Digit, copies).SelectMany(digit => digit))];
        int[] names = [.. told.SelectMany(item => Enumerable.Repeat(item.Label, copies))];
        var images = Tensor.Concat([Tensor.Of(drawn, [names.Length, Drawing.Side * Drawing.Side]), .. places.Select(place => all.Images.Slice(place..(place + 1)))]);
        return (images, Tensor.Concat([Tensor.Of(names), .. places.Select(place => all.Labels.Slice(place..(place + 1)))]));
    }

    private bool See(float[] digit)
    {
        var sight = (own ?? School.Eye).See(digit);
        outbox.Show("digit", new
        {
            exhibit = "digit",
            seen = new { input = digit.Select(pixel => (byte)(254 * pixel)).ToArray(), sight.Layers, sight.Bars },
        });
        return true;
    }

    private static float[] Digit(Wish wish)
    {
        byte[] ink;
        try
        {
            ink = Convert.FromBase64String(wish.Text("image", MostSide * MostSide * 4 / 3 + 4));
        }
        catch (FormatException)
        {
            throw new Refusal("malformed");
        }
        var side = (int)Math.Sqrt(ink.Length);
        if (side < Drawing.Side || side * side != ink.Length) throw new Refusal("malformed");
        return Drawing.Read(ink) ?? throw new Refusal("empty");
    }
}
