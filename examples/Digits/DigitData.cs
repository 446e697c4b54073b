// The digits as the program uses them.
using Functional;
using Functional.CSharp;

namespace Digits;

/// <summary>Images (n × 784) and digits (n), to learn from and to be tested on, and where they came from.</summary>
internal sealed record DigitData(Tensor XTrain, Tensor YTrain, Tensor XTest, Tensor YTest, string Source)
{
    public static DigitData Of(DigitSet set, int? train)
    {
        var count = Math.Min(train ?? int.MaxValue, set.XTrain.Shape[0]);
        return new(set.XTrain.Slice(..count), set.YTrain.Slice(..count), set.XTest, set.YTest, set.Source);
    }
}
