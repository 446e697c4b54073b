// The colours of lines, and those that numbers turn into.
using ScottPlot;
using SkiaSharp;

namespace Functional.Plots;

/// <summary>Colours for lines and bars that stay apart for the colour-blind too (Okabe and Ito, 2008).</summary>
public static class Palette
{
    /// <summary>The first colour.</summary>
    public static Color Blue { get; } = Color.FromHex("#0072B2");

    /// <summary>The second colour.</summary>
    public static Color Orange { get; } = Color.FromHex("#D55E00");

    /// <summary>The third colour.</summary>
    public static Color Green { get; } = Color.FromHex("#009E73");

    /// <summary>The fourth colour.</summary>
    public static Color Yellow { get; } = Color.FromHex("#E69F00");

    /// <summary>The fifth colour.</summary>
    public static Color Purple { get; } = Color.FromHex("#CC79A7");

    /// <summary>For what others are compared with.</summary>
    public static Color Grey { get; } = Color.FromHex("#8A8F98");

    /// <summary>For words and axes.</summary>
    public static Color Ink { get; } = Color.FromHex("#22262B");

    internal static Color Faint { get; } = Color.FromHex("#E6E8EB");

    private static readonly Color[] Cycle = [Blue, Orange, Green, Yellow, Purple, Grey];

    /// <summary>The colour of the line with this number, from 0; they come again after six.</summary>
    public static Color Of(int number) => Cycle[number % Cycle.Length];
}

/// <summary>Colours of a <see cref="Sheet"/>, and what numbers turn into.</summary>
public static class Shade
{
    /// <summary>For words.</summary>
    public static SKColor Ink { get; } = SKColor.Parse("#22262B");

    /// <summary>For words that matter less.</summary>
    public static SKColor Quiet { get; } = SKColor.Parse("#6F7780");

    /// <summary>For lines between squares.</summary>
    public static SKColor Line { get; } = SKColor.Parse("#D5D9DE");

    /// <summary>The ground.</summary>
    public static SKColor Paper { get; } = SKColors.White;

    /// <summary><see cref="Palette.Blue"/>.</summary>
    public static SKColor Blue { get; } = SKColor.Parse("#0072B2");

    /// <summary><see cref="Palette.Orange"/>.</summary>
    public static SKColor Orange { get; } = SKColor.Parse("#D55E00");

    /// <summary><see cref="Palette.Green"/>.</summary>
    public static SKColor Green { get; } = SKColor.Parse("#009E73");

    /// <summary>From white at 0 to dark at 1.</summary>
    public static SKColor Dark(double t) => Mix(Paper, Ink, t);

    /// <summary>From white at 0 to blue at 1.</summary>
    public static SKColor Blues(double t) => Mix(Paper, Blue, t);

    /// <summary>From blue at −1 over white at 0 to orange at 1.</summary>
    public static SKColor Signed(double t) => t < 0 ? Mix(Paper, Blue, -t) : Mix(Paper, Orange, t);

    private static SKColor Mix(SKColor a, SKColor b, double t)
    {
        byte Part(byte a, byte b) => (byte)Math.Round(a + (b - a) * Math.Clamp(t, 0, 1));
        return new(Part(a.Red, b.Red), Part(a.Green, b.Green), Part(a.Blue, b.Blue));
    }
}
