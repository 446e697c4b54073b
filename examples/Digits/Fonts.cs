// A clean font that the machine has.
using SkiaSharp;

namespace Digits;

internal static class Fonts
{
    private static readonly string[] Wanted = ["Inter", "Segoe UI", "Helvetica Neue", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial"];

    /// <summary>The first of the wanted fonts that there is; else the system's default.</summary>
    public static string Sans { get; } =
        Wanted.FirstOrDefault(name => SKFontManager.Default.FontFamilies.Contains(name)) ?? SKTypeface.Default.FamilyName;

    public static SKTypeface Typeface(SKFontStyle style) => SKTypeface.FromFamilyName(Sans, style) ?? SKTypeface.Default;
}
