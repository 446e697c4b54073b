/// Elementary functions of a complex number, written to keep a tiny imaginary part exact: f(x + i·10⁻²⁰) has the
/// derivative in its imaginary part, with nothing subtracted on the way (Squire and Trapp 1998).
module Functional.Tests.Judges.ComplexFunctions

open System
open System.Numerics
open Functional

let private real (x: float) = Complex(x, 0.0)
let private one = Complex.One

/// log(1 + u) for small real u (Goldberg 1991).
let private realLog1p (u: float) =
    let w = 1.0 + u
    if w = 1.0 then u else Math.Log w * u / (w - 1.0)

/// exp(u) − 1 for small real u (Kahan's form).
let private realExpm1 (u: float) =
    let w = Math.Exp u

    if w = 1.0 then u
    elif w - 1.0 = -1.0 then -1.0
    else (w - 1.0) * u / Math.Log w

let exp (z: Complex) =
    let r = Math.Exp z.Real
    Complex(r * Math.Cos z.Imaginary, r * Math.Sin z.Imaginary)

let expm1 (z: Complex) =
    let half = Math.Sin(0.5 * z.Imaginary)
    Complex(realExpm1 z.Real * Math.Cos z.Imaginary - 2.0 * half * half, Math.Exp z.Real * Math.Sin z.Imaginary)

let log (z: Complex) = Complex(Math.Log(Complex.Abs z), Math.Atan2(z.Imaginary, z.Real))

let log1p (z: Complex) =
    let x, y = z.Real, z.Imaginary
    Complex(0.5 * realLog1p (x * (2.0 + x) + y * y), Math.Atan2(y, 1.0 + x))

/// The root with a positive real part.
let sqrt (z: Complex) =
    if z = Complex.Zero then
        z
    elif z.Real >= 0.0 then
        let s = Math.Sqrt(0.5 * (Complex.Abs z + z.Real))
        Complex(s, 0.5 * z.Imaginary / s)
    else
        let s = Math.Sqrt(0.5 * (Complex.Abs z - z.Real))
        Complex(0.5 * abs z.Imaginary / s, if z.Imaginary < 0.0 then -s else s)

let sin (z: Complex) = Complex(Math.Sin z.Real * Math.Cosh z.Imaginary, Math.Cos z.Real * Math.Sinh z.Imaginary)

let cos (z: Complex) = Complex(Math.Cos z.Real * Math.Cosh z.Imaginary, -Math.Sin z.Real * Math.Sinh z.Imaginary)

let sinh (z: Complex) = Complex(Math.Sinh z.Real * Math.Cos z.Imaginary, Math.Cosh z.Real * Math.Sin z.Imaginary)

let cosh (z: Complex) = Complex(Math.Cosh z.Real * Math.Cos z.Imaginary, Math.Sinh z.Real * Math.Sin z.Imaginary)

let atan (z: Complex) =
    let x, y = z.Real, z.Imaginary

    Complex(
        0.5 * Math.Atan2(2.0 * x, 1.0 - x * x - y * y),
        0.25 * realLog1p (4.0 * y / (x * x + (1.0 - y) * (1.0 - y)))
    )

let asin (z: Complex) = atan (z / sqrt (one - z * z))

let rec asinh (z: Complex) = if z.Real < 0.0 then -(asinh -z) else log (z + sqrt (z * z + one))

/// erf by its Taylor series, for |z| up to about 3.
let erf (z: Complex) =
    let square = z * z
    let mutable term, sum, n = z, z, 0.0

    while Complex.Abs term > 1e-40 do
        n <- n + 1.0
        term <- -term * square / n
        sum <- sum + term / (2.0 * n + 1.0)

    sum * (2.0 / Math.Sqrt Math.PI)

/// Base to a power; whole powers by multiplication, so that a negative base is allowed there.
let pow (a: Complex) (b: Complex) =
    if b.Imaginary = 0.0 && b.Real = Math.Floor b.Real && abs b.Real < 64.0 then
        let product = Seq.fold (fun p _ -> p * a) one (seq { 1 .. int (abs b.Real) })
        if b.Real < 0.0 then one / product else product
    else
        exp (b * log a)

