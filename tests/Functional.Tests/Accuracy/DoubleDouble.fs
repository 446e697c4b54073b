/// Arithmetic with some thirty digits, for tests that know a number to its last bit: a number is the unevaluated sum of two
/// (Dekker, "A floating-point technique for extending the available precision", 1971). And numbers of every size to try.
module Functional.Tests.Accuracy.DoubleDouble

open System

[<Struct>]
type Wide = {
    High: float
    Low: float
} with

    static member Of(x: float) = { High = x; Low = 0.0 }

    /// The sum of two numbers, exactly.
    static member Sum(a: float, b: float) =
        let s = a + b
        let t = s - a
        { High = s; Low = (a - (s - t)) + (b - t) }

    static member (+)(a: Wide, b: Wide) =
        let s = Wide.Sum(a.High, b.High)
        Wide.Sum(s.High, s.Low + a.Low + b.Low)

    static member (~-)(a: Wide) = { High = -a.High; Low = -a.Low }
    static member (-)(a: Wide, b: Wide) = a + -b

    static member (*)(a: Wide, b: Wide) =
        let p = a.High * b.High
        let rest = Math.FusedMultiplyAdd(a.High, b.High, -p)
        Wide.Sum(p, rest + a.High * b.Low + a.Low * b.High)

    static member (/)(a: Wide, b: Wide) =
        let q = a.High / b.High
        let r = a - Wide.Of q * b
        let q2 = r.High / b.High
        let r2 = r - Wide.Of q2 * b
        Wide.Sum(q, q2 + r2.High / b.High)

    member a.Number = a.High + a.Low

let wide (x: float) = Wide.Of x
let private ln2 = { High = 0.6931471805599453; Low = 2.3190468138462996e-17 }

let sqrtOf (x: Wide) =
    let s = wide (sqrt x.High)
    if x.High = 0.0 then s else s + (x - s * s) / (s + s)

/// eˣ: x less a multiple of ln 2, the series of its 512th part, and nine squares.
let expOf (x: Wide) =
    let k = Math.Round(x.High / ln2.High)
    let r = (x - wide k * ln2) * wide (1.0 / 512.0)
    let mutable term, sum = wide 1.0, wide 1.0

    for n in 1..12 do
        term <- term * r / wide (float n)
        sum <- sum + term

    for _ in 1..9 do
        sum <- sum * sum

    let scale (y: float) = Math.ScaleB(Math.ScaleB(y, int k / 2), int k - int k / 2)
    { High = scale sum.High; Low = scale sum.Low }

/// 2/√π to thirty digits.
let twoOverRootPi = { High = 1.1283791670955126; Low = 1.533545961316588e-17 }

/// 1 − erf x: by the series of erf up to 2, by the continued fraction beyond, and 2 − erfc(−x) below 0.
let rec erfcAt (x: Wide) =
    if x.High < 0.0 then
        wide 2.0 - erfcAt -x
    elif x.High < 2.0 then
        let mutable term, sum = x, x

        for n in 1..80 do
            term <- term * wide 2.0 * x * x / wide (float (2 * n + 1))
            sum <- sum + term

        wide 1.0 - twoOverRootPi * sum * expOf (-(x * x))
    elif x.High > 27.5 then
        wide 0.0
    else
        let mutable fraction = x

        for n in 300..-1..1 do
            fraction <- x + wide (float n / 2.0) / fraction

        expOf (-(x * x)) * twoOverRootPi * wide 0.5 / fraction

let erfcOf (x: float) = erfcAt (wide x)

/// ln x: one step of Newton's from the number's own logarithm.
let logOf (x: Wide) =
    let y = wide (log x.High)
    y + x * expOf -y - wide 1.0

/// Numbers of both signs whose magnitudes are spread evenly over the decades from `least` to `most`.
let ofEverySize (random: Random) (least: float) (most: float) (count: int) =
    Array.init count (fun _ ->
        let decade = log10 least + random.NextDouble() * (log10 most - log10 least)
        (if random.Next 2 = 0 then 1.0 else -1.0) * 10.0 ** decade)

/// The unit in the last place of a number near 1.
let unitOf single = if single then 2.0 ** -23.0 else 2.0 ** -52.0

/// The least positive number.
let leastOf single = if single then float Single.Epsilon else Double.Epsilon
