namespace Functional

// What a minimiser makes small: a loss, or half a sum of squares with the rows of its Jacobian.

open Functional.Operations

/// A function of parameters that is to be made small, with all that minimisers may ask of it.
type Objective<'P> = internal {
    Loss: 'P -> Tensor
    /// Residuals r and their Jacobian J by the parameters' vector, given the tree of a vector: Jᵀr is the loss' gradient.
    Rows: ((Tensor -> 'P) -> Tensor -> Tensor * Tensor) voption
    Lower: 'P voption
    Upper: 'P voption
}

/// Making objectives. Example: `Objective.sum [ Objective.squares inside points; Objective.squares edge border ]`.
[<RequireQualifiedAccess>]
module Objective =

    let private make loss rows = { Loss = loss; Rows = rows; Lower = ValueNone; Upper = ValueNone }

    /// Any function of parameters that returns a single number.
    let loss (f: 'P -> Tensor) : Objective<'P> = make f ValueNone

    let private halfSum (counted: Tensor) = sum counted * 0.5

    /// What a robust loss makes of residuals and their Jacobian.
    let private weigh robust (r: Tensor, j: Tensor) =
        match robust with
        | RobustLoss.Squares -> r, j
        | _ ->
            let _, factor = RobustLoss.apply robust r
            factor * r, expandDims -1 factor * j

    let private value robust (r: Tensor) =
        match robust with
        | RobustLoss.Squares -> inner r r * 0.5
        | _ -> halfSum (fst (RobustLoss.apply robust r))

    /// The rows that one example gives: a residual, or several, by reverse mode.
    let private rowsOfOne (f: Tensor -> Tensor) (v: Tensor) : Tensor * Tensor =
        let y, pullback = vjp f v

        if y.Rank = 0 then
            y, pullback (Tensor.onesLike y)
        else
            let n = Tensor.size y
            flatten y, vmap pullback (Tensor.eye y.DType n |> reshape (Array.append [| n |] y.Shape))

    /// `squares` with another way of adding up. Example: `Objective.robustSquares (RobustLoss.Huber 1.0) residual points`.
    let robustSquares (robust: RobustLoss) (residual: 'P -> 'X -> Tensor) (examples: 'X) : Objective<'P> =
        RobustLoss.check "Objective.robustSquares" robust
        let residuals p = vmap (residual p) examples |> flatten

        let rows tree v =
            let r, j = vmap (fun x -> rowsOfOne (fun v -> residual (tree v) x) v) examples
            weigh robust (flatten r, reshape [ -1; j.Shape[j.Rank - 1] ] j)

        make (residuals >> value robust) (ValueSome rows)

    /// Half the sum of the squares of residuals: one for each example along the first axis of all tensors of a tree, or
    /// several, a tensor of any shape. The Jacobian's rows are gradients of single examples, computed for all of them
    /// together, which costs a few times the residuals whatever the number of parameters: where residuals belong to
    /// examples this is the way to say it.
    /// Example: `Objective.squares (fun net (x, y) -> y - forward net x) (xs, ys)`.
    let squares (residual: 'P -> 'X -> Tensor) (examples: 'X) : Objective<'P> =
        robustSquares RobustLoss.Squares residual examples

    /// Half the sum of the squares of a tensor of residuals that do not come one by one from examples. Its Jacobian takes a
    /// pass for each parameter, or for each residual where those are fewer.
    let squaresOf (residuals: 'P -> Tensor) : Objective<'P> =
        let rows (tree: Tensor -> 'P) (v: Tensor) =
            let f v = flatten (residuals (tree v))
            let r, pullback = vjp f v

            let j =
                if r.Shape[0] <= v.Shape[0] then
                    vmap pullback (Tensor.eye r.DType r.Shape[0])
                else
                    jacobianForward f v

            r, j

        make (fun p -> value RobustLoss.Squares (residuals p)) (ValueSome rows)

    /// The objective times a positive number: for mean squares, `Objective.scale (1.0 / float count)`.
    let scale (factor: float) (objective: Objective<'P>) : Objective<'P> =
        if not (factor > 0.0 && factor < infinity) then
            invalidArg "factor" $"Objective.scale: {factor}; an objective is scaled by a positive number"

        let root = sqrt factor

        {
            objective with
                Loss = fun p -> factor * objective.Loss p
                Rows =
                    objective.Rows |> ValueOption.map (fun rows tree v -> let r, j = rows tree v in root * r, root * j)
        }

    let private either (a: 'P voption) (b: 'P voption) (combine: Tensor -> Tensor -> Tensor) =
        match a, b with
        | ValueSome a, ValueSome b -> ValueSome(Tree.map2 combine a b)
        | ValueSome a, ValueNone -> ValueSome a
        | ValueNone, b -> b

    /// The sum of objectives; their residuals stand one after another.
    let sum (objectives: Objective<'P> seq) : Objective<'P> =
        let join a b = {
            Loss = fun p -> a.Loss p + b.Loss p
            Rows =
                match a.Rows, b.Rows with
                | ValueSome first, ValueSome second ->
                    ValueSome(fun tree v ->
                        let r, j = first tree v
                        let s, k = second tree v
                        concat 0 [ r; s ], concat 0 [ j; k ])
                | _ -> ValueNone
            Lower = either a.Lower b.Lower maximum
            Upper = either a.Upper b.Upper minimum
        }

        match List.ofSeq objectives with
        | [] -> invalidArg "objectives" "Objective.sum: there are no objectives to add up"
        | list -> List.reduce join list

    /// The loss of one objective with the Jacobian of another: natural gradients of a loss that is no sum of squares measure
    /// steps by the Gramian JᵀJ of `metric`'s residuals, whose values do not matter.
    let withMetric (metric: Objective<'P>) (objective: Objective<'P>) : Objective<'P> = {
        objective with
            Rows = metric.Rows
    }

    /// The parameters kept between bounds, trees like the parameters; ±∞ where there is none.
    /// Example: `Objective.within (Tensor.zeros [ 2 ]) (Tensor.full DType.Float64 [ 2 ] infinity) objective`.
    let within (lower: 'P) (upper: 'P) (objective: Objective<'P>) : Objective<'P> = {
        objective with
            Lower = ValueSome lower
            Upper = ValueSome upper
    }
