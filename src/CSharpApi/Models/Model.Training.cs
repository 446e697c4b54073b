// Compiling and training a model.
using Data = Functional.Dataset<Functional.Tensor[], Functional.Masked[]>;
using Held = Functional.Validation<Functional.Tensor[], Functional.Masked[]>;
using Options = Functional.FitOptions<object[], Functional.Tensor[], Functional.Masked[]>;
using State = Functional.TrainingState<object[]>;
using Trainer = Functional.Trainer<object[], Functional.Tensor[], Functional.Masked[]>;

namespace Functional.CSharp;

public partial class Model
{
    private CompileArguments? compilation;
    private Trainer? trainer;
    private OptimizerState? optimizerState;
    private bool hasLearnt;

    // why a model that came from a file is not compiled
    private string? notCompiled;

    /// <summary>Says how the model is trained: against which loss, by which optimiser, and what is reported.</summary>
    /// <param name="loss">A Keras name (<c>"mse"</c>), a <see cref="Losses"/>, or a loss made before.</param>
    /// <param name="optimizer">A Keras name (<c>"sgd"</c>) or an optimiser: <c>new SGD(lr: 0.1)</c>.</param>
    /// <param name="metrics">Keras names (<c>"accuracy"</c>) or metrics; none when null.</param>
    /// <param name="runEagerly">Runs the training step operation by operation rather than as one compiled program: slower,
    /// but a debugger can stop in it. The results are the same.</param>
    /// <param name="weightedMetrics">Metrics in which examples count by their weights, as they do in the loss; those of
    /// <paramref name="metrics"/> do not see weights.</param>
    /// <example><code>model.Compile(loss: "mse", optimizer: new SGD(lr: 0.1), metrics: ["accuracy"]);</code></example>
    /// <exception cref="ArgumentException">A name is not known (the message lists those that are), or a setting of the
    /// optimiser is outside its range.</exception>
    public void Compile(Loss loss, Optimizer optimizer, Metric[]? metrics = null, bool runEagerly = false, Metric[]? weightedMetrics = null)
    {
        ArgumentNullException.ThrowIfNull(loss);
        CompileAs(new CompileArguments([loss], null, metrics is null ? [] : [metrics], NotNull(optimizer), runEagerly, weightedMetrics));
    }

    /// <summary>Says how the model is trained, with a loss of one's own.</summary>
    /// <param name="loss">Takes target and prediction to a single number.</param>
    /// <param name="optimizer">A Keras name (<c>"sgd"</c>) or an optimiser: <c>new SGD(lr: 0.1)</c>.</param>
    /// <param name="metrics">Keras names (<c>"accuracy"</c>) or metrics; none when null.</param>
    /// <param name="runEagerly">Runs the training step operation by operation rather than as one compiled program: slower,
    /// but a debugger can stop in it. The results are the same.</param>
    /// <example><code>model.Compile(loss: (target, prediction) => (prediction - target).Norm(), optimizer: "adam");</code></example>
    public void Compile(Func<Tensor, Tensor, Tensor> loss, Optimizer optimizer, Metric[]? metrics = null, bool runEagerly = false) =>
        Compile(new Loss(loss), optimizer, metrics, runEagerly);

    /// <summary>Says how a model with several outputs is trained: a loss for each. The model's loss is their weighted sum; each
    /// is reported, too, as are the metrics, behind the name of the output.</summary>
    /// <param name="losses">A loss for each output.</param>
    /// <param name="optimizer">A Keras name (<c>"sgd"</c>) or an optimiser: <c>new SGD(lr: 0.1)</c>.</param>
    /// <param name="metrics">Metrics for each output; none when null.</param>
    /// <param name="lossWeights">What each loss is multiplied by; 1 when null.</param>
    /// <param name="runEagerly">Runs the training step operation by operation rather than as one compiled program.</param>
    /// <exception cref="ArgumentException">As many losses, weights or metrics as there are outputs are needed.</exception>
    /// <example><code>
    /// twoOutputs.Compile(losses: ["categorical_crossentropy", "mse"], optimizer: "adam", metrics: [["accuracy"], []], lossWeights: [1, 0.1]);
    /// </code></example>
    public void Compile(Loss[] losses, Optimizer optimizer, Metric[][]? metrics = null, double[]? lossWeights = null, bool runEagerly = false)
    {
        ArgumentNullException.ThrowIfNull(losses);
        foreach (var loss in losses) ArgumentNullException.ThrowIfNull(loss, nameof(losses));
        CompileAs(new CompileArguments(losses, lossWeights, metrics ?? [], NotNull(optimizer), runEagerly));
    }

