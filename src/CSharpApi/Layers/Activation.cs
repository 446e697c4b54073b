// Activations as layers of their own.
namespace Functional.CSharp;

/// <summary>An activation function as a layer.</summary>
/// <example><code>
/// model.Add(new Activation("sigmoid"));
/// model.Add(new Activation(Activations.Softmax));
/// model.Add(new Activation(x => x * Sigmoid(x)));
/// </code></example>
public sealed class Activation : Layer
{
    private readonly ActivationFunction function;

    /// <summary>The activation of a Keras name.</summary>
    /// <param name="name">For example <c>"relu"</c>, <c>"sigmoid"</c>, <c>"softmax"</c>.</param>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public Activation(string name)
        : this((ActivationFunction)name)
    {
    }

    /// <summary>The activation of an enum.</summary>
    /// <param name="activation">Which one.</param>
    public Activation(Activations activation)
        : this((ActivationFunction)activation)
    {
    }

    /// <summary>A function of one's own, which keeps the shape. A model with such a layer is saved without it: load its
    /// weights into a model that has it.</summary>
    /// <param name="function">Takes a tensor of any shape to one of that shape.</param>
    public Activation(Func<Tensor, Tensor> function)
        : this(new ActivationFunction(function))
    {
    }

    /// <summary>An activation that was made before.</summary>
    /// <param name="function">The activation.</param>
    public Activation(ActivationFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        this.function = function;
    }

    private protected override Block Create() => Erase(Functional.Layers.activation(function.Name, function.Function), keepsMask: true);

    internal override LayerConfig? Config() =>
        Settings.SetActivation("activation", function);
}

/// <summary>x where positive, else alpha·x.</summary>
/// <param name="alpha">The slope below 0; Keras' is 0.3.</param>
/// <example><code>model.Add(new LeakyReLU(0.1));</code></example>
public sealed class LeakyReLU(double alpha = 0.3) : Layer
{
    private protected override Block Create() =>
        Erase(Functional.Layers.activation("leaky relu", Bridge.Curry<Tensor, Tensor>(x => ActivationsModule.leakyRelu(alpha, x))), keepsMask: true);

    internal override LayerConfig Config() => Settings.Set("alpha", alpha);
}

/// <summary>x where positive, else alpha·x, with a trained alpha for every feature.</summary>
/// <example><code>model.Add(new PReLU());</code></example>
public sealed class PReLU : Layer
{
    private protected override Block Create() => Erase(Functional.Layers.parametricRelu, keepsMask: true);

    internal override LayerConfig Config() => Settings;
}

/// <summary>x where positive, else alpha·(eˣ − 1).</summary>
/// <param name="alpha">Minus the value at −∞; Keras' is 1.</param>
/// <example><code>model.Add(new ELU());</code></example>
public sealed class ELU(double alpha = 1.0) : Layer
{
    private protected override Block Create() =>
        Erase(Functional.Layers.activation("elu", Bridge.Curry<Tensor, Tensor>(x => ActivationsModule.elu(alpha, x))), keepsMask: true);

    internal override LayerConfig Config() => Settings.Set("alpha", alpha);
}

/// <summary>max(0, x), as Keras' layer has it: with a highest value, a slope below the threshold, and a threshold.</summary>
/// <example><code>model.Add(new ReLU(maxValue: 6));</code></example>
public sealed class ReLU : Layer
{
    private readonly double? maxValue;
    private readonly double negativeSlope;
    private readonly double threshold;

    /// <summary>The layer.</summary>
    /// <param name="maxValue">The highest value; null for none.</param>
    /// <param name="negativeSlope">The slope below the threshold.</param>
    /// <param name="threshold">What is below it is scaled.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number below 0.</exception>
    public ReLU(double? maxValue = null, double negativeSlope = 0, double threshold = 0)
    {
        static void Require(string name, double value)
        {
            if (!(value >= 0 && double.IsFinite(value))) throw new ArgumentOutOfRangeException(name, $"ReLU: {name} is a number of at least 0; {value} was given");
        }

        if (maxValue is { } highest) Require(nameof(maxValue), highest);
        Require(nameof(negativeSlope), negativeSlope);
        Require(nameof(threshold), threshold);
        (this.maxValue, this.negativeSlope, this.threshold) = (maxValue, negativeSlope, threshold);
    }

    private protected override Block Create() => Erase(
        Functional.Layers.activation("relu", Bridge.Curry<Tensor, Tensor>(x => ActivationsModule.reluOf(Bridge.Option(maxValue), negativeSlope, threshold, x))), keepsMask: true);

    internal override LayerConfig Config()
    {
        var config = Settings.Set("negative_slope", negativeSlope).Set("threshold", threshold);
        return maxValue is { } highest ? config.Set("max_value", highest) : config;
    }

    internal static ReLU Read(LayerConfig c) => new(c.Has("max_value") ? c.Double("max_value") : null, c.Double("negative_slope"), c.Double("threshold"));
}

/// <summary>eˣ/Σ eˣ along an axis.</summary>
/// <param name="axis">The axis, counted with the batch; the last by default.</param>
/// <example><code>model.Add(new Softmax());</code></example>
public sealed class Softmax(int axis = -1) : Layer
{
    private protected override Block Create() =>
        Erase(Functional.Layers.activation("softmax", Bridge.Curry<Tensor, Tensor>(x => Functions.softmaxOver(axis, x))), keepsMask: true);

    internal override LayerConfig Config() => Settings.Set("axis", axis);
}

/// <summary>scale·x + offset: numbers of another range.</summary>
/// <param name="scale">What is multiplied by.</param>
/// <param name="offset">What is added then.</param>
/// <example><code>model.Add(new Rescaling(1.0 / 255));</code></example>
public sealed class Rescaling(double scale, double offset = 0) : Layer
{
    private protected override Block Create() =>
        Erase(Functional.Layers.activation("rescaling", Bridge.Curry<Tensor, Tensor>(x => ActivationsModule.rescale(scale, offset, x))), keepsMask: true);

    internal override LayerConfig Config() => Settings.Set("scale", scale).Set("offset", offset);
}

/// <summary>x divided by its length along an axis.</summary>
/// <param name="axis">The axis, counted with the batch; the last by default.</param>
/// <example><code>model.Add(new UnitNormalization());</code></example>
public sealed class UnitNormalization(int axis = -1) : Layer
{
    private protected override Block Create() =>
        Erase(Functional.Layers.activation("unit normalization", Bridge.Curry<Tensor, Tensor>(x => ActivationsModule.unitLength(axis, x))), keepsMask: true);

    internal override LayerConfig Config() => Settings.Set("axis", axis);
}

/// <summary>x itself: a place with a name.</summary>
/// <example><code>model.Add(new Identity { Name = "features" });</code></example>
public sealed class Identity : Layer
{
    private protected override Block Create() =>
        Erase(Functional.Layers.activation("identity", Bridge.Curry<Tensor, Tensor>(ActivationsModule.linear)), keepsMask: true);

    internal override LayerConfig Config() => Settings;
}