/// The angle of the point (b, a), continued from the real axis.
let atan2 (a: Complex) (b: Complex) =
    if abs b.Real >= abs a.Real then
        let turn =
            if b.Real >= 0.0 then 0.0
            elif a.Real >= 0.0 then Math.PI
            else -Math.PI

        atan (a / b) + real turn
    else
        real (if a.Real >= 0.0 then Math.PI / 2.0 else -Math.PI / 2.0) - atan (b / a)

let private truth (b: bool) = if b then one else Complex.Zero

/// Every elementwise function of one number; kinks and steps are decided by the real part.
let unary (u: Unary) (z: Complex) : Complex =
    match u with
    | Unary.Neg -> -z
    | Unary.Abs -> if z.Real < 0.0 then -z else z
    | Unary.Sign -> real (float (sign z.Real))
    | Unary.Exp -> exp z
    | Unary.Expm1 -> expm1 z
    | Unary.Log -> log z
    | Unary.Log1p -> log1p z
    | Unary.Sqrt -> sqrt z
    | Unary.Rsqrt -> one / sqrt z
    | Unary.Square -> z * z
    | Unary.Reciprocal -> one / z
    | Unary.Sin -> sin z
    | Unary.Cos -> cos z
    | Unary.Tan -> sin z / cos z
    | Unary.Asin -> asin z
    | Unary.Acos -> real (Math.PI / 2.0) - asin z
    | Unary.Atan -> atan z
    | Unary.Sinh -> sinh z
    | Unary.Cosh -> cosh z
    | Unary.Tanh -> sinh z / cosh z
    | Unary.Asinh -> asinh z
    | Unary.Acosh -> log (z + sqrt (z - one) * sqrt (z + one))
    | Unary.Atanh -> 0.5 * (log1p z - log1p -z)
    | Unary.Sigmoid -> one / (one + exp -z)
    | Unary.Softplus -> log1p (exp z)
    | Unary.Relu -> if z.Real > 0.0 then z else Complex.Zero
    | Unary.Erf -> erf z
    | Unary.Erfc -> one - erf z
    | Unary.Floor -> real (Math.Floor z.Real)
    | Unary.Ceil -> real (Math.Ceiling z.Real)
    | Unary.Round -> real (Math.Round z.Real)
    | Unary.Not -> truth (z.Real = 0.0)

/// Every elementwise function of two numbers.
let binary (o: Binary) (a: Complex) (b: Complex) : Complex =
    match o with
    | Binary.Add -> a + b
    | Binary.Sub -> a - b
    | Binary.Mul -> a * b
    | Binary.Div -> a / b
    | Binary.Pow -> pow a b
    | Binary.Atan2 -> atan2 a b
    | Binary.Max -> if a.Real >= b.Real then a else b
    | Binary.Min -> if a.Real <= b.Real then a else b
    | Binary.Rem -> a - b * real (Math.Truncate(a.Real / b.Real))
    | Binary.And -> truth (a.Real <> 0.0 && b.Real <> 0.0)
    | Binary.Or -> truth (a.Real <> 0.0 || b.Real <> 0.0)
    | Binary.Xor -> truth ((a.Real <> 0.0) <> (b.Real <> 0.0))
    | Binary.TanhScale -> a * (one - b * b)
    | Binary.SigmoidScale -> a * b * (one - b)
    | Binary.ReluScale -> if b.Real > 0.0 then a else Complex.Zero

let compare (c: Comparison) (a: Complex) (b: Complex) : Complex =
    match c with
    | Comparison.Equal -> truth (a.Real = b.Real)
    | Comparison.NotEqual -> truth (a.Real <> b.Real)
    | Comparison.Less -> truth (a.Real < b.Real)
    | Comparison.LessEqual -> truth (a.Real <= b.Real)
    | Comparison.Greater -> truth (a.Real > b.Real)
    | Comparison.GreaterEqual -> truth (a.Real >= b.Real)
