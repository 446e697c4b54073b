/// Levenberg and Marquardt's method against certified results, exact steps, and what it must refuse.
module Functional.Tests.Minimizers.LevenbergMarquardtTests

open System
open Expecto
open Functional
open Functional.Tests.Oracles
open Functional.Tests.Minimizers.NistSets

let private minimizer = Minimizer.levenbergMarquardt

let private using units solver =
    LevenbergMarquardt.create { LevenbergMarquardt.defaults with Units = units; Solver = solver }

let private ways = [
    for units in [ Damping.Uniform; Damping.Scaled ] do
        for solver in [ LeastSquaresSolver.Gramian; LeastSquaresSolver.Orthogonal ] do
            $"{units}, {solver}", using units solver
]

/// Rosenbrock's valley as residuals.
let private valley (p: Tensor) = concat 0 [ 10.0 * (p[1] - p[0] * p[0]) |> expandDims 0; expandDims 0 (1.0 - p[0]) ]

let private xs = Tensor.linspace -1.0 2.0 30
let private line (a: Tensor, b: Tensor) (x: Tensor, y: Tensor) = y - (a + b * x)

type private Wave = { Height: Tensor; Rate: Tensor; Name: string; Shift: Frozen<Tensor> }

let private refuses (part: string) (work: unit -> unit) =
    let e = Expect.throwsC work id
    Expect.stringContains e.Message part "the reason"
    Expect.isTrue (e :? ArgumentException) $"an ArgumentException, not {e.GetType().Name}"

