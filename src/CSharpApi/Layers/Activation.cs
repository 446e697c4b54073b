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

    private protected override Block<object> Create() => Erase(Functional.Layers.activation(function.Name, function.Function), keepsMask: true);

    internal override LayerConfig? Config() =>
        Settings.SetActivation("activation", function);
}

/// <summary>x where positive, else alpha·x.</summary>
/// <param name="alpha">The slope below 0; Keras' is 0.3.</param>
/// <example><code>model.Add(new LeakyReLU(0.1));</code></example>
public sealed class LeakyReLU(double alpha = 0.3) : Layer
{
    private protected override Block<object> Create() =>
        Erase(Functional.Layers.activation("leaky relu", Bridge.Curry<Tensor, Tensor>(x => ActivationsModule.leakyRelu(alpha, x))), keepsMask: true);

    internal override LayerConfig Config() => Settings.Set("alpha", alpha);
}

/// <summary>x where positive, else alpha·x, with a trained alpha for every feature.</summary>
/// <example><code>model.Add(new PReLU());</code></example>
public sealed class PReLU : Layer
{
    private protected override Block<object> Create() => Erase(Functional.Layers.parametricRelu, keepsMask: true);

    internal override LayerConfig Config() => Settings;
}

/// <summary>x where positive, else alpha·(eˣ − 1).</summary>
/// <param name="alpha">Minus the value at −∞; Keras' is 1.</param>
/// <example><code>model.Add(new ELU());</code></example>
public sealed class ELU(double alpha = 1.0) : Layer
{
    private protected override Block<object> Create() =>
        Erase(Functional.Layers.activation("elu", Bridge.Curry<Tensor, Tensor>(x => ActivationsModule.elu(alpha, x))), keepsMask: true);

    internal override LayerConfig Config() => Settings.Set("alpha", alpha);
}
