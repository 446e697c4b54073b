/// A step along a direction, which all minimisers of a loss take.
module internal Functional.Descent

/// A point with its loss and gradient.
type Place = { Point: Tensor; Loss: Tensor; Gradient: Tensor }

let private zero (x: Tensor) = host x 0.0

/// What of a vector belongs to parameters that may be moved freely: 0 where a bound holds a parameter, or is so near that a
/// step would run into it. D. P. Bertsekas, "Projected Newton methods for optimization problems with simple constraints" (1982).
let movable (problem: Problem) (state: MinimizerState) (x: Tensor) : Tensor =
    match problem.Box with
    | ValueNone -> x
    | ValueSome(lower, upper) ->
        let v, g = state.Point, state.Gradient
        let near = minimum (amax (abs (Problem.project problem (v - g) - v))) (host v 1e-3)

        let held =
            logicalOr
                (logicalAnd (lessEqual v (lower + near)) (greater g (zero g)))
                (logicalAnd (greaterEqual v (upper - near)) (less g (zero g)))

        where (logicalOr held (equal g (zero g))) (Tensor.zerosLike x) x

/// A direction, straight to their bounds for parameters that are near them; the steepest one where it does not lead down.
let private downwards (problem: Problem) (state: MinimizerState) (direction: Tensor) =
    let steepest = -state.Gradient

    let d =
        match problem.Box with
        | ValueNone -> direction
        | ValueSome _ -> movable problem state (direction - steepest) + steepest

    where (less (inner d state.Gradient) (zero state.Loss)) d steepest

/// The place that a strong Wolfe search (1e-4, c2) comes to from a state, along a direction that bends where it meets bounds;
/// whether it found one; and after how many evaluations.
let along (problem: Problem) (c2: float) (state: MinimizerState) (direction: Tensor) (first: Tensor) =
    let d = downwards problem state direction

    let look step =
        let straight = state.Point + step * d
        let point = Problem.project problem straight
        let loss, gradient = problem.Slope point

        // what stands at a bound does not go on
        let going =
            match problem.Box with
            | ValueNone -> d
            | ValueSome _ -> where (equal point straight) d (Tensor.zerosLike d)

        loss, inner gradient going, { Point = point; Loss = loss; Gradient = gradient }

    let here = { Point = state.Point; Loss = state.Loss; Gradient = state.Gradient }
    let result = LineSearch.strongWolfe 1e-4 c2 look (state.Loss, inner d state.Gradient, here) first
    result.Kept, result.Found, result.Evaluations

/// The step to a place and the gradient's change over it, in the parameters that could be moved.
let change (problem: Problem) (state: MinimizerState) (place: Place) : Tensor * Tensor =
    let part = movable problem state
    part (place.Point - state.Point), part (place.Gradient - state.Gradient)

/// The state at its point looked at anew, for minimisers of a loss.
let look (problem: Problem) (state: MinimizerState) : MinimizerState =
    let loss, gradient = problem.Slope state.Point

    { state with Evaluations = state.Evaluations + 1.0 }
    |> MinimizerState.ofLoss problem state.Point loss gradient

/// The state after a step to a place. A failed search is the end only if what the minimiser had learnt was not to blame:
/// where `isFresh`, it had not learnt anything.
let arrive problem (state: MinimizerState) (place: Place) found evaluations (isFresh: Tensor) (memory: obj) =
    let next =
        MinimizerState.ofLoss problem place.Point place.Loss place.Gradient { state with Memory = memory }
        |> MinimizerState.advance (logicalOr found (logicalNot isFresh)) evaluations state

    MinimizerState.unlessFailed found next

/// How far to go first along a gradient that nothing is known of: as far as to move by 1 altogether, at most.
let cautious (gradient: Tensor) = minimum (host gradient 1.0) (safeDivide (host gradient 1.0) (sum (abs gradient)))

/// Differences that the curvature can be learnt from: positive, beyond rounding.
let isCurved (s: Tensor) (y: Tensor) = greater (inner s y) (ParameterVector.epsilon s.DType * norm s * norm y)
