namespace Functional

// Nonlinear conjugate gradients: a direction that remembers the last one, and nothing else.

/// Polak and Ribière's conjugate gradients, begun anew where their factor is negative (Powell, 1984). They keep three vectors.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module ConjugateGradients =

    type private Memory = {
        /// The last direction; 0 at first.
        Direction: Tensor
        /// The last gradient.
        Gradient: Tensor
        /// The fall that the last step promised: its length times the slope.
        Promise: Tensor
    }

    let private step (problem: Problem) (state: MinimizerState) =
        let memory = MinimizerState.memory<Memory> "ConjugateGradients" state
        let g = Descent.movable problem state state.Gradient
        let zero = host g 0.0
        let beta = safeDivide (inner g (g - memory.Gradient)) (inner memory.Gradient memory.Gradient)
        let d = maximum beta zero * memory.Direction - g
        let slope = inner d g
        let isDown = less slope zero
        let d, slope = where isDown d -g, where isDown slope -(inner g g)
        let isFresh = equal memory.Promise zero
        // the step that promises what the last one did
        let first = where isFresh (Descent.cautious g) (safeDivide memory.Promise slope)
        let place, found, evaluations = Descent.along problem 0.1 state d first
        let length = safeDivide (inner (place.Point - state.Point) d) (inner d d)

        let memory = {
            Direction = where found d (Tensor.zerosLike d)
            Gradient = where found g (Tensor.zerosLike g)
            Promise = where found (length * slope) zero
        }

        Descent.arrive problem state place found evaluations isFresh (box memory)

    /// The minimiser, with a strong Wolfe line search (1e-4, 0.1).
    let create () : Minimizer = {
        Called = "ConjugateGradients"
        Memory =
            fun point ->
                box {
                    Direction = Tensor.zerosLike point
                    Gradient = Tensor.zerosLike point
                    Promise = MinimizerState.number point 0.0
                }
        Look = Descent.look
        Step = step
    }
