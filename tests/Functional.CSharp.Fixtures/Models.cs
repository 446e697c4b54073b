// The facade's models that F# twins are held against, on data that the tests give.
namespace Fixtures;

public static class Models
{
    /// <summary>The talk's program, small: dense and sigmoid, dense and softmax, mean squared error, SGD.</summary>
    public static Tensor[] Talk(Tensor x, Tensor y, int batchSize, int epochs)
    {
        var model = new Sequential(seed: 7);
        model.Add(new Dense(inputDim: x.Shape[1], outputDim: 5));
        model.Add(new Activation("sigmoid"));
        model.Add(new Dense(outputDim: y.Shape[1]));
        model.Add(new Activation("softmax"));
        model.Compile(loss: "mse", optimizer: new SGD(lr: 0.1), metrics: ["accuracy"]);
        model.Fit(x, y, batchSize: batchSize, epochs: epochs, verbose: 0, seed: 3);
        return [.. model.Weights, model.Predict(x)];
    }

    /// <summary>Everything at once: activations in layers, penalties, dropout, a frozen layer, Adam with clipping.</summary>
    public static Tensor[] Rich(Tensor x, Tensor y, int batchSize, int epochs)
    {
        var model = new Sequential(
            [
                new Dense(8, activation: "relu", kernelInitializer: "he_normal", kernelRegularizer: Regularizer.L2(0.01)),
                new Dropout(0.25),
                new Dense(6, activation: Activations.Tanh) { Trainable = false },
                new Dense(y.Shape[1], useBias: false),
            ],
            seed: 11);
        model.Compile(Losses.CategoricalCrossentropyFromLogits, new Adam(lr: 0.01) { GlobalClipNorm = 1 }, ["accuracy"]);
        model.Fit(x, y, batchSize: batchSize, epochs: epochs, verbose: 0, seed: 5, validationSplit: 0.25);
        return [.. model.Weights, model.Predict(x)];
    }

    /// <summary>Constraints of all kinds, and a normalisation with initialisers and a penalty.</summary>
    public static Tensor[] Constrained(Tensor x, Tensor y, int batchSize, int epochs)
    {
        var model = new Sequential(
            [
                new Dense(8, activation: "tanh", kernelConstraint: Constraint.MaxNorm(0.5)),
                new BatchNormalization(
                    gammaInitializer: Initializer.Normal(0.5), betaInitializer: Initializer.Constant(0.25), gammaRegularizer: "l2", gammaConstraint: "non_neg"),
                new Dense(y.Shape[1], kernelConstraint: Constraint.MinMaxNorm(0.1, 0.8, rate: 0.5), biasConstraint: "unit_norm"),
            ],
            seed: 29);
        model.Compile("mse", new Adam(lr: 0.01));
        model.Fit(x, y, batchSize: batchSize, epochs: epochs, verbose: 0, seed: 5);
        return [.. model.Weights, model.Predict(x)];
    }

    /// <summary>The talk's slide: one filter's map of an image, the largest of its every 2×2, and the map with padding.</summary>
    public static Tensor[] Slide(Tensor image, Tensor filter)
    {
        Conv2D Filtered(string padding) => new(1, 3, padding: padding, useBias: false, kernelInitializer: new Initializer((_, _, _) => filter));
        Tensor Through(params Layer[] layers) => new Sequential(layers).Predict(image);
        return [Through(Filtered("valid")), Through(Filtered("valid"), new MaxPooling2D(2)), Through(Filtered("same"))];
    }

    /// <summary>A small network of images: convolution, normalisation, pooling, dropout.</summary>
    public static Tensor[] Images(Tensor x, Tensor y, int batchSize, int epochs)
    {
        var model = new Sequential(
            [
                new Conv2D(4, (3, 3), padding: "same", activation: "relu", kernelRegularizer: Regularizer.L2(0.01)),
                new BatchNormalization(),
                new MaxPooling2D(2),
                new SpatialDropout2D(0.25),
                new SeparableConv2D(6, 2, strides: (1, 2), dataFormat: DataFormat.ChannelsFirst, activation: "tanh"),
                new LocalResponseNormalization(),
                new GlobalAveragePooling2D(),
                new Dense(y.Shape[1]),
            ],
            seed: 13);
        model.Compile(Losses.CategoricalCrossentropyFromLogits, "adam", ["accuracy"]);
        model.Fit(x, y, batchSize: batchSize, epochs: epochs, verbose: 0, seed: 5);
        return [.. model.Weights, model.Predict(x)];
    }