    /// <summary>Trains the model. Ctrl-C, SIGTERM, SIGHUP and the cancellation token stop after the current batch and keep what
    /// was learnt.</summary>
    /// <param name="x">The examples; the first axis counts them. Of several inputs, in brackets.</param>
    /// <param name="y">What the model should answer for each; of several outputs, in brackets.</param>
    /// <param name="batchSize">Examples in a mini-batch.</param>
    /// <param name="epochs">How often all examples are gone through.</param>
    /// <param name="verbose">0: silent; 1: live progress in a terminal, else a line for each epoch; 2: a line for each epoch.</param>
    /// <param name="callbacks">What looks on, and may stop the training.</param>
    /// <param name="validationSplit">The last fraction of the examples, not trained on but measured after each epoch.</param>
    /// <param name="validationData">Examples and targets that are measured after each epoch.</param>
    /// <param name="shuffle">Whether each epoch takes the examples in a new random order.</param>
    /// <param name="seed">What order and noise come from: the same seed gives the same weights, bit for bit, on any number
    /// of threads; random when null.</param>
    /// <param name="resumeFrom">A file of <see cref="ModelCheckpoint"/> to go on from, exactly as if training had not stopped.</param>
    /// <param name="cancellationToken">Stops after the current batch and keeps what was learnt.</param>
    /// <param name="sampleWeight">How much each example counts in the loss and in weighted metrics, or each step of each: a
    /// number for each, [examples] or [examples, steps]; of several outputs, in brackets, or one for all.</param>
    /// <param name="classWeight">How much the examples of a class count; those of classes that are not in it count 1.</param>
    /// <param name="validationSampleWeight">The same as <paramref name="sampleWeight"/>, of the validation data.</param>
    /// <returns>The loss and the metrics, epoch by epoch.</returns>
    /// <exception cref="InvalidOperationException">The model is not compiled, or is being trained already.</exception>
    /// <exception cref="ArgumentException">Data, shapes or settings that do not fit; the message says which.</exception>
    /// <exception cref="TrainingException">Training failed after something had been learnt; the model keeps it.</exception>
    /// <example><code>var history = model.Fit(x, y, batchSize: 100, epochs: 20, validationSplit: 0.1);</code></example>
    public History Fit(
        TensorLike x,
        TensorLike y,
        int batchSize = 32,
        int epochs = 1,
        int verbose = 1,
        IEnumerable<Callback>? callbacks = null,
        double validationSplit = 0.0,
        (TensorLike X, TensorLike Y)? validationData = null,
        bool shuffle = true,
        long? seed = null,
        string? resumeFrom = null,
        CancellationToken cancellationToken = default,
        TensorLike? sampleWeight = null,
        IReadOnlyDictionary<int, double>? classWeight = null,
        TensorLike? validationSampleWeight = null)
    {
        using var alone = Alone("Fit", ref callbacks);
        var data = Examples("Fit", x, y, Weighting.From("Fit", sampleWeight, classWeight));
        if (validationSplit != 0.0 && validationData is not null)
            throw new ArgumentException("Fit: validationSplit and validationData were both given; one of them is enough", nameof(validationData));
        if (!(validationSplit is >= 0.0 and < 1.0))
            throw new ArgumentOutOfRangeException(nameof(validationSplit), $"Fit: validationSplit is a fraction in [0, 1); {validationSplit} was given");
        var validation = validationSplit > 0.0 ? Held.NewFraction(validationSplit) : Validation("Fit", validationData, validationSampleWeight);
        var batching = new Batching(size: batchSize, shuffle: shuffle, keepLast: true);
        if (built!.Remembering is not null && batchSize > 0)
            Remembering.RequireWhole("Fit", (int)Math.Floor((data.Count * (1 - validationSplit)) + 1e-9), batchSize);
        var options = Settings(epochs, batching, validation, seed, callbacks, verbose, cancellationToken);
        return Run("Fit", resumeFrom, batchSize, options, state => Training.resume(options, TrainerFor("Fit"), state, data));
    }

