namespace Functional

// BFGS with a memory of a few steps instead of a matrix.

/// D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization" (1989).
type Lbfgs = {
    /// How many steps are remembered.
    History: int
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Lbfgs =

    /// Ten steps.
    let defaults: Lbfgs = { History = 10 }

    type private Memory = {
        /// Steps, the oldest first, a row each.
        Steps: Tensor
        /// The gradients' changes over them.
        Changes: Tensor
        /// 1/sᵀy; 0 where there is no step yet.
        Weights: Tensor
        /// The size of the inverse Hessian before what the steps tell.
        Size: Tensor
    }

    let private first (settings: Lbfgs) (point: Tensor) : obj =
        let rows = Tensor.full point.DType [ settings.History; point.Shape[0] ] 0.0

        box {
            Steps = rows
            Changes = rows
            Weights = Tensor.full point.DType [ settings.History ] 0.0
            Size = MinimizerState.number point 1.0
        }

    /// The approximate inverse Hessian times a vector, by the two loops of Nocedal (1980).
    let private times (memory: Memory) (g: Tensor) : Tensor =
        let down q (s: Tensor, y: Tensor, weight: Tensor) =
            let a = weight * inner s q
            q - a * y, a

        let up r (s: Tensor, y: Tensor, weight: Tensor, a: Tensor) = r + (a - weight * inner y r) * s, a
        let q, shares = scanBack down g (memory.Steps, memory.Changes, memory.Weights)
        fst (scan up (memory.Size * q) (memory.Steps, memory.Changes, memory.Weights, shares))

    let private push (rows: Tensor) (row: Tensor) = concat 0 [ narrow 0 1 (rows.Shape[0] - 1) rows; expandDims 0 row ]

    let private step (problem: Problem) (state: MinimizerState) =
        let memory = MinimizerState.memory<Memory> "Lbfgs" state
        let g = Descent.movable problem state state.Gradient
        let isFresh = equal (amax memory.Weights) (host g 0.0)
        let first = where isFresh (Descent.cautious g) (host g 1.0)
        let place, found, evaluations = Descent.along problem 0.9 state -(times memory g) first
        let s, y = Descent.change problem state place
        let isCurved = logicalAnd found (Descent.isCurved s y)
        let ys = inner s y

        let remembered = {
            Steps = push memory.Steps s
            Changes = push memory.Changes y
            Weights = push memory.Weights (1.0 / ys)
            Size = ys / inner y y
        }

        let memory = Tree.map2 (where isCurved) remembered memory
        // a search that failed forgets what was learnt
        let memory = {
            memory with
                Weights = where found memory.Weights (Tensor.zerosLike memory.Weights)
                Size = where found memory.Size (Tensor.onesLike memory.Size)
        }

        Descent.arrive problem state place found evaluations isFresh (box memory)

    /// The minimiser of the settings, with a strong Wolfe line search (1e-4, 0.9).
    let create (settings: Lbfgs) : Minimizer =
        if settings.History < 1 then
            invalidArg "settings" $"Lbfgs: a history of {settings.History} steps; there must be at least one"

        { Called = "Lbfgs"; Memory = first settings; Look = Descent.look; Step = step }
