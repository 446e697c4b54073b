// Optimisers with Keras' names, arguments and defaults. Each makes the F# optimiser of its settings.
using System.Text.Json.Nodes;
using FSharpOptimizer = Functional.OptimizerType.Optimizer;

namespace Functional.CSharp;

/// <summary>How weights are changed by their gradients; Keras' names convert to it, with Keras' defaults.</summary>
/// <example><code>
/// model.Compile(loss: "mse", optimizer: new SGD(lr: 0.1));
/// model.Compile(loss: "mse", optimizer: new Adam(lr: 0.001) { GlobalClipNorm = 1 });
/// model.Compile(loss: "mse", optimizer: "adam");
/// </code></example>
public abstract class Optimizer
{
    private static readonly IReadOnlyList<(string, Func<LearningRate?, Optimizer>)> Known =
    [
        ("sgd", lr => new SGD(lr)), ("rmsprop", lr => new RMSprop(lr)), ("adagrad", lr => new Adagrad(lr)),
        ("adadelta", lr => new Adadelta(lr)), ("adam", lr => new Adam(lr)), ("adamw", lr => new AdamW(lr)),
        ("nadam", lr => new Nadam(lr)), ("lion", lr => new Lion(lr)), ("adamax", lr => new Adamax(lr)),
        ("lamb", lr => new Lamb(lr)), ("adafactor", lr => new Adafactor(lr)), ("ftrl", lr => new Ftrl(lr)),
    ];

    private protected Optimizer(LearningRate lr) => LearningRate = lr;

    /// <summary>The learning rate.</summary>
    public LearningRate LearningRate { get; }

    /// <summary>What the optimiser is called: <c>"sgd"</c>.</summary>
    public string Name => GetType().Name.ToLowerInvariant();

    /// <summary>Keeps every number of the gradient within ±this.</summary>
    public double? ClipValue { get; init; }

    /// <summary>Scales every gradient tensor down to at most this norm.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>Scales the whole gradient down to at most this norm.</summary>
    public double? GlobalClipNorm { get; init; }

    /// <summary>Before every step the weights lose rate·this of themselves.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>The optimiser of a Keras name: <c>"adam"</c>.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator Optimizer(string name) => Named(name, null);

    /// <summary>The optimiser of a name, with a rate or Keras' default.</summary>
    internal static Optimizer Named(string name, LearningRate? rate) => Names.Find("optimizer", name, Known)(rate);

    /// <summary>The optimiser of a description in a file: F# makes it again as it was, with its schedule, clipping and decay.</summary>
    internal static Optimizer Read(JsonNode description) => new Restored(OptimizerModule.ofDescription(DescriptionModule.ofJson(description.ToJsonString())));

    /// <summary>What the optimiser is made of, as F# describes it; null where some of it is a function of the user's own.</summary>
    internal JsonNode? Describe() => OptimizerModule.describe(Create())?.Value is { } description ? JsonNode.Parse(DescriptionModule.toJson(description)) : null;

    /// <exception cref="ArgumentException">Settings outside their ranges.</exception>
    internal FSharpOptimizer Create()
    {
        var optimizer = CreateCore();
        if (WeightDecay is { } decay) optimizer = OptimizerModule.weightDecay(decay, optimizer);
        if (ClipValue is { } value) optimizer = OptimizerModule.clipByValue(value, optimizer);
        if (ClipNorm is { } norm) optimizer = OptimizerModule.clipByNorm(norm, optimizer);
        if (GlobalClipNorm is { } global) optimizer = OptimizerModule.clipByGlobalNorm(global, optimizer);
        return optimizer;
    }

    private protected abstract FSharpOptimizer CreateCore();
}

/// <summary>Stochastic gradient descent.</summary>
/// <param name="lr">The learning rate; Keras' is 0.01.</param>
/// <param name="momentum">How much of the last step goes into the next one.</param>
/// <param name="nesterov">Looks ahead along the momentum.</param>
/// <example><code>new SGD(lr: 0.1, momentum: 0.9, nesterov: true)</code></example>
public sealed class SGD(LearningRate? lr = null, double momentum = 0.0, bool nesterov = false)
    : Optimizer(lr ?? 0.01)
{
    private protected override FSharpOptimizer CreateCore() =>
        SgdModule.create(new Sgd(rate: LearningRate.Schedule, momentum: momentum, nesterov: nesterov));
}

