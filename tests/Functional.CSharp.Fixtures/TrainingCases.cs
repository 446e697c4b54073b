// Who may train a model, and which numbers are watched in which direction.
namespace Fixtures;

public static class TrainingCases
{
    private static readonly float[][] Inputs = [[0, 0], [0, 1], [1, 0], [1, 1]];
    private static readonly float[] Targets = [0, 1, 1, 0];

    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("a model that is being trained is not trained, compiled or given weights meanwhile", () =>
        {
            var model = Small();
            var weights = model.Weights;
            var refused = 0;
            var meddler = new LambdaCallback(onEpochEnd: (_, _) =>
            {
                Expect.Throws<InvalidOperationException>(() => model.Fit(Inputs, Targets, verbose: 0), "Fit", "being trained");
                Expect.Throws<InvalidOperationException>(() => model.Fit(_ => [(Tensor.Of(Inputs), Tensor.Of(Targets))], verbose: 0), "Fit", "being trained");
                Expect.Throws<InvalidOperationException>(() => model.Compile("mse", "sgd"), "Compile", "being trained");
                // on a thread of its own: a task may run on the thread that waits for it
                Task.Factory.StartNew(() =>
                {
                    Expect.Throws<InvalidOperationException>(() => model.Weights = weights, "Weights", "being trained");
                    Expect.Throws<InvalidOperationException>(() => model.LoadWeights("none"), "LoadWeights", "being trained");
                }, TaskCreationOptions.LongRunning).GetAwaiter().GetResult();
                model.Predict(Inputs);
                refused++;
            });
            var history = model.Fit(Inputs, Targets, epochs: 3, verbose: 0, seed: 1, callbacks: [meddler]);
            Expect.Equal((history.Epochs, refused), (3, 3));
            var alone = Small();
            alone.Fit(Inputs, Targets, epochs: 3, verbose: 0, seed: 1);
            Expect.Equal(string.Join(" ", model.Weights.SelectMany(w => w.ToDoubles())), string.Join(" ", alone.Weights.SelectMany(w => w.ToDoubles())));
        }
        );
        yield return ("two threads, one model: one trains, the other is refused", () =>
        {
            var model = Small();
            using var begun = new ManualResetEventSlim();
            using var end = new ManualResetEventSlim();
            var wait = new LambdaCallback(onTrainBegin: () =>
            {
                begun.Set();
                end.Wait();
            });
            var first = Task.Run(() => model.Fit(Inputs, Targets, verbose: 0, callbacks: [wait]));
            begun.Wait();
            Expect.Throws<InvalidOperationException>(() => model.Fit(Inputs, Targets, verbose: 0), "being trained");
            end.Set();
            Expect.Equal(first.Result.Epochs, 1);
            Expect.Equal(model.Fit(Inputs, Targets, verbose: 0).Epochs, 1);
        }
        );
        yield return ("a training that fails lets the next one in", () =>
        {
            var model = Small();
            Expect.Throws<TrainingException>(() => model.Fit(Inputs, Targets, verbose: 0, callbacks: [new LambdaCallback(onEpochEnd: (_, _) => throw new NotSupportedException("oh"))]), "oh");
            Expect.Throws<ArgumentException>(() => model.Fit(Inputs, new float[3], verbose: 0));
            Expect.Equal(model.Fit(Inputs, Targets, verbose: 0).Epochs, 1);
        }
        );
        yield return ("a callback of one's own looks on at one training at a time", () =>
        {
            var (model, other) = (Small(), Small());
            var shared = new Idle();
            var asks = new LambdaCallback(onTrainBegin: () =>
                Expect.Throws<InvalidOperationException>(() => other.Fit(Inputs, Targets, verbose: 0, callbacks: [shared]), "Idle", "another model"));
            model.Fit(Inputs, Targets, verbose: 0, callbacks: [shared, asks]);
            Expect.Equal(other.Fit(Inputs, Targets, verbose: 0, callbacks: [shared]).Epochs, 1);
        }
        );
        yield return ("directions are those of losses and metrics, whatever they are called", () =>
        {
            string[] words = ["acc", "auc", "precision", "recall", "f1", "r2", "top_k", "loss", "error"];
            var random = new System.Random(3);
            for (var i = 0; i < 12; i++)
            {
                var name = $"my_{words[random.Next(words.Length)]}_{words[random.Next(words.Length)]}";
                var higher = random.Next(2) == 0;

                // the prediction falls towards −1 while the bias is trained: a metric that is the prediction gets lower
                History Fit(bool? says, string mode, double sign)
                {
                    var model = new Sequential([new Dense(1, useBias: true) { InputShape = [1] }], seed: 1);
                    model.Compile("mse", new SGD(lr: 0.1), [new Metric(name, (_, prediction) => prediction.Mean() * sign, says)]);
                    return model.Fit(new float[][] { [0], [0] }, new float[] { -1, -1 }, epochs: 5, verbose: 0, seed: 1, shuffle: false, callbacks: [new EarlyStopping(name, patience: 1, mode: mode)]);
                }

                Expect.Equal(Fit(higher, "auto", higher ? -1 : 1).Epochs, 5);
                Expect.Equal(Fit(higher, "auto", higher ? 1 : -1).Epochs, 2);
                Expect.Equal(Fit(null, "min", 1).Epochs, 5);
                Expect.Equal(Fit(null, "max", 1).Epochs, 2);
                Expect.Equal(Fit(higher, higher ? "min" : "max", higher ? 1 : -1).Epochs, 5);
                Expect.Throws<ArgumentException>(() => Fit(null, "auto", 1), name, "does not say", "mode", "loss");
            }

            Expect.Throws<ArgumentException>(() => Small().Fit(Inputs, Targets, verbose: 0, callbacks: [new ModelCheckpoint(Path.GetTempPath(), "acuracy", saveBestOnly: true)]), "acuracy", "loss, accuracy");
            Expect.Throws<ArgumentException>(() => Small().Fit(Inputs, Targets, verbose: 0, callbacks: [new ReduceLROnPlateau("lss")]), "lss", "loss, accuracy");
            Expect.Throws<ArgumentException>(() => Small().Fit(Inputs, Targets, verbose: 0, callbacks: [new EarlyStopping("loss", mode: "upwards")]), "upwards", "auto");
        }
        );
        yield return ("threads are as many as can be of use", () =>
        {
            var before = Runtime.Threads;
            try
            {
                Runtime.Threads = 1_000_000;
                Expect.Equal(Runtime.Threads, Math.Max(64, 4 * Environment.ProcessorCount));
                Expect.Throws<ArgumentOutOfRangeException>(() => Runtime.Threads = 0);
            }
            finally
            {
                Runtime.Threads = before;
            }
        }
        );
    }

    private static Sequential Small()
    {
        var model = new Sequential([new Dense(3, "tanh") { InputShape = [2] }, new Dense(1)], seed: 1);
        model.Compile("mse", new SGD(lr: 0.1), ["accuracy"]);
        return model;
    }

    private sealed class Idle : Callback
    {
    }
}
