/// Curves through points: certified results, MathNet's regression, weights that repeat observations, and fits that fail.
module Functional.Tests.Minimizers.CurveFitTests

open System
open Expecto
open Functional
open Functional.Tests.Oracles
open Functional.Tests.Minimizers.NistSets

type private Saturation = { Limit: Tensor; Rate: Tensor }

let private saturate (p: Saturation) (x: Tensor) = p.Limit * (1.0 - exp (-p.Rate * x))
let private line (a: Tensor, b: Tensor) (x: Tensor) = a + b * x
let private xs = Tensor.linspace 0.0 4.0 21
let private noise = 0.1 * Random.normal DType.Float64 [ 21 ] (Key.create 8L)
let private observed = saturate { Limit = scalar 3.0; Rate = scalar 0.7 } xs + noise
let private start = { Limit = scalar 1.0; Rate = scalar 1.0 }
let private options: CurveFitOptions<Saturation> = CurveFitOptions.defaults

let private numbers tree = Tree.leaves tree |> Array.map Tensor.toFloat

let private number i tree = Array.item i (numbers tree)

let private close (a: float) (b: float) what =
    Expect.isLessThan (abs (a - b)) (1e-8 * (1.0 + abs b)) $"{what}: {a}, not {b}"

let private refuses (part: string) (work: unit -> unit) =
    let e = Expect.throwsC work id
    Expect.stringContains e.Message part "the reason"
    Expect.isTrue (e :? ArgumentException) $"an ArgumentException, not {e.GetType().Name}"

