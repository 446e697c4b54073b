// The network, and what its stages give.
internal static class Network
{
    /// <summary>The 2012 network. Two graphics cards shared it: in the second, fourth and fifth convolution each half of the
    /// channels sees its own half only, which is what two groups are.</summary>
    public static Sequential AlexNet(long seed)
    {
        var model = new Sequential("alexnet", seed);
        model.Add(new Conv2D(96, 11, strides: 4, activation: "relu", kernelInitializer: "he_normal") { InputShape = [227, 227, 3] });
        model.Add(new LocalResponseNormalization(size: 5, bias: 2, alpha: 1e-4, beta: 0.75));
        model.Add(new MaxPooling2D(3, strides: 2));
        model.Add(new Conv2D(256, 5, padding: "same", groups: 2, activation: "relu", kernelInitializer: "he_normal"));
        model.Add(new LocalResponseNormalization(size: 5, bias: 2, alpha: 1e-4, beta: 0.75));
        model.Add(new MaxPooling2D(3, strides: 2));
        model.Add(new Conv2D(384, 3, padding: "same", activation: "relu", kernelInitializer: "he_normal"));
        model.Add(new Conv2D(384, 3, padding: "same", groups: 2, activation: "relu", kernelInitializer: "he_normal"));
        model.Add(new Conv2D(256, 3, padding: "same", groups: 2, activation: "relu", kernelInitializer: "he_normal"));
        model.Add(new MaxPooling2D(3, strides: 2));
        model.Add(new Flatten());
        model.Add(new Dense(4096, activation: "relu", kernelInitializer: "he_normal"));
        model.Add(new Dropout(0.5));
        model.Add(new Dense(4096, activation: "relu", kernelInitializer: "he_normal"));
        model.Add(new Dropout(0.5));
        model.Add(new Dense(1000, activation: "softmax"));
        return model;
    }

    /// <summary>Layer by layer, what becomes of one image.</summary>
    public static IReadOnlyList<Stage> Stages(Sequential model, Tensor image)
    {
        var stages = new List<Stage>();
        var weights = 0;
        foreach (var layer in model.Layers)
        {
            // a model of this one layer, with the weights it has in the whole
            var part = new Sequential([layer]);
            part.Build(image.Shape[1..]);
            part.Weights = [.. model.Weights.Skip(weights).Take(part.Weights.Count)];
            weights += part.Weights.Count;
            image = part.Predict(image);
            stages.Add(new Stage(layer, image, part.CountParams()));
        }
        return stages;
    }
}

/// <summary>A layer, what it makes of an image, and the number of its parameters.</summary>
internal sealed record Stage(Layer Layer, Tensor Output, long Parameters)
{
    /// <summary>Numbers that it gives for one image.</summary>
    public int Outputs => Output.Size;
}
