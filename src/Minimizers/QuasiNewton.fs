namespace Functional

// Dense quasi-Newton methods: an approximation of the inverse Hessian, learnt from differences of gradients.

/// How the inverse Hessian is updated.
[<RequireQualifiedAccess>]
type QuasiNewtonUpdate =
    /// Broyden, Fletcher, Goldfarb and Shanno's.
    | Bfgs
    /// BFGS on the approximation scaled down where it promises too much.
    | SelfScaledBfgs
    /// Broyden's family between BFGS and DFP with factors of M. Al-Baali's; the best known for physics-informed networks:
    /// J. F. Urbán, P. Stefanou and J. A. Pons, "Unveiling the optimization process of physics informed neural networks: How
    /// accurate and competitive can PINNs be?" (2025).
    | SelfScaledBroyden

/// Quasi-Newton methods that keep a matrix, n numbers squared for n parameters: some thousands.
[<RequireQualifiedAccess>]
module QuasiNewton =

    type private Memory = {
        /// The approximate inverse of the Hessian.
        Inverse: Tensor
        /// Whether it holds nothing yet, Bool.
        Fresh: Tensor
    }

    /// The share θ of DFP's part and the factor τ by which the approximation is divided, from b = sᵀBs/sᵀy and h = yᵀHy/sᵀy.
    let private factors update (n: float) (b: Tensor) (h: Tensor) : Tensor * Tensor * Tensor =
        let one = host b 1.0
        let a = maximum (b * h - 1.0) (host b 1e-12)

        match update with
        | QuasiNewtonUpdate.Bfgs -> a, host b 0.0, one
        | QuasiNewtonUpdate.SelfScaledBfgs -> a, host b 0.0, minimum one (1.0 / b)
        | QuasiNewtonUpdate.SelfScaledBroyden ->
            let c = sqrt (a / (a + 1.0))
            let rho = minimum one (h * (1.0 - c))
            let theta = maximum ((rho - 1.0) / a) (minimum (1.0 / rho) ((1.0 - b) / b))
            let sigma = 1.0 + theta * a
            let root = sigma ** (-1.0 / max 1.0 (n - 1.0))
            let scale = minimum one (1.0 / b)

            let tau =
                where (greater theta (host b 0.0)) (scale * minimum root (1.0 / theta)) (minimum (scale * root) sigma)

            a, theta, tau

    /// The approximation after a step s over which the gradient changed by y; `gradient` and `length` are the gradient before
    /// it and the step along −H·gradient.
    let private updated update (memory: Memory) (s: Tensor) (y: Tensor) (gradient: Tensor) (length: Tensor) =
        let n = s.Shape[0]
        let ys = inner s y
        let column (x: Tensor) = expandDims -1 x
        // a first guess of the size of the inverse
        let guess = ys / inner y y
        let hy = where memory.Fresh (guess * y) (ParameterVector.times memory.Inverse y)
        let yhy = inner y hy
        let sBs = where memory.Fresh (inner s s / guess) -(length * inner s gradient)
        let a, theta, tau = factors update (float n) (sBs / ys) (yhy / ys)
        let phi = (1.0 - theta) / (1.0 + theta * a)
        let w = s / ys - hy / yhy
        let before = where memory.Fresh (guess * Tensor.eye s.DType n) memory.Inverse

        (before - column (hy / yhy) * hy + column (phi * yhy * w) * w) / tau + column (s / ys) * s

    let private step update (problem: Problem) (state: MinimizerState) =
        let memory = MinimizerState.memory<Memory> (string update) state
        let g = Descent.movable problem state state.Gradient
        let d = where memory.Fresh -g -(ParameterVector.times memory.Inverse g)
        let first = where memory.Fresh (Descent.cautious g) (host g 1.0)
        let place, found, evaluations = Descent.along problem 0.9 state d first
        let s, y = Descent.change problem state place
        let isCurved = logicalAnd found (Descent.isCurved s y)
        // how far along −H·g it went: s = −length·H·g
        let length = safeDivide (inner s d) (inner d d)
        let next = updated update memory s y g length

        let learnt = {
            Inverse = where isCurved next memory.Inverse
            // a search that failed forgets what was learnt
            Fresh = logicalOr (logicalNot found) (logicalAnd memory.Fresh (logicalNot isCurved))
        }

        Descent.arrive problem state place found evaluations memory.Fresh (box learnt)

    /// The minimiser of an update, with a strong Wolfe line search (1e-4, 0.9).
    let create (update: QuasiNewtonUpdate) : Minimizer = {
        Called = string update
        Memory =
            fun point ->
                let n = point.Shape[0]

                box {
                    Inverse = Tensor.full point.DType [ n; n ] 0.0
                    Fresh = Tensor.scalarOf DType.Bool 1.0
                }
        Look = Descent.look
        Step = step update
    }
