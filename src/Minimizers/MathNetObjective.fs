namespace Functional

// Losses over trees as objectives of MathNet's, so that its minimisers work on them.

open MathNet.Numerics.LinearAlgebra
open MathNet.Numerics.Optimization

/// Losses as MathNet's objectives. Each keeps a compiled program.
[<RequireQualifiedAccess>]
module MathNetObjective =

    /// A loss as an objective with its gradient, and the point to begin from; `ofVector` takes a point back to the tree.
    /// Example: `let objective, first, ofVector = MathNetObjective.gradient loss start`.
    let gradient (loss: 'P -> Tensor) (like: 'P) : IObjectiveFunction * Vector<float> * (Vector<float> -> 'P) =
        let name = "MathNetObjective.gradient"
        let tree v = ParameterVector.toTree name like v
        let program = compile (valueAndGrad (tree >> loss))

        let evaluate (v: Vector<float>) =
            let value, gradient = program (Tensor.ofSeq v)
            struct (Tensor.toFloat value, Tensor.toVector gradient)

        let first = Tensor.toVector (cast DType.Float64 (ParameterVector.ofTree name like))
        ObjectiveFunction.Gradient evaluate, first, (fun v -> tree (Tensor.ofSeq v))

    /// A loss as an objective with its gradient and its Hessian, which costs a pass for each parameter; as `gradient`.
    let hessian (loss: 'P -> Tensor) (like: 'P) : IObjectiveFunction * Vector<float> * (Vector<float> -> 'P) =
        let name = "MathNetObjective.hessian"
        let tree v = ParameterVector.toTree name like v
        let f = tree >> loss

        let program =
            compile (fun v ->
                let value, gradient = valueAndGrad f v
                value, gradient, hessian f v)

        let evaluate (v: Vector<float>) =
            let value, gradient, hessian = program (Tensor.ofSeq v)
            struct (Tensor.toFloat value, Tensor.toVector gradient, Tensor.toMatrix hessian)

        let first = Tensor.toVector (cast DType.Float64 (ParameterVector.ofTree name like))
        ObjectiveFunction.GradientHessian evaluate, first, (fun v -> tree (Tensor.ofSeq v))
