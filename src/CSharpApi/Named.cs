// A choice that Keras writes as a string: an enum's case, by itself or by its name.
namespace Functional.CSharp;

/// <summary>A case of an enum; the enum and Keras' string convert to it. Left out, it is the enum's first case, which is
/// Keras' default.</summary>
/// <typeparam name="TChoice">The enum.</typeparam>
/// <example><code>
/// new Conv2D(32, 3, padding: "same");
/// new Conv2D(32, 3, padding: PaddingMode.Same);
/// </code></example>
public readonly struct Named<TChoice>
    where TChoice : struct, Enum
{
    private Named(TChoice value) => Value = value;

    /// <summary>The case.</summary>
    public TChoice Value { get; }

    /// <summary>A case of the enum.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number that is no case.</exception>
    public static implicit operator Named<TChoice>(TChoice value)
    {
        _ = Names.Snake(value);
        return new(value);
    }

    /// <summary>The case of a name: <c>"same"</c>, <c>"channels_first"</c>.</summary>
    /// <exception cref="ArgumentException">The name is not known; the message lists those that are.</exception>
    public static implicit operator Named<TChoice>(string name) =>
        new(Names.Find(typeof(TChoice).Name, name, [.. Enum.GetValues<TChoice>().Select(value => (Names.Snake(value), value))]));

    /// <summary>The case as Keras writes it.</summary>
    public override string ToString() => Names.Snake(Value);
}

/// <summary>What a window does at the border.</summary>
public enum PaddingMode
{
    /// <summary>It stays inside: the result is smaller by what reaches beyond.</summary>
    Valid,

    /// <summary>Zeros around the image keep its size (with stride 1).</summary>
    Same,

    /// <summary>Zeros before a sequence alone, so that no step sees a later one; for one axis.</summary>
    Causal,
}

/// <summary>Where the channels of an image lie.</summary>
public enum DataFormat
{
    /// <summary>[height, width, channels]: the library's own order, and the fast one.</summary>
    ChannelsLast,

    /// <summary>[channels, height, width]: the axes are exchanged before the layer and after it.</summary>
    ChannelsFirst,
}
