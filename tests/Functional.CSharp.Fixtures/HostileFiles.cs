// Saved models as somebody else may have changed them. Whatever the file says, loading gives a model or an InvalidDataException,
// with little memory; and what loads can be asked. Run in a process of its own, so that a crash is a failed test.
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace Fixtures;

public static class HostileFiles
{
    private static readonly string[] Values =
    [
        "0", "-1", "1", "2", "3", "2147483647", "-2147483648", "2147483648", "1073741824", "536870913", "536870912", "65536", "65537", "100000000", "4294967297",
        "9223372036854775807", "1e300", "-1e300", "1e-300", "0.5", "1.0", "\"\"", "\"relu\"", "\"@@\"", "null", "true", "false", "[]", "{}", "[2147483647]",
        "[-1]", "[65536,65537]", "[536870913,8]", "[[0,0]]", "[[-1,0]]", "[[7,9]]", "[[-2,-3]]", "[null]", "[0]",
    ];

    /// <summary>Mutates saved models, loads them, and asks what loads. Writes what went wrong, and the numbers at the end.</summary>
    /// <returns>How often it went wrong.</returns>
    public static int Fuzz(string folder, int seed, int count, TextWriter output)
    {
        var random = new Random(seed);
        byte[][] originals = [.. Originals(Path.Combine(folder, "original"))];
        var path = Path.Combine(folder, "mutated");
        var outcomes = new SortedDictionary<string, int>();
        var (wrong, most) = (0, 0.0);
        foreach (var original in originals)
        {
            File.WriteAllBytes(path, original);
            var (outcome, complaint, _) = Try(path, original.Length);
            if (outcome == "loaded, predicts") continue;
            wrong++;
            output.WriteLine($"as it was saved, a model is {outcome}: {complaint}");
        }
        for (var i = 0; i < count; i++)
        {
            var bytes = Mutated(i % 4 == 0 ? originals[^2] : originals[random.Next(originals.Length)], random);
            File.WriteAllBytes(path, bytes);
            var (outcome, complaint, memory) = Try(path, bytes.Length);
            if (complaint is null && i % 4 == 0) complaint = Resume(path);
            most = Math.Max(most, memory);
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            if (complaint is null) continue;
            wrong++;
            output.WriteLine($"mutation {i} of seed {seed}: {complaint}");
            if (wrong > 20) break;
        }
        foreach (var (outcome, times) in outcomes) output.WriteLine($"{times} {outcome}");
        output.WriteLine($"most memory for a load: {most:F1} times the file");
        output.Flush();
        return wrong;
    }

