/// Derivatives of what an equation determines, whatever found it: the implicit function theorem.
[<AutoOpen>]
module Functional.Implicit

/// The x that solves f p x = 0, found by a function of one's own, which may iterate as it likes: the derivative does not go
/// through it. It follows from the equation: ∂f/∂x · dx = −∂f/∂p · dp, a dense linear system of x's numbers, in both modes
/// and to any order. x is any tree of tensors of one float type, and f p x one like it. Where ∂f/∂x is singular, x is no
/// function of p, and the derivative is NaN. Derivatives flow to p only, not to what f closes over.
/// Example: `customRoot (fun (p: Tensor) (x: Tensor) -> x * x - p) sqrt (scalar 9.0)` is 3, its derivative 1/6.
let customRoot (f: 'P -> 'X -> 'X) (solve: 'P -> 'X) (p: 'P) : 'X =
    let tangent (p: 'P) (x: 'X) (dp: 'P) : 'X =
        let v = Tree.ravel x
        let residual v = Tree.ravel (f p (Tree.unravel x v))
        let _, along = jvp (fun p -> Tree.ravel (f p x)) p dp

        if along.Shape[0] <> v.Shape[0] then
            invalidShape
                "customRoot"
                $"as many equations as unknowns are needed; there are {along.Shape[0]} and {v.Shape[0]}"

        LinearAlgebra.solveOrNaN (jacobian residual v) (expandDims 1 -along)
        |> reshape v.Shape
        |> Tree.unravel x

    customForward "customRoot" (fun p -> solve p |> Tree.map stopGradient) tangent p

/// The x at which f p x is least, found by a function of one's own: `customRoot` of the gradient, ∂f/∂x = 0.
/// Example: `customMinimum (fun (p: Tensor) x -> square (x - p) + 2.0 * x) (fun p -> p - 1.0) (scalar 3.0)` is 2, its derivative 1.
let customMinimum (f: 'P -> 'X -> Tensor) (solve: 'P -> 'X) (p: 'P) : 'X = customRoot (fun p x -> grad (f p) x) solve p