    /// <summary>Trains the model on batches that are made as they are needed: read from files, augmented, generated.</summary>
    /// <param name="batches">Makes the batches of an epoch, from a seed of the epoch's own.</param>
    /// <param name="epochs">The number of epochs.</param>
    /// <param name="stepsPerEpoch">How many batches an epoch takes: the source may go on for ever. Where it ends sooner, so does the
    /// epoch, with a warning. All of them when null.</param>
    /// <param name="verbose">0: silent; 1: live progress in a terminal, else a line for each epoch; 2: a line for each epoch.</param>
    /// <param name="callbacks">What looks on, and may stop the training.</param>
    /// <param name="validationData">Examples and targets that are measured after each epoch.</param>
    /// <param name="seed">What the epochs' seeds and all noise come from; random when null.</param>
    /// <param name="resumeFrom">A file of <see cref="ModelCheckpoint"/> to go on from.</param>
    /// <param name="cancellationToken">Stops after the current batch and keeps what was learnt.</param>
    /// <returns>The loss and the metrics, epoch by epoch.</returns>
    /// <exception cref="InvalidOperationException">The model is not compiled or is being trained already, or the shape of its input is
    /// not known.</exception>
    /// <example><code>model.Fit(epochSeed => Augmented(images, labels, epochSeed), epochs: 30);</code></example>
    public History Fit(
        Func<long, IEnumerable<(Tensor X, Tensor Y)>> batches,
        int epochs = 1,
        int? stepsPerEpoch = null,
        int verbose = 1,
        IEnumerable<Callback>? callbacks = null,
        (TensorLike X, TensorLike Y)? validationData = null,
        long? seed = null,
        string? resumeFrom = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        return Fit(
            epochSeed => batches(epochSeed).Select(batch => ((Tensor[])[batch.X], (Tensor[])[batch.Y])),
            epochs, stepsPerEpoch, verbose, callbacks, validationData, seed, resumeFrom, cancellationToken);
    }

    /// <summary>Trains a model of several inputs or outputs on batches that are made as they are needed.</summary>
    /// <param name="batches">Makes the batches of an epoch, a tensor for each input and each output, from a seed of the epoch's
    /// own.</param>
    /// <param name="epochs">The number of epochs.</param>
    /// <param name="stepsPerEpoch">How many batches an epoch takes: the source may go on for ever. Where it ends sooner, so does the
    /// epoch, with a warning. All of them when null.</param>
    /// <param name="verbose">0: silent; 1: live progress in a terminal, else a line for each epoch; 2: a line for each epoch.</param>
    /// <param name="callbacks">What looks on, and may stop the training.</param>
    /// <param name="validationData">Examples and targets that are measured after each epoch.</param>
    /// <param name="seed">What the epochs' seeds and all noise come from; random when null.</param>
    /// <param name="resumeFrom">A file of <see cref="ModelCheckpoint"/> to go on from.</param>
    /// <param name="cancellationToken">Stops after the current batch and keeps what was learnt.</param>
    /// <returns>The loss and the metrics, epoch by epoch.</returns>
    /// <exception cref="InvalidOperationException">The model is not compiled or is being trained already, or the shape of its input is
    /// not known.</exception>
    /// <example><code>twins.Fit(epochSeed => PairsOf(images, epochSeed), epochs: 30);   // ([left, right], [alike])</code></example>
    public History Fit(
        Func<long, IEnumerable<(Tensor[] X, Tensor[] Y)>> batches,
        int epochs = 1,
        int? stepsPerEpoch = null,
        int verbose = 1,
        IEnumerable<Callback>? callbacks = null,
        (TensorLike X, TensorLike Y)? validationData = null,
        long? seed = null,
        string? resumeFrom = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        using var alone = Alone("Fit", ref callbacks);
        RequireBuilt("Fit");
        var compiled = RequireCompiled("Fit");
        var source = BatchSourceModule.ofSeq(
            Bridge.Option(stepsPerEpoch),
            Bridge.Curry<Tensor, IEnumerable<Tuple<Tensor[], Masked[]>>>(key => batches(key.ToArray<long>()[0])
                .Select(batch =>
                {
                    var (model, inputs) = BuildFor("Fit", batch.X);
                    return Tuple.Create(inputs, compiled.Targets("Fit", model, batch.Y));
                })));
        var options = Settings(epochs, BatchingModule.ofSize(32), Validation("Fit", validationData), seed, callbacks, verbose, cancellationToken);
        return Run("Fit", resumeFrom, null, options, state => Training.fitSource(options, TrainerFor("Fit"), state, source));
    }

