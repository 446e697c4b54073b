// What a layer of a Sequential is: a description, from which the F# layer is made when the input's shape is known.
namespace Functional.CSharp;

/// <summary>A layer of a <see cref="Sequential"/>. It is a description: the weights belong to the model.</summary>
public abstract class Layer
{
    private int[]? inputShape;
    private bool trainable = true;
    private string? name;

    private protected Layer()
    {
    }

    /// <summary>The shape of one example, without the batch axis, where the layer is the first and its input is not
    /// otherwise known; null leaves it to the next layer, or to the data.</summary>
    /// <example><code>model.Add(new Flatten { InputShape = [28, 28] });</code></example>
    public int[]? InputShape { get => inputShape; init => inputShape = value; }

    /// <summary>Whether the layer's weights are trained; otherwise they stay as they are and count as non-trainable.</summary>
    /// <example><code>model.Add(new Dense(64) { Trainable = false });</code></example>
    public bool Trainable { get => trainable; init => trainable = value; }

    /// <summary>What the layer is called in the summary; null makes a name of its kind and number.</summary>
    public string? Name { get => name; init => name = value; }

    /// <summary>Its kind, as the summary and the saved description have it.</summary>
    internal string Kind => GetType().IsGenericType ? GetType().Name.Split('`')[0] : GetType().Name;

    /// <summary>The settings of its kind, to be filled.</summary>
    private protected LayerConfig Settings => new(Kind);

    /// <summary>The F# layer, its parameters erased.</summary>
    internal abstract Layer<object> Create();

    /// <summary>What the layer adds to the loss; null for nothing.</summary>
    internal virtual Func<object, Tensor>? Penalties() => null;

    /// <summary>The settings that the layer can be made of again; a layer that holds a function has none.</summary>
    internal abstract LayerConfig? Config();

    /// <summary>The settings with those that every layer has.</summary>
    internal LayerConfig? FullConfig()
    {
        var config = Config();
        if (config is null) return null;
        if (Name is not null) config.Set("name", Name);
        if (InputShape is not null) config.Set("input_shape", InputShape);
        if (!Trainable) config.Set("trainable", false);
        return config;
    }

    /// <summary>Takes the settings that every layer has from where <see cref="FullConfig"/> wrote them.</summary>
    internal Layer With(LayerConfig config)
    {
        name = config.Has("name") ? config.Text("name") : null;
        inputShape = config.Has("input_shape") ? config.Ints("input_shape") : null;
        trainable = !config.Has("trainable") || config.Bool("trainable");
        return this;
    }

    /// <summary>A layer with parameters, erased, and frozen where it is not to be trained.</summary>
    private protected Layer<object> Erase<TParameters>(Layer<TParameters> layer) =>
        Trainable ? LayerModule.erase(layer) : LayerModule.erase(LayerModule.freeze(layer));
}
