/// Handwritten digits drawn by a generator: strokes of several styles (`Glyphs`) with random shape, slant, size, place,
/// thickness and noise, in the format of MNIST (28×28, white on black, in a 20×20 box about the centre of mass). They
/// stand in where MNIST cannot be had: a network trained on them is worth looking at, but its accuracy says nothing
/// about MNIST.
namespace Functional

open System
open Functional.Kernels

/// Images with the classes they belong to.
type LabelledImages = {
    /// Float32, images × pixels, from 0 (background) to 1.
    Images: Tensor
    /// Int32, one class an image.
    Labels: Tensor
}

/// Digits drawn by a generator.
[<RequireQualifiedAccess>]
module Digits =

    /// Pixels along a side.
    [<Literal>]
    let Side = 28

    [<Literal>]
    let private Pixels = 784

    [<Literal>]
    let private Chunk = 64

    /// Random numbers one after another. They depend on the seed and the number of the image only.
    [<Sealed>]
    type private Dice(seed: int64, image: int) =
        let numbers =
            let room = NDArray.Allocate([| 128 + Pixels |], DType.Float32)
            let key = NDArray.OfInteger(RandomNumbers.Fold(seed, int64 image), DType.Int64)
            RandomNumbers.Draw(Distribution.Uniform, key, room)
            room.AsSpan<float32>().ToArray()

        let mutable next = 0

        /// Uniform between two bounds.
        member _.Between(low: float, high: float) =
            next <- next + 1
            low + (high - low) * float numbers[next - 1]

        /// One of so many.
        member dice.Below(count: int) = min (count - 1) (int (dice.Between(0.0, float count)))

        /// Uniform in [0, 1), one for every pixel.
        member _.Grain(pixel: int) = numbers[128 + pixel]

    /// Points close together along a stroke; a smooth one is a Catmull–Rom spline.
    let private trace stroke =
        match stroke with
        | Glyphs.Straight points -> Array.ofList points
        | Glyphs.Smooth points ->
            let p = Array.ofList points
            let at i = p[Math.Clamp(i, 0, p.Length - 1)]
            let steps = 5

            let blend a b c d t =
                0.5
                * (2.0 * b
                   + (c - a) * t
                   + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
                   + (3.0 * b - a - 3.0 * c + d) * t * t * t)

            Array.init (steps * (p.Length - 1) + 1) (fun i ->
                let piece, t = i / steps, float (i % steps) / float steps
                let (ax, ay), (bx, by), (cx, cy), (dx, dy) = at (piece - 1), at piece, at (piece + 1), at (piece + 2)
                blend ax bx cx dx t, blend ay by cy dy t)

    let private jitter (dice: Dice) amount stroke =
        let move = List.map (fun (x, y) -> x + dice.Between(-amount, amount), y + dice.Between(-amount, amount))

        match stroke with
        | Glyphs.Straight points -> Glyphs.Straight(move points)
        | Glyphs.Smooth points -> Glyphs.Smooth(move points)

    /// The strokes of one digit in pixels, about the origin: bent, slanted, turned and fitted into the box.
    let private strokes (dice: Dice) digit =
        let styles = Glyphs.styles[digit]
        let drawn = styles[dice.Below styles.Length] |> List.map (jitter dice 0.045 >> trace)
        let slant, turn, squeeze = dice.Between(-0.1, 0.45), dice.Between(-0.14, 0.14), dice.Between(0.55, 1.0)

        let bend, wave, phase =
            dice.Between(0.0, 0.05), dice.Between(2.0, 5.0), dice.Between(0.0, 2.0 * Math.PI)

        let place (x, y) =
            let x, y = x + bend * sin (wave * y + phase), y + bend * sin (wave * x + 2.0 * phase)
            let x = (x - 0.5) * squeeze + slant * (0.5 - y)
            let y = y - 0.5
            x * cos turn - y * sin turn, x * sin turn + y * cos turn

        let placed = drawn |> List.map (Array.map place)

        let xs, ys =
            placed |> Seq.collect (Seq.map fst) |> Array.ofSeq, placed |> Seq.collect (Seq.map snd) |> Array.ofSeq

        let width, height = Array.max xs - Array.min xs, Array.max ys - Array.min ys
        let scale = dice.Between(16.5, 19.0) / max width height
        let middle values = 0.5 * (Array.max values + Array.min values)
        let cx, cy = middle xs, middle ys
        placed |> List.map (Array.map (fun (x, y) -> scale * (x - cx), scale * (y - cy)))

    /// Lowers the squared distances of the pixels within reach of a piece of a stroke to their distance from it.
    let private approach (squares: float32[]) (reach: float32) (ax: float32) (ay: float32) (bx: float32) (by: float32) =
        let first (low: float32) = Math.Clamp(int (low - reach - 0.5f), 0, Side - 1)
        let last (high: float32) = Math.Clamp(int (high + reach + 0.5f), 0, Side - 1)
        let dx, dy = bx - ax, by - ay
        let inverse = 1f / Math.Max(1e-9f, dx * dx + dy * dy)

        for row in first (Math.Min(ay, by)) .. last (Math.Max(ay, by)) do
            for column in first (Math.Min(ax, bx)) .. last (Math.Max(ax, bx)) do
                let px, py = float32 column + 0.5f - ax, float32 row + 0.5f - ay
                let along = Math.Clamp((px * dx + py * dy) * inverse, 0f, 1f)
                let ox, oy = px - along * dx, py - along * dy
                let square = ox * ox + oy * oy
                let at = row * Side + column

                if square < squares[at] then
                    squares[at] <- square

    /// The centre of mass of strokes: of their pieces' middles, weighted by length.
    let private centre (strokes: (float * float)[] list) =
        let mutable length, sumX, sumY = 0.0, 0.0, 0.0

        for stroke in strokes do
            for (ax, ay), (bx, by) in Array.pairwise stroke do
                let piece = sqrt ((bx - ax) * (bx - ax) + (by - ay) * (by - ay))
                length <- length + piece
                sumX <- sumX + piece * 0.5 * (ax + bx)
                sumY <- sumY + piece * 0.5 * (ay + by)

        sumX / length, sumY / length

    /// Draws one digit into 784 pixels.
    let private draw (seed: int64) image digit (pixels: Span<float32>) =
        let dice = Dice(seed, image)
        let strokes = strokes dice digit
        let radius, soft = float32 (dice.Between(0.6, 1.8)), float32 (dice.Between(0.9, 1.5))
        let x, y = centre strokes
        let middle = float Side / 2.0
        let dx, dy = middle - x + dice.Between(-1.0, 1.0), middle - y + dice.Between(-1.0, 1.0)
        let squares = Array.create Pixels Single.MaxValue

        for stroke in strokes do
            for (ax, ay), (bx, by) in Array.pairwise stroke do
                approach
                    squares
                    (radius + soft)
                    (float32 (ax + dx))
                    (float32 (ay + dy))
                    (float32 (bx + dx))
                    (float32 (by + dy))

        let pressure, grain = float32 (dice.Between(0.9, 1.1)), float32 (dice.Between(0.0, 0.15))

        for i in 0 .. Pixels - 1 do
            // Grain where there is ink: paper stays black, as it does in MNIST.
            let ink = Math.Clamp(0.5f + (radius - MathF.Sqrt squares[i]) / soft, 0f, 1f)
            pixels[i] <- Math.Clamp(ink * (pressure - grain * dice.Grain i), 0f, 1f)

    [<Struct>]
    type private Work(seed: int64, first: int, labels: int[], images: Storage) =
        interface IChunks with
            member _.Run(chunk) =
                for i in chunk * Chunk .. min labels.Length ((chunk + 1) * Chunk) - 1 do
                    draw seed (first + i) labels[i] (images.Span<float32>().Slice(i * Pixels, Pixels))

    /// Draws images number first, first + 1, … of the endless series that belongs to a seed, whatever the number of threads.
    let series (seed: int64) (first: int) (count: int) : LabelledImages =
        if count < 0 || first < 0 then
            invalidArg
                (nameof count)
                $"Digits.series: {count} images from number {first} were asked for; neither may be negative"

        // The folded keys of negative numbers belong to the labels, those of the others to the images.
        let label i =
            let bits = uint64 (RandomNumbers.Fold(seed, -1L - int64 (first + i)))
            int (bits % 10UL)

        let labels = Array.init count label
        let images = NDArray.Allocate([| count; Pixels |], DType.Float32)
        let mutable work = Work(seed, first, labels, images.Storage)
        Workers.Run((count + Chunk - 1) / Chunk, &work)
        { Images = Tensor.ofArrayValue images; Labels = Tensor.ofSeq labels }