    /// <summary>Models whose descriptions claim what no file of their size can hold, or no array.</summary>
    public static int Directed(string folder, TextWriter output)
    {
        var wrong = 0;
        var path = Path.Combine(folder, "directed");
        foreach (var (name, shape, layers) in Claims())
        {
            var description = $$"""{"format":"functional-model","version":1,"name":"m","layers":[{{layers}}],"input_shape":{{shape}}}""";
            var header = new JsonObject { ["__metadata__"] = new JsonObject { ["model"] = description } }.ToJsonString();
            File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header)]);
            var (outcome, complaint, _) = Try(path, header.Length + 8);
            output.WriteLine($"{name}: {outcome}");
            if (complaint is null) continue;
            wrong++;
            output.WriteLine($"WRONG: {name}: {complaint}");
        }
        output.Flush();
        return wrong;
    }

    private static IEnumerable<(string Name, string Shape, string Layers)> Claims()
    {
        static string Layer(string kind, string settings) => $$"""{"class":"{{kind}}",{{settings}}}""";
        const string Plain = "\"use_bias\":true";
        foreach (var huge in new[] { 2147483647, 1073741824, 100_000_000, 536870913, 65536 * 4 })
        {
            yield return ($"dense {huge}", "[4]", Layer("Dense", $"\"units\":{huge},{Plain}"));
            yield return ($"dense {huge} twice", $"[{huge}]", Layer("Dense", $"\"units\":{huge},{Plain}"));
            yield return ($"repeat {huge}", "[4]", Layer("RepeatVector", $"\"n\":{huge}"));
            yield return ($"repeat {-huge}", "[4]", Layer("RepeatVector", $"\"n\":{-huge}"));
            yield return ($"pad 1-D {huge}", "[4,2]", Layer("ZeroPadding1D", $"\"padding\":[{huge},{huge}]"));
            yield return ($"pad 2-D {huge}", "[4,4,2]", Layer("ZeroPadding2D", $"\"padding\":[{huge},{huge},{huge},0]"));
            yield return ($"crop 1-D {huge}", "[4,2]", Layer("Cropping1D", $"\"cropping\":[{huge},{huge - 1}]"));
            yield return ($"up 1-D {huge}", "[4,2]", Layer("UpSampling1D", $"\"size\":[{huge}]"));
            yield return ($"up 2-D {huge}", "[4,4,2]", Layer("UpSampling2D", $"\"size\":[{huge},{huge}],\"interpolation\":\"bilinear\""));
            yield return ($"up 2-D {huge} along one axis", "[4,4,2]", Layer("UpSampling2D", $"\"size\":[{huge},1],\"interpolation\":\"bilinear\""));
            foreach (var kind in new[] { "LSTM", "GRU", "SimpleRNN" })
                yield return ($"{kind} {huge}", "[3,2]", Layer(kind, $"\"units\":{huge},{Plain},\"dropout\":0,\"recurrent_dropout\":0,\"return_sequences\":false,\"return_state\":false,\"go_backwards\":false,\"reset_after\":true"));
            yield return ($"embedding {huge}", "[3]", Layer("Embedding", $"\"input_dim\":{huge},\"output_dim\":2,\"mask_zero\":false"));
            yield return ($"embedding of {huge}", "[3]", Layer("Embedding", $"\"input_dim\":2,\"output_dim\":{huge},\"mask_zero\":false"));
            yield return ($"conv {huge}", "[5,5,2]", Layer("Conv2D", $"\"filters\":{huge},\"kernel_size\":[3,3],\"strides\":[1,1],\"dilation_rate\":[1,1],\"groups\":1,{Plain}"));
            yield return ($"conv dilated {huge}", "[5,5,2]", Layer("Conv2D", $"\"filters\":2,\"kernel_size\":[3,3],\"strides\":[1,1],\"dilation_rate\":[{huge},{huge}],\"groups\":1,{Plain}"));
            yield return ($"transposed conv {huge}", "[5,5,2]", Layer("Conv2DTranspose", $"\"filters\":2,\"kernel_size\":[3,3],\"strides\":[{huge},{huge}],\"dilation_rate\":[1,1],\"groups\":1,{Plain}"));
            yield return ($"depthwise {huge}", "[5,5,2]", Layer("DepthwiseConv2D", $"\"filters\":{huge},\"kernel_size\":[3,3],\"strides\":[1,1],\"dilation_rate\":[1,1],\"groups\":1,{Plain}"));
            yield return ($"pooling {huge}", "[5,5,2]", Layer("MaxPooling2D", $"\"pool_size\":[2,2],\"strides\":[{huge},{huge}],\"padding\":\"same\""));
            yield return ($"prelu of {huge}", $"[{huge}]", Layer("PReLU", "\"x\":0"));
            yield return ($"normalisation of {huge}", $"[{huge}]", Layer("BatchNormalization", "\"axis\":-1,\"epsilon\":0.1,\"center\":true,\"scale\":true,\"momentum\":0.9"));
            yield return ($"neighbours of {huge}", $"[{huge}]", Layer("LocalResponseNormalization", "\"size\":5,\"bias\":1,\"alpha\":1,\"beta\":1"));
        }
        yield return ("reshape that wraps", "[8]", Layer("Reshape", "\"target_shape\":[536870913,8]"));
        yield return ("reshape that wraps, cut and flat", "[8]", $"{Layer("Reshape", "\"target_shape\":[536870913,8]")},{Layer("Cropping1D", "\"cropping\":[1,536870909]")},{Layer("Flatten", "\"x\":0")}");
        yield return ("reshape to nothing", "[8]", Layer("Reshape", "\"target_shape\":[-2,-4]"));
        yield return ("reshape to 2³²", "[0]", Layer("Reshape", "\"target_shape\":[65536,65536]"));
        yield return ("an input of 2³²", "[65536,65536]", Layer("Flatten", "\"x\":0"));
        yield return ("an input of 2³⁴", "[65536,65536,4]", Layer("Flatten", "\"x\":0"));
        yield return ("an input below 0", "[-5,3]", Layer("Flatten", "\"x\":0"));
        yield return ("heads", "[4]", Layer("Bidirectional", $"\"merge_mode\":\"concat\",\"layer\":{Layer("LSTM", "\"units\":1073741824,\"use_bias\":true,\"dropout\":0,\"recurrent_dropout\":0,\"return_sequences\":false,\"return_state\":false,\"go_backwards\":false")}"));
        yield return ("many layers that double", "[1024]", string.Join(",", Enumerable.Repeat(Layer("RepeatVector", "\"n\":1024") + "," + Layer("Flatten", "\"x\":0"), 6)));
        yield return ("deep layers", "[2]", string.Concat(Enumerable.Repeat("{\"class\":\"TimeDistributed\",\"layer\":", 2000)) + Layer("Flatten", "\"x\":0") + new string('}', 2000));
        yield return ("a version to come", "[2],\"version\":99", Layer("Flatten", "\"x\":0"));
    }

    /// <summary>Loads a file and asks the model; what happened, and what should not have.</summary>
    private static (string Outcome, string? Complaint, double Memory) Try(string path, long length)
    {
        var clock = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Model? model = null;
        var outcome = "loaded";
        string? complaint = null;
        try
        {
            model = Model.Load(path);
        }
        catch (InvalidDataException)
        {
            outcome = "refused";
        }
        catch (Exception e)
        {
            complaint = $"Load: {e}";
        }
        var memory = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)(length + 4096);
        if (memory > 400) complaint ??= $"Load took {memory:F0} times the file of {length} bytes ({outcome})";
        if (clock.Elapsed.TotalSeconds > 5) complaint ??= $"Load took {clock.Elapsed.TotalSeconds:F1} s";
        if (model is null || complaint is not null) return (outcome, complaint, memory);
        try
        {
            Tensor[] inputs = [.. model.InputShapes.Select(shape => Tensor.Ones([1, .. shape.Select(size => size ?? 3)], DType.Float32))];
            foreach (var answer in model.PredictAll(inputs))
                _ = answer.ToDoubles();
            return ("loaded, predicts", null, memory);
        }
        // an honest description may be of a model that takes other data, or more memory than there is
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or OutOfMemoryException or NotSupportedException)
        {
            return ($"loaded, predicts nothing: {e.GetType().Name}", null, memory);
        }
        catch (Exception e)
        {
            return ("loaded", $"Predict: {e}", memory);
        }
    }

    /// <summary>Goes on with a file as if it were the checkpoint of a training; what should not have happened.</summary>
    private static string? Resume(string path)
    {
        var model = Small();
        try
        {
            model.Fit(LayerChecks.Numbers(4, [2]), LayerChecks.Numbers(4, [1]), batchSize: 2, epochs: 2, verbose: 0, resumeFrom: path);
            return null;
        }
        // a state that is possible may still be of other data; what fails later says what was learnt
        catch (Exception e) when (e is InvalidDataException or ArgumentException or TrainingException)
        {
            return null;
        }
        catch (Exception e)
        {
            return $"Fit: {e}";
        }
    }

    private static Sequential Small()
    {
        var model = new Sequential([new Dense(3, "tanh", inputDim: 2), new Dense(1)], seed: 1);
        model.Compile("mse", new Adam(LearningRate.Cosine(0.1, 10).WithWarmUp(2)) { GlobalClipNorm = 1, WeightDecay = 0.1 }, ["mae", Metric.BinaryAccuracy(0.4)], runEagerly: true);
        return model;
    }

    // ---- mutations

    private static byte[] Mutated(byte[] original, Random random)
    {
        if (random.Next(5) == 0) return Flipped(original, random);
        var length = (int)BitConverter.ToInt64(original, 0);
        var header = JsonNode.Parse(original.AsSpan(8, length))!.AsObject();
        var times = 1 + random.Next(3);
        if (random.Next(5) == 0) header = Changed(header, times, random);
        else
        {
            var metadata = header["__metadata__"]!.AsObject();
            var description = Changed(JsonNode.Parse(metadata["model"]!.GetValue<string>())!.AsObject(), times, random).ToJsonString();
            // twice the same name
            description = description.Replace("@@", "\\ud800");
            if (random.Next(20) == 0) description = "{\"name\":\"first\"," + description[1..];
            metadata["model"] = description;
        }
        // half of a surrogate pair, which is no text
        var text = Encoding.UTF8.GetBytes(header.ToJsonString().Replace("@@", "\\ud800"));
        return [.. BitConverter.GetBytes((long)text.Length), .. text, .. original.AsSpan(8 + length)];
    }

    private static byte[] Flipped(byte[] original, Random random)
    {
        var bytes = (byte[])original.Clone();
        // the header more often than the numbers behind it
        var end = random.Next(4) == 0 ? bytes.Length : Math.Min(bytes.Length, 8 + (int)BitConverter.ToInt64(original, 0));
        for (var i = random.Next(1, 8); i > 0; i--) bytes[random.Next(end)] ^= (byte)random.Next(1, 256);
        return random.Next(10) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    private static JsonObject Changed(JsonObject root, int times, Random random)
    {
        for (var i = 0; i < times; i++)
        {
            List<(JsonNode Parent, object Key)> places = [];
            Collect(root, places);
            if (places.Count == 0) break;
            var (parent, key) = places[random.Next(places.Count)];
            var value = random.Next(8) == 0
                ? (places[random.Next(places.Count)] is var (other, otherKey) ? At(other, otherKey)?.DeepClone() : null)
                : JsonNode.Parse(random.Next(2) == 0 ? $"{random.Next(6)}" : Values[random.Next(Values.Length)]);
            if (parent is JsonObject named)
            {
                if (random.Next(6) == 0) named.Remove((string)key);
                else named[(string)key] = value;
            }
            else
            {
                var list = (JsonArray)parent;
                if (random.Next(6) == 0) list.RemoveAt((int)key);
                else if (random.Next(6) == 0) list.Insert((int)key, list[(int)key]?.DeepClone());
                else list[(int)key] = value;
            }
        }
        return root;
    }

    private static JsonNode? At(JsonNode parent, object key) => parent is JsonObject named ? named[(string)key] : parent[(int)key];

    private static void Collect(JsonNode node, List<(JsonNode, object)> places)
    {
        IEnumerable<object> keys = node is JsonObject named ? named.Select(pair => (object)pair.Key).ToList() : Enumerable.Range(0, ((JsonArray)node).Count).Cast<object>();
        foreach (var key in keys)
        {
            places.Add((node, key));
            if (At(node, key) is { } inner and (JsonObject or JsonArray)) Collect(inner, places);
        }
    }

    // ---- what is mutated

    private static IEnumerable<byte[]> Originals(string path)
    {
        foreach (var model in Models())
        {
            model.Save(path);
            yield return File.ReadAllBytes(path);
        }
        var trained = Small();
        trained.Fit(LayerChecks.Numbers(4, [2]), LayerChecks.Numbers(4, [1]), batchSize: 2, verbose: 0, seed: 1, callbacks: [new ModelCheckpoint(path)]);
        yield return File.ReadAllBytes(path);
        trained.Save(path);
        yield return File.ReadAllBytes(path);
    }

    private static IEnumerable<Model> Models()
    {
        Sequential Row(int?[] shape, params Layer[] layers)
        {
            var model = new Sequential(layers, seed: 1);
            model.Build(shape);
            model.Compile(Loss.Huber(0.5), new RMSprop(0.01, momentum: 0.5, centered: true) { ClipNorm = 1 }, [Metric.TopK(2), "mae"]);
            return model;
        }

        // without weights nothing but the settings themselves is in the way of what they claim
        yield return Row([8], new Reshape(4, 2), new ZeroPadding1D((1, 2)), new Cropping1D((1, 1)), new UpSampling1D(2), new Permute(2, 1), new Flatten(), new RepeatVector(3), new AveragePooling1D(2, padding: "same"), new Masking(), new Flatten());
        yield return Row([6, 6, 2], new ZeroPadding2D((1, 2)), new LocalResponseNormalization(), new UpSampling2D(2, interpolation: "bilinear"), new Cropping2D(1), new MaxPooling2D(2, padding: "same"), new AveragePooling2D(3, 2, "same"), new Reshape(-1, 2), new GlobalAveragePooling1D());
        var (c, d) = (Model.Input("c", 4, 3), Model.Input("d", 4, 3));
        var sums = new Concatenate(1).Apply([new Attention().Apply([c, d]), new AdditiveAttention(useScale: false).Apply([c, d]), new Subtract().Apply([c, d]), new Maximum().Apply([c, d])]);
        yield return new Model([c, d], [new Dot((1, 2)).Apply([c, new Permute(2, 1).Apply(d)]), new Flatten().Apply(sums), new Activation("softmax").Apply(new UpSampling1D(2).Apply(sums))]);

        yield return Row([8], new Reshape(4, 2), new ZeroPadding1D((1, 2)), new Cropping1D((1, 1)), new UpSampling1D(2), new Permute(2, 1), new Flatten(), new RepeatVector(3), new Flatten(), new PReLU(), new LeakyReLU(), new ELU());
        yield return Row([6, 6, 2], new ZeroPadding2D((1, 2)), new Conv2D(4, 3, strides: 2, padding: "same", activation: "relu", kernelRegularizer: "l2", kernelConstraint: Constraint.MaxNorm(2)), new LocalResponseNormalization(), new UpSampling2D(2, interpolation: "bilinear"), new Cropping2D(1), new MaxPooling2D(2), new GlobalAveragePooling2D());
        yield return Row([5, 5, 2], new DepthwiseConv2D(3, depthMultiplier: 2), new SeparableConv2D(4, 2, padding: "same"), new Conv2DTranspose(2, 3, strides: 2), new GroupNormalization(2), new AveragePooling2D(2, dataFormat: "channels_last"), new SpatialDropout2D(0.2), new GlobalMaxPooling2D());
        yield return Row([6, 2], new Conv1D(3, 2, padding: "causal", dilationRate: 2), new Conv1DTranspose(2, 2), new MaxPooling1D(2), new LayerNormalization(), new BatchNormalization(), new Bidirectional(new LSTM(2, returnSequences: true), "sum"), new TimeDistributed(new Dense(2, "softmax", useBias: false)), new GRU(2), new Dropout(0.3), new GaussianNoise(0.1), new GaussianDropout(0.1));
        yield return Row([5], new Embedding(7, 3, maskZero: true), new Masking(), new SimpleRNN(3, returnSequences: true, goBackwards: true), new SpatialDropout1D(0.1), new LSTM(2, stateful: true));
        yield return Row([null, 2], new GRU(3, returnSequences: true), new GlobalMaxPooling1D(), new Dense(2) { Trainable = false, Name = "last" });

        var (a, b) = (Model.Input("a", 4, 3), Model.Input("b", 4, 3));
        var shared = new Dense(3, "relu");
        var found = new MultiHeadAttention(2, 2).Apply(shared.Apply(a), shared.Apply(b), useCausalMask: true);
        var others = new Concatenate(1).Apply([new Attention(useScale: true).Apply([a, b]), new AdditiveAttention().Apply([a, b]), new Add().Apply([a, b]), new Average().Apply([a, found])]);
        var graph = new Model([a, b], [new Dot(1).Apply([new Flatten().Apply(others), new Flatten().Apply(others)]), .. new LSTM(2, returnState: true).ApplyAll(others)], seed: 1);
        graph.Compile(["mse", "mae", "mse", "mse"], new SGD(LearningRate.Step(0.1, 3, 0.5), momentum: 0.5), lossWeights: [1, 0.5, 0.2, 0.1]);
        yield return graph;
    }
}
