namespace Functional

// Least squares by Gauss and Newton's step, damped as much as is needed.

/// In what units steps are damped.
[<RequireQualifiedAccess>]
type Damping =
    /// All parameters alike: for networks, whose parameters are of one size.
    | Uniform
    /// Each by the largest norm that its column of the Jacobian has had: for models whose parameters have units. J. J. Moré,
    /// "The Levenberg–Marquardt algorithm: implementation and theory" (1978).
    | Scaled

/// How the damped step is solved for.
[<RequireQualifiedAccess>]
type LeastSquaresSolver =
    /// By the Gramian JᵀJ and Cholesky's factors: fast for many parameters, good to half the digits.
    | Gramian
    /// By the QR factors of J, which lose no digits.
    | Orthogonal
    /// Orthogonal up to 12 parameters, by the Gramian beyond.
    | Automatic

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module LevenbergMarquardtType =

    /// Levenberg and Marquardt's method with H. B. Nielsen's rule for the damping ("Damping parameter in Marquardt's method",
    /// 1999): the better a step keeps what the linear model promised, the less the next one is damped.
    type LevenbergMarquardt = {
        /// The damping at first, relative to the largest diagonal element of the (scaled) Gramian.
        Damping: float
        Units: Damping
        Solver: LeastSquaresSolver
    }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module LevenbergMarquardt =

    /// Damping 1e-3, scaled; the solver by the number of parameters.
    let defaults: LevenbergMarquardt = {
        Damping = 1e-3
        Units = Damping.Scaled
        Solver = LeastSquaresSolver.Automatic
    }

    /// What is remembered between steps: the Jacobian at the point and the damping.
    type private Memory = {
        /// JᵀJ, or R of J = Q·R.
        Factor: Tensor
        /// Jᵀr, or Qᵀr.
        Target: Tensor
        /// The squares of the units.
        Units: Tensor
        Mu: Tensor
        Growth: Tensor
    }

    /// A point on trial.
    type private Trial = {
        Point: Tensor
        Loss: Tensor
        Mu: Tensor
        Growth: Tensor
        Found: Tensor
        Tries: Tensor
    }

    let private mostTries = 40

    /// Solving for steps: what is kept of r and J, the Gramian's diagonal, Jᵀr, and the step for a diagonal of damping, in the
    /// parameters where `mask` is 1, with the square of J's length along it.
    type private Solving = {
        Reduce: Tensor -> Tensor -> Tensor * Tensor
        Diagonal: Tensor -> Tensor
        Gradient: Tensor -> Tensor -> Tensor
        Step: Tensor -> Tensor -> Tensor -> Tensor -> Tensor
        Along: Tensor -> Tensor -> Tensor
    }

    let private byGramian: Solving = {
        Reduce = fun r j -> transpose j *@ j, ParameterVector.timesTransposed j r
        Diagonal = LinearAlgebra.diagonal
        Gradient = fun _ target -> target
        Step =
            fun factor target mask damping ->
                let a = expandDims -1 mask * factor * mask + expandDims -1 damping * Tensor.eye mask.DType mask.Shape[0]

                -(LinearAlgebra.choleskySolve (LinearAlgebra.choleskyOrNaN a) (mask * target))
        Along = fun factor d -> inner d (ParameterVector.times factor d)
    }

    let private byQr: Solving =
        /// Rows of zeros below, so that there are as many rows as columns at least.
        let tall (x: Tensor) (n: int) =
            if x.Shape[0] >= n then
                x
            else
                pad ((0, n - x.Shape[0]) :: List.replicate (x.Rank - 1) (0, 0)) x

        {
            Reduce =
                fun r j ->
                    let q, factor = LinearAlgebra.qrOrNaN (tall j j.Shape[1])
                    factor, ParameterVector.timesTransposed q (tall r j.Shape[1])
            Diagonal = fun factor -> sumOver [ 0 ] (square factor)
            Gradient = ParameterVector.timesTransposed
            Step =
                fun factor target mask damping ->
                    let n = mask.Shape[0]
                    let below = expandDims -1 (sqrt damping) * Tensor.eye mask.DType n
                    let q, r = LinearAlgebra.qrOrNaN (concat 0 [ factor * mask; below ])
                    let right = ParameterVector.timesTransposed q (concat 0 [ target; Tensor.zerosLike mask ])
                    -(LinearAlgebra.triangularSolve false r right)
            Along = fun factor d -> (let along = ParameterVector.times factor d in inner along along)
        }

    let private solvingBy (settings: LevenbergMarquardt) (point: Tensor) =
        match settings.Solver with
        | LeastSquaresSolver.Gramian -> byGramian
        | LeastSquaresSolver.Orthogonal -> byQr
        | LeastSquaresSolver.Automatic -> if point.Shape[0] <= 12 then byQr else byGramian

    let private first (settings: LevenbergMarquardt) (point: Tensor) : obj =
        let n = point.Shape[0]

        box {
            Factor = Tensor.full point.DType [ n; n ] 0.0
            Target = Tensor.zerosLike point
            Units = Tensor.zerosLike point
            Mu = MinimizerState.number point settings.Damping
            Growth = MinimizerState.number point 2.0
        }

    /// The state at a point, with the Jacobian there.
    let private lookAt settings (problem: Problem) (memory: Memory) (point: Tensor) (state: MinimizerState) =
        let solving = solvingBy settings point
        let r, j = Problem.rows "LevenbergMarquardt" problem point
        let factor, target = solving.Reduce r j
        let gradient = solving.Gradient factor target
        let free = Problem.free problem point gradient gradient
        let columns = solving.Diagonal factor

        let units =
            match settings.Units with
            | Damping.Uniform -> Tensor.onesLike columns * amax columns
            | Damping.Scaled -> maximum memory.Units columns

        {
            state with
                Point = point
                Gradient = free
                // the cosines between r and the columns
                Optimality = amax (abs (safeDivide free (safeSqrt (columns * inner r r))))
                Memory = box { memory with Factor = factor; Target = target; Units = units }
        }

    let private look settings (problem: Problem) (state: MinimizerState) =
        let memory = MinimizerState.memory<Memory> "LevenbergMarquardt" state
        // other data have other columns
        let memory = { memory with Units = Tensor.zerosLike memory.Units }

        {
            lookAt settings problem memory state.Point state with
                Loss = problem.Loss state.Point
                Evaluations = state.Evaluations + 1.0
        }

    /// What rounding may do to the loss: to change residuals by ε·Σ |Jⱼ·xⱼ|, as parameters off by ε would.
    let private noise (memory: Memory) (solving: Solving) (state: MinimizerState) =
        let epsilon = 2.0 * ParameterVector.epsilon state.Point.DType
        let reach = epsilon * inner (sqrt (solving.Diagonal memory.Factor)) (abs state.Point)
        reach * (sqrt (2.0 * state.Loss) + reach)

    /// The step, with parameters that would leave their bounds taken to them, and the others solved for once more.
    let private withinBounds (problem: Problem) (memory: Memory) (point: Tensor) (mask: Tensor) solve =
        let again (mask: Tensor, taken: Tensor, d: Tensor) =
            match Problem.leaving problem point d with
            | ValueNone -> mask, taken, d
            | ValueSome(stays, short) ->
                let mask, taken = mask * stays, taken + mask * short
                mask, taken, taken + solve mask (memory.Target + ParameterVector.times memory.Factor taken)

        let _, _, d = (mask, Tensor.zerosLike point, solve mask memory.Target) |> again |> again
        d

    /// Tries one damping. A step is taken if it lowers the loss, or if all that could be won is so little that rounding hides it.
    let private attempt solving (problem: Problem) (memory: Memory) (state: MinimizerState) (trial: Trial) =
        let noise = noise memory solving state
        let mask = Problem.free problem state.Point state.Gradient (Tensor.onesLike state.Point)
        // a column of zeros has a damping of its own
        let units = where (greater memory.Units (host mask 0.0)) memory.Units (Tensor.onesLike mask)
        let solve mask target = mask * solving.Step memory.Factor target mask (trial.Mu * units * mask + (1.0 - mask))
        let d = withinBounds problem memory state.Point mask solve
        let point = Problem.project problem (state.Point + d)
        let loss = problem.Loss point
        let d = point - state.Point
        let promised = -(inner state.Gradient d) - 0.5 * solving.Along memory.Factor d
        let gain = (state.Loss - loss) / promised

        // along a single parameter the loss falls by its square of the cosine
        let hidden =
            [ promised; state.Loss * square state.Optimality; abs (loss - state.Loss) ]
            |> List.map (fun x -> lessEqual x noise)
            |> List.reduce logicalAnd

        let found = logicalAnd (isFinite loss) (logicalOr (less loss state.Loss) hidden)
        let epsilon = ParameterVector.epsilon state.Point.DType
        let bend = 2.0 * minimum gain (host gain 1.0) - 1.0
        let eased = trial.Mu * maximum (1.0 - bend * bend * bend) (host gain (1.0 / 3.0))

        {
            Point = where found point state.Point
            Loss = where found loss state.Loss
            Mu =
                where
                    found
                    (maximum (where hidden (trial.Mu / 3.0) eased) (host gain epsilon))
                    (trial.Mu * trial.Growth)
            Growth = where found (host gain 2.0) (trial.Growth * 2.0)
            Found = found
            Tries = trial.Tries + 1.0
        }

    let private step settings (problem: Problem) (state: MinimizerState) =
        let memory = MinimizerState.memory<Memory> "LevenbergMarquardt" state

        let start = {
            Point = state.Point
            Loss = state.Loss
            Mu = memory.Mu
            Growth = memory.Growth
            Found = Tensor.scalarOf DType.Bool 0.0
            Tries = MinimizerState.count 0
        }

        let trial =
            whileLoop
                (fun trial -> logicalAnd (logicalNot trial.Found) (less trial.Tries (MinimizerState.count mostTries)))
                (attempt (solvingBy settings state.Point) problem memory state)
                start

        // after a failure the next step begins where this one did
        let memory = {
            memory with
                Mu = where trial.Found trial.Mu memory.Mu
                Growth = host trial.Mu 2.0
        }

        { lookAt settings problem memory trial.Point state with Loss = trial.Loss }
        |> MinimizerState.advance trial.Found (trial.Tries + 1.0) state

    /// The minimiser of the settings. Example:
    /// `LevenbergMarquardt.create { LevenbergMarquardt.defaults with Units = Damping.Uniform }`.
    let create (settings: LevenbergMarquardt) : Minimizer =
        if not (settings.Damping > 0.0 && settings.Damping < infinity) then
            invalidArg "settings" $"LevenbergMarquardt: the damping is {settings.Damping}; it is a positive number"

        {
            Called = "LevenbergMarquardt"
            Memory = first settings
            Look = look settings
            Step = step settings
        }
