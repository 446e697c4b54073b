/// Minimisers of a loss: the usual valleys, quadratics, bounds, NaN, trees; judged by known minima, by MathNet's minimisers and
/// by Newton's method by hand.
module Functional.Tests.Minimizers.MinimizerTests

open System
open Expecto
open MathNet.Numerics.LinearAlgebra
open MathNet.Numerics.Optimization
open Functional

let minimizers = [
    Minimizer.lbfgs
    Minimizer.bfgs
    Minimizer.selfScaledBfgs
    Minimizer.selfScaledBroyden
    Minimizer.conjugateGradients
    Minimizer.newtonCg
]

let private rosenbrock (x: Tensor) =
    let n = x.Shape[0]
    let a, b = narrow 0 0 (n - 1) x, narrow 0 1 (n - 1) x
    sum (100.0 * square (b - a * a) + square (1.0 - a))

let private beale (p: Tensor) =
    let x, y = p[0], p[1]
    let term (c: float) (power: float) = square (c - x + x * y ** power)
    term 1.5 1.0 + term 2.25 2.0 + term 2.625 3.0

/// Its Hessian is singular at the minimum.
let private powell (x: Tensor) =
    square (x[0] + 10.0 * x[1])
    + 5.0 * square (x[2] - x[3])
    + square (square (x[1] - 2.0 * x[2]))
    + 10.0 * square (square (x[0] - x[3]))

let private distance (a: Tensor) (b: Tensor) = Tensor.toFloat (amax (abs (a - b)))

let private refuses (part: string) (work: unit -> unit) =
    let e = Expect.throwsC work id
    Expect.stringContains e.Message part "the reason"
    Expect.isTrue (e :? ArgumentException) $"an ArgumentException, not {e.GetType().Name}"

type private Layered = { First: Tensor; Rest: (Tensor * Tensor list); Scale: float }

/// A convex function of a random tree, and the tree.
let private ofTree (seed: int64) =
    let keys = Key.split 6 (Key.create seed)
    let normal shape k = Random.normal DType.Float64 shape keys[k]

    let tree = {
        First = normal [ 2; 3 ] 0
        Rest = normal [] 1, [ normal [ 4 ] 2; normal [ 1; 1 ] 3 ]
        Scale = 0.5
    }

    let target, mixing = normal [ 12 ] 4, normal [ 12; 12 ] 5

    let loss (p: Layered) =
        let d = Tree.ravel p - target
        let z = ParameterVector.times mixing d
        p.Scale * inner z z + 0.1 * sum (square d) + 0.05 * sum (square (square d))

    tree, target, loss

/// A minimisation of a loss whose gradient points up.
let private misled (m: Minimizer) =
    let loss (x: Tensor) = (let y = sum (square x) in 2.0 * stopGradient y - y)
    (Minimizer.run (Stopping.after 200) m (fun () -> Objective.loss loss) () (Tensor.ofSeq [ 1.0; 2.0 ])).Report

