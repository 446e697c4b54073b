namespace Examples

// Pictures that are no charts: images, squares of numbers, boxes and words, at places in pixels, as one PNG.

open System.IO
open SkiaSharp

/// Colours for numbers and words.
[<RequireQualifiedAccess>]
module Shade =

    let ink, quiet, line, paper =
        SKColor.Parse "#22262B", SKColor.Parse "#6F7780", SKColor.Parse "#D5D9DE", SKColors.White

    /// The colours of `Picture`.
    let blue, orange, green = SKColor.Parse "#0072B2", SKColor.Parse "#D55E00", SKColor.Parse "#009E73"

    let private mix (a: SKColor) (b: SKColor) (t: float) =
        let part (a: byte) (b: byte) = byte (round (float a + (float b - float a) * System.Math.Clamp(t, 0.0, 1.0)))
        SKColor(part a.Red b.Red, part a.Green b.Green, part a.Blue b.Blue)

    /// From white at 0 to dark at 1.
    let dark (t: float) : SKColor = mix paper ink t

    /// From white at 0 to blue at 1.
    let blues (t: float) : SKColor = mix paper blue t

    /// From blue at −1 over white at 0 to orange at 1.
    let signed (t: float) : SKColor = if t < 0.0 then mix paper blue -t else mix paper orange t

/// A picture of so many pixels. Places are those of a left upper corner, unless said otherwise.
[<Sealed>]
type Sheet(width: int, height: int) =
    let surface = SKSurface.Create(SKImageInfo(width, height))
    let canvas = surface.Canvas
    do canvas.Clear Shade.paper

    let stroke (colour: SKColor) (thickness: float) =
        new SKPaint(Color = colour, IsAntialias = true, IsStroke = true, StrokeWidth = float32 thickness)

    let words bold (text: string) (x: float) (y: float) (size: float) (colour: SKColor) (align: SKTextAlign) =
        use typeface = Sans.typefaceFor (if bold then SKFontStyle.Bold else SKFontStyle.Normal) text
        use font = new SKFont(typeface, float32 size)
        use paint = new SKPaint(Color = colour, IsAntialias = true)
        canvas.DrawText(text, float32 x, float32 y, align, font, paint)

    /// Words on a line: x is where they begin, end or have their middle.
    member _.Words(text: string, x: float, baseline: float, size: float, colour: SKColor, align: SKTextAlign) : unit =
        words false text x baseline size colour align

    /// The same in bold.
    member _.Bold(text: string, x: float, baseline: float, size: float, colour: SKColor, align: SKTextAlign) : unit =
        words true text x baseline size colour align

    /// A filled rectangle.
    member _.Box(x: float, y: float, width: float, height: float, fill: SKColor) : unit =
        use paint = new SKPaint(Color = fill, IsAntialias = true)
        canvas.DrawRect(float32 x, float32 y, float32 width, float32 height, paint)

    /// The outline of a rectangle.
    member _.Frame(x: float, y: float, width: float, height: float, colour: SKColor, thickness: float) : unit =
        use paint = stroke colour thickness
        canvas.DrawRect(float32 x, float32 y, float32 width, float32 height, paint)

    /// A line.
    member _.Line(x1: float, y1: float, x2: float, y2: float, colour: SKColor, thickness: float) : unit =
        use paint = stroke colour thickness
        canvas.DrawLine(float32 x1, float32 y1, float32 x2, float32 y2, paint)

    /// An arrow to the right.
    member sheet.Arrow(x: float, y: float, length: float, colour: SKColor) : unit =
        sheet.Line(x, y, x + length, y, colour, 2.0)
        sheet.Line(x + length - 8.0, y - 6.0, x + length, y, colour, 2.0)
        sheet.Line(x + length - 8.0, y + 6.0, x + length, y, colour, 2.0)

    /// An image, each pixel a square: for every row and column its colour.
    member _.Image(pixels: SKColor[,], x: float, y: float, width: float, height: float) : unit =
        use bitmap =
            new SKBitmap(
                SKImageInfo(Array2D.length2 pixels, Array2D.length1 pixels, SKColorType.Rgba8888, SKAlphaType.Opaque)
            )

        pixels |> Array2D.iteri (fun row column colour -> bitmap.SetPixel(column, row, colour))
        use image = SKImage.FromBitmap bitmap
        let place = SKRect.Create(float32 x, float32 y, float32 width, float32 height)
        canvas.DrawImage(image, place, SKSamplingOptions SKFilterMode.Nearest)

    /// Numbers in squares of a size, shaded from the smallest to the largest.
    member sheet.Numbers(values: float[,], x: float, y: float, cell: float) : unit =
        let all = Seq.cast<float> values
        let low, high = Seq.min all, Seq.max all

        values
        |> Array2D.iteri (fun row column value ->
            let left, top = x + float column * cell, y + float row * cell
            let shade = 0.5 * (value - low) / max 1e-12 (high - low)
            sheet.Box(left, top, cell, cell, Shade.blues shade)
            sheet.Frame(left, top, cell, cell, Shade.line, 1.0)
            let middle = left + 0.5 * cell
            sheet.Words($"{value}", middle, top + 0.64 * cell, 0.4 * cell, Shade.ink, SKTextAlign.Center))

    /// Writes the PNG.
    member _.Save(path: string) : unit =
        use image = surface.Snapshot()
        use data = image.Encode(SKEncodedImageFormat.Png, 100)
        File.WriteAllBytes(path, data.ToArray())

    interface System.IDisposable with
        member _.Dispose() = surface.Dispose()
