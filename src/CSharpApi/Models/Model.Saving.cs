// Saving a model to one file, and making it again from there. A file may say anything, so it is not believed: the description is
// made into layers whose weights are shapes alone, and they are compared with those in the file before any memory is taken.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Functional.CSharp;

public partial class Model
{
    private const string Format = "functional-model";
    private const int Version = 1;

    /// <summary>Saves the model to a safetensors file: the weights under their names, how it is compiled, what its optimiser
    /// remembers, and a description from which <see cref="Load"/> makes the model again as it is: it goes on learning as this one
    /// would, bit for bit. The file appears whole or not at all. Functions of one's own cannot be written and are refused.</summary>
    /// <param name="path">The file.</param>
    /// <param name="includeOptimizer">Whether how the model is compiled is written, too: losses, metrics, the optimiser with its
    /// settings, and what it remembers. Otherwise the model that is loaded is not compiled.</param>
    /// <exception cref="IOException">The file cannot be written; what was there before stays.</exception>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    /// <exception cref="NotSupportedException">A layer, a loss, a metric or the learning rate is a function of one's own; the
    /// message says which, and what would do.</exception>
    /// <example><code>model.Save("model.safetensors");</code></example>
    public void Save(string path, bool includeOptimizer = true)
    {
        ArgumentNullException.ThrowIfNull(path);
        var model = RequireBuilt("Save");
        for (var i = 0; i < model.Layers.Count; i++)
            if (model.Layers[i].FullConfig() is null)
                throw new NotSupportedException($"Save: the layer {model.LayerNames[i]} is, or has, a function of one's own, which a file cannot hold; SaveWeights saves the weights, and LoadWeights reads them into a model made in the same way");
        if (includeOptimizer && compilation?.Obstacle() is { } obstacle)
            throw new NotSupportedException($"Save: {obstacle} is a function of one's own, which a file cannot hold; save the model without its training, model.Save(path, includeOptimizer: false), and call Compile when it is loaded");
        // parameters first: while the model learns, looking at them brings the optimiser's memory up to date, too
        var parameters = model.Parameters;
        if (includeOptimizer && optimizerState is { } state)
        {
            // a training that goes on: stateful layers go on, too
            var remembered = model.Remembering?.InFile(parameters) ?? parameters;
            Checkpoint.saveTrained(ModelFile.metadata(Describe(true, remembered.Length > parameters.Length)), path, remembered, state);
        }
        else
        {
            Checkpoint.saveWith(ModelFile.metadata(Describe(includeOptimizer)), path, parameters);
        }
    }

    /// <summary>Saves the weights alone, under their names; <see cref="LoadWeights"/> reads them into a model of the same layers,
    /// whatever functions it has.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be written; what was there before stays.</exception>
    /// <exception cref="InvalidOperationException">The shape of the input is not known yet.</exception>
    /// <example><code>model.SaveWeights("weights.safetensors");</code></example>
    public void SaveWeights(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        Checkpoint.save(path, RequireBuilt("SaveWeights").Parameters);
    }