    /// <summary>Trains the model on an asynchronous stream of batches, away from the calling thread. The stream is gone
    /// through once for each epoch.</summary>
    /// <param name="batches">Inputs and targets, batch by batch.</param>
    /// <param name="epochs">The number of epochs.</param>
    /// <param name="stepsPerEpoch">How many batches an epoch takes: the source may go on for ever. Where it ends sooner, so does the
    /// epoch, with a warning. All of them when null.</param>
    /// <param name="verbose">0: silent; 1: live progress in a terminal, else a line for each epoch; 2: a line for each epoch.</param>
    /// <param name="callbacks">What looks on, and may stop the training; they are called on the training's thread.</param>
    /// <param name="validationData">Examples and targets that are measured after each epoch.</param>
    /// <param name="seed">What all noise comes from; random when null.</param>
    /// <param name="cancellationToken">Stops after the current batch and keeps what was learnt.</param>
    /// <returns>The loss and the metrics, epoch by epoch.</returns>
    /// <example><code>var history = await model.FitAsync(ReadBatches("digits.bin"), epochs: 5);</code></example>
    public Task<History> FitAsync(
        IAsyncEnumerable<(Tensor X, Tensor Y)> batches,
        int epochs = 1,
        int? stepsPerEpoch = null,
        int verbose = 1,
        IEnumerable<Callback>? callbacks = null,
        (TensorLike X, TensorLike Y)? validationData = null,
        long? seed = null,
        CancellationToken cancellationToken = default)
    {
        return Away(
            batches,
            source => Fit(source, epochs, stepsPerEpoch, verbose, callbacks, validationData, seed, null, cancellationToken));
    }

    /// <summary>Trains a model of several inputs or outputs on an asynchronous stream of batches, away from the calling
    /// thread. The stream is gone through once for each epoch.</summary>
    /// <param name="batches">A tensor for each input and each output, batch by batch.</param>
    /// <param name="epochs">The number of epochs.</param>
    /// <param name="stepsPerEpoch">How many batches an epoch takes: the source may go on for ever. Where it ends sooner, so does the
    /// epoch, with a warning. All of them when null.</param>
    /// <param name="verbose">0: silent; 1: live progress in a terminal, else a line for each epoch; 2: a line for each epoch.</param>
    /// <param name="callbacks">What looks on, and may stop the training; they are called on the training's thread.</param>
    /// <param name="validationData">Examples and targets that are measured after each epoch.</param>
    /// <param name="seed">What all noise comes from; random when null.</param>
    /// <param name="cancellationToken">Stops after the current batch and keeps what was learnt.</param>
    /// <returns>The loss and the metrics, epoch by epoch.</returns>
    /// <example><code>var history = await twins.FitAsync(ReadPairs("faces.bin"), epochs: 5);   // ([left, right], [alike])</code></example>
    public Task<History> FitAsync(
        IAsyncEnumerable<(Tensor[] X, Tensor[] Y)> batches,
        int epochs = 1,
        int? stepsPerEpoch = null,
        int verbose = 1,
        IEnumerable<Callback>? callbacks = null,
        (TensorLike X, TensorLike Y)? validationData = null,
        long? seed = null,
        CancellationToken cancellationToken = default)
    {
        return Away(
            batches,
            source => Fit(source, epochs, stepsPerEpoch, verbose, callbacks, validationData, seed, null, cancellationToken));
    }

    // Trains on another thread, which waits for each batch of a stream.
    private static Task<History> Away<TBatch>(IAsyncEnumerable<TBatch> batches, Func<Func<long, IEnumerable<TBatch>>, History> fit)
    {
        ArgumentNullException.ThrowIfNull(batches);
        return Task.Run(() => fit(_ => batches.ToBlockingEnumerable(CancellationToken.None)), CancellationToken.None);
    }

    private static Optimizer NotNull(Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        return optimizer;
    }

    private void CompileAs(CompileArguments wanted)
    {
        // settings outside their ranges are refused here, not by the first step
        wanted.Optimizer.Create();
        RequireIdle("Compile");
        if (built is not null) wanted.Goals(built);
        EndOnline();
        (compilation, trainer, optimizerState) = (wanted, null, null);
    }

