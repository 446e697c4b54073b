// The talk's slides, each a question that is answered at once, but for dropout, which is learnt before one's eyes.
using Playground.Server;

namespace Playground.Slides;

internal sealed class SlidesExhibit(Outbox outbox, Turns turns, Digits.School school) : Exhibit
{
    private CancellationTokenSource? overfitting;

    public override async Task Do(Wish wish, CancellationToken cancellation)
    {
        switch (wish.Text("do", 20))
        {
            case "filter":
                await Answer("filter", () => Filter.Apply(wish), cancellation);
                break;
            case "lags":
                await Answer("lags", () => Lags.Measure(wish.Whole("length", 2, 200), wish.Whole("units", 1, 64), wish.Number("keep", -5, 10)), cancellation);
                break;
            case "descent":
                await Answer("descent", () => Descent.Follow(wish), cancellation);
                break;
            case "overfit":
                Leave();
                overfitting = new CancellationTokenSource();
                _ = Overfit(wish.Number("rate", 0, 0.9), wish.Whole("epochs", 1, 100), overfitting.Token);
                break;
            case "stop":
                Leave();
                break;
            case var other:
                throw new Refusal("wish-unknown", new { given = other });
        }
    }

    public override void Leave() => overfitting?.Cancel();

    private async Task Answer(string slide, Func<object> work, CancellationToken cancellation)
    {
        var found = await turns.Take(work, cancellation);
        outbox.Show("slides-" + slide, new { exhibit = "slides", slide, found });
    }

    private async Task Overfit(double rate, int epochs, CancellationToken stopped)
    {
        try
        {
            var taught = await school.Graduate().WaitAsync(stopped);
            var lesson = new Overfitting(taught, rate);
            for (var epoch = 0; epoch <= epochs; epoch++)
            {
                stopped.ThrowIfCancellationRequested();
                var found = await turns.Take(() => epoch == 0 ? lesson.Look() : lesson.Learn(), stopped);
                outbox.Answer(new { exhibit = "slides", slide = "overfit", found = new { epoch, found, isLast = epoch == epochs } });
            }
        }
        catch (OperationCanceledException)
        {
            // stopped, or the page is gone
        }
        catch (IOException)
        {
            // the page does not read
        }
    }
}
