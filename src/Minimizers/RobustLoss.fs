namespace Functional

// What a residual counts: its square, or less where it is large, so that a few wrong observations do not decide.

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module RobustLossType =

    /// How residuals are added up. Up to about `scale` a residual r counts as its square.
    [<RequireQualifiedAccess>]
    type RobustLoss =
        /// r².
        | Squares
        /// r² up to the scale c, 2c·|r| − c² beyond: P. J. Huber, "Robust estimation of a location parameter" (1964).
        | Huber of scale: float
        /// 2c²·(√(1 + r²/c²) − 1): as Huber's, and smooth.
        | SoftL1 of scale: float
        /// c²·log(1 + r²/c²): what is far off hardly counts at all.
        | Cauchy of scale: float

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module internal RobustLoss =

    let check (operation: string) (loss: RobustLoss) =
        match loss with
        | RobustLoss.Squares -> ()
        | RobustLoss.Huber c
        | RobustLoss.SoftL1 c
        | RobustLoss.Cauchy c ->
            if not (c > 0.0 && c < infinity) then
                invalidArg
                    "loss"
                    $"{operation}: the scale of a robust loss is {c}; it is the size of an ordinary residual, a positive number"

    /// What residuals count, and the factor that makes them least squares at this point: ρ(r²) and √ρ'(r²).
    let apply (loss: RobustLoss) (r: Tensor) : Tensor * Tensor =
        match loss with
        | RobustLoss.Squares -> square r, Tensor.onesLike r
        | RobustLoss.Huber c ->
            let size = abs r
            let far = greater size (host r c)
            let guarded = where far size (host r c)
            where far (guarded * (2.0 * c) - c * c) (square r), where far (sqrt (c / guarded)) (host r 1.0)
        | RobustLoss.SoftL1 c ->
            let root = sqrt (1.0 + square (r / c))
            // 2c²·(root − 1) without cancellation
            2.0 * square r / (root + 1.0), rsqrt root
        | RobustLoss.Cauchy c ->
            let s = square (r / c)
            c * c * log1p s, rsqrt (1.0 + s)
