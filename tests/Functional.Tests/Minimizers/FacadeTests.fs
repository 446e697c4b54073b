/// The facade's minimisers and curve fits give what the F# functions give.
module Functional.Tests.Minimizers.FacadeTests

open System
open System.Threading
open Expecto
open Functional

let private valley (p: Tensor) = 100.0 * square (p[1] - p[0] * p[0]) + square (1.0 - p[0])
let private start = Tensor.ofSeq [ -1.2; 1.0 ]

let private pairs: (CSharp.Minimizer * Minimizer) list = [
    CSharp.LBFGS(), Minimizer.lbfgs
    CSharp.BFGS(), Minimizer.bfgs
    CSharp.BFGS CSharp.QuasiNewtonScaling.SelfScaled, Minimizer.selfScaledBfgs
    CSharp.BFGS CSharp.QuasiNewtonScaling.SelfScaledBroyden, Minimizer.selfScaledBroyden
    CSharp.ConjugateGradients(), Minimizer.conjugateGradients
    CSharp.NewtonCG(), Minimizer.newtonCg
]

[<Tests>]
let tests =
    testList "minimizers, the facade" [
        testCase "the same points, steps and reasons as in F#"
        <| fun () ->
            for facade, minimizer in pairs do
                let one = facade.Minimize(Func<_, _> valley, start)
                let other = Minimizer.minimize minimizer valley start
                Expect.equal (Tensor.toFloats one.Parameters) (Tensor.toFloats other.Parameters) minimizer.Name
                Expect.equal (one.Steps, one.Evaluations) (other.Report.Steps, other.Report.Evaluations) minimizer.Name
                Expect.equal (string one.Reason) (string other.Report.Reason) minimizer.Name
                Expect.isTrue one.Converged minimizer.Name

        testCase "least squares, bounds, limits and cancellation"
        <| fun () ->
            let xs = Tensor.linspace 0.0 1.0 9
            let residual = Func<Tensor, Tensor, Tensor>(fun p x -> p[0] + p[1] * x - (1.0 - 2.0 * x))
            let levenberg = CSharp.LevenbergMarquardt()
            let bounds = CSharp.Bounds<Tensor>(Tensor.ofSeq [ 0.0; -1.0 ], Tensor.ofSeq [ 9.0; 9.0 ])
            let free = levenberg.LeastSquares(residual, xs, Tensor.zeros [ 2 ])
            let bounded = levenberg.LeastSquares(residual, xs, Tensor.zeros [ 2 ], bounds)
            Expect.floatClose Accuracy.high (Tensor.toFloat free.Parameters[1]) -2.0 "free"
            Expect.equal (Tensor.toFloat bounded.Parameters[1]) -1.0 "at its bound"
            let short = CSharp.LBFGS(MaxSteps = 2).Minimize(Func<_, _> valley, start)
            Expect.equal (short.Reason, short.Converged) (CSharp.StopReason.StepsDone, false) "two steps"
            let cancelled = CSharp.LBFGS().Minimize(Func<_, _> valley, start, null, CancellationToken true)
            Expect.equal (cancelled.Reason, cancelled.Steps) (CSharp.StopReason.Interrupted, 1) "cancelled"

        testCase "a curve's parameters, errors and bands"
        <| fun () ->
            let xs = Tensor.linspace 0.0 4.0 15
            let ys = 2.0 * (1.0 - exp (-0.7 * xs)) + 0.05 * sin (9.0 * xs)
            let model (p: Tensor) (x: Tensor) = p[0] * (1.0 - exp (-p[1] * x))
            let one = CSharp.CurveFit.Of(Func<_, _, _>(fun p x -> model p x), xs, ys, Tensor.ones [ 2 ])
            let other = Fit.curve model xs ys (Tensor.ones [ 2 ])
            Expect.equal (Tensor.toFloats one.Parameters) (Tensor.toFloats other.Parameters) "parameters"
            Expect.equal (Tensor.toFloats one.StandardErrors) (Tensor.toFloats other.StandardErrors) "errors"
            let band = Fit.predictionBand 0.9 model other xs
            Expect.equal (Tensor.toFloats (one.PredictionBand(xs, 0.9).Upper)) (Tensor.toFloats band.Upper) "band"
            Expect.isTrue one.Converged "converged"
    ]
