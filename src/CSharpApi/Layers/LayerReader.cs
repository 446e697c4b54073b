// Layers made again from the description of a saved model.
using System.Text.Json.Nodes;

namespace Functional.CSharp;

internal static class LayerReader
{
    private static readonly Dictionary<string, Func<LayerConfig, Layer>> Makers = new()
    {
        [nameof(InputLayer)] = c => new InputLayer(Dimensions.Seen(c.Ints("input_shape"))),
        [nameof(Dense)] = Dense.Read,
        [nameof(Activation)] = c => new Activation(c.Text("activation")),
        [nameof(LeakyReLU)] = c => new LeakyReLU(c.Double("alpha")),
        [nameof(PReLU)] = _ => new PReLU(),
        [nameof(ReLU)] = ReLU.Read,
        [nameof(Softmax)] = c => new Softmax(c.Int("axis")),
        [nameof(Rescaling)] = c => new Rescaling(c.Double("scale"), c.Double("offset")),
        [nameof(UnitNormalization)] = c => new UnitNormalization(c.Int("axis")),
        [nameof(Identity)] = _ => new Identity(),
        [nameof(ELU)] = c => new ELU(c.Double("alpha")),
        [nameof(Flatten)] = _ => new Flatten(),
        [nameof(Reshape)] = c => new Reshape(c.Ints("target_shape")),
        [nameof(Permute)] = c => new Permute(c.Ints("dims")),
        [nameof(RepeatVector)] = c => new RepeatVector(c.Int("n")),
        [nameof(Dropout)] = Dropout.Read,
        [nameof(GaussianNoise)] = c => new GaussianNoise(c.Double("stddev")),
        [nameof(GaussianDropout)] = c => new GaussianDropout(c.Double("rate")),
        [nameof(SpatialDropout1D)] = c => new SpatialDropout1D(c.Double("rate")),
        [nameof(SpatialDropout2D)] = c => new SpatialDropout2D(c.Double("rate"), Format(c)),
        [nameof(Conv1D)] = c => new Conv1D(ConvArguments.Read(c)),
        [nameof(Conv2D)] = c => new Conv2D(ConvArguments.Read(c)),
        [nameof(Conv1DTranspose)] = c => new Conv1DTranspose(ConvArguments.Read(c)),
        [nameof(Conv2DTranspose)] = c => new Conv2DTranspose(ConvArguments.Read(c)),
        [nameof(DepthwiseConv2D)] = c => new DepthwiseConv2D(ConvArguments.Read(c)),
        [nameof(SeparableConv2D)] = c => new SeparableConv2D(c),
        [nameof(MaxPooling1D)] = c => new MaxPooling1D(c),
        [nameof(MaxPooling2D)] = c => new MaxPooling2D(c),
        [nameof(AveragePooling1D)] = c => new AveragePooling1D(c),
        [nameof(AveragePooling2D)] = c => new AveragePooling2D(c),
        [nameof(GlobalMaxPooling1D)] = c => new GlobalMaxPooling1D(Format(c)),
        [nameof(GlobalMaxPooling2D)] = c => new GlobalMaxPooling2D(Format(c)),
        [nameof(GlobalAveragePooling1D)] = c => new GlobalAveragePooling1D(Format(c)),
        [nameof(GlobalAveragePooling2D)] = c => new GlobalAveragePooling2D(Format(c)),
        [nameof(ZeroPadding1D)] = c => new ZeroPadding1D(Margins.OfNumbers(c.Ints("padding", 2)), Format(c)),
        [nameof(ZeroPadding2D)] = c => new ZeroPadding2D(Margins.OfNumbers(c.Ints("padding", 4)), Format(c)),
        [nameof(Cropping1D)] = c => new Cropping1D(Margins.OfNumbers(c.Ints("cropping", 2)), Format(c)),
        [nameof(Cropping2D)] = c => new Cropping2D(Margins.OfNumbers(c.Ints("cropping", 4)), Format(c)),
        [nameof(UpSampling1D)] = c => new UpSampling1D(c.Ints("size", 1)[0]),
        [nameof(UpSampling2D)] = c => new UpSampling2D(c.Ints("size"), Format(c), c.Choice<Interpolation>("interpolation")),
        [nameof(BatchNormalization)] = c => new BatchNormalization(c),
        [nameof(LayerNormalization)] = c => new LayerNormalization(c),
        [nameof(GroupNormalization)] = c => new GroupNormalization(c),
        [nameof(LocalResponseNormalization)] = LocalResponseNormalization.Read,
        [nameof(SimpleRNN)] = c => new SimpleRNN(RecurrentArguments.Read(c)),
        [nameof(LSTM)] = c => new LSTM(c),
        [nameof(GRU)] = c => new GRU(c),
        [nameof(Bidirectional)] = Bidirectional.Read,
        [nameof(TimeDistributed)] = TimeDistributed.Read,
        [nameof(Embedding)] = Embedding.Read,
        [nameof(Masking)] = c => new Masking(c.Double("mask_value")),
        [nameof(WithMask)] = _ => new WithMask(),
        [nameof(Attention)] = Attention.Read,
        [nameof(AdditiveAttention)] = AdditiveAttention.Read,
        [nameof(MultiHeadAttention)] = MultiHeadAttention.Read,
        [nameof(Add)] = _ => new Add(),
        [nameof(Multiply)] = _ => new Multiply(),
        [nameof(Average)] = _ => new Average(),
        [nameof(Maximum)] = _ => new Maximum(),
        [nameof(Minimum)] = _ => new Minimum(),
        [nameof(Subtract)] = _ => new Subtract(),
        [nameof(Concatenate)] = c => new Concatenate(c.Int("axis")),
        [nameof(Dot)] = Dot.Read,
    };

    public static Layer Read(JsonNode? node)
    {
        var config = LayerConfig.Parse(node);
        return Makers.TryGetValue(config.Kind, out var make)
            ? make(config).With(config)
            : throw new InvalidDataException(
                $"load: the model has a layer of class \"{config.Kind}\", which this version does not know; it knows {string.Join(", ", Makers.Keys)}");
    }

    private static Named<DataFormat> Format(LayerConfig config) => config.Choice<DataFormat>("data_format");
}
