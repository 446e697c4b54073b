/// Pictures: files of both kinds, the fitted rate, what is refused. How they look, people have to see.
module Functional.Tests.Plots.PlotTests

open System.IO
open System.Xml.Linq
open Expecto
open Functional.Plots
open SkiaSharp

let private xs = [| 1.0; 2.0; 4.0; 8.0 |]
let private values = Array2D.init 5 7 (fun row column -> float (row * column))
let private range = struct (0.0, 1.0)

/// One of each, by its name.
let private charts = [
    "curves", (fun () -> Draw.Curves("Curves", "x", "y", xs, struct ("a", xs), struct ("b", Array.map sqrt xs)))
    "errors", (fun () -> Draw.Errors("Errors", "x", xs, struct ("a", [| 1e-3; -1e-4; 0.0; nan |])))
    "rates", (fun () -> Draw.Convergence("Rates", "N", xs, struct ("sup", Array.map (fun x -> 1.0 / x) xs)))
    "map", (fun () -> Draw.HeatMap("Map", "x", "y", values, range, range))
    "surface", (fun () -> Draw.Surface("Surface", "x", "y", values, range, range))
    "history", (fun () -> Draw.History("History", struct ("loss", [| 1.0; 0.5 |])))
    "confusion", (fun () -> Draw.Confusion("Confusion", [| "a"; "b" |], Array2D.init 2 2 (fun i j -> i + j)))
    "bars", (fun () -> Chart("Bars").Bars([| "a"; "b" |], struct ("s", Palette.Blue, [| 1.0; 2.0 |])))
    "band", (fun () -> Chart("Band").Band("b", xs, xs, Array.map ((*) 2.0) xs).Legend Corner.LowerRight)
]

let private inFolder (test: string -> unit) () =
    let folder = Directory.CreateTempSubdirectory "functional-plots"

    try
        test folder.FullName
    finally
        folder.Delete true

let private refused (words: string) (f: unit -> unit) =
    let message =
        try
            f ()
            "nothing was refused"
        with :? System.ArgumentException as e ->
            e.Message

    Expect.stringContains message words "the error"

[<Tests>]
let tests =
    testList "plots" [
        testCase "every chart is a PNG of the size asked for, with something on it"
        <| inFolder (fun folder ->
            for name, make in charts do
                let path = Path.Combine(folder, name + ".png")
                make().Save(path, 300, 200)
                use bitmap = SKBitmap.Decode path
                Expect.equal (bitmap.Width, bitmap.Height) (300, 200) name
                let colours = Set [ for colour in bitmap.Pixels -> string colour ]
                Expect.isGreaterThan colours.Count 8 name)

        testCase "every chart is an SVG"
        <| inFolder (fun folder ->
            for name, make in charts do
                let path = Path.Combine(folder, "pictures", name + ".svg")
                make().Save path
                Expect.equal (XDocument.Load path).Root.Name.LocalName "svg" name)

        testCase "charts stand side by side, each in its place"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "figure.png")
            Figure.Save(path, 2, 200, 150, [ for _, make in charts |> List.take 3 -> make () ])
            use bitmap = SKBitmap.Decode path
            Expect.equal (bitmap.Width, bitmap.Height) (400, 300) "two rows"

            let inked left top =
                Seq.exists
                    (fun i -> bitmap.GetPixel(left + i % 200, top + i / 200) <> SKColors.White)
                    (seq { 0 .. 200 * 150 - 1 })

            Expect.equal [ inked 0 0; inked 200 0; inked 0 150; inked 200 150 ] [ true; true; true; false ] "places")

        testCase "a sheet is drawn on after it was saved"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "images.png")

            use sheet =
                Draw.Images("Images", 2, [| [| 0.0; 1.0; 1.0; 0.0 |]; [| 0.5; 0.5; 0.5; 0.5 |] |], scale = 20)

            sheet.Save path
            let pixel x y = (use bitmap = SKBitmap.Decode path in bitmap.GetPixel(x, y))
            Expect.equal (pixel 58 70) Shade.Ink "the largest is dark"
            Expect.equal (pixel 38 70) Shade.Paper "the least is white"
            sheet.Box(30.0, 62.0, 10.0, 10.0, Shade.Orange)
            sheet.Save path
            Expect.equal (pixel 58 70, pixel 35 65) (Shade.Ink, Shade.Orange) "both drawings")

        testCase "the rate of a power law is its exponent"
        <| fun () ->
            let struct (exponent, factor) = Draw.Rate(xs, xs |> Array.map (fun x -> 3.0 * x ** -2.5))
            Expect.floatClose Accuracy.high exponent -2.5 "exponent"
            Expect.floatClose Accuracy.high factor 3.0 "factor"
            let struct (none, _) = Draw.Rate([| 4.0 |], [| 1.0 |])
            Expect.isTrue (System.Double.IsNaN none) "one size has no rate"

        testCase "what does not go together is refused in words"
        <| inFolder (fun folder ->
            refused "3 places and 2 values" (fun () -> Chart("t").Line("a", [ 1.0; 2.0; 3.0 ], [ 1.0; 2.0 ]) |> ignore)
            refused "neither a .png nor an .svg" (fun () -> Chart("t").Save(Path.Combine(folder, "t.gif")))
            refused "0×200 pixels" (fun () -> Chart("t").Save(Path.Combine(folder, "t.png"), 0, 200))

            refused "at least two along each axis" (fun () ->
                Draw.Surface("t", "x", "y", array2D [ [ 1.0 ] ], range, range) |> ignore)

            refused "the same whole number of rows" (fun () ->
                Draw.Images("t", 2, [| [| 1.0; 2.0; 3.0 |] |]) |> ignore)

            refused "0 charts" (fun () -> Figure.Save(Path.Combine(folder, "t.png"), 1, 100, 100, [])))
    ]
