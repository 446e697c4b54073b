namespace Functional

// Newton's method without the Hessian: its products with vectors are enough, within a region where the model is trusted.

/// Newton's method by conjugate gradients in a trust region: T. Steihaug, "The conjugate gradient method and trust regions in
/// large scale optimization" (1983). The Hessian takes part by its products with vectors only.
type NewtonCg = {
    /// The length of the first steps at most.
    Radius: float
    /// How many products with the Hessian a step may take; 0 is as many as there are parameters.
    Products: int
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module NewtonCg =

    /// Radius 1, as many products as parameters.
    let defaults: NewtonCg = { Radius = 1.0; Products = 0 }

    type private Memory = { Radius: Tensor }

    type private Inner = {
        /// The step so far, and how the Hessian changes the gradient over it.
        Step: Tensor
        Change: Tensor
        Residual: Tensor
        Direction: Tensor
        Going: Tensor
        Count: Tensor
    }

    /// The step that makes the quadratic model small within a radius, the Hessian times it, and how many products it took.
    let private solve (most: int) (product: Tensor -> Tensor) (g: Tensor) (radius: Tensor) =
        let zero = host g 0.0
        let size = norm g
        let tolerance = size * minimum (host g 0.5) (sqrt size)

        let next s =
            let bd = product s.Direction
            let curvature = inner s.Direction bd
            let rr = inner s.Residual s.Residual
            let alpha = safeDivide rr curvature
            let point = s.Step + alpha * s.Direction
            let isOut = logicalOr (lessEqual curvature zero) (greaterEqual (norm point) radius)
            // to the edge of the region: |step + t·direction| = radius
            let a, b = inner s.Direction s.Direction, inner s.Step s.Direction
            let c = inner s.Step s.Step - radius * radius
            let edge = safeDivide (safeSqrt (maximum (b * b - a * c) zero) - b) a
            let t = where isOut edge alpha
            let residual = s.Residual + t * bd
            let beta = safeDivide (inner residual residual) rr

            {
                Step = s.Step + t * s.Direction
                Change = s.Change + t * bd
                Residual = residual
                Direction = beta * s.Direction - residual
                Going = logicalAnd (logicalNot isOut) (greater (norm residual) tolerance)
                Count = s.Count + 1.0
            }

        let still = Tensor.zerosLike g

        let found =
            whileLoop (fun s -> logicalAnd s.Going (less s.Count (MinimizerState.count most))) next {
                Step = still
                Change = still
                Residual = g
                Direction = -g
                Going = greater size zero
                Count = MinimizerState.count 0
            }

        found.Step, found.Change, found.Count

    let private step (settings: NewtonCg) (problem: Problem) (state: MinimizerState) =
        let memory = MinimizerState.memory<Memory> "NewtonCg" state
        let g = state.Gradient
        let move x = Descent.movable problem state x
        let product v = move (snd (jvp (fun x -> snd (problem.Slope x)) state.Point (move v)))
        let most = if settings.Products = 0 then g.Shape[0] else settings.Products
        let d, change, products = solve most product (move g) memory.Radius
        // what is near a bound that the descent leads to goes there
        let point = Problem.project problem (state.Point + d + (move g - g))
        let loss, gradient = problem.Slope point
        let noise = LineSearch.noise state.Loss
        let promised = inner g (state.Point - point) - 0.5 * inner d change
        let fall = state.Loss - loss
        let length = norm d

        // all that the whole model promises is hidden by rounding, not only what the region lets it
        let isHidden =
            [ lessEqual promised noise; lessEqual (abs fall) noise; less length (0.99 * memory.Radius) ]
            |> List.reduce logicalAnd

        let kept = where isHidden (host fall 1.0) (fall / promised)
        let found = logicalAnd (isFinite loss) (greater kept (host fall 1e-4))

        let radius =
            where
                (logicalAnd found (greater kept (host kept 0.75)))
                (maximum memory.Radius (2.0 * length))
                (where (greater kept (host kept 0.25)) memory.Radius (0.25 * length))

        let choose a b = where found a b
        let tiny = ParameterVector.epsilon g.DType * norm state.Point
        let isLost = logicalAnd (logicalNot found) (lessEqual radius tiny)

        let next =
            MinimizerState.ofLoss problem (choose point state.Point) (choose loss state.Loss) (choose gradient g) {
                state with
                    Memory = box { Radius = radius }
            }
            |> MinimizerState.advance (logicalNot isLost) (products + 1.0) state

        MinimizerState.unlessFailed found next

    /// The minimiser of the settings.
    let create (settings: NewtonCg) : Minimizer =
        if not (settings.Radius > 0.0 && settings.Radius < infinity) then
            invalidArg "settings" $"NewtonCg: the radius is {settings.Radius}; it is a positive number"

        if settings.Products < 0 then
            invalidArg
                "settings"
                $"NewtonCg: {settings.Products} products a step; there must be some, or 0 for as many as parameters"

        {
            Called = "NewtonCg"
            Memory = fun point -> box { Radius = MinimizerState.number point settings.Radius }
            Look = Descent.look
            Step = step settings
        }
