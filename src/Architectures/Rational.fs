namespace Functional

// An activation that is learnt.

/// p₀ + p₁x + p₂x² + p₃x³ over 1 + (q₀ + q₁x)², which has no pole: Numerator [4], Denominator [2].
type Rational = { Numerator: Tensor; Denominator: Tensor }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Rational =

    /// The nearest to relu on [−1, 1], to 0.02. N. Boullé, Y. Nakatsukasa, A. Townsend, "Rational neural networks" (2020).
    let init (dtype: DType) : Rational = {
        Numerator = cast dtype (Tensor.ofSeq [ 0.0218; 0.5; 1.5957; 1.1915 ])
        Denominator = cast dtype (Tensor.ofSeq [ 0.0; sqrt 2.383 ])
    }

    /// The activation, elementwise.
    /// Example: `Rational.apply (Rational.init DType.Float64) (scalar 0.0)` is 0.0218.
    let apply (p: Rational) (x: Tensor) : Tensor =
        let n k = index 0 k p.Numerator
        let q k = index 0 k p.Denominator
        (n 0 + x * (n 1 + x * (n 2 + x * n 3))) / (1.0 + square (q 0 + q 1 * x))

    /// The activation as a layer.
    let layer (dtype: DType) : Layer<Rational> =
        Layer.create "rational" (fun _ _ -> init dtype) (fun _ p x -> apply p x, p)
