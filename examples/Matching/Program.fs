/// The matching index f(x, y) of two people. A person is categories: a sign of the zodiac, a blood type, three interests.
/// Categories become vectors (embeddings), the vectors of a person pass through a tower of dense layers, and two towers
/// meet in a weighted product. The data follow a planted rule, so that we can tell whether the network has found it.
module Matching

open System
open Functional
open Examples
open Functional.Plots

let signs = [|
    "Aries"
    "Taurus"
    "Gemini"
    "Cancer"
    "Leo"
    "Virgo"
    "Libra"
    "Scorpio"
    "Sagittarius"
    "Capricorn"
    "Aquarius"
    "Pisces"
|]

let bloodTypes, interests, interestsOfOne = 4, 12, 3

// ---- the planted rule, which the network never sees

/// How the elements of two signs (fire, earth, air, water, in the order of the zodiac) get along.
let private elements =
    array2D [
        [ 1.0; -0.8; 0.9; -1.0 ]
        [ -0.8; 0.8; -0.6; 0.9 ]
        [ 0.9; -0.6; 0.7; -0.4 ]
        [ -1.0; 0.9; -0.4; 0.6 ]
    ]

/// How the blood types A, B, AB and O get along.
let private bloods =
    array2D [
        [ 0.6; -0.9; 0.3; 0.5 ]
        [ -0.9; 0.5; 0.4; -0.2 ]
        [ 0.3; 0.4; -0.5; 0.8 ]
        [ 0.5; -0.2; 0.8; 0.0 ]
    ]

/// The matching index between 0 and 100: signs, blood types and shared interests.
let rule (x: int[]) (y: int[]) =
    let shared = Set.intersect (set x[2..]) (set y[2..]) |> Set.count
    let z = 1.2 * elements[x[0] % 4, y[0] % 4] + 0.9 * bloods[x[1], y[1]] + 1.1 * float shared - 0.9
    100.0 / (1.0 + exp -z)

let private person (dice: Random) = [|
    dice.Next signs.Length
    dice.Next bloodTypes
    yield! Array.init interests id |> Array.randomSampleWith dice interestsOfOne
|]

/// Pairs as one tensor [pairs, 2, 5] of whole numbers.
let private encode (pairs: (int[] * int[])[]) =
    pairs
    |> Array.collect (fun (x, y) -> Array.append x y)
    |> Tensor.create [ pairs.Length; 2; 2 + interestsOfOne ]

let private column (values: float[]) = Tensor.create [ values.Length; 1 ] (values |> Array.map float32)

// ---- the network

/// Tables of vectors, one row a category, and the tower above them. Both people go through the same one.
type Net = {
    Zodiac: Tensor
    Blood: Tensor
    Interest: Tensor
    Hidden: Dense
    Meeting: Dense
    Signs: Tensor
    Bias: Tensor
}

let private init key =
    let keys = Key.split 6 key
    let table rows columns key = 0.3 * Random.normal DType.Float32 [ rows; columns ] key

    {
        Zodiac = table signs.Length 8 keys[0]
        Blood = table bloodTypes 4 keys[1]
        Interest = table interests 12 keys[2]
        Hidden = Dense.init keys[3] 24 128
        Meeting = Dense.init keys[4] 128 32
        Signs = 0.3 * Random.normal DType.Float32 [ 32 ] keys[5]
        Bias = Tensor.full DType.Float32 [ 1 ] 0.0
    }

/// People [.., 5] as vectors [.., 32].
let private tower net (people: Tensor) =
    let category place = people |> index -1 place

    concat -1 [
        take 0 (category 0) net.Zodiac
        take 0 (category 1) net.Blood
        net.Interest |> take 0 (narrow -1 2 interestsOfOne people) |> sumOver [ -2 ]
    ]
    |> dense net.Hidden
    |> relu
    |> dense net.Meeting

