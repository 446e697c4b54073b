// Functions of x, typed.
using System.Globalization;
using Playground.Server;
using static Functional.CSharp.TensorMath;

namespace Playground.Functions;

internal sealed class Formula
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> Functions = new()
    {
        ["sin"] = Sin,
        ["cos"] = Cos,
        ["tan"] = Tan,
        ["exp"] = Exp,
        ["log"] = Log,
        ["sqrt"] = Sqrt,
        ["abs"] = Abs,
        ["tanh"] = Tanh,
        ["sign"] = Sign
    };

    private readonly string text;
    private int place;

    private Formula(string text) => this.text = text;

    public static Func<Tensor, Tensor> Read(string text)
    {
        var formula = new Formula(text);
        var read = formula.Sum();
        if (formula.Peek() != '\0') throw formula.Wrong();
        return read;
    }

    private Func<Tensor, Tensor> Sum()
    {
        var left = Product();
        while (Peek() is '+' or '-')
        {
            var (a, minus) = (left, text[place++] == '-');
            var b = Product();
            left = x => minus ? a(x) - b(x) : a(x) + b(x);
        }
        return left;
    }

    private Func<Tensor, Tensor> Product()
    {
        var left = Power();
        while (Peek() is '*' or '/')
        {
            var (a, over) = (left, text[place++] == '/');
            var b = Power();
            left = x => over ? a(x) / b(x) : a(x) * b(x);
        }
        return left;
    }

    private Func<Tensor, Tensor> Power()
    {
        if (Peek() == '-')
        {
            place++;
            var negated = Power();
            return x => -negated(x);
        }
        var a = Atom();
        if (Peek() != '^') return a;
        place++;
        var b = Power();
        return x => Pow(a(x), b(x));
    }

    private Func<Tensor, Tensor> Atom()
    {
        var start = Peek() == '\0' ? throw Wrong() : place;
        if (char.IsLetter(text[place]))
        {
            while (place < text.Length && char.IsLetterOrDigit(text[place])) place++;
            var name = text[start..place];
            if (name == "x") return x => x;
            if (name == "pi") return x => Tensor.Full(x.Shape, Math.PI);
            if (!Functions.TryGetValue(name, out var function))
            {
                place = start;
                throw Wrong();
            }
            var inner = Atom();
            return x => function(inner(x));
        }
        if (text[place] == '(')
        {
            place++;
            var inner = Sum();
            if (Peek() != ')') throw Wrong();
            place++;
            return inner;
        }
        while (place < text.Length && (char.IsAsciiDigit(text[place]) || text[place] == '.')) place++;
        if (!double.TryParse(text.AsSpan(start, place - start), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) throw Wrong();
        return x => Tensor.Full(x.Shape, number);
    }

    private char Peek()
    {
        while (place < text.Length && char.IsWhiteSpace(text[place])) place++;
        return place < text.Length ? text[place] : '\0';
    }

    private Refusal Wrong() => new("formula", new { place });
}