[<Tests>]
let tests =
    testList "minimizers" [
        testCase "Rosenbrock's, Beale's and Powell's functions"
        <| fun () ->
            let valley = [ for _ in 1..5 -> [ -1.2; 1.0 ] ] |> List.concat

            for m in minimizers do
                for name, f, start, minimum, tolerance in
                    [
                        "Rosenbrock", rosenbrock, [ -1.2; 1.0 ], [ 1.0; 1.0 ], 1e-8
                        "Rosenbrock in 10 dimensions", rosenbrock, valley, List.replicate 10 1.0, 1e-8
                        "Beale", beale, [ 1.0; 1.0 ], [ 3.0; 0.5 ], 1e-8
                        "Powell", powell, [ 3.0; -1.0; 0.0; 1.0 ], List.replicate 4 0.0, 1e-3
                    ] do
                    let found = Minimizer.minimize m f (Tensor.ofSeq start)
                    Expect.isTrue found.Report.Converged $"{name}: {found.Report}"

                    Expect.isLessThan
                        (distance found.Parameters (Tensor.ofSeq minimum))
                        tolerance
                        $"{name}: {found.Report}"

        testCase "the report is of the point that was found"
        <| fun () ->
            for m in minimizers do
                let found = Minimizer.minimize m beale (Tensor.ofSeq [ 1.0; 1.0 ])
                let loss, gradient = valueAndGrad beale found.Parameters
                Expect.equal found.Report.Loss (Tensor.toFloat loss) m.Name
                Expect.floatClose Accuracy.high found.Report.Gradient (Tensor.toFloat (amax (abs gradient))) m.Name

        testCase "trees of random numbers: where MathNet's BFGS comes to"
        <| fun () ->
            for seed in 1L .. 3L do
                let tree, _, loss = ofTree seed
                let f v = loss (Tree.unravel tree v)

                let value (v: Vector<float>) = Tensor.toFloat (f (Tensor.ofSeq v))
                let gradient (v: Vector<float>) = Tensor.toVector (grad f (Tensor.ofSeq v))
                let objective = ObjectiveFunction.Gradient(value, gradient)
                let judge = BfgsMinimizer(1e-10, 1e-12, 1e-12, 10000)
                let expected = judge.FindMinimum(objective, Tensor.toVector (Tree.ravel tree))
                let judged = Tensor.ofSeq expected.MinimizingPoint

                for m in minimizers do
                    let found = Minimizer.minimize m loss tree
                    Expect.isTrue found.Report.Converged $"{found.Report}"

                    Expect.isLessThan
                        (distance (Tree.ravel found.Parameters) judged)
                        1e-6
                        $"seed {seed}: {found.Report}"

                    Expect.isLessThanOrEqual found.Report.Loss (value expected.MinimizingPoint + 1e-12) m.Name

        testCase "on a quadratic Newton's step is the one by hand, and conjugate directions end"
        <| fun () ->
            let weights = Tensor.linspace 1.0 30.0 6
            let mixing = Random.normal DType.Float64 [ 6; 6 ] (Key.create 3L)
            let f (x: Tensor) = (let z = ParameterVector.times mixing (x - 1.0) in 0.5 * sum (weights * z * z))
            let start = Tensor.zeros [ 6 ]
            let far = NewtonCg.create { NewtonCg.defaults with Radius = 1e6 }
            let problem = Objective.loss f
            let step = start - LinearAlgebra.solve (hessian f start) (grad f start)
            // conjugate gradients stop at half the gradient's size at first
            let exact = (Minimizer.run (Stopping.after 6) far (fun () -> problem) () start).Parameters
            Expect.isLessThan (distance exact step) 1e-9 "a few steps of Newton's"

            for m in minimizers do
                let found = Minimizer.minimize m f start
                Expect.isLessThan (distance found.Parameters step) 1e-8 $"{found.Report}"

        testCase "bounds: held where the descent leads out, free where it leads in"
        <| fun () ->
            for m in minimizers do
                for start, lower, upper, minimum in
                    [
                        [ -1.2; 1.0 ], [ -2.0; -2.0 ], [ 0.5; 2.0 ], [ 0.5; 0.25 ]
                        [ 2.0; 0.0 ], [ 1.5; -2.0 ], [ 3.0; 2.0 ], [ 1.5; 2.0 ]
                        [ -1.2; 1.0 ], [ -infinity; -infinity ], [ infinity; infinity ], [ 1.0; 1.0 ]
                        // outside at first
                        [ 9.0; 9.0 ], [ -2.0; -2.0 ], [ 0.5; 2.0 ], [ 0.5; 0.25 ]
                    ] do
                    let objective () =
                        Objective.loss rosenbrock |> Objective.within (Tensor.ofSeq lower) (Tensor.ofSeq upper)

                    let found = Minimizer.run Stopping.defaults m objective () (Tensor.ofSeq start)
                    Expect.isTrue found.Report.Converged $"{found.Report}"
                    Expect.isLessThan (distance found.Parameters (Tensor.ofSeq minimum)) 1e-6 $"{found.Report}"

                    for x, low, high in List.zip3 (List.ofArray (Tensor.toFloats found.Parameters)) lower upper do
                        Expect.isTrue (low <= x && x <= high) "within its bounds"

        testCase "a loss that is not defined everywhere is minimised where it is"
        <| fun () ->
            // the first step of most leads to logarithms of negative numbers
            let f (p: Tensor) = sum (p - log p) + square (p[0] - 1.0)

            for m in minimizers do
                let found = Minimizer.minimize m f (Tensor.ofSeq [ 0.05; 8.0 ])
                Expect.isTrue found.Report.Converged $"{found.Report}"
                Expect.isLessThan (distance found.Parameters (Tensor.ones [ 2 ])) 1e-6 $"{found.Report}"

        testCase "what has no minimum, or none near, never looks like a success"
        <| fun () ->
            for m in minimizers do
                let report =
                    (Minimizer.run
                        (Stopping.after 4)
                        m
                        (fun () -> Objective.loss rosenbrock)
                        ()
                        (Tensor.ofSeq [ -1.2; 1.0 ]))
                        .Report

                Expect.equal report.Reason StopReason.StepsDone m.Name
                let objective () = Objective.loss (fun (x: Tensor) -> sum x)
                let down = (Minimizer.run (Stopping.after 100) m objective () (Tensor.zeros [ 2 ])).Report
                Expect.isFalse down.Converged $"{down}"
                let wrong = misled m
                Expect.isFalse wrong.Converged $"a gradient that is not the loss': {wrong}"

        testCase "NaN at the start is refused"
        <| fun () ->
            for m in minimizers do
                refuses "the loss is NaN" (fun () ->
                    Minimizer.minimize m (fun (p: Tensor) -> sum (log p)) (Tensor.ofSeq [ -1.0 ]) |> ignore)

                refuses "single number" (fun () ->
                    Minimizer.minimize m (fun (p: Tensor) -> p) (Tensor.ones [ 2 ]) |> ignore)

        testCase "a state put back goes on bit for bit, and a step is pure"
        <| fun () ->
            for m in minimizers do
                let start = Tensor.ofSeq [ -1.2; 1.0 ]
                let make () = new Minimization<_, _>(m, (fun () -> Objective.loss rosenbrock), start, ())
                use one = make ()
                use other = make ()

                for _ in 1..5 do
                    one.Step()

                other.Restore one.State

                for _ in 1..5 do
                    one.Step()
                    other.Step()

                Expect.equal (Tensor.toFloats other.Parameters) (Tensor.toFloats one.Parameters) m.Name

                let objective = Objective.loss rosenbrock
                let state = Minimizer.init m objective start
                let eager = Minimizer.step m objective start state
                let compiled = compile (Minimizer.step m objective start) state
                Expect.isLessThan (distance eager.Point compiled.Point) 1e-10 $"{m.Name}: eager and compiled"

        testCase "Float32 parameters are minimised as far as they go"
        <| fun () ->
            for m in minimizers do
                let start = Tensor.ofSeq [ -1.2f; 1.0f ]
                let rules = { Stopping.defaults with Gradient = 1e-4; Decrease = 1e-7 }
                let found = Minimizer.run rules m (fun () -> Objective.loss rosenbrock) () start
                Expect.equal found.Parameters.DType DType.Float32 m.Name
                Expect.isLessThan (distance found.Parameters (Tensor.ofSeq [ 1.0f; 1.0f ])) 2e-2 $"{found.Report}"

        testCase "natural gradients of least squares are Gauss and Newton's steps, of other losses their metric's"
        <| fun () ->
            let residual (p: Tensor) (x: Tensor) = p[0] * exp (p[1] * x) - exp (0.5 * x)
            let xs = Tensor.linspace 0.0 1.0 12
            let p = Tensor.ofSeq [ 0.9; 0.6 ]
            let squares = Objective.squares residual xs
            let m = Minimizer.naturalGradient
            let j = jacobian (fun p -> vmap (residual p) xs) p
            let r = vmap (residual p) xs
            let gramian = transpose j *@ j
            let expected = p - LinearAlgebra.solve gramian (ParameterVector.timesTransposed j r)
            let found = Minimizer.step m squares p (Minimizer.init m squares p)
            Expect.isLessThan (distance found.Point expected) 1e-9 "a whole step"

            let energy = Objective.loss (fun p -> sum (square (square (p - 1.0)))) |> Objective.withMetric squares
            let found = Minimizer.step m energy p (Minimizer.init m energy p)
            let direction = LinearAlgebra.solve gramian (4.0 * (p - 1.0) ** 3.0)
            let along = (p - found.Point) / direction
            Expect.isLessThan (abs (Tensor.toFloat (along[0] - along[1]))) 1e-8 "along the metric's direction"

            let minimum = Minimizer.leastSquares m residual xs p
            Expect.isTrue minimum.Report.Converged $"{minimum.Report}"
            Expect.isLessThan (distance minimum.Parameters (Tensor.ofSeq [ 1.0; 0.5 ])) 1e-8 $"{minimum.Report}"

        testCase "MathNet's minimisers work on losses over trees"
        <| fun () ->
            let tree, _, loss = ofTree 1L
            let expected = (Minimizer.minimize Minimizer.bfgs loss tree).Parameters |> Tree.ravel

            let objective, first, ofVector = MathNetObjective.gradient loss tree
            let found = BfgsMinimizer(1e-9, 1e-12, 1e-12, 10000).FindMinimum(objective, first)
            Expect.isLessThan (distance (Tree.ravel (ofVector found.MinimizingPoint)) expected) 1e-6 "BFGS"

            let objective, first, ofVector = MathNetObjective.hessian loss tree
            let found = NewtonMinimizer(1e-9, 100).FindMinimum(objective, first)
            Expect.isLessThan (distance (Tree.ravel (ofVector found.MinimizingPoint)) expected) 1e-6 "Newton"
    ]
