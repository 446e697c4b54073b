// Layers that do something only while the network learns.
namespace Functional.CSharp;

/// <summary>While learning, sets a fraction of the inputs to 0 and scales up the rest; otherwise passes its input on.</summary>
/// <param name="rate">The fraction dropped, in [0, 1).</param>
/// <example><code>model.Add(new Dropout(0.5));</code></example>
public sealed class Dropout(double rate) : Layer
{
    internal override Layer<object> Create() => Erase(Functional.Layers.dropout(rate));

    internal override LayerConfig Config() => new LayerConfig(nameof(Dropout)).Set("rate", rate);
}

/// <summary>While learning, adds normal noise; otherwise passes its input on.</summary>
/// <param name="stddev">The noise's standard deviation.</param>
/// <example><code>model.Add(new GaussianNoise(0.1));</code></example>
public sealed class GaussianNoise(double stddev) : Layer
{
    internal override Layer<object> Create() => Erase(Functional.Layers.gaussianNoise(stddev));

    internal override LayerConfig Config() => new LayerConfig(nameof(GaussianNoise)).Set("stddev", stddev);
}
