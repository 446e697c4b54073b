namespace Functional

// An objective over a vector: what the rules of minimisers are written with.

/// An objective of a vector of parameters, and the box that the vector stays in.
type internal Problem = {
    Loss: Tensor -> Tensor
    Slope: Tensor -> Tensor * Tensor
    /// Residuals and their Jacobian, where the objective has some.
    Rows: (Tensor -> Tensor * Tensor) voption
    /// The lower and the upper bounds.
    Box: (Tensor * Tensor) voption
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module internal Problem =

    let private boundsOf (operation: string) (parameters: 'P) (objective: Objective<'P>) =
        let like = ParameterVector.ofTree operation parameters

        let vector (name: string) (tree: 'P voption) (without: float) =
            match tree with
            | ValueNone -> Tensor.full like.DType like.Shape without
            | ValueSome tree ->
                let v = ParameterVector.ofTree $"{operation}, {name} bounds" tree

                if v.Shape[0] <> like.Shape[0] || v.DType <> like.DType then
                    invalidArg
                        "bounds"
                        $"{operation}: there are {v.Shape[0]} {name} bounds of {v.DType} for {like.Shape[0]} parameters of {like.DType}; bounds are a tree like the parameters"

                v

        if objective.Lower.IsNone && objective.Upper.IsNone then
            ValueNone
        else
            let lower, upper = vector "lower" objective.Lower -infinity, vector "upper" objective.Upper infinity
            let low, high = Tensor.toFloats lower, Tensor.toFloats upper

            for i in 0 .. low.Length - 1 do
                if not (low[i] < high[i]) then
                    invalidArg
                        "bounds"
                        $"{operation}: {ParameterVector.nameOf parameters i} is to lie between {low[i]} and {high[i]}; the lower bound must be below the upper one (a parameter that does not move is frozen)"

            ValueSome(lower, upper)

    /// The objective as a function of the vector of a tree's trained numbers.
    let ofObjective (operation: string) (parameters: 'P) (objective: Objective<'P>) : Problem =
        let tree = ParameterVector.toTree operation parameters

        let loss v =
            let y = objective.Loss(tree v)

            if y.Rank <> 0 then
                invalidShape
                    operation
                    $"the loss must be a single number, it is of shape {y.Shape}; reduce it with sum or mean"

            y

        {
            Loss = loss
            Slope = valueAndGrad loss
            Rows = objective.Rows |> ValueOption.map (fun rows -> rows tree)
            Box = boundsOf operation parameters objective
        }

    /// The rows of an objective for a minimiser that cannot do without.
    let rows (name: string) (problem: Problem) : Tensor -> Tensor * Tensor =
        match problem.Rows with
        | ValueSome rows -> rows
        | ValueNone ->
            invalidArg
                "objective"
                $"{name} needs the residuals of least squares, and was given a loss; make the objective with Objective.squares, or take lbfgs"

    /// The nearest point of the box.
    let project (problem: Problem) (v: Tensor) : Tensor =
        match problem.Box with
        | ValueNone -> v
        | ValueSome(lower, upper) -> minimum (maximum v lower) upper

    /// The gradient's part that a step may follow: 0 where the parameter stands at a bound and the descent leads out.
    let free (problem: Problem) (v: Tensor) (gradient: Tensor) (x: Tensor) : Tensor =
        match problem.Box with
        | ValueNone -> x
        | ValueSome(lower, upper) ->
            let held =
                logicalOr
                    (logicalAnd (lessEqual v lower) (greater gradient (host v 0.0)))
                    (logicalAnd (greaterEqual v upper) (less gradient (host v 0.0)))

            where held (Tensor.zerosLike x) x

    /// Where a step from a point leaves the box: 1 where it stays within, and what is left to the bounds where it does not.
    let leaving (problem: Problem) (v: Tensor) (step: Tensor) : (Tensor * Tensor) voption =
        match problem.Box with
        | ValueNone -> ValueNone
        | ValueSome _ ->
            let short = project problem (v + step) - v
            let leaves = notEqual (v + step) (v + short)
            ValueSome(where leaves (Tensor.zerosLike v) (Tensor.onesLike v), where leaves short (Tensor.zerosLike v))