[<Tests>]
let tests =
    testList "minimizers, Levenberg and Marquardt" [
        testCase "NIST: parameters to 7 digits from both starts, the sum of squares to 9"
        <| skipWithout "nist/nist_strd_nonlinear.json" (fun path ->
            for set in read path do
                for start in set.Starts do
                    let residual b (x, y) = y - model set.Name b x
                    let minimum = Minimizer.leastSquares minimizer residual (set.X, set.Y) start
                    let report = minimum.Report
                    Expect.isTrue report.Converged $"{set.Name}: {report}"
                    let right = digits set.Parameters (Tensor.toFloats minimum.Parameters)
                    Expect.isGreaterThan right 7.0 $"{set.Name}: digits of the parameters"
                    let squares = digits [| set.Squares |] [| 2.0 * report.Loss |]
                    // the residuals of Lanczos1 are 1e-13 of its numbers: three digits of them are there
                    Expect.isGreaterThan
                        squares
                        (if set.Name = "Lanczos1" then 2.0 else 9.0)
                        $"{set.Name}: digits of the sum of squares")

        testCase "Rosenbrock's valley, by every solver and unit"
        <| fun () ->
            for name, way in ways do
                let start = Tensor.ofSeq [ -1.2; 1.0 ]

                let minimum = Minimizer.run Stopping.defaults way (fun () -> Objective.squaresOf valley) () start

                Expect.isTrue minimum.Report.Converged $"{name}: {minimum.Report}"
                Expect.isLessThan minimum.Report.Steps 60 name
                let distance = Tensor.toFloat (norm (minimum.Parameters - 1.0))
                Expect.isLessThan distance 1e-8 $"{name}: the minimum is at (1, 1)"

        testCase "a linear model is solved by MathNet's regression"
        <| fun () ->
            let ys = 3.0 - 2.0 * xs + sin (40.0 * xs)
            let minimum = Minimizer.leastSquares minimizer line (xs, ys) (scalar 0.0, scalar 0.0)
            let struct (a, b) = MathNet.Numerics.Fit.Line(Tensor.toFloats xs, Tensor.toFloats ys)
            let found, slope = minimum.Parameters
            Expect.floatClose Accuracy.high (Tensor.toFloat found) a "the height"
            Expect.floatClose Accuracy.high (Tensor.toFloat slope) b "the slope"

        testCase "records with frozen parts and settings, Float32 too"
        <| fun () ->
            for dtype, tolerance in [ DType.Float64, 1e-9; DType.Float32, 1e-4 ] do
                let number = Tensor.scalarOf dtype
                let x = cast dtype xs
                let wave p x = p.Height * sin (p.Rate * x + p.Shift.Value)

                let truth = {
                    Height = number 1.5
                    Rate = number 2.0
                    Name = "w"
                    Shift = { Value = number 0.5 }
                }

                let start = { truth with Height = number 1.0; Rate = number 1.7 }
                let minimum = Minimizer.leastSquares minimizer (fun p (x, y) -> y - wave p x) (x, wave truth x) start
                let p = minimum.Parameters
                Expect.isLessThan (abs (Tensor.toFloat p.Height - 1.5)) tolerance $"{dtype}: height, {minimum.Report}"
                Expect.isLessThan (abs (Tensor.toFloat p.Rate - 2.0)) tolerance $"{dtype}: rate"
                Expect.equal (Tensor.toFloat p.Shift.Value) (Tensor.toFloat (number 0.5)) "frozen"

        testCase "rows by examples are the rows of the Jacobian, of one residual or several"
        <| fun () ->
            let p = Tensor.ofSeq [ 0.3; -0.7; 1.1 ]
            let one (p: Tensor) (x: Tensor) = p[0] * exp (p[1] * x) + p[2]
            let several p x = stack 0 [ one p x; one p (x * 0.5) * p[1] ]

            let problem objective = Problem.ofObjective "test" p objective
            let rows objective = (problem objective).Rows.Value p

            for name, objective, plain in
                [
                    "one", Objective.squares one xs, (fun p -> vmap (one p) xs)
                    "several", Objective.squares several xs, (fun p -> vmap (several p) xs |> flatten)
                    "together", Objective.squaresOf (fun p -> vmap (one p) xs), (fun p -> vmap (one p) xs)
                ] do
                let r, j = rows objective
                Expect.isLessThan (Tensor.toFloat (amax (abs (r - plain p)))) 1e-14 name
                Expect.isLessThan (Tensor.toFloat (amax (abs (j - jacobian plain p)))) 1e-13 name

            let loss, gradient = (problem (Objective.scale 3.0 (Objective.squares one xs))).Slope p
            let r, j = rows (Objective.scale 3.0 (Objective.squares one xs))
            Expect.floatClose Accuracy.high (Tensor.toFloat (inner r r * 0.5)) (Tensor.toFloat loss) "half the squares"

            Expect.isLessThan
                (Tensor.toFloat (amax (abs (ParameterVector.timesTransposed j r - gradient))))
                1e-12
                "the gradient"

        testCase "robust losses: their rows give their gradient, and an outlier hardly counts"
        <| fun () ->
            let clean = 1.0 + 2.0 * xs

            let outlier =
                where
                    (equal (Tensor.iota 30) (Tensor.full DType.Int32 [ 30 ] 7.0))
                    (Tensor.full DType.Float64 [ 30 ] 50.0)
                    (Tensor.zerosLike xs)

            let ys = clean + outlier

            for robust, tolerance in
                [ RobustLoss.Huber 0.1, 2e-2; RobustLoss.SoftL1 0.1, 2e-2; RobustLoss.Cauchy 0.1, 1e-3 ] do
                let objective = Objective.robustSquares robust line
                let start = scalar 0.5, scalar 1.5
                let problem = Problem.ofObjective "test" start (objective (xs, ys))
                let v = Tensor.ofSeq [ 0.5; 1.5 ]
                let r, j = problem.Rows.Value v
                let _, gradient = problem.Slope v

                Expect.isLessThan
                    (Tensor.toFloat (amax (abs (ParameterVector.timesTransposed j r - gradient))))
                    1e-10
                    $"{robust}: the gradient"

                let minimum = Minimizer.run Stopping.defaults minimizer objective (xs, ys) start
                let a, b = minimum.Parameters
                let off = max (abs (Tensor.toFloat a - 1.0)) (abs (Tensor.toFloat b - 2.0))
                Expect.isLessThan off tolerance $"{robust}: {minimum.Report}"

        testCase "bounds hold, and what they do not hold is as good as can be"
        <| fun () ->
            let ys = 3.0 - 2.0 * xs
            let objective = Objective.squares line
            let lower, upper = (scalar -infinity, scalar -1.0), (scalar infinity, scalar 0.0)

            for start in [ (scalar 0.0, scalar -0.5); (scalar 9.0, scalar 5.0) ] do
                let minimum =
                    Minimizer.run Stopping.defaults minimizer (objective >> Objective.within lower upper) (xs, ys) start

                let a, b = minimum.Parameters
                Expect.equal (Tensor.toFloat b) -1.0 "the slope stands at its bound"
                Expect.isTrue minimum.Report.Converged $"{minimum.Report}"
                // the best height for this slope is the mean of what is left
                Expect.floatClose Accuracy.high (Tensor.toFloat a) (Tensor.toFloat (mean (ys + xs))) "the height"

        testCase "more parameters than residuals find one of the solutions"
        <| fun () ->
            for name, way in ways do
                let minimum =
                    Minimizer.leastSquares
                        way
                        (fun (p: Tensor) (x: Tensor) -> inner p (x ** Tensor.ofSeq [ 0.0; 1.0; 2.0; 3.0 ]) - 1.0)
                        (Tensor.ofSeq [ 0.5; 2.0 ])
                        (Tensor.ones [ 4 ])

                Expect.isLessThan minimum.Report.Loss 1e-20 $"{name}: {minimum.Report}"

        testCase "a step is the damped Gauss–Newton step, eager as compiled"
        <| fun () ->
            let ys = 0.9 * tanh (1.2 * xs)
            let residual (p: Tensor) (x: Tensor, y: Tensor) = y - p[0] * tanh (p[1] * x)
            let objective = Objective.squares residual (xs, ys)
            let p = Tensor.ofSeq [ 0.8; 1.4 ]
            let state = Minimizer.init minimizer objective p
            let next = Minimizer.step minimizer objective p state
            let compiled = compile (Minimizer.step minimizer objective p) state
            let j = jacobian (fun p -> vmap (residual p) (xs, ys)) p
            let g = transpose j *@ j
            let damped = g + 1e-3 * LinearAlgebra.diagonal g * Tensor.eye DType.Float64 2
            let r = vmap (residual p) (xs, ys)
            let expected = p - LinearAlgebra.solve damped (ParameterVector.timesTransposed j r)

            for name, state in [ "eager", next; "compiled", compiled ] do
                Expect.isTrue (Tensor.toBool state.Found) name
                Expect.isLessThan (Tensor.toFloat (amax (abs (state.Point - expected)))) 1e-12 name

        testCase "other data take their place, of any number, and a run begins again"
        <| fun () ->
            let data n = (let x = Tensor.linspace -1.0 2.0 n in x, 1.0 - 2.0 * x)

            use run = new Minimization<_, _>(minimizer, Objective.squares line, (scalar 0.0, scalar 0.0), data 20)

            Expect.isTrue (run.Run Stopping.defaults).Converged "the first"
            let x, y = data 35
            run.Data <- (x, y + 1.0)
            Expect.isGreaterThan run.Loss 1.0 "the loss of the new data"
            Expect.isTrue (run.Run Stopping.defaults).Converged "the second"
            let a, _ = run.Parameters
            Expect.floatClose Accuracy.high (Tensor.toFloat a) 2.0 "the new height"
            run.Restart(scalar 5.0, scalar 5.0)
            Expect.equal (run.Run(Stopping.after 0)).Steps 0 "begun again"
            Expect.isTrue (run.Run Stopping.defaults).Converged "the third"

        testCase "what did not converge says so, and a caller may stop it"
        <| fun () ->
            let start = Tensor.ofSeq [ -1.2; 1.0 ]
            let objective () = Objective.squaresOf valley
            let report = (Minimizer.run (Stopping.after 3) minimizer objective () start).Report
            Expect.equal report.Reason StopReason.StepsDone "all steps are done"
            Expect.isFalse report.Converged "not converged"
            Expect.stringContains (string report) "not converged" "in words"
            use run = new Minimization<_, _>(minimizer, objective, start, ())
            let report = run.Run(Stopping.defaults, (fun report -> report.Steps < 2))
            Expect.equal (report.Reason, report.Steps) (StopReason.Interrupted, 2) "stopped by its caller"
            Expect.isTrue (run.Run Stopping.defaults).Converged "and gone on with"

        testCase "what is not finite is refused at the start, and not stepped to"
        <| fun () ->
            let root (p: Tensor) (x: Tensor) = sqrt p[0] * x - 0.1 * x

            refuses "the loss is NaN" (fun () ->
                Minimizer.leastSquares minimizer root xs (Tensor.ofSeq [ -1.0 ]) |> ignore)

            refuses "[1] is NaN" (fun () ->
                Minimizer.leastSquares minimizer root xs (Tensor.ofSeq [ 1.0; nan ]) |> ignore)

            // the first steps lead to roots of negative numbers
            let minimum = Minimizer.leastSquares minimizer root xs (Tensor.ofSeq [ 4.0 ])
            Expect.floatClose Accuracy.medium (Tensor.toFloat minimum.Parameters[0]) 0.01 $"{minimum.Report}"

        testCase "what cannot be minimised is refused in the caller's words"
        <| fun () ->
            let start = scalar 0.0, scalar 0.0
            let run objective = Minimizer.run Stopping.defaults minimizer objective () start |> ignore
            refuses "needs the residuals" (fun () -> run (fun () -> Objective.loss (fun (a, _) -> a)))

            refuses "lower bound must be below" (fun () ->
                run (fun () ->
                    Objective.squares line (xs, xs)
                    |> Objective.within (scalar 0.0, scalar 2.0) (scalar 1.0, scalar 2.0)))

            refuses "hold no tensor" (fun () ->
                Minimizer.leastSquares minimizer (fun (_: int) (x: Tensor) -> x) xs 3 |> ignore)

            refuses "one element type" (fun () ->
                Minimizer.leastSquares minimizer line (xs, xs) (scalar 0.0, Tensor.scalarOf DType.Float32 1.0)
                |> ignore)

            refuses "positive number" (fun () ->
                LevenbergMarquardt.create { LevenbergMarquardt.defaults with Damping = 0.0 } |> ignore)
    ]
