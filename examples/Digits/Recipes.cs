// The network, and two ways to teach it.
using Functional.CSharp;

namespace Digits;

internal static class Recipes
{
    /// <summary>Three layers of 500, 500 and 10 neurons. The talk's neurons are sigmoids; relu learns faster.</summary>
    public static Sequential Model(Options options)
    {
        var hidden = options.Recipe == Recipe.Talk ? "sigmoid" : "relu";

        var model = new Sequential("digits", seed: options.Seed);
        model.Add(new Dense(inputDim: 28 * 28, outputDim: 500));
        model.Add(new Activation(hidden));
        model.Add(new Dense(outputDim: 500));
        model.Add(new Activation(hidden));
        model.Add(new Dense(outputDim: 10));
        model.Add(new Activation("softmax"));
        return model;
    }

    public static History Fit(Sequential model, DigitData digits, Options options) =>
        options.Recipe == Recipe.Talk ? Talk(model, digits, options) : Best(model, digits, options);

    /// <summary>Exactly the slide: mean squared error, plain gradient descent with rate 0.1, batches of 100, 20 epochs.</summary>
    private static History Talk(Sequential model, DigitData digits, Options options)
    {
        var (x, y) = (digits.XTrain, digits.YTrain.OneHot(10));

        model.Compile(loss: "mse", optimizer: new SGD(lr: options.Rate ?? 0.1), metrics: ["accuracy"]);
        return model.Fit(
            x,
            y,
            batchSize: options.Batch ?? 100,
            epochs: options.Epochs ?? 20,
            validationData: (digits.XTest, digits.YTest.OneHot(10)),
            seed: options.Seed);
    }

    /// <summary>The same network, taught better: cross-entropy, Adam with a rate that rises and falls once, and in every
    /// epoch each digit is seen shifted, turned and stretched a little, so that none can be learnt by heart.</summary>
    private static History Best(Sequential model, DigitData digits, Options options)
    {
        var (batch, epochs) = (options.Batch ?? 128, options.Epochs ?? 20);
        var augmentation = new Augmentation(digits.XTrain, digits.YTrain, batch);
        var rate = LearningRate.OneCycle(options.Rate ?? 0.002, Math.Max(2, epochs * augmentation.Batches));

        model.Compile(loss: "categorical_crossentropy", optimizer: new AdamW(rate, weightDecay: 0.01), metrics: ["accuracy"]);
        return model.Fit(
            augmentation.Epoch,
            epochs: epochs,
            stepsPerEpoch: augmentation.Batches,
            validationData: (digits.XTest, digits.YTest.OneHot(10)),
            seed: options.Seed);
    }
}
