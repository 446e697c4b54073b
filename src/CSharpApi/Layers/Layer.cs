// What a layer is: a description, from which the F# block is made. A model adds it to a row, or it is applied to nodes.
namespace Functional.CSharp;

/// <summary>A layer of a <see cref="Model"/>. It is a description: the weights belong to the model. Added to a
/// <see cref="Sequential"/> it follows the layer before; applied to nodes it makes a node of a graph. Applied twice, it uses
/// the same weights twice.</summary>
public abstract class Layer
{
    private Block? block;
    private int[]? exampleShape;
    private bool trainable = true;
    private string? name;

    private protected Layer()
    {
    }

    /// <summary>The shape of one example, without the batch axis, where the layer is the first and its input is not
    /// otherwise known; null leaves it to the next layer, or to the data. A size of null may be another for every batch.</summary>
    /// <example><code>
    /// model.Add(new Flatten { InputShape = [28, 28] });
    /// model.Add(new LSTM(64) { InputShape = [null, 8] });
    /// </code></example>
    public int?[]? InputShape
    {
        get => exampleShape is null ? null : Dimensions.Seen(exampleShape);
        init => exampleShape = value is null ? null : Dimensions.Known(value);
    }

    /// <summary>Whether the layer's weights are trained; otherwise they stay as they are and count as non-trainable.</summary>
    /// <example><code>model.Add(new Dense(64) { Trainable = false });</code></example>
    public bool Trainable { get => trainable; init => trainable = value; }

    /// <summary>What the layer is called in the summary; null makes a name of its kind and number.</summary>
    public string? Name { get => name; init => name = value; }

    /// <summary>Its kind, as the summary and the saved description have it.</summary>
    internal string Kind => GetType().IsGenericType ? GetType().Name.Split('`')[0] : GetType().Name;

    /// <summary>The settings of its kind, to be filled.</summary>
    private protected LayerConfig Settings => new(Kind);

    /// <summary>The layer's output for some inputs: what a <see cref="Model"/> is made of.</summary>
    /// <param name="inputs">What the layer takes: a node, or several in brackets.</param>
    /// <returns>What it will give.</returns>
    /// <exception cref="ArgumentException">The layer cannot take inputs of these shapes; the message says why.</exception>
    /// <exception cref="InvalidOperationException">The layer has several outputs: <see cref="ApplyAll"/> gives them.</exception>
    /// <example><code>
    /// var x = Model.Input(784);
    /// var y = new Dense(10, "softmax").Apply(new Dense(64, "relu").Apply(x));
    /// </code></example>
    public Node Apply(Nodes inputs) => ApplyAll(inputs) is [var one]
        ? one
        : throw new InvalidOperationException($"{Kind}: the layer gives several outputs; ApplyAll returns them");

    /// <summary>All outputs of a layer that has several.</summary>
    /// <param name="inputs">What the layer takes: a node, or several in brackets.</param>
    /// <returns>What it will give.</returns>
    /// <exception cref="ArgumentException">The layer cannot take inputs of these shapes; the message says why.</exception>
    /// <example><code>Node[] outputAndStates = new LSTM(64, returnState: true).ApplyAll(x);</code></example>
    public Node[] ApplyAll(Nodes inputs) => new LayerCall(this, inputs.ToArray(), null).Outputs;

    /// <summary>The shape of <see cref="InputShape"/>, as F# has it.</summary>
    internal int[]? ExampleShape => exampleShape;

    /// <summary>Whether integers mean something to the layer, so that they are given to it as they are.</summary>
    internal virtual bool TakesIntegers => false;

    /// <summary>Of a layer that goes on where it ended: how many outputs its block gives before its last states.</summary>
    internal virtual int? BeforeStates => null;

    /// <summary>Whether those states are the model's alone, no outputs that nodes stand for.</summary>
    internal virtual bool HidesStates => false;

    /// <summary>The outputs that nodes stand for, of all that the block gives.</summary>
    internal T[] Seen<T>(T[] outputs) => HidesStates ? outputs[..BeforeStates!.Value] : outputs;

    /// <summary>The F# block, its parameters erased; made once.</summary>
    internal Block Block => block ??= Create();

    /// <summary>The F# block of a call with arguments of its own, on the same parameters.</summary>
    internal virtual Block BlockFor(LayerConfig call) => throw new InvalidDataException($"load: a {Kind} layer takes no arguments where it is called");

    /// <summary>Makes the F# block.</summary>
    private protected abstract Block Create();

    /// <summary>The layer's weights that have penalties or constraints.</summary>
    internal virtual IReadOnlyList<Part> Parts => [];

    /// <summary>The settings that the layer can be made of again; a layer that holds a function has none.</summary>
    internal abstract LayerConfig? Config();

    /// <summary>The settings with those that every layer has.</summary>
    internal LayerConfig? FullConfig()
    {
        var config = Config();
        if (config is null) return null;
        if (Name is not null) config.Set("name", Name);
        if (exampleShape is not null) config.Set("input_shape", exampleShape);
        if (!Trainable) config.Set("trainable", false);
        return config;
    }

    /// <summary>Takes the settings that every layer has from where <see cref="FullConfig"/> wrote them.</summary>
    internal Layer With(LayerConfig config)
    {
        name = config.Has("name") ? config.Text("name") : null;
        exampleShape = config.Has("input_shape") ? config.Ints("input_shape") : null;
        trainable = !config.Has("trainable") || config.Bool("trainable");
        return this;
    }

    /// <summary>A layer of one input and one output, erased, and frozen where it is not to be trained.</summary>
    /// <param name="layer">The F# layer.</param>
    /// <param name="keepsMask">Whether it works step by step, so that a mask of its input holds for its output.</param>
    private protected Block Erase<TParameters>(Layer<TParameters, Tensor, int[]> layer, bool keepsMask = false) =>
        Erase(BlockModule.ofLayer(keepsMask ? MaskUse.Keeps : MaskUse.Drops, layer));

    /// <summary>A block, erased, and frozen where it is not to be trained.</summary>
    private protected Block Erase<TParameters>(Layer<TParameters, Masked[], int[][]> block) =>
        Trainable ? LayerModule.erase(block) : LayerModule.erase(LayerModule.freeze(block));

    /// <summary>An erased block, frozen where it is not to be trained.</summary>
    private protected Block Freeze(Block erased) => Trainable ? erased : Erase(erased);
}