    private Data Examples(string operation, TensorLike x, TensorLike y, Weighting? weighting = null)
    {
        var compiled = RequireCompiled(operation);
        var (model, inputs) = BuildFor(operation, x.ToTensors());
        return DatasetModule.create(inputs, compiled.Targets(operation, model, y.ToTensors(), weighting));
    }

    private Held Validation(string operation, (TensorLike X, TensorLike Y)? validationData, TensorLike? sampleWeight = null)
    {
        if (validationData is { } data) return Held.NewExamples(Examples(operation, data.X, data.Y, Weighting.From(operation, sampleWeight)));
        return sampleWeight is null
            ? Held.NoValidation
            : throw new ArgumentException($"{operation}: validationSampleWeight was given without validationData", nameof(validationData));
    }

    private Options Settings(
        int epochs, Batching batching, Held validation, long? seed, IEnumerable<Callback>? callbacks, int verbose, CancellationToken cancellationToken)
    {
        var display = verbose switch
        {
            0 => Display.Silent,
            1 => Display.Auto,
            2 => Display.Lines,
            _ => throw new ArgumentOutOfRangeException(nameof(verbose), $"Fit: verbose is 0 (silent), 1 (live progress) or 2 (a line for each epoch); {verbose} was given"),
        };
        var compiled = RequireCompiled("Fit");
        var context = new CallbackContext(this, Show, Lend, Changed, compiled.Optimizer.LearningRate.Value);
        var watching = (callbacks ?? []).Select(callback => (callback ?? throw new ArgumentNullException(nameof(callbacks), "Fit: a callback is null")).Create(context));
        return new Options(
            epochs: epochs,
            batching: batching,
            validation: validation,
            key: Key.create(seed ?? System.Random.Shared.NextInt64()),
            callbacks: Bridge.List(watching),
            display: display,
            compile: !compiled.RunEagerly,
            cancellation: cancellationToken,
            stopOnCtrlC: true);
    }

    private History Run(string operation, string? resumeFrom, int? batchSize, Options options, Func<State, Fitted<object[]>> train)
    {
        var running = TrainerFor(operation);
        var parameters = built!.Remembering?.With(operation, built.Parameters, batchSize) ?? built.Parameters;
        var start = resumeFrom is null
            ? Start(TrainingStateModule.create(running, options.Key, parameters))
            : TrainingStateModule.load(resumeFrom, running, parameters);
        try
        {
            var fitted = train(start);
            Keep(fitted.State);
            var (end, reason) = fitted.Ending switch
            {
                Ending.Stopped stopped => (TrainingEnd.Stopped, stopped.reason),
                { IsInterrupted: true } => (TrainingEnd.Interrupted, null),
                _ => (TrainingEnd.Completed, (string?)null),
            };
            return new History(fitted.State.History, end, reason, [.. fitted.Warnings]);
        }
        catch (TrainingException e) when (e.State is State learnt)
        {
            Keep(learnt);
            throw;
        }
    }

    /// <summary>A new training of weights that may have been trained before: the optimiser goes on with what it remembers.</summary>
    private State Start(State fresh) => optimizerState is null ? fresh : fresh.With(optimizer: optimizerState);

    private void Keep(State state)
    {
        EndOnline();
        built!.Parameters = state.Parameters;
        optimizerState = state.Optimizer;
        hasLearnt = true;
    }

    /// <summary>The model as a state has it, for callbacks, which may save it.</summary>
    private void Show(State state) => (built!.Parameters, optimizerState) = (state.Parameters, state.Optimizer);

    /// <summary>The same, when somebody looks.</summary>
    private void Lend(Func<State>? state) => built!.Lend(state is null ? null : () =>
    {
        var now = state();
        optimizerState = now.Optimizer;
        return now;
    });

    private CompileArguments RequireCompiled(string operation) => compilation ?? throw new InvalidOperationException(
        $"{operation}: the model is not compiled{(notCompiled is null ? "" : $": {notCompiled}")}; call model.Compile(loss: \"mse\", optimizer: \"sgd\", metrics: [\"accuracy\"]) first");

    private Trainer TrainerFor(string operation)
    {
        var (compiled, model) = (RequireCompiled(operation), RequireBuilt(operation));
        return trainer ??= compiled.Trainer(model);
    }
}
