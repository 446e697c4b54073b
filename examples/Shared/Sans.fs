/// A clean font that the machine has.
module Examples.Sans

open SkiaSharp

/// The first of the wanted fonts that there is; else the system's default.
let family: string =
    let known = set SKFontManager.Default.FontFamilies

    [ "Inter"; "Segoe UI"; "Helvetica Neue"; "Noto Sans"; "DejaVu Sans"; "Liberation Sans"; "Arial" ]
    |> List.tryFind known.Contains
    |> Option.defaultWith (fun () -> SKTypeface.Default.FamilyName)

/// The font in a style.
let typeface (style: SKFontStyle) : SKTypeface = SKTypeface.FromFamilyName(family, style)

/// The font, or where it lacks a character of the text one that the machine has instead; null if there is none.
let private fallback (style: SKFontStyle) (text: string) : SKTypeface =
    let own = typeface style

    if own.ContainsGlyphs text then
        own
    else
        text.EnumerateRunes()
        |> Seq.tryFind (fun rune -> not (own.ContainsGlyphs(string rune)))
        |> Option.map (fun rune -> SKFontManager.Default.MatchCharacter(family, style, null, rune.Value))
        |> Option.toObj

/// The font for a text: with other characters than usual it may be another one.
let typefaceFor (style: SKFontStyle) (text: string) : SKTypeface =
    match fallback style text with
    | null -> typeface style
    | found -> found

/// Whether there is a font here for all of a text's characters.
let canDraw (text: string) : bool =
    match fallback SKFontStyle.Normal text with
    | null -> false
    | found -> found.ContainsGlyphs text
