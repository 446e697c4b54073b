// A network in training: a compiled step that owns its state, run in short turns, looked at thirty times a second at most.
// What the visitor does meanwhile (pausing, another rate, another weight) happens between two turns.
using System.Diagnostics;
using Microsoft.FSharp.Core;
using Playground.Server;
using static Functional.CSharp.Differentiate;

namespace Playground.Functions;

/// <summary>How the network is made and taught.</summary>
internal sealed record Plan
{
    public static readonly Dictionary<string, Func<double, Functional.OptimizerType.Optimizer>> Optimizers = new()
    {
        ["adam"] = OptimizerModule.adam,
        ["sgd"] = OptimizerModule.sgd,
        ["momentum"] = rate => OptimizerModule.momentum(0.9, rate),
        ["rmsprop"] = OptimizerModule.rmsprop,
        ["nadam"] = OptimizerModule.nadam,
    };

    public required int[] Hidden { get; init; }

    public required string Activation { get; init; }

    public required string Optimizer { get; init; }

    public required int Seed { get; init; }
}

internal sealed class Training : IDisposable
{
    private static readonly TimeSpan FrameTime = TimeSpan.FromSeconds(1.0 / 30);

    /// <summary>Numbers from here on have run away.</summary>
    private const double Boundless = 1e30;

    private readonly Lesson lesson;
    private readonly Turns turns;
    private readonly Action<object> show;
    private readonly string activationName;
    private readonly Func<Tensor, Tensor> activation;
    private readonly Stepper<State, Batch, Tensor> stepper;

    // Between turns, all that follows belongs to whoever holds the gate.
    private readonly Lock gate = new();
    private CancellationTokenSource? run;
    private State good;
    private long steps, goodSteps, lastShown;
    private double loss = double.NaN;
    private string status = "paused";

    /// <summary>A training that has not begun.</summary>
    /// <param name="lesson">What is learnt.</param>
    /// <param name="plan">By what network, and how.</param>
    /// <param name="net">The parameters to begin with.</param>
    /// <param name="steps">How many steps made them.</param>
    /// <param name="turns">The processors.</param>
    /// <param name="show">Given what the page is to see.</param>
    public Training(Lesson lesson, Plan plan, Net net, long steps, Turns turns, Action<object> show)
    {
        (this.lesson, this.turns, this.show, this.steps, goodSteps) = (lesson, turns, show, steps, steps);
        activationName = plan.Activation;
        activation = Net.Activations[activationName];
        // the rate is the state's scale, so that it can be another for every step of one compiled program
        var optimizer = Plan.Optimizers[plan.Optimizer](1.0);
        good = new State(net, OptimizerModule.init(optimizer, net));
        stepper = new Stepper<State, Batch, Tensor>(FuncConvert.FromFunc<State, Batch, Tuple<State, Tensor>>((state, batch) =>
        {
            var (loss, gradient) = ValueAndGradient(Loss(batch), state.Net);
            var memory = new OptimizerState(state.Memory.Step, batch.Rate, state.Memory.Memory);
            var (next, remembered) = OptimizerModule.step(optimizer, gradient, memory, state.Net);
            return Tuple.Create(new State(next, remembered), loss);
        }), good);
        Show();
    }

    /// <summary>The learning rate.</summary>
    public double Rate { get; set; } = 0.01;

    /// <summary>Steps a second; the processors are the limit where it is infinite.</summary>
    public double Speed { get; set; } = double.PositiveInfinity;

    /// <summary>The largest error that is small enough, at which training pauses; 0 for none.</summary>
    public double Epsilon { get; set; }

    public void Run()
    {
        lock (gate)
        {
            if (run is not null) return;
            run = new CancellationTokenSource();
            status = "running";
            _ = Loop(run.Token);
        }
    }

    public void Pause() => Stop("paused");

    /// <summary>One step, whether it runs or not.</summary>
    public Task Step(CancellationToken cancellation) => turns.Take(() =>
    {
        lock (gate)
        {
            Learn(1, TimeSpan.Zero);
            Show();
        }
        return true;
    }, cancellation);

    /// <summary>Puts another number in the place of a parameter, counted as the page has them.</summary>
    public void Put(int place, double value)
    {
        lock (gate)
        {
            var state = stepper.Snapshot();
            var flat = state.Net.Flat();
            if (place >= flat.Length) throw new Refusal("out-of-range", new { name = "place", least = 0, largest = flat.Length - 1 });
            flat[place] = value;
            good = state with { Net = state.Net.With(flat) };
            stepper.Restore(good);
            Show();
        }
    }