    /// <summary>The model of a file that <see cref="Save"/> or <see cref="ModelCheckpoint"/> wrote, compiled as it was, its optimiser
    /// with all that it remembers: a <see cref="Sequential"/> where it was one. A file may come from anywhere: it is checked whole
    /// before it is believed, holds no code, and takes no more memory than a small multiple of its size.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">It is a folder, a device or the like, or may not be read.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or the model has layers that are functions of one's own:
    /// make the model and call <see cref="LoadWeights"/>.</exception>
    /// <example><code>var model = Model.Load("model.safetensors");</code></example>
    public static Model Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var text = ModelFile.description(path);
        JsonObject description;
        Model model;
        CompileArguments? compiled;
        try
        {
            description = Parse(text);
            model = Make(description);
            compiled = Compilation(description, out model.notCompiled);
            if (compiled is not null) model.CompileAs(compiled);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{e.Message} (in {path})", e);
        }
        // what else a description can provoke is its own fault, not the caller's
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new InvalidDataException($"load: the model's description in {path} is damaged: {e.Message}", e);
        }

        model.ReadWeights(path);
        if (description["stateful"] is null) model.built!.Remembering?.Reset();
        if (compiled is not null) model.optimizerState = Checkpoint.loadOptimizer(path, compiled.Optimizer.Create(), model.built!.Parameters)?.Value;
        return model;
    }

    /// <summary>Reads the weights of a file into this model, which must have the same layers.</summary>
    /// <param name="path">A file that <see cref="Save"/>, <see cref="SaveWeights"/> or <see cref="ModelCheckpoint"/> wrote.</param>
    /// <exception cref="InvalidDataException">The file is damaged or holds another model; the message lists the weights that
    /// differ.</exception>
    /// <example><code>model.LoadWeights("model.safetensors");</code></example>
    public void LoadWeights(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        RequireMayChangeWeights("LoadWeights");
        RequireBuilt("LoadWeights");
        ReadWeights(path);
        built!.Remembering?.Reset();
    }

    private void ReadWeights(string path)
    {
        EndOnline();
        built!.Parameters = Checkpoint.load(path, built.Remembering?.InFile(path, built.Parameters) ?? built.Parameters);
        hasLearnt = weightsSet = true;
    }

    /// <summary>The model's description: layers with their settings, how they are connected, and how it was compiled; null for a
    /// layer that is a function of one's own, and the reason where how it was compiled cannot be written.</summary>
    internal string Describe(bool includeOptimizer = true, bool goesOn = false)
    {
        var model = RequireBuilt("Save");
        var description = new JsonObject
        {
            ["format"] = Format,
            ["version"] = Version,
            ["name"] = Name,
            ["layers"] = new JsonArray([.. Layers.Select(layer => layer.FullConfig()?.ToJson())]),
        };
        if (IsGraph) GraphDescription.Write(description, model);
        else description["input_shape"] = GraphDescription.Numbers(model.InputShapes[0]);
        if (goesOn) description["stateful"] = true;
        if (compilation is null) description["not_compiled"] = "it was not compiled when it was saved";
        else if (!includeOptimizer) description["not_compiled"] = "it was saved without its training";
        else if (compilation.Obstacle() is { } obstacle) description["not_compiled"] = $"{obstacle} is a function of one's own, which no file holds";
        else description["compiled"] = compilation.Describe();
        try
        {
            return description.ToJsonString();
        }
        catch (ArgumentException e)
        {
            throw new NotSupportedException($"Save: a setting of the model is no number that a file can hold: {e.Message}", e);
        }
    }

    /// <summary>How the model was compiled; null, and the reason, where it was not.</summary>
    private static CompileArguments? Compilation(JsonObject description, out string? notCompiled)
    {
        notCompiled = description["not_compiled"] is { } reason ? Described.Text(reason, "not_compiled") : null;
        if (description["compiled"] is not { } told) return null;
        var compiled = Described.Object(told, "compiled");
        if (compiled["optimizer"] is JsonObject) return CompileArguments.Read(compiled);
        notCompiled = "it was saved before files kept the settings of optimisers";
        return null;
    }

    private static Model Make(JsonObject description)
    {
        var described = Described.Array(description, "layers");
        if (described.Any(layer => layer is null))
            throw new InvalidDataException("load: the model has layers that are functions of one's own, which a file cannot hold; make the model as it was made, and call LoadWeights");
        Layer[] layers = [.. described.Select(LayerReader.Read)];
        var name = Described.Text(description, "name");
        return description["calls"] is null
            ? new Sequential(layers, name, Dimensions.Known(Dimensions.Seen(Described.Wholes(description["input_shape"], "input_shape"))))
            : GraphDescription.Read(description, layers, name);
    }

    private static JsonObject Parse(string text)
    {
        if (JsonNode.Parse(text, null, new JsonDocumentOptions { AllowDuplicateProperties = false }) is not JsonObject description || description["format"]?.ToString() != Format)
            throw new InvalidDataException("load: this is no model that this version knows; load its weights into a model with LoadWeights");
        return Described.Whole(description, "version") == Version
            ? description
            : throw new InvalidDataException($"load: the model was written in version {description["version"]} of the format, this library reads version {Version}");
    }
}