    /// <summary>A small network of sequences: an embedding with padding, an LSTM in both directions, a GRU.</summary>
    public static Tensor[] Sequences(Tensor x, Tensor y, int batchSize, int epochs)
    {
        var model = new Sequential(
            [
                new Embedding(12, 6, maskZero: true),
                new Bidirectional(new LSTM(5, returnSequences: true)),
                new GRU(4, resetAfter: false),
                new Dense(y.Shape[1]),
            ],
            seed: 17);
        model.Compile("mse", "adam");
        model.Fit(x, y, batchSize: batchSize, epochs: epochs, verbose: 0, seed: 5);
        return [.. model.Weights, model.Predict(x)];
    }

    /// <summary>A graph of two inputs and two outputs, with a layer that is used twice.</summary>
    public static Tensor[] Graph(Tensor left, Tensor right, Tensor sum, Tensor product, int batchSize, int epochs)
    {
        var (a, b) = (Model.Input(left.Shape[1]), Model.Input(right.Shape[1]));
        var tower = new Dense(5, "tanh");
        var (p, q) = (tower.Apply(a), tower.Apply(b));
        var both = new Concatenate().Apply([p, q]);
        var model = new Model([a, b], [new Dense(1).Apply(both), new Dense(2).Apply(new Multiply().Apply([p, q]))], seed: 19);
        model.Compile(losses: ["mse", "mae"], optimizer: new SGD(lr: 0.1), lossWeights: [1, 0.5]);
        model.Fit([left, right], [sum, product], batchSize: batchSize, epochs: epochs, verbose: 0, seed: 5);
        return [.. model.Weights, .. model.PredictAll([left, right])];
    }

    /// <summary>Three attentions over an embedding with padding: by products, by sums, in heads.</summary>
    public static Tensor[] Attention(Tensor tokens, Tensor asked, Tensor y, int batchSize, int epochs)
    {
        var (words, queries) = (Model.Input(tokens.Shape[1]), Model.Input(asked.Shape[1..]));
        var known = new Embedding(12, 6, maskZero: true).Apply(words);
        var found = new Concatenate().Apply(
        [
            new Attention(useScale: true).Apply([queries, known]),
            new AdditiveAttention().Apply([queries, known, known]),
            new MultiHeadAttention(numHeads: 2, keyDim: 3).Apply(queries, known, useCausalMask: true),
        ]);
        var model = new Model([words, queries], new Dense(y.Shape[1]).Apply(new GlobalAveragePooling1D().Apply(found)), seed: 23);
        model.Compile("mse", "adam");
        model.Fit([tokens, asked], y, batchSize: batchSize, epochs: epochs, verbose: 0, seed: 5);
        return [.. model.Weights, model.Predict([tokens, asked])];
    }

    /// <summary>The same training, stopped after some epochs and gone on with from its checkpoint by another model.</summary>
    public static Tensor[] Resumed(Tensor x, Tensor y, string path, int stopAfter, int epochs)
    {
        static Sequential Make(int inputs, int outputs)
        {
            var model = new Sequential([new Dense(5, "tanh", inputDim: inputs), new Dropout(0.5), new Dense(outputs)], seed: 1);
            model.Compile("mse", "adam");
            return model;
        }

        var whole = Make(x.Shape[1], y.Shape[1]);
        whole.Fit(x, y, batchSize: 4, epochs: epochs, verbose: 0, seed: 9);
        var first = Make(x.Shape[1], y.Shape[1]);
        first.Fit(x, y, batchSize: 4, epochs: stopAfter, verbose: 0, seed: 9, callbacks: [new ModelCheckpoint(path)]);
        var second = Make(x.Shape[1], y.Shape[1]);
        second.Fit(x, y, batchSize: 4, epochs: epochs, verbose: 0, resumeFrom: path);
        return [.. whole.Weights, .. second.Weights];
    }
}