    /// <summary>The network as it is now, as a program: C# or F#.</summary>
    public string Source(bool isFSharp)
    {
        lock (gate)
        {
            var net = stepper.Snapshot().Net;
            return isFSharp ? Functions.Source.FSharp(net, lesson, activationName) : Functions.Source.CSharp(net, lesson, activationName);
        }
    }

    public void Dispose()
    {
        Stop("ended");
        lock (gate) ((IDisposable)stepper).Dispose();
    }

    private Func<Net, Tensor> Loss(Batch batch) =>
        net => TensorMath.Square(net.Apply(batch.X, activation, lesson.Classifies) - batch.Y).Mean();

    private async Task Loop(CancellationToken stopped)
    {
        var (clock, begun) = (Stopwatch.StartNew(), steps);
        try
        {
            while (true)
            {
                var due = double.IsInfinity(Speed) ? long.MaxValue : (long)(clock.Elapsed.TotalSeconds * Speed) - (steps - begun);
                if (due <= 0) await Task.Delay(8, stopped);
                // after a pause of the machine it does not run to catch up
                else if (due > Math.Max(2, Speed / 8)) (clock, begun) = (Stopwatch.StartNew(), steps);
                else
                    await turns.Take(() =>
                    {
                        lock (gate)
                        {
                            stopped.ThrowIfCancellationRequested();
                            Learn(due, Turns.Length);
                            if (Stopwatch.GetElapsedTime(lastShown) >= FrameTime) Show();
                        }
                        return true;
                    }, stopped);
            }
        }
        catch (OperationCanceledException)
        {
            // paused, or the page is gone
        }
    }

    /// <summary>As many steps, or as long; the gate is held.</summary>
    private void Learn(long most, TimeSpan longest)
    {
        var start = Stopwatch.GetTimestamp();
        var batch = new Batch(lesson.X, lesson.Y, Tensor.Scalar(Rate));
        for (var done = 0L; done < most; done++)
        {
            stepper.Step(batch);
            steps++;
            if (Stopwatch.GetElapsedTime(start) >= longest) break;
        }
        loss = stepper.Result.ToDouble();
    }

    /// <summary>Shows the network as it is, unless it has no numbers any more: then training ends, and the last that had is
    /// back; the gate is held.</summary>
    private void Show()
    {
        lastShown = Stopwatch.GetTimestamp();
        var state = stepper.Snapshot();
        var (parameters, layers) = Look(state.Net);
        if (!parameters.Concat(layers[^1][0]).All(number => Math.Abs(number) < Boundless))
        {
            End("nan");
            stepper.Restore(good);
            (state, steps) = (good, goodSteps);
            (parameters, layers) = Look(good.Net);
        }
        else (good, goodSteps) = (state, steps);

        var seen = lesson.See(layers[^1][0], state.Net, activation);
        if (run is not null && seen.Sup < Epsilon) End("reached");
        show(new
        {
            steps,
            status,
            loss = double.IsFinite(loss) ? loss : (double?)null,
            seen.Sup,
            seen.L2,
            seen.Right,
            seen.Curve,
            seen.Field,
            neurons = layers[..^1].Select(layer => layer.Select(Picture)),
            parameters = parameters.Select(value => (float)value),
        });
    }

    /// <summary>The parameters, and what each neuron of each layer makes of the places.</summary>
    private (double[] Parameters, double[][][] Layers) Look(Net net) =>
        (net.Flat(), [.. net.ApplyAll(lesson.Places, activation, lesson.Classifies).Select(layer => layer.Transpose().ToRows())]);

    private byte[] Picture(double[] values)
    {
        var thin = lesson.Thin(values);
        return Bytes.Of(thin, Math.Max(1e-12, thin.Max(Math.Abs)));
    }

    private void Stop(string reason)
    {
        lock (gate)
        {
            End(reason);
            if (reason != "ended") Show();
        }
    }

    /// <summary>No more turns; the gate is held.</summary>
    private void End(string reason)
    {
        status = reason;
        run?.Cancel();
        run = null;
    }

    internal sealed record State(Net Net, OptimizerState Memory);

    internal sealed record Batch(Tensor X, Tensor Y, Tensor Rate);
}
