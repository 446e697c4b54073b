/// Points of the box [−1, 1]ᵈ: where a function is learnt, and where the error is measured.
module internal Functional.Sampling

open System

/// The radical inverse of i: its digits in a base, mirrored at the point.
let private radicalInverse (b: int) (i: int) =
    let rec go i scale total =
        if i = 0 then
            total
        else
            go (i / b) (scale / float b) (total + scale * float (i % b))

    go i (1.0 / float b) 0.0

let private primes = [| 2; 3; 5; 7; 11; 13; 17; 19; 23; 29; 31; 37 |]

/// The most variables that points are made for.
let mostVariables = primes.Length

/// Halton's sequence, and after it the corners of the box (up to 64 of them).
let private scattered d count = [|
    for i in 1..count -> Array.init d (fun k -> 2.0 * radicalInverse primes[k] i - 1.0)
    for corner in 0 .. (1 <<< min d 6) - 1 -> Array.init d (fun k -> if (corner >>> k) &&& 1 = 1 then 1.0 else -1.0)
|]

let private product (line: float[]) = [|
    for x in line do
        for y in line -> [| x; y |]
|]

/// The grid that errors are measured on, much finer than what is trained on, and the distance of neighbours.
let grid (d: int) : float[][] * float =
    let line n = Array.init n (fun i -> -1.0 + 2.0 * float i / float (n - 1))

    match d with
    | 1 -> line 20_001 |> Array.map Array.singleton, 1e-4
    | 2 -> product (line 301), 2.0 / 300.0
    | _ -> scattered d 60_000, 2.0 / (60_000.0 ** (1.0 / float d))

let private chebyshev n = Array.init n (fun i -> -cos(Math.PI * float i / float (n - 1)))

/// Places where a cumulative density, given on the grid, reaches (i + shift)/n of its end.
let quantiles (grid: float[]) (cumulative: float[]) (n: int) (shift: int -> float) : float[] =
    let last = cumulative[cumulative.Length - 1]

    Array.init n (fun i ->
        let wanted = last * (float i + shift i) / float n
        let at = Array.BinarySearch(cumulative, wanted)
        grid[min (grid.Length - 1) (if at >= 0 then at else ~~~at)])

/// How much is going on at each point of the grid on a line, at any scale: the largest second difference over steps h that
/// are powers of two, relative to h² (a curvature) and to the power that makes it a density. A kink has one that falls like
/// a power of the distance from it.
let activity (power: float) (h: float) (values: float[][]) : float[] =
    let n = values.Length
    let result = Array.zeroCreate n

    for reach in Seq.initInfinite (fun k -> 1 <<< k) |> Seq.takeWhile (fun reach -> reach <= n / 8) do
        let s = float reach * h

        for i in reach .. n - 1 - reach do
            let mutable bend = 0.0

            for k in 0 .. values[i].Length - 1 do
                bend <- max bend (abs (values[i + reach][k] - 2.0 * values[i][k] + values[i - reach][k]))

            result[i] <- max result[i] ((bend / (s * s)) ** power)

    // the ends are like their neighbours
    result[0] <- result[1]
    result[n - 1] <- result[n - 2]
    let mean = Array.average result
    result |> Array.map (fun x -> x + 0.3 * mean + 1e-12)

/// What has come together from the left end on.
let cumulate (density: float[]) : float[] = Array.scan (+) 0.0 density |> Array.tail

/// The points that are trained on; on a line half of them where much is going on.
let training (d: int) (grid: float[][]) (cumulative: float[]) : float[][] =
    match d with
    | 1 ->
        Array.append (chebyshev 601) (quantiles (Array.map Array.head grid) cumulative 600 (fun _ -> 0.5))
        |> Array.map Array.singleton
    | 2 -> product (chebyshev 45)
    | _ -> scattered d (min 4_000 (800 * d))

/// Places on the grid that are chosen by chance, each with a probability in proportion to its weight, without repetition.
let chosen (random: Random) (count: int) (weights: float[]) : int[] =
    let keys = weights |> Array.map (fun w -> if w > 0.0 then log (random.NextDouble()) / w else -infinity)
    let places = Array.init weights.Length id
    Array.Sort(Array.map (~-) keys, places)
    Array.truncate count places
