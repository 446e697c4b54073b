namespace Functional

// A minimiser is two pure functions, like an optimiser, of an objective instead of a gradient.

/// Where a minimiser stands. It is itself a tree of tensors: it can be saved, compiled and batched.
type MinimizerState = {
    /// The parameters as a vector.
    Point: Tensor
    Loss: Tensor
    /// The gradient at the point, 0 where bounds hold a parameter.
    Gradient: Tensor
    /// What is left of the gradient, as `Stopping.Gradient` counts it.
    Optimality: Tensor
    /// The last step's length, relative to the point's.
    Length: Tensor
    /// By how much the last step lowered the loss, relative to it.
    Decrease: Tensor
    /// Whether the last step found a point to go to, Bool.
    Found: Tensor
    /// The steps done, Int64.
    Steps: Tensor
    /// How often the loss was computed, Int64.
    Evaluations: Tensor
    /// What else the minimiser remembers, a tree of a type of its own.
    Memory: obj
}

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module MinimizerType =

    /// A way of making an objective small. `Minimizer.minimize` runs it.
    type Minimizer = internal {
        Called: string
        /// What it remembers before the first step, from the point.
        Memory: Tensor -> obj
        /// The state at its point looked at anew: at the start, and when the data are others.
        Look: Problem -> MinimizerState -> MinimizerState
        Step: Problem -> MinimizerState -> MinimizerState
    } with

        /// What it is called in reports and errors.
        member m.Name = m.Called

        override m.ToString() = m.Called

/// What the rules of minimisers are written with.
[<RequireQualifiedAccess>]
module internal MinimizerState =

    let private integer (n: int64) : Tensor = Concrete(Functional.Kernels.NDArray.OfInteger(n, DType.Int64))

    /// A single number of the element type of others.
    let number (like: Tensor) (x: float) : Tensor = Tensor.scalarOf like.DType x

    /// How many, Int64.
    let count (n: int) : Tensor = integer (int64 n)

    /// Before anything was computed.
    let blank (minimizer: Minimizer) (point: Tensor) : MinimizerState = {
        Point = point
        Loss = number point nan
        Gradient = Tensor.zerosLike point
        Optimality = number point infinity
        Length = number point infinity
        Decrease = number point infinity
        Found = Tensor.scalarOf DType.Bool 1.0
        Steps = integer 0L
        Evaluations = integer 0L
        Memory = minimizer.Memory point
    }

    let memory<'M> (name: string) (state: MinimizerState) : 'M =
        match state.Memory with
        | :? 'M as memory -> memory
        | _ -> invalidArg "state" $"the state is not one of {name}; begin with Minimizer.init"

    /// The largest component of a gradient.
    let largest (gradient: Tensor) : Tensor = amax (abs gradient)

    /// What a loss has left of its gradient: the largest component.
    let ofLoss (problem: Problem) (point: Tensor) (loss: Tensor) (gradient: Tensor) (state: MinimizerState) =
        let gradient = Problem.free problem point gradient gradient

        {
            state with
                Point = point
                Loss = loss
                Gradient = gradient
                Optimality = largest gradient
        }

    /// The relative length of a step: of the component that moved most, relative to itself.
    let private length (before: Tensor) (after: Tensor) =
        amax (safeDivide (abs (after - before)) (abs before + abs after))

    /// One step more, to a point with its loss, after so many evaluations.
    let advance
        (found: Tensor)
        (evaluations: Tensor)
        (before: MinimizerState)
        (after: MinimizerState)
        : MinimizerState = {
        after with
            Length = length before.Point after.Point
            Decrease = safeDivide (before.Loss - after.Loss) (abs before.Loss)
            Found = found
            Steps = before.Steps + 1.0
            Evaluations = before.Evaluations + evaluations
    }

    /// The state, whose length and decrease say nothing where no point was found.
    let unlessFailed (found: Tensor) (state: MinimizerState) : MinimizerState = {
        state with
            Length = where found state.Length (host state.Length infinity)
            Decrease = where found state.Decrease (host state.Decrease infinity)
    }