/// The index of pairs, from 0 to 1. The product of two towers is weighted by trained signs: where it were the plain
/// product, nobody could be a bad match for somebody alike.
let predict net pairs =
    let both = tower net pairs
    let meeting = index 1 0 both * index 1 1 both * net.Signs
    sigmoid (sumKeep [ -1 ] meeting + net.Bias)

let private correlation (a: float[]) (b: float[]) =
    let ma, mb = Array.average a, Array.average b
    let covariance = Array.map2 (fun x y -> (x - ma) * (y - mb)) a b |> Array.sum
    let spread m = Array.sumBy (fun x -> (x - m) * (x - m)) >> sqrt
    covariance / (spread ma a * spread mb b)

/// What two signs make of a match on average: the mean over many pairs of people who differ in nothing else.
let private zodiacTable (dice: Random) (index: (int[] * int[])[] -> float[]) =
    let others = Array.init 150 (fun _ -> person dice, person dice)
    let sign s (p: int[]) = Array.append [| s |] p[1..]

    Array2D.init signs.Length signs.Length (fun a b ->
        others |> Array.map (fun (x, y) -> sign a x, sign b y) |> index |> Array.average)

[<EntryPoint>]
let main arguments =
    let command =
        Command("Matching", [ struct ("pairs", "pairs to learn from (default 20000)") ], arguments)

    let dice = Random 7
    let count = command.Number("pairs", 20_000)
    let pairs n = Array.init n (fun _ -> person dice, person dice)
    let known, held = pairs count, pairs 4_000
    // people do not know their index to the point: what the network learns from is off by some 5
    let noise () = 10.0 * (dice.NextDouble() + dice.NextDouble() + dice.NextDouble() - 1.5)
    let noisy = known |> Array.map (fun (x, y) -> rule x y + noise ())
    let data = Dataset.create (encode known) (column (noisy |> Array.map (fun v -> v / 100.0)))
    let trainer = Trainer.ofFunction predict Loss.meanSquaredError (Optimizer.adam 0.003) []

    let options = {
        FitOptions.create 40 with
            Batching = Batching.ofSize 128
            Validation = Fraction 0.1
    }

    let fitted = Training.fit options trainer (init (Key.create 1L)) data

    let answer pairs =
        Training.predict 2_000 trainer fitted.Parameters (encode pairs)
        |> Tensor.toFloats
        |> Array.map ((*) 100.0)

    let predicted, truth = answer held, held |> Array.map (fun (x, y) -> rule x y)
    let r = correlation predicted truth
    let off = Array.map2 (fun a b -> abs (a - b)) predicted truth |> Array.average

    let planted = zodiacTable (Random 3) (Array.map (fun (x, y) -> rule x y))
    let learnt = zodiacTable (Random 3) answer

    let tables =
        correlation (Seq.cast<float> planted |> Array.ofSeq) (Seq.cast<float> learnt |> Array.ofSeq)

    let cloud =
        Chart($"Held-out pairs: correlation {r:F3}", "index by the planted rule", "index the network gives")

    cloud.Points("", truth, predicted, Palette.Blue.WithAlpha 0.25, 5.0) |> ignore
    cloud.Line("perfect", [| 0.0; 100.0 |], [| 0.0; 100.0 |], Palette.Orange, 2.0) |> ignore
    cloud.Legend(Corner.UpperLeft) |> ignore

    let zodiac title (table: float[,]) =
        Chart(title).Matrix(signs, signs, table, table |> Array2D.map _.ToString("F0")).Upright()

    let path = command.File "matching.png"

    Figure.Save(
        path,
        3,
        620,
        600,
        [
            cloud
            zodiac "Signs: the planted rule (mean index)" planted
            zodiac "Signs: what the network learnt" learnt
        ]
    )

    command.Announce path

    printfn
        $"From {count} pairs with noise of 5 points, the network gives the index of 4000 new pairs with a mean error of {off:F1} points"

    printfn
        $"(correlation {r:F4}). What it learnt about signs correlates {tables:F3} with the planted table, though nobody told it that"

    printfn "signs have elements: it had to find out from the indices alone which of them behave alike."
    Command.Result("correlation", r)
    0
