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

/// For a character that the font lacks, the family that has it, or null; looking through all of them takes a moment.
let private families = System.Collections.Generic.Dictionary<string, string>()

let private familyWith (style: SKFontStyle) (character: string) : string =
    match families.TryGetValue character with
    | true, known -> known
    | false, _ ->
        let has (family: string) =
            use typeface = SKTypeface.FromFamilyName(family, style)
            typeface.ContainsGlyphs character

        let found = SKFontManager.Default.FontFamilies |> Seq.tryFind has |> Option.toObj
        families[character] <- found
        found

/// The font for a text: where the usual one lacks a character, another that the machine has, if there is one.
let typefaceFor (style: SKFontStyle) (text: string) : SKTypeface =
    let own = typeface style

    text.EnumerateRunes()
    |> Seq.map string
    |> Seq.tryFind (fun character -> not (own.ContainsGlyphs character))
    |> Option.map (familyWith style)
    |> Option.toObj
    |> function
        | null -> own
        | other -> SKTypeface.FromFamilyName(other, style)

/// Whether there is a font here for all of a text's characters.
let canDraw (text: string) : bool =
    use typeface = typefaceFor SKFontStyle.Normal text
    typeface.ContainsGlyphs text