/// <summary>RMSprop: steps divided by the size of recent gradients.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="rho">How slowly the average of squared gradients forgets.</param>
/// <param name="momentum">How much of the last step goes into the next one.</param>
/// <param name="epsilon">Keeps the divisor away from 0.</param>
/// <param name="centered">Divides by the deviation of the gradient rather than by its size.</param>
/// <example><code>new RMSprop(lr: 0.001)</code></example>
public sealed class RMSprop(LearningRate? lr = null, double rho = 0.9, double momentum = 0.0, double epsilon = 1e-7, bool centered = false)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() =>
        RmsPropModule.create(new AdaptiveSettings.RmsProp(rate: LearningRate.Schedule, rho: rho, momentum: momentum, epsilon: epsilon, centered: centered));
}

/// <summary>Adagrad: steps divided by the size of all gradients so far.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="initialAccumulatorValue">What the sum of squares begins with.</param>
/// <param name="epsilon">Keeps the divisor away from 0.</param>
/// <example><code>new Adagrad(lr: 0.01)</code></example>
public sealed class Adagrad(LearningRate? lr = null, double initialAccumulatorValue = 0.1, double epsilon = 1e-7)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() =>
        AdagradModule.create(new AdaptiveSettings.Adagrad(rate: LearningRate.Schedule, initialAccumulator: initialAccumulatorValue, epsilon: epsilon));
}

/// <summary>Adadelta: steps in the units of the weights.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="rho">How slowly the averages forget.</param>
/// <param name="epsilon">Keeps the divisor away from 0.</param>
/// <example><code>new Adadelta(lr: 1.0)</code></example>
public sealed class Adadelta(LearningRate? lr = null, double rho = 0.95, double epsilon = 1e-7)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() =>
        AdadeltaModule.create(new AdaptiveSettings.Adadelta(rate: LearningRate.Schedule, rho: rho, epsilon: epsilon));
}

/// <summary>Adam: averaged gradients, divided by their averaged size.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="beta1">How slowly the average of gradients forgets.</param>
/// <param name="beta2">How slowly the average of squared gradients forgets.</param>
/// <param name="epsilon">Keeps the divisor away from 0.</param>
/// <param name="amsgrad">Divides by the largest average there was.</param>
/// <example><code>new Adam(lr: 0.001)</code></example>
public sealed class Adam(LearningRate? lr = null, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, bool amsgrad = false)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() =>
        AdamModule.create(new AdamSettings.Adam(rate: LearningRate.Schedule, beta1: beta1, beta2: beta2, epsilon: epsilon, amsGrad: amsgrad));
}

/// <summary>Adam with decoupled weight decay.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="weightDecay">Before every step the weights lose rate·this of themselves.</param>
/// <param name="beta1">How slowly the average of gradients forgets.</param>
/// <param name="beta2">How slowly the average of squared gradients forgets.</param>
/// <param name="epsilon">Keeps the divisor away from 0.</param>
/// <param name="amsgrad">Divides by the largest average there was.</param>
/// <example><code>new AdamW(lr: 0.001, weightDecay: 0.01)</code></example>
public sealed class AdamW(LearningRate? lr = null, double weightDecay = 0.004, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, bool amsgrad = false)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() =>
        OptimizerModule.weightDecay(weightDecay, AdamModule.create(new AdamSettings.Adam(rate: LearningRate.Schedule, beta1: beta1, beta2: beta2, epsilon: epsilon, amsGrad: amsgrad)));
}

/// <summary>Adam with Nesterov's look ahead.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="beta1">How slowly the average of gradients forgets.</param>
/// <param name="beta2">How slowly the average of squared gradients forgets.</param>
/// <param name="epsilon">Keeps the divisor away from 0.</param>
/// <example><code>new Nadam(lr: 0.001)</code></example>
public sealed class Nadam(LearningRate? lr = null, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() =>
        NadamModule.create(new AdamSettings.Nadam(rate: LearningRate.Schedule, beta1: beta1, beta2: beta2, epsilon: epsilon));
}

