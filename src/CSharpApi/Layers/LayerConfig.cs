// A layer's settings as they stand in a saved model: names and values, written to and read from JSON.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Functional.CSharp;

/// <summary>The kind of a layer and its settings.</summary>
internal sealed class LayerConfig(string kind, JsonObject settings)
{
    public LayerConfig(string kind)
        : this(kind, [])
    {
    }

    public string Kind => kind;

    public static LayerConfig Parse(JsonNode? node)
    {
        if (node is not JsonObject settings || settings["class"]?.GetValueKind() != JsonValueKind.String)
            throw new InvalidDataException("load: the model's description has a layer without a class");
        return new LayerConfig(Described.Text(settings, "class"), settings);
    }

    public JsonObject ToJson()
    {
        settings["class"] = kind;
        return settings;
    }

    public LayerConfig Set(string name, JsonNode? value)
    {
        settings[name] = value;
        return this;
    }

    public LayerConfig Set(string name, int[] values) => Set(name, new JsonArray([.. values.Select(v => JsonValue.Create(v))]));

    /// <summary>An activation by its name, where there is one; null where it is a function of the user's own.</summary>
    public LayerConfig? SetActivation(string name, ActivationFunction? activation)
    {
        if (activation is null) return this;
        return activation.HasKnownName ? Set(name, activation.Name) : null;
    }

    /// <summary>A penalty by its strengths, where there is one; null where it is a function of the user's own.</summary>
    public LayerConfig? SetRegularizer(string name, Regularizer? penalty)
    {
        if (penalty is null) return this;
        return penalty.IsCustom ? null : Set(name + "_l1", penalty.L1Strength).Set(name + "_l2", penalty.L2Strength);
    }

    /// <summary>A constraint, where there is one; null where it is a function of the user's own.</summary>
    public LayerConfig? SetConstraint(string name, Constraint? constraint)
    {
        if (constraint is null) return this;
        return constraint.ToJson() is { } json ? Set(name, json) : null;
    }

    public bool Has(string name) => settings[name] is not null;

    public int Int(string name) => Read(name, Described.Whole);

    public double Double(string name) => Read(name, Described.Number);

    public bool Bool(string name) => Read(name, Described.Switch);

    public string Text(string name) => Read(name, Described.Text);

    public int[] Ints(string name) => Read(name, Described.Wholes);

    /// <summary>So many whole numbers.</summary>
    public int[] Ints(string name, int count) => Ints(name) is var numbers && numbers.Length == count
        ? numbers
        : throw new InvalidDataException($"load: \"{name}\" of a {kind} layer in the model's description has {numbers.Length} numbers, expected {count}");

    public JsonNode Node(string name) => Read(name, (node, what) => node ?? throw Described.Damaged($"{what} is missing"));

    public Named<TChoice> Choice<TChoice>(string name)
        where TChoice : struct, Enum => Has(name) ? Read<Named<TChoice>>(name, (node, what) => Described.Text(node, what)) : default;

    public ActivationFunction? Activation(string name) => Has(name) ? Read<ActivationFunction>(name, (node, what) => Described.Text(node, what)) : null;

    public Regularizer? Regularizer(string name) =>
        Has(name + "_l1") ? CSharp.Regularizer.Read(Double(name + "_l1"), Double(name + "_l2")) : null;

    public Constraint? Constraint(string name) => Has(name) ? Read(name, CSharp.Constraint.Read) : null;

    private T Read<T>(string name, Func<JsonNode?, string, T> read)
    {
        try
        {
            return read(settings[name], $"\"{name}\"");
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"load: \"{name}\" of a {kind} layer in the model's description cannot be read: {e.Message}", e);
        }
    }
}
