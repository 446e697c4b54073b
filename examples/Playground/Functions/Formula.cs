// Functions as people type them: "sin(3*x) + abs(x)", "x < 0 ? -x : x^2". A formula is read once, by recursive descent, into a
// function of tensors; what cannot be read is refused with its place.
using System.Globalization;
using Playground.Server;
using static Functional.CSharp.TensorMath;

namespace Playground.Functions;

/// <summary>A formula's value from the values of its variables.</summary>
internal sealed class Formula
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> Functions = new()
    {
        ["sin"] = Sin,
        ["cos"] = Cos,
        ["tan"] = Tan,
        ["asin"] = Asin,
        ["acos"] = Acos,
        ["atan"] = Atan,
        ["sinh"] = Sinh,
        ["cosh"] = Cosh,
        ["tanh"] = Tanh,
        ["exp"] = Exp,
        ["log"] = Log,
        ["ln"] = Log,
        ["sqrt"] = Sqrt,
        ["abs"] = Abs,
        ["sign"] = Sign,
        ["floor"] = Floor,
        ["ceil"] = Ceiling,
        ["erf"] = Erf,
        ["relu"] = Relu,
        ["sigmoid"] = Sigmoid,
    };

    private static readonly Dictionary<string, double> Constants = new() { ["pi"] = Math.PI, ["e"] = Math.E };

    private readonly string text;
    private readonly string[] variables;
    private int place;

    private Formula(string text, string[] variables) => (this.text, this.variables) = (text, variables);

    /// <summary>Reads a formula.</summary>
    /// <param name="text">What was typed.</param>
    /// <param name="variables">The names that stand for tensors, in the order in which these are given.</param>
    /// <exception cref="Refusal">It cannot be read; the refusal says where.</exception>
    public static Func<Tensor[], Tensor> Read(string text, params string[] variables)
    {
        var formula = new Formula(text, variables);
        var read = formula.Choice();
        return formula.Peek() == '\0' ? read : throw formula.Wrong();
    }

    /// <summary>condition ? this : that.</summary>
    private Func<Tensor[], Tensor> Choice()
    {
        var first = Comparison();
        if (!Takes("?")) return first;
        var whenTrue = Choice();
        if (!Takes(":")) throw Wrong();
        var whenFalse = Choice();
        return x => Where(first(x).Cast(DType.Bool), whenTrue(x), whenFalse(x));
    }

    private Func<Tensor[], Tensor> Comparison()
    {
        var left = Sum();
        if (Takes("<")) return Compare(left, Sum(), (a, b) => a < b);
        if (Takes(">")) return Compare(left, Sum(), (a, b) => a > b);
        return left;
    }

    /// <summary>1 where it holds, else 0.</summary>
    private static Func<Tensor[], Tensor> Compare(Func<Tensor[], Tensor> a, Func<Tensor[], Tensor> b, Func<Tensor, Tensor, Tensor> holds) =>
        x => holds(a(x), b(x)).Cast(DType.Float64);

    private Func<Tensor[], Tensor> Sum()
    {
        var sum = Product();
        while (true)
        {
            var left = sum;
            if (Takes("+"))
            {
                var right = Product();
                sum = x => left(x) + right(x);
            }
            else if (Takes("-"))
            {
                var right = Product();
                sum = x => left(x) - right(x);
            }
            else return sum;
        }
    }

    private Func<Tensor[], Tensor> Product()
    {
        var product = Signed();
        while (true)
        {
            var left = product;
            if (Takes("*"))
            {
                var right = Signed();
                product = x => left(x) * right(x);
            }
            else if (Takes("/"))
            {
                var right = Signed();
                product = x => left(x) / right(x);
            }
            else return product;
        }
    }

    private Func<Tensor[], Tensor> Signed()
    {
        if (!Takes("-")) return Power();
        var inner = Signed();
        return x => -inner(x);
    }

    /// <summary>Powers of whole numbers are products, which negative numbers have as well.</summary>
    private Func<Tensor[], Tensor> Power()
    {
        var raised = Atom();
        if (!Takes("**") && !Takes("^")) return raised;
        var start = place;
        var exponent = Signed();
        return double.TryParse(text.AsSpan(start, place - start), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? x => Pow(raised(x), number)
            : x => Pow(raised(x), exponent(x));
    }

    private Func<Tensor[], Tensor> Atom()
    {
        var start = Peek() == '\0' ? throw Wrong() : place;
        if (Takes("("))
        {
            var inner = Choice();
            return Takes(")") ? inner : throw Wrong();
        }
        if (!char.IsAsciiLetter(text[place])) return Number();
        while (place < text.Length && char.IsAsciiLetterOrDigit(text[place])) place++;
        var name = text[start..place];
        if (Array.IndexOf(variables, name) is >= 0 and var variable) return x => x[variable];
        if (Constants.TryGetValue(name, out var constant)) return x => Tensor.Full(x[0].Shape, constant);
        if (!Functions.TryGetValue(name, out var function))
        {
            place = start;
            throw Wrong();
        }
        if (!Takes("(")) throw Wrong();
        var argument = Choice();
        return Takes(")") ? x => function(argument(x)) : throw Wrong();
    }

    private Func<Tensor[], Tensor> Number()
    {
        var start = place;
        while (place < text.Length && (char.IsAsciiDigit(text[place]) || text[place] == '.' || IsExponent())) place++;
        if (double.TryParse(text.AsSpan(start, place - start), NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return x => Tensor.Full(x[0].Shape, number);
        place = start;
        throw Wrong();

        // 1e-3: an e after a digit and before one or a sign, and the sign itself
        bool IsExponent() => place > start && place + 1 < text.Length
            && (text[place] is 'e' or 'E' && (char.IsAsciiDigit(text[place + 1]) || text[place + 1] is '-' or '+')
                || text[place] is '-' or '+' && text[place - 1] is 'e' or 'E' && char.IsAsciiDigit(text[place + 1]));
    }

    /// <summary>Passes over a sign, if it stands here.</summary>
    private bool Takes(string sign)
    {
        if (Peek() != sign[0] || string.CompareOrdinal(text, place, sign, 0, sign.Length) != 0) return false;
        if (sign == "*" && place + 1 < text.Length && text[place + 1] == '*') return false;
        place += sign.Length;
        return true;
    }

    private char Peek()
    {
        while (place < text.Length && char.IsWhiteSpace(text[place])) place++;
        return place < text.Length ? text[place] : '\0';
    }

    private Refusal Wrong() => new("formula", new { place });
}