/// <summary>Steps of one size along the sign of an averaged gradient.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="beta1">How the average and the gradient are mixed for the step.</param>
/// <param name="beta2">How slowly the average forgets.</param>
/// <example><code>new Lion(lr: 1e-4)</code></example>
public sealed class Lion(LearningRate? lr = null, double beta1 = 0.9, double beta2 = 0.99)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() =>
        LionModule.create(new AdamSettings.Lion(rate: LearningRate.Schedule, beta1: beta1, beta2: beta2));
}

/// <summary>Adam with the largest gradient in place of the mean square.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="beta1">How slowly the average of gradients forgets.</param>
/// <param name="beta2">How slowly the largest gradient is forgotten.</param>
/// <param name="epsilon">Keeps the divisor away from 0.</param>
/// <example><code>new Adamax(lr: 0.002)</code></example>
public sealed class Adamax(LearningRate? lr = null, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() =>
        AdamaxModule.create(new AdamaxSettings.Adamax(rate: LearningRate.Schedule, beta1: beta1, beta2: beta2, epsilon: epsilon));
}

/// <summary>Adam whose steps have the length of the weights.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="beta1">How slowly the average of gradients forgets.</param>
/// <param name="beta2">How slowly the average of squared gradients forgets.</param>
/// <param name="epsilon">Keeps the divisor away from 0.</param>
/// <example><code>new Lamb(lr: 0.01)</code></example>
public sealed class Lamb(LearningRate? lr = null, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() =>
        LambModule.create(new AdamaxSettings.Lamb(rate: LearningRate.Schedule, beta1: beta1, beta2: beta2, epsilon: epsilon));
}

/// <summary>Adam's scaling in less memory. The rate is at most 1/√step, which is what Keras does whatever its
/// <c>relative_step</c> says.</summary>
/// <param name="lr">The learning rate; Keras' is 0.001.</param>
/// <param name="beta2Decay">How the forgetting slows down with the steps.</param>
/// <param name="epsilon1">Added to squared gradients.</param>
/// <param name="epsilon2">The least size that weights count as having.</param>
/// <param name="clipThreshold">The largest root mean square of a step, before the rate.</param>
/// <example><code>new Adafactor(lr: 0.01)</code></example>
public sealed class Adafactor(LearningRate? lr = null, double beta2Decay = -0.8, double epsilon1 = 1e-30, double epsilon2 = 1e-3, double clipThreshold = 1.0)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() => AdafactorModule.create(new AdafactorSettings.Adafactor(
        rate: LearningRate.Schedule, beta2Decay: beta2Decay, epsilon1: epsilon1, epsilon2: epsilon2, clipThreshold: clipThreshold));
}

/// <summary>Follows the regularised leader: weights that are 0 unless their gradients insist.</summary>
/// <param name="lr">The learning rate, above 0; Keras' is 0.001.</param>
/// <param name="learningRatePower">How the rate falls with the squared gradients.</param>
/// <param name="initialAccumulatorValue">What the sum of squares begins with.</param>
/// <param name="l1RegularizationStrength">A penalty on the weights' size, which makes zeros.</param>
/// <param name="l2RegularizationStrength">A penalty on the weights' squares.</param>
/// <param name="l2ShrinkageRegularizationStrength">The same, added to the gradient.</param>
/// <param name="beta">Added to the root of the sum of squares.</param>
/// <example><code>new Ftrl(lr: 0.05, l1RegularizationStrength: 0.01)</code></example>
public sealed class Ftrl(
    LearningRate? lr = null,
    double learningRatePower = -0.5,
    double initialAccumulatorValue = 0.1,
    double l1RegularizationStrength = 0.0,
    double l2RegularizationStrength = 0.0,
    double l2ShrinkageRegularizationStrength = 0.0,
    double beta = 0.0)
    : Optimizer(lr ?? 0.001)
{
    private protected override FSharpOptimizer CreateCore() => FtrlModule.create(new FtrlSettings.Ftrl(
        rate: LearningRate.Schedule,
        ratePower: learningRatePower,
        initialAccumulator: initialAccumulatorValue,
        l1: l1RegularizationStrength,
        l2: l2RegularizationStrength,
        l2Shrinkage: l2ShrinkageRegularizationStrength,
        beta: beta));
}

/// <summary>The optimiser of a saved model.</summary>
internal sealed class Restored(FSharpOptimizer optimizer) : Optimizer(LearningRate.Restored(optimizer.Rate))
{
    private protected override FSharpOptimizer CreateCore() => optimizer;
}
