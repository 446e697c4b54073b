// Layers of images as a C# program writes them: shapes, numbers, files, and every mistake.
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public static class ImageCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        yield return ("every layer has Keras' output shape and number of weights", () => LayerChecks.Shapes(Table()));
        yield return ("every layer comes back from a file as it was", () => LayerChecks.Files(Table()));
        yield return ("a window's numbers: convolution, pooling, padding, cropping, up-sampling", () =>
        {
            var image = Tensor.Of<float>([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
            Expect.Numbers(Answer(new Conv2D(1, 2, kernelInitializer: "ones", biasInitializer: Initializer.Constant(1)), image), 13, 17, 25, 29);
            Expect.Numbers(Answer(new Conv2D(1, 2, kernelInitializer: "ones", activation: new ActivationFunction(x => x * 2)), image), 24, 32, 48, 56);
            Expect.Numbers(Answer(new MaxPooling2D(2, strides: 1), image), 5, 6, 8, 9);
            Expect.Numbers(Answer(new AveragePooling2D(2, padding: "same"), image), 3, 4.5, 7.5, 9);
            Expect.Numbers(Answer(new GlobalAveragePooling2D(), image), 5);
            Expect.Numbers(Answer(new Cropping2D(((0, 1), (1, 0))), image), 2, 3, 5, 6);
            Expect.Numbers(Answer(new Cropping2D((1, 0)), image), 4, 5, 6);
            Expect.Numbers(Answer(new Cropping2D(), image), 1, 2, 3, 4, 5, 6, 7, 8, 9);
            Expect.Numbers(Answer(new ZeroPadding1D((1, 0)), image.Reshape(1, 9, 1)), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
            Expect.Numbers(Answer(new UpSampling1D(2), Tensor.Of<float>([1, 2], [1, 2, 1])), 1, 1, 2, 2);
            Expect.Numbers(Answer(new LocalResponseNormalization(bias: 1, alpha: 1, beta: 1), Tensor.Of<float>([1, 2], [1, 1, 1, 2])), 1.0f / 6, 2.0f / 6);
        }
        );
        yield return ("channels first is channels last with the axes exchanged", () =>
        {
            var x = LayerChecks.Numbers(2, [5, 6, 3]);
            foreach (var (first, last) in new (Layer, Layer)[]
            {
                (new Conv2D(4, 3, padding: "same", dataFormat: "channels_first"), new Conv2D(4, 3, padding: "same")),
                (new MaxPooling2D(dataFormat: "channels_first"), new MaxPooling2D()),
                (new ZeroPadding2D((1, 2), "channels_first"), new ZeroPadding2D((1, 2))),
            })
            {
                var expected = new Sequential([last], seed: 2).Predict(x);
                var actual = new Sequential([first], seed: 2).Predict(x.Permute(0, 3, 1, 2)).Permute(0, 2, 3, 1);
                Expect.Equal(Abs(actual - expected).Max().ToDouble(), 0.0);
            }
        }
        );
        yield return ("a network of images learns where the bright half is, and its summary is Keras'", () =>
        {
            var model = new Sequential(seed: 3);
            model.Add(new Conv2D(8, (3, 3), activation: "relu") { InputShape = [8, 8, 1] });
            model.Add(new BatchNormalization());
            model.Add(new MaxPooling2D((2, 2)));
            model.Add(new Dropout(0.25));
            model.Add(new Flatten());
            model.Add(new Dense(2, "softmax"));
            model.Compile(loss: "sparse_categorical_crossentropy", optimizer: new Adam(lr: 0.01), metrics: ["accuracy"]);
            var text = model.Summary(TextWriter.Null);
            foreach (var part in new[] { "conv2d_1 (Conv2D)", "(None, 6, 6, 8)", "batch_normalization_1 (BatchNormalization)", "max_pooling2d_1 (MaxPooling2D)", "Total params: 258", "Trainable params: 242", "Non-trainable params: 16" })
                Expect.True(text.Contains(part), $"the summary has no '{part}':\n{text}");
            var bright = Tensor.RandomUniform([64, 8, 8, 1], RandomKey.Create(1), DType.Float32);
            var side = (bright.Slice(.., 0..4).Mean([1, 2, 3]) > bright.Slice(.., 4..8).Mean([1, 2, 3])).Cast(DType.Int32);
            model.Fit(bright, side, epochs: 60, batchSize: 16, verbose: 0, seed: 1);
            var (_, accuracy) = model.Evaluate(bright, side);
            Expect.True(accuracy > 0.9, $"accuracy {accuracy}");
        }
        );
        yield return ("AlexNet, as examples/AlexNet builds it, has the published parameters", () =>
        {
            var model = Network.AlexNet(seed: 1);
            Expect.Equal(model.CountParams(), 60_965_224L);
            Expect.True(model.OutputShape is [1000], $"classes: {string.Join("×", model.OutputShape)}");
        }
        );
        yield return ("mistakes are answered with what would do", () =>
        {
            void Refuse(Layer layer, int[] input, params string[] parts) => Expect.Throws<ArgumentException>(() => new Sequential([layer]).Build(input), ["layer 0", .. parts]);

            Refuse(new Conv2D(4, 5), [4, 8, 1], "conv", "larger than the image");
            Refuse(new Conv2D(4, 3, groups: 2), [8, 8, 3], "conv", "3 channels", "2 groups");
            Refuse(new Conv2D(4, 3), [8, 8], "conv", "8×8");
            Refuse(new Conv1D(4, 3), [8, 8, 1], "conv", "8×8×1");
            Refuse(new MaxPooling2D(9), [4, 4, 1], "max pool", "larger");
            Refuse(new GlobalMaxPooling2D(), [4, 4], "GlobalMaxPooling2D", "(4, 4)", "[height, width, channels]");
            Refuse(new Cropping2D(2), [4, 4, 1], "cropping", "leaves nothing");
            Refuse(new GroupNormalization(groups: 3), [4, 4, 8], "8 channels", "3 groups");
            Refuse(new BatchNormalization(axis: 4), [4, 4], "axis");
            Refuse(new SpatialDropout2D(0.5), [4], "SpatialDropout2D");
            Expect.Throws<ArgumentException>(() => new Conv2D(0, 3), "Conv2D", "0 filters");
            Expect.Throws<ArgumentException>(() => new Conv2D(3, 3, groups: 2), "Conv2D", "3 filters", "2 groups");
            Expect.Throws<ArgumentException>(() => new Conv2D(3, 0), "Conv2D", "kernelSize");
            Expect.Throws<ArgumentException>(() => new Conv2D(3, 3, strides: 0), "Conv2D", "strides");
            Expect.Throws<ArgumentException>(() => new Conv2D(3, new[] { 3, 3, 3 }), "Conv2D", "kernelSize", "3 numbers");
            Expect.Throws<ArgumentException>(() => new Conv2D(3, 3, padding: "sane"), "sane", "\"same\"", "\"valid\"");
            Expect.Throws<ArgumentException>(() => new Conv2D(3, 3, padding: "causal"), "causal", "Conv2D");
            Expect.Throws<ArgumentException>(() => new MaxPooling2D(padding: "causal"), "causal", "MaxPooling2D");
            Expect.Throws<ArgumentException>(() => new Conv2D(3, 3, dataFormat: "nchw"), "nchw", "\"channels_first\"");
            Expect.Throws<ArgumentException>(() => new ZeroPadding2D(-1), "ZeroPadding2D", "negative");
            Expect.Throws<ArgumentException>(() => new SeparableConv2D(3, 3, depthMultiplier: 0), "SeparableConv2D", "multiplier");
        }
        );
    }

    private static (Layer Layer, int[] Input, int[] Output, int Weights)[] Table() =>
    [
        (new Conv1D(4, 3, padding: "causal", dilationRate: 2), [9, 2], [9, 4], 28),
        (new Conv1D(4, 3, strides: 2, dataFormat: "channels_first"), [2, 9], [4, 4], 28),
        (new Conv2D(6, (3, 2), strides: (2, 1), groups: 2, activation: "relu", useBias: false), [9, 8, 4], [4, 7, 6], 72),
        (new Conv2D(6, 3, padding: "same", kernelRegularizer: "l1_l2", biasRegularizer: "l2", kernelConstraint: Constraint.UnitNorm(0, 1, 2), biasConstraint: "non_neg"), [9, 8, 4], [9, 8, 6], 222),
        (new Conv1DTranspose(3, 4, strides: 2, padding: PaddingMode.Same), [5, 2], [10, 3], 27),
        (new Conv2DTranspose(3, 4, strides: (2, 3)), [5, 4, 2], [12, 13, 3], 99),
        (new DepthwiseConv2D(3, depthMultiplier: 2, depthwiseConstraint: Constraint.MaxNorm(2, 0, 1)), [7, 6, 3], [5, 4, 6], 60),
        (new SeparableConv2D(5, 3, depthMultiplier: 2, pointwiseInitializer: "he_normal", pointwiseRegularizer: "l2", pointwiseConstraint: "max_norm", depthwiseConstraint: "unit_norm"), [7, 6, 3], [5, 4, 5], 89),
        (new MaxPooling1D(3, strides: 2, padding: "same"), [9, 2], [5, 2], 0),
        (new MaxPooling2D((2, 3)), [9, 8, 2], [4, 2, 2], 0),
        (new AveragePooling1D(), [9, 2], [4, 2], 0),
        (new AveragePooling2D(3, 1, "same", "channels_first"), [2, 9, 8], [2, 9, 8], 0),
        (new GlobalMaxPooling1D("channels_first"), [2, 9], [2], 0),
        (new GlobalMaxPooling2D(), [9, 8, 2], [2], 0),
        (new GlobalAveragePooling1D(), [9, 2], [2], 0),
        (new GlobalAveragePooling2D("channels_first"), [2, 9, 8], [2], 0),
        (new ZeroPadding1D((2, 0)), [9, 2], [11, 2], 0),
        (new ZeroPadding2D(((1, 0), (2, 3)), "channels_first"), [2, 9, 8], [2, 10, 13], 0),
        (new Cropping1D(), [9, 2], [7, 2], 0),
        (new Cropping2D((1, 2)), [9, 8, 2], [7, 4, 2], 0),
        (new UpSampling1D(3), [4, 2], [12, 2], 0),
        (new UpSampling2D((2, 1)), [4, 3, 2], [8, 3, 2], 0),
        (new UpSampling2D(3, "channels_first", "bilinear"), [2, 4, 3], [2, 12, 9], 0),
        (new BatchNormalization(axis: 1, momentum: 0.9, epsilon: 0.01, scale: false), [3, 4, 5], [3, 4, 5], 9),
        (new BatchNormalization(betaInitializer: "ones", gammaInitializer: "random_normal", movingMeanInitializer: "ones", movingVarianceInitializer: Initializer.Uniform(0.5, 2), betaRegularizer: "l1", gammaConstraint: "non_neg"), [4, 5], [4, 5], 20),
        (new LayerNormalization(), [4, 5], [4, 5], 10),
        (new LayerNormalization(gammaInitializer: "random_normal", gammaRegularizer: "l2", betaConstraint: Constraint.MaxNorm(1)), [4, 5], [4, 5], 10),
        (new GroupNormalization(groups: 2), [4, 5, 6], [4, 5, 6], 12),
        (new GroupNormalization(-1, axis: 1, gammaInitializer: "random_normal", betaInitializer: "ones", gammaConstraint: Constraint.MinMaxNorm(0.5, 2, 0.1, 0)), [6, 4, 5], [6, 4, 5], 12),
        (new LocalResponseNormalization(size: 3), [4, 5, 6], [4, 5, 6], 0),
        (new GaussianDropout(0.3), [4], [4], 0),
        (new SpatialDropout1D(0.3), [4, 2], [4, 2], 0),
        (new SpatialDropout2D(0.3, "channels_first"), [2, 4, 3], [2, 4, 3], 0),
    ];

    private static Tensor Answer(Layer layer, Tensor x) => new Sequential([layer], seed: 1).Predict(x);
}
