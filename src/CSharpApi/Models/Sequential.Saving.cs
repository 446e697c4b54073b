// Saving a Sequential to one file, and making it again from there.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Functional.CSharp;

public sealed partial class Sequential
{
    private const string Format = "functional-sequential";

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
    /// loss, optimiser and metrics have names.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or the model has layers that are functions of one's own:
    /// make the model and call <see cref="LoadWeights"/>.</exception>
    /// <example><code>var model = Sequential.Load("model.safetensors");</code></example>
    public static Sequential Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var description = ParseDescription(path, ModelFile.description(path));
        var model = new Sequential(description["name"]?.GetValue<string>() ?? "sequential");
        foreach (var layer in description["layers"]!.AsArray())
        {
            if (layer is null)
                throw new InvalidDataException($"load: the model in {path} has layers that are functions of one's own, which a file cannot hold; make the model as it was made, and call LoadWeights");
            model.Add(LayerReader.Read(layer));
        }
        model.Build([.. description["input_shape"]!.AsArray().Select(size => size!.GetValue<int>())]);
        model.LoadWeights(path);
        if (description["compiled"] is JsonObject compiled) model.CompileAs(compiled);
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
        model.Parameters = Checkpoint.load(path, model.Parameters);
        hasLearnt = true;
    }

    /// <summary>The model's description: layers with their settings, and how it was compiled; null for a layer that is a
    /// function of one's own.</summary>
    internal string Describe()
    {
        var description = new JsonObject
        {
            ["format"] = Format,
            ["version"] = 1,
            ["name"] = Name,
            ["input_shape"] = new JsonArray([.. RequireBuilt("Save").InputShape.Select(size => JsonValue.Create(size))]),
            ["layers"] = new JsonArray([.. layers.Select(layer => layer.FullConfig()?.ToJson())]),
        };
        if (compilation is { Loss.HasKnownName: true, Optimizer.LearningRate.Value: { } rate } && compilation.Metrics.All(metric => metric.KnownName is not null))
            description["compiled"] = new JsonObject
            {
                ["loss"] = compilation.Loss.Name,
                ["optimizer"] = compilation.Optimizer.Name,
                ["learning_rate"] = rate,
                ["metrics"] = new JsonArray([.. compilation.Metrics.Select(metric => JsonValue.Create(metric.KnownName))]),
            };
        return description.ToJsonString();
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

        return description is JsonObject model && model["format"]?.ToString() == Format && model["layers"] is JsonArray && model["input_shape"] is JsonArray
            ? model
            : throw new InvalidDataException($"load: {path} describes no Sequential model; load its weights into a model with LoadWeights");
    }

    /// <summary>Compiles as the description says: the optimiser of that name with its rate and Keras' other settings.</summary>
    private void CompileAs(JsonObject compiled)
    {
        var rate = (LearningRate)compiled["learning_rate"]!.GetValue<double>();
        Compile(
            compiled["loss"]!.GetValue<string>(),
            Optimizer.Named(compiled["optimizer"]!.GetValue<string>(), rate),
            [.. compiled["metrics"]!.AsArray().Select(name => (Metric)name!.GetValue<string>())]);
    }
}
