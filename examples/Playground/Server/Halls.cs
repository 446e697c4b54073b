// What there is to see, and what all pages share: the processors, in turns, and what has been taught once for everybody.
using Playground.Digits;
using Playground.Functions;
using Playground.Slides;
using Playground.Talk;

namespace Playground.Server;

/// <summary>What a page looks at: it is told what the visitor wants and shows what happens through the page's outbox.</summary>
internal abstract class Exhibit
{
    /// <exception cref="Refusal">It cannot be done.</exception>
    public abstract Task Do(Wish wish, CancellationToken cancellation);

    /// <summary>The page is gone.</summary>
    public virtual void Leave()
    {
    }
}

internal sealed class Halls(string? data)
{
    private readonly Turns turns = new();
    private readonly School school = new(data);
    private readonly Lazy<TalkExhibit.Partner> robot = new();

    /// <summary>An exhibit for one page; null where there is none of this name.</summary>
    public Exhibit? Open(string name, Outbox outbox) => name switch
    {
        "digit" => new DigitExhibit(outbox, turns, school),
        "slides" => new SlidesExhibit(outbox, turns, school),
        "function" => new FunctionExhibit(outbox, turns),
        "talk" => new TalkExhibit(outbox, turns, robot),
        _ => null,
    };
}

/// <summary>Turns at the processors: however many pages train, as many do it at a time as there are processors, and each
/// soon gives way to the next.</summary>
internal sealed class Turns
{
    private readonly SemaphoreSlim free = new(Math.Max(1, Environment.ProcessorCount));

    /// <summary>How long a turn is, at most.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromMilliseconds(10);

    /// <summary>Does some work when its turn comes.</summary>
    public async Task<T> Take<T>(Func<T> work, CancellationToken cancellation = default)
    {
        await free.WaitAsync(cancellation);
        try
        {
            return await Task.Run(work, cancellation);
        }
        finally
        {
            free.Release();
        }
    }
}
