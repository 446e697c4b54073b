// A clean font that the machine has, and another where that one lacks a character.
using System.Collections.Concurrent;
using SkiaSharp;

namespace Functional.Plots;

/// <summary>The font of all pictures.</summary>
public static class Fonts
{
    private static readonly string[] Wanted =
        ["Inter", "Segoe UI", "Helvetica Neue", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial"];

    /// <summary>For a character that the font lacks, the family that has it, or null; looking through all takes a moment.</summary>
    private static readonly ConcurrentDictionary<string, string?> Others = new();

    /// <summary>The first of the wanted fonts that there is; else the system's default.</summary>
    public static string Family { get; } =
        Wanted.FirstOrDefault(SKFontManager.Default.FontFamilies.ToHashSet().Contains) ?? SKTypeface.Default.FamilyName;

    /// <summary>The font in a style.</summary>
    public static SKTypeface Typeface(SKFontStyle style) => SKTypeface.FromFamilyName(Family, style);

    /// <summary>The font for a text: where the usual one lacks a character, another that the machine has, if there is one.</summary>
    public static SKTypeface TypefaceFor(SKFontStyle style, string text)
    {
        var own = Typeface(style);
        var missing = text.EnumerateRunes().Select(rune => rune.ToString()).FirstOrDefault(character => !own.ContainsGlyphs(character));
        var other = missing is null ? null : Others.GetOrAdd(missing, FamilyWith);
        return other is null ? own : SKTypeface.FromFamilyName(other, style);
    }

    /// <summary>Whether there is a font here for all of a text's characters.</summary>
    public static bool CanDraw(string text)
    {
        using var typeface = TypefaceFor(SKFontStyle.Normal, text);
        return typeface.ContainsGlyphs(text);
    }

    private static string? FamilyWith(string character) => SKFontManager.Default.FontFamilies.FirstOrDefault(family =>
    {
        using var typeface = SKTypeface.FromFamilyName(family);
        return typeface.ContainsGlyphs(character);
    });
}
