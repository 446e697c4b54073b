// Saving a model to one file, and making it again from there.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Functional.CSharp;

public partial class Model
{
    private const string Format = "functional-model";

    /// <summary>Saves the model to a safetensors file: the weights under their names, and beside them a description from
    /// which <see cref="Load"/> makes the model again. The file appears whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be written; what was there before stays.</exception>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    /// <example><code>model.Save("model.safetensors");</code></example>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        ModelFile.save(path, Describe(), RequireBuilt("Save").Parameters);
    }

    /// <summary>The model of a file that <see cref="Save"/> or <see cref="ModelCheckpoint"/> wrote, compiled as it was where
    /// losses, optimiser and metrics have names: a <see cref="Sequential"/> where it was one.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or the model has layers that are functions of one's own:
    /// make the model and call <see cref="LoadWeights"/>.</exception>
    /// <example><code>var model = Model.Load("model.safetensors");</code></example>
    public static Model Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var description = ParseDescription(path, ModelFile.description(path));
        Model model;
        try
        {
            model = description["calls"] is JsonArray ? GraphDescription.Read(description, LayersOf(path, description)) : Row(path, description);
            if (description["compiled"] is JsonObject compiled) model.CompileAs(CompileArguments.Read(compiled));
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NullReferenceException or ArgumentException)
        {
            throw new InvalidDataException($"load: the model's description in {path} is damaged: {e.Message}", e);
        }
        model.LoadWeights(path);
        return model;
    }

    /// <summary>Reads the weights of a file into this model, which must have the same layers.</summary>
    /// <param name="path">A file that <see cref="Save"/> or <see cref="ModelCheckpoint"/> wrote.</param>
    /// <exception cref="InvalidDataException">The file is damaged or holds another model; the message lists the weights that
    /// differ.</exception>
    /// <example><code>model.LoadWeights("model.safetensors");</code></example>
    public void LoadWeights(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var model = RequireBuilt("LoadWeights");
        model.Parameters = Checkpoint.load(path, model.Remembering?.InFile(path, model.Parameters) ?? model.Parameters);
        model.Remembering?.Reset();
        hasLearnt = true;
    }

    /// <summary>The model's description: layers with their settings, how they are connected, and how it was compiled; null for a
    /// layer that is a function of one's own.</summary>
    internal string Describe()
    {
        var model = RequireBuilt("Save");
        var description = new JsonObject
        {
            ["format"] = Format,
            ["version"] = 1,
            ["name"] = Name,
            ["layers"] = new JsonArray([.. Layers.Select(layer => layer.FullConfig()?.ToJson())]),
        };
        if (IsGraph) GraphDescription.Write(description, model);
        else description["input_shape"] = JsonSerializer.SerializeToNode(model.InputShapes[0]);
        if (compilation?.Describe() is { } compiled) description["compiled"] = compiled;
        return description.ToJsonString();
    }

    private static Sequential Row(string path, JsonObject description)
    {
        var model = new Sequential(LayersOf(path, description), description["name"]!.GetValue<string>());
        model.Build(Dimensions.Seen(description["input_shape"].Deserialize<int[]>()!));
        return model;
    }

    private static List<Layer> LayersOf(string path, JsonObject description)
    {
        var described = description["layers"]!.AsArray();
        if (described.Any(layer => layer is null))
            throw new InvalidDataException($"load: the model in {path} has layers that are functions of one's own, which a file cannot hold; make the model as it was made, and call LoadWeights");
        return [.. described.Select(LayerReader.Read)];
    }

    private static JsonObject ParseDescription(string path, string text)
    {
        JsonNode? description;
        try
        {
            description = JsonNode.Parse(text);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"load: the model's description in {path} is damaged: {e.Message}", e);
        }

        return description is JsonObject model && model["format"]?.ToString() == Format && model["layers"] is JsonArray
            ? model
            : throw new InvalidDataException($"load: {path} describes no model that this version knows; load its weights into a model with LoadWeights");
    }
}
