/// Minimisers over parameter trees, in double precision to the last digits. What is frozen or of integers is left alone.
/// Example:
///     let minimum = Minimizer.leastSquares Minimizer.levenbergMarquardt residual (xs, ys) start
///     printfn $"{minimum.Report}"
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Minimizer

/// Levenberg and Marquardt's method for least squares, scaled, by QR for few parameters. More by `LevenbergMarquardt.create`.
let levenbergMarquardt: Minimizer = LevenbergMarquardt.create LevenbergMarquardt.defaults

/// BFGS with a memory of ten steps: for losses of many parameters. More by `Lbfgs.create`.
let lbfgs: Minimizer = Lbfgs.create Lbfgs.defaults

/// BFGS with a matrix: for losses of some hundred parameters.
let bfgs: Minimizer = QuasiNewton.create QuasiNewtonUpdate.Bfgs

/// BFGS that scales itself.
let selfScaledBfgs: Minimizer = QuasiNewton.create QuasiNewtonUpdate.SelfScaledBfgs

/// Self-scaled Broyden: for physics-informed networks, after some steps of Adam.
let selfScaledBroyden: Minimizer = QuasiNewton.create QuasiNewtonUpdate.SelfScaledBroyden

/// Nonlinear conjugate gradients: for losses of very many parameters.
let conjugateGradients: Minimizer = ConjugateGradients.create ()

/// Newton's method by products with the Hessian, in a trust region. More by `NewtonCg.create`.
let newtonCg: Minimizer = NewtonCg.create NewtonCg.defaults

/// Energy natural gradients, which are Gauss and Newton's steps of least squares: for physics-informed networks of some
/// hundred parameters. More by `NaturalGradient.create`.
let naturalGradient: Minimizer = NaturalGradient.create NaturalGradient.defaults

/// The state before the first step: the objective is computed at the parameters.
let init (minimizer: Minimizer) (objective: Objective<'P>) (parameters: 'P) : MinimizerState =
    let name = $"Minimizer.{minimizer.Name}"
    let problem = Problem.ofObjective name parameters objective

    MinimizerState.blank minimizer (Problem.project problem (ParameterVector.ofTree name parameters))
    |> minimizer.Look problem

/// The state after one step; a pure function, which compiles, batches and is written down. `like` is any tree of the
/// parameters' shapes, whose frozen leaves are used.
let step (minimizer: Minimizer) (objective: Objective<'P>) (like: 'P) (state: MinimizerState) : MinimizerState =
    minimizer.Step (Problem.ofObjective $"Minimizer.{minimizer.Name}" like objective) state

/// The parameters where a minimiser stands, as a tree like others.
let parameters (like: 'P) (state: MinimizerState) : 'P = ParameterVector.toTree "Minimizer.parameters" like state.Point

/// Makes an objective of data small, beginning at parameters. The data are arguments of the compiled program, not part of it.
/// Example: `Minimizer.run Stopping.defaults Minimizer.levenbergMarquardt (Objective.squares residual) (xs, ys) start`.
let run
    (rules: Stopping)
    (minimizer: Minimizer)
    (objective: 'D -> Objective<'P>)
    (data: 'D)
    (parameters: 'P)
    : Minimum<'P> =
    use minimization = new Minimization<'P, 'D>(minimizer, objective, parameters, data)
    let report = minimization.Run rules
    { Parameters = minimization.Parameters; Report = report }

/// Makes a function of parameters small.
/// Example: `Minimizer.minimize Minimizer.lbfgs (fun x -> square (x - 1.0) |> sum) (Tensor.zeros [ 3 ])`.
let minimize (minimizer: Minimizer) (loss: 'P -> Tensor) (parameters: 'P) : Minimum<'P> =
    run Stopping.defaults minimizer (fun () -> Objective.loss loss) () parameters

/// Makes the sum of the squares of residuals small, one (or several) for each of the examples along the first axis of the
/// data; the report's loss is half of it. Example, a line through points:
/// `Minimizer.leastSquares Minimizer.levenbergMarquardt (fun (a, b) (x, y) -> y - (a + b * x)) (xs, ys) (scalar 0.0, scalar 1.0)`.
let leastSquares (minimizer: Minimizer) (residual: 'P -> 'X -> Tensor) (examples: 'X) (parameters: 'P) : Minimum<'P> =
    run Stopping.defaults minimizer (Objective.squares residual) examples parameters