[<Tests>]
let tests =
    testList "curve fits" [
        testCase "NIST: parameters to 7 digits, standard errors to 6, sum of squares to 9, from both starts"
        <| skipWithout "nist/nist_strd_nonlinear.json" (fun path ->
            for set in read path do
                for start in set.Starts do
                    let fit = Fit.curve (model set.Name) set.X set.Y start
                    Expect.isTrue fit.Converged $"{set.Name}: {fit}"
                    Expect.equal fit.DegreesOfFreedom set.DegreesOfFreedom set.Name
                    let parameters = digits set.Parameters (Tensor.toFloats fit.Parameters)
                    let errors = digits set.Deviations (Tensor.toFloats fit.StandardErrors)
                    let squares = digits [| set.Squares |] [| fit.ResidualSumOfSquares |]
                    Expect.isGreaterThan parameters 7.0 $"{set.Name}: digits of the parameters"
                    // residuals of Lanczos1 are 1e-13 of its numbers, so that doubles hold three digits of them
                    let isExact = set.Name = "Lanczos1"
                    Expect.isGreaterThan errors (if isExact then 2.0 else 6.0) $"{set.Name}: digits of the errors"
                    Expect.isGreaterThan squares (if isExact then 2.0 else 9.0) $"{set.Name}: digits of the sum")

        testCase "a line: covariance and bands by the formulas of linear regression"
        <| fun () ->
            let fit = Fit.curve line xs observed (scalar 0.0, scalar 0.0)
            let x, y = Tensor.toFloats xs, Tensor.toFloats observed
            let struct (a, b) = MathNet.Numerics.Fit.Line(x, y)
            let n = float x.Length
            let middle = Array.average x
            let spread = x |> Array.sumBy (fun x -> (x - middle) ** 2.0)
            let squares = Array.map2 (fun x y -> (y - a - b * x) ** 2.0) x y |> Array.sum
            let s = sqrt (squares / (n - 2.0))
            let found = numbers fit.Parameters
            let errors = numbers fit.StandardErrors
            close found[0] a "height"
            close found[1] b "slope"
            close errors[0] (s * sqrt (1.0 / n + middle * middle / spread)) "error of the height"
            close errors[1] (s / sqrt spread) "error of the slope"
            close fit.ResidualDeviation s "deviation"
            close (Tensor.toFloat fit.Covariance[0, 1]) (-middle * s * s / spread) "covariance"
            // Student's t for 19 degrees of freedom at 95 %
            let t = 2.093024054
            let at = Tensor.ofSeq [ -1.0; 2.5 ]
            let confidence = Fit.confidenceBand 0.95 line fit at
            let prediction = Fit.predictionBand 0.95 line fit at

            for i, x in [ 0, -1.0; 1, 2.5 ] do
                let reach = 1.0 / n + (x - middle) ** 2.0 / spread
                let half (band: Band) = Tensor.toFloat (band.Upper[i] - band.Lower[i]) / 2.0
                close (Tensor.toFloat confidence.Value[i]) (a + b * x) "value"
                close (half confidence) (t * s * sqrt reach) "confidence"
                close (half prediction) (t * s * sqrt (1.0 + reach)) "prediction"

            let low, high = fit.Intervals 0.95
            close ((number 1 high) - (number 1 low)) (2.0 * t * errors[1]) "the slope's interval"

        testCase "a weight of 3 is three observations, and weights in proportion change nothing"
        <| fun () ->
            let three = equal (Tensor.iota 21) (Tensor.full DType.Int32 [ 21 ] 5.0)
            let weights = where three (Tensor.full DType.Float64 [ 21 ] 3.0) (Tensor.onesLike xs)
            let again (t: Tensor) = concat 0 [ t; t[5..5]; t[5..5] ]

            let weighted factor =
                Fit.curveWith { options with Weights = Some(factor * weights) } saturate xs observed start

            let repeated = Fit.curve saturate (again xs) (again observed) start
            let one, scaled = weighted 1.0, weighted 50.0

            for i in 0..1 do
                close (number i one.Parameters) (number i repeated.Parameters) "parameters"
                close (number i scaled.Parameters) (number i one.Parameters) "scaled weights"
                close (number i scaled.StandardErrors) (number i one.StandardErrors) "their errors"

            close one.ResidualSumOfSquares repeated.ResidualSumOfSquares "sum of squares"

        testCase "known deviations are not estimated"
        <| fun () ->
            let known = {
                options with
                    Weights = Some(Tensor.full DType.Float64 [ 21 ] 100.0)
                    KnownDeviations = true
            }

            let fit = Fit.curveWith known saturate xs observed start
            let estimated = Fit.curve saturate xs observed start
            let ratio = 0.1 / estimated.ResidualDeviation

            for i in 0..1 do
                close (number i fit.StandardErrors) (ratio * (number i estimated.StandardErrors)) "errors"

        testCase "bounds: what they hold has no error, what they do not has one"
        <| fun () ->
            let bounded = { options with Upper = Some { Limit = scalar 2.5; Rate = scalar infinity } }
            let fit = Fit.curveWith bounded saturate xs observed start
            Expect.isTrue fit.Converged $"{fit}"
            Expect.equal (Tensor.toFloat fit.Parameters.Limit) 2.5 "at its bound"
            Expect.isNaN (Tensor.toFloat fit.StandardErrors.Limit) "held"
            Expect.equal fit.DegreesOfFreedom 20 "one parameter is left"

            let alone =
                Fit.curve (fun rate x -> saturate { Limit = scalar 2.5; Rate = rate } x) xs observed (scalar 1.0)

            close (Tensor.toFloat fit.Parameters.Rate) (Tensor.toFloat alone.Parameters) "the other"
            close (Tensor.toFloat fit.StandardErrors.Rate) (Tensor.toFloat alone.StandardErrors) "its error"
            Expect.stringContains (string fit) "held by its bound" "said"

        testCase "robust losses are not led by outliers"
        <| fun () ->
            let off =
                where
                    (equal (Tensor.iota 21) (Tensor.full DType.Int32 [ 21 ] 12.0))
                    (Tensor.full DType.Float64 [ 21 ] 20.0)
                    (Tensor.zerosLike xs)

            let distance (fit: CurveFit<Saturation>) = abs (Tensor.toFloat fit.Parameters.Limit - 3.0)
            let plain = Fit.curve saturate xs (observed + off) start
            Expect.isGreaterThan (distance plain) 0.5 "least squares are"

            for loss in [ RobustLoss.Huber 0.2; RobustLoss.SoftL1 0.2; RobustLoss.Cauchy 0.2 ] do
                let fit = Fit.curveWith { options with Loss = loss } saturate xs (observed + off) start
                Expect.isTrue fit.Converged $"{fit}"
                Expect.isLessThan (distance fit) 0.2 $"{loss}: {fit}"

        testCase "models of several inputs and outputs"
        <| fun () ->
            let a, b =
                Random.normal DType.Float64 [ 30 ] (Key.create 1L), Random.normal DType.Float64 [ 30 ] (Key.create 2L)

            let model (p: Tensor) (a: Tensor, b: Tensor) = stack 0 [ p[0] * a + p[1] * b; p[2] * a * b ]
            let y = vmap (model (Tensor.ofSeq [ 1.0; -2.0; 0.5 ])) (a, b)

            let fit =
                Fit.curve
                    model
                    (a, b)
                    (y + 0.01 * Random.normal DType.Float64 [ 30; 2 ] (Key.create 3L))
                    (Tensor.zeros [ 3 ])

            Expect.isTrue fit.Converged $"{fit}"
            Expect.equal fit.DegreesOfFreedom 57 "two numbers an observation"
            let band = Fit.predictionBand 0.9 model fit (a, b)
            Expect.equal band.Upper.Shape [| 30; 2 |] "the band's shape"

        testCase "a fit that did not converge never looks like a success"
        <| fun () ->
            let early =
                Fit.curveWith { options with Stopping = Stopping.after 1 } saturate xs observed {
                    start with
                        Rate = scalar 30.0
                }

            Expect.isFalse early.Converged $"{early}"
            Expect.isNaN (Tensor.toFloat early.StandardErrors.Rate) "no errors"
            Expect.isNaN (Tensor.toFloat (Fit.confidenceBand 0.95 saturate early xs).Upper[0]) "no band"
            Expect.stringStarts (string early) "NOT CONVERGED" "said first"
            // two parameters that only their sum tells of
            let twice =
                Fit.curve (fun (a: Tensor, b: Tensor) (x: Tensor) -> (a + b) * x) xs observed (scalar 0.0, scalar 1.0)

            Expect.isTrue (numbers twice.StandardErrors |> Array.forall Double.IsNaN) "nothing tells them apart"

        testCase "what cannot be fitted is refused in the caller's words"
        <| fun () ->
            let fit x y = Fit.curve saturate x y start |> ignore
            refuses "as many of both" (fun () -> fit xs observed[1..])

            refuses "observation 3 is NaN" (fun () ->
                fit
                    xs
                    (where
                        (equal (Tensor.iota 21) (Tensor.full DType.Int32 [ 21 ] 3.0))
                        (Tensor.full DType.Float64 [ 21 ] nan)
                        observed))

            refuses "2 parameters for 1 observations" (fun () -> fit xs[0..0] observed[0..0])

            refuses "weights are positive" (fun () ->
                Fit.curveWith { options with Weights = Some(Tensor.zerosLike xs) } saturate xs observed start
                |> ignore)

            refuses "there are no weights" (fun () ->
                Fit.curveWith { options with KnownDeviations = true } saturate xs observed start |> ignore)

            refuses "they must agree" (fun () ->
                Fit.curve (fun (p: Tensor) (x: Tensor) -> p * x) xs observed (Tensor.ones [ 2 ]) |> ignore)

            refuses "the loss is NaN" (fun () ->
                Fit.curve (fun (p: Tensor) (x: Tensor) -> log p * x) xs observed (scalar -1.0) |> ignore)

            refuses "between 0 and 1" (fun () -> (Fit.curve saturate xs observed start).Intervals 95.0 |> ignore)
    ]
