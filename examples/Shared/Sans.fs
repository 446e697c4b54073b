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
