/// How far an approximation is from what it approximates: in numbers at the same points, or with the weights of a quadrature,
/// by which sums become integrals.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.ErrorNorm

let private difference name (approximation: Tensor) (exact: Tensor) =
    if approximation.Shape <> exact.Shape then
        invalidShape
            name
            $"the approximation {approximation.Shape} and what it approximates {exact.Shape} must have one shape"

    approximation - exact

/// The largest error.
/// Example: `ErrorNorm.sup (Tensor.ofSeq [ 1.0; 2.0 ]) (Tensor.ofSeq [ 1.5; 5.0 ])` is 3.
let sup (approximation: Tensor) (exact: Tensor) : Tensor = amax (abs (difference "ErrorNorm.sup" approximation exact))

/// The root of the mean square of the errors.
/// Example: `ErrorNorm.rms (Tensor.ofSeq [ 0.0; 0.0 ]) (Tensor.ofSeq [ 1.0; 7.0 ])` is 5.
let rms (approximation: Tensor) (exact: Tensor) : Tensor =
    sqrt (mean (square (difference "ErrorNorm.rms" approximation exact)))

/// √Σ(error²) / √Σ(exact²): no matter how many points there are, or in which units.
/// Example: `ErrorNorm.relativeL2 (Tensor.ofSeq [ 3.0; 5.0 ]) (Tensor.ofSeq [ 3.0; 4.0 ])` is 0.2.
let relativeL2 (approximation: Tensor) (exact: Tensor) : Tensor =
    sqrt (sum (square (difference "ErrorNorm.relativeL2" approximation exact)) / sum (square exact))

/// √∫error², given the weights of the points' quadrature.
/// Example: `ErrorNorm.l2 (Tensor.ofSeq [ 0.5; 0.5 ]) (Tensor.ofSeq [ 3.0; 4.0 ]) (Tensor.ofSeq [ 3.0; 2.0 ])` is 1.414213562.
let l2 (weights: Tensor) (approximation: Tensor) (exact: Tensor) : Tensor =
    sqrt (sum (weights * square (difference "ErrorNorm.l2" approximation exact)))

/// √∫|∇(f − g)|² of two functions of points x [n, d] that give a number for each row, [n] or [n, 1], given the weights [n] of
/// the points' quadrature.
/// Example: `ErrorNorm.h1Seminorm (Tensor.ofSeq [ 0.5; 0.5 ]) square Tensor.zerosLike (Tensor.ofRows [ [ 1.0 ]; [ 2.0 ] ])`
/// is 3.162277660.
let h1Seminorm (weights: Tensor) (f: Tensor -> Tensor) (g: Tensor -> Tensor) (x: Tensor) : Tensor =
    if x.Rank <> 2 || weights.Shape <> [| x.Shape[0] |] then
        invalidShape
            "ErrorNorm.h1Seminorm"
            $"points [n, d] and a weight for each, [n], are needed, got {x.Shape} and {weights.Shape}"

    let error x = difference "ErrorNorm.h1Seminorm" (f x) (g x)

    List.init x.Shape[1] (fun i ->
        let slope = Derivatives.partial i error x

        if Tensor.size slope <> x.Shape[0] then
            invalidShape
                "ErrorNorm.h1Seminorm"
                $"a number for each of {x.Shape[0]} points is needed, got {slope.Shape}"

        sum (weights * square (flatten slope)))
    |> List.reduce (+)
    |> sqrt
