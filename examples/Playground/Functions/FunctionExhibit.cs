// The exhibit of any function: what is to be learnt, by what network, and the training of it.
using Playground.Server;

namespace Playground.Functions;

internal sealed class FunctionExhibit(Outbox outbox, Turns turns) : Exhibit
{
    private const int MostLayers = 6, MostNeurons = 64, MostPoints = 5000;

    private Training? training;

    public override async Task Do(Wish wish, CancellationToken cancellation)
    {
        switch (wish.Text("do", 20))
        {
            case "begin":
                Begin(wish);
                break;
            case "run":
                Begun.Run();
                break;
            case "pause":
                Begun.Pause();
                break;
            case "step":
                await Begun.Step(cancellation);
                break;
            case "set":
                Set(wish);
                break;
            case "put":
                Begun.Put(wish.Whole("place", 0, int.MaxValue), wish.Number("value", -1e6, 1e6));
                break;
            case "source":
                var isFSharp = wish.Text("language", 2) == "F#";
                outbox.Answer(new { exhibit = "function", source = Begun.Source(isFSharp), name = isFSharp ? "Network.fs" : "Network.cs" });
                break;
            case var other:
                throw new Refusal("wish-unknown", new { given = other });
        }
    }

    public override void Leave() => training?.Dispose();

    private Training Begun => training ?? throw new Refusal("not-begun");

    /// <summary>A new training, in the place of the one there was.</summary>
    private void Begin(Wish wish)
    {
        var lesson = Lesson(wish.Part("lesson"));
        var network = wish.Part("network");
        var plan = new Plan
        {
            Hidden = [.. network.Numbers("hidden", MostLayers, 1, MostNeurons).Select(width => (int)width)],
            Activation = OneOf(network, "activation", Net.Activations.Keys),
            Optimizer = OneOf(network, "optimizer", Plan.Optimizers.Keys),
            Seed = network.Whole("seed", 0, int.MaxValue),
        };
        var net = Net.Draw(lesson.Inputs, plan.Hidden, plan.Seed);
        if (wish.Has("parameters"))
        {
            var parameters = wish.Numbers("parameters", 100_000);
            net = parameters.Length == net.Count ? net.With(parameters) : throw new Refusal("other-network");
        }
        var steps = wish.Has("steps") ? (long)wish.Number("steps", 0, 1e15) : 0;
        training?.Dispose();
        outbox.Answer(new { exhibit = "function", lesson = lesson.Describe(), count = net.Count });
        training = new Training(lesson, plan, net, steps, turns, frame => outbox.Show("function", new { exhibit = "function", frame }));
        Set(wish);
    }

    /// <summary>What may change while it trains.</summary>
    private void Set(Wish wish)
    {
        if (wish.Has("rate")) Begun.Rate = wish.Number("rate", 0, 1e3);
        if (wish.Has("speed")) Begun.Speed = wish.Number("speed", 0, 1e9) is > 0 and var speed ? speed : double.PositiveInfinity;
        if (wish.Has("epsilon")) Begun.Epsilon = wish.Number("epsilon", 0, 1e6);
    }

    private static Lesson Lesson(Wish wish)
    {
        switch (wish.Text("kind", 20))
        {
            case "formula":
                var function = Formula.Read(wish.Text("formula", 300), "x");
                var (from, to) = Interval(wish);
                return LineLesson.Of(xs => function([Tensor.Of(xs)]).ToDoubles(), from, to);
            case "drawn":
                var heights = wish.Numbers("values", 1000, -1e6, 1e6);
                if (heights.Length < 2) throw new Refusal("too-few", new { name = "values", least = 2 });
                (from, to) = Interval(wish);
                return LineLesson.Of(xs => [.. xs.Select(x => Between(heights, (x - from) / (to - from)))], from, to);
            case "table":
                return Table.Read(wish.Text("table", 400_000), MostPoints);
            case "plane":
                var name = OneOf(wish, "set", PlaneSets.Names);
                var points = PlaneSets.Draw(name, 400, wish.Number("noise", 0, 50) / 100, wish.Whole("seed", 0, int.MaxValue));
                return PlaneLesson.Of(points[..200], points[200..]);
            case var other:
                throw new Refusal("wish-unknown", new { given = other });
        }
    }

    private static (double From, double To) Interval(Wish wish)
    {
        var (from, to) = (wish.Number("from", -1e6, 1e6), wish.Number("to", -1e6, 1e6));
        return to - from > 1e-6 ? (from, to) : throw new Refusal("interval", new { from, to });
    }

    /// <summary>The value of a drawn line at a part of its length, straight between what was drawn.</summary>
    private static double Between(double[] heights, double part)
    {
        var place = Math.Clamp(part, 0, 1) * (heights.Length - 1);
        var left = Math.Min((int)place, heights.Length - 2);
        return heights[left] + (place - left) * (heights[left + 1] - heights[left]);
    }

    private static string OneOf(Wish wish, string name, IEnumerable<string> known)
    {
        var given = wish.Text(name, 40);
        return known.Contains(given) ? given : throw new Refusal("no-such", new { name, given, known });
    }
}
