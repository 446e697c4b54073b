using System.Globalization;
using System.Numerics;

namespace Functional.Kernels;

/// <summary>
/// A finite number in decimal: d.ddd·10^<paramref name="Exponent"/>, whose <paramref name="Digits"/> are the fewest
/// that tell it from all other numbers of its type. No trailing zeros; zero is "0". NaN and infinities have none.
/// </summary>
internal readonly record struct DecimalNumber(double Value, string Digits, int Exponent)
{
    public static DecimalNumber Of(double value) => Parse(value, value.ToString("R", CultureInfo.InvariantCulture));

    public static DecimalNumber Of(float value) => Parse(value, value.ToString("R", CultureInfo.InvariantCulture));

    /// <summary>The number as Python writes a single float: all its digits, with an exponent when it is very large or small.</summary>
    public string Alone()
    {
        if (Digits != "0" && Exponent is < -4 or >= 16)
        {
            var (mantissa, power) = Scientific(int.MaxValue);
            return mantissa.TrimEnd('.') + "e" + Power(power, 2);
        }

        var text = Positional(int.MaxValue);
        return text.EndsWith('.') ? text + "0" : text;
    }

    /// <summary>Sign, whole part, point and at most <paramref name="precision"/> decimals, without trailing zeros.</summary>
    public string Positional(int precision)
    {
        var kept = precision == int.MaxValue ? this : Round(Exponent + 1 + precision);
        var (whole, decimals) = kept.Exponent >= 0
            ? (kept.Digits.PadRight(kept.Exponent + 1, '0')[..(kept.Exponent + 1)], kept.Digits.Length > kept.Exponent + 1 ? kept.Digits[(kept.Exponent + 1)..] : "")
            : ("0", new string('0', -kept.Exponent - 1) + kept.Digits);
        return $"{Sign}{whole}.{decimals}";
    }

    /// <summary>Sign, digit, point and at most <paramref name="precision"/> decimals, without trailing zeros; and the power of ten.</summary>
    public (string Mantissa, int Power) Scientific(int precision)
    {
        var kept = precision == int.MaxValue ? this : Round(1 + precision);
        return ($"{Sign}{kept.Digits[0]}.{kept.Digits[1..]}", kept.Exponent);
    }

    /// <summary>A power of ten with its sign and at least so many digits.</summary>
    public static string Power(int power, int digits) => (power < 0 ? "-" : "+") + Math.Abs(power).ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0');

    private string Sign => double.IsNegative(Value) ? "-" : "";

    private static DecimalNumber Parse(double value, string text)
    {
        if (!double.IsFinite(value)) return new DecimalNumber(value, "", 0);
        text = text.TrimStart('-');
        var exponent = 0;
        var e = text.IndexOf('E');
        if (e >= 0)
        {
            exponent = int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            text = text[..e];
        }

        var point = text.IndexOf('.');
        exponent += (point < 0 ? text.Length : point) - 1;
        var all = text.Replace(".", "");
        var digits = all.TrimStart('0');
        if (digits.Length == 0) return new DecimalNumber(value, "0", 0);
        return new DecimalNumber(value, digits.TrimEnd('0'), exponent - (all.Length - digits.Length));
    }

    /// <summary>The number with only so many digits, rounded to the nearest by its exact value, a tie to the even digit.</summary>
    private DecimalNumber Round(int count)
    {
        if (count >= Digits.Length) return this;
        if (count < 0) return this with { Digits = "0", Exponent = 0 };
        var up = Digits[count] > '5' || (Digits[count] == '5' && (Digits.Length > count + 1 || HalfGoesUp(count)));
        if (up)
        {
            var last = count - 1;
            while (last >= 0 && Digits[last] == '9') last--;
            if (last < 0) return this with { Digits = "1", Exponent = Exponent + 1 };
            return this with { Digits = Digits[..last] + (char)(Digits[last] + 1) };
        }

        var kept = Digits[..count].TrimEnd('0');
        return kept.Length == 0 ? this with { Digits = "0", Exponent = 0 } : this with { Digits = kept };
    }

    /// <summary>The shortest digits end in the 5 that is cut off: does the exact value lie above them, or on them beside an odd digit?</summary>
    private bool HalfGoesUp(int count)
    {
        // |Value| = fraction·2^binary against digits·10^power, both brought to integers.
        var bits = BitConverter.DoubleToInt64Bits(Math.Abs(Value));
        var (field, fraction) = ((int)(bits >> 52), new BigInteger(bits & 0xFFFFFFFFFFFFF));
        if (field > 0) fraction += BigInteger.One << 52;
        var binary = Math.Max(field, 1) - 1075;
        var digits = BigInteger.Parse(Digits, CultureInfo.InvariantCulture);
        var power = Exponent - (Digits.Length - 1);
        if (power >= 0) digits *= BigInteger.Pow(10, power);
        else fraction *= BigInteger.Pow(10, -power);
        if (binary >= 0) fraction <<= binary;
        else digits <<= -binary;
        var order = fraction.CompareTo(digits);
        return order > 0 || (order == 0 && count > 0 && (Digits[count - 1] - '0') % 2 == 1);
    }
}
