namespace Functional

open System

// Features of coordinates that come before a network: waves, bumps, and what is periodic.

/// Waves with the frequencies [inputs, waves], in periods for each unit of the input: random ones, or learnt as any parameters.
type FourierFeatures = { Frequencies: Tensor }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module FourierFeatures =

    /// Normal frequencies of a scale, which is the number of periods in a unit that the network sees at once.
    let init (dtype: DType) (scale: float) (key: Tensor) (inputs: int) (waves: int) : FourierFeatures =
        if inputs < 1 || waves < 1 then
            invalidArg "waves" $"FourierFeatures: {inputs} inputs and {waves} waves; there must be at least one of each"

        { Frequencies = Random.normal dtype [ inputs; waves ] key * scale }

    /// cos 2πxB and sin 2πxB: x [.., inputs] gives [.., 2·waves]. M. Tancik and others, "Fourier features let networks learn high
    /// frequency functions in low dimensional domains" (2020).
    let apply (p: FourierFeatures) (x: Tensor) : Tensor =
        let angle = x *@ p.Frequencies * (2.0 * Math.PI)
        concat -1 [ cos angle; sin angle ]

    /// The features as a layer with frequencies that are learnt; `Layer.freeze` keeps them as they are drawn.
    /// Example: `FourierFeatures.layer DType.Float32 3.0 16 |> Layer.freeze`.
    let layer (dtype: DType) (scale: float) (waves: int) : Layer<FourierFeatures> =
        Layer.create "fourierFeatures" (fun key shape -> init dtype scale key (Array.last shape) waves) (fun _ p x ->
            apply p x, p)

    /// The first waves of a function with a period, of each coordinate: x [.., n] gives [.., 2·waves·n]. A network of them is
    /// periodic whatever its parameters, with all its derivatives.
    /// Example: `FourierFeatures.periodic 1.0 1 (Tensor.ofSeq [ 0.25 ])` is [0 1].
    let periodic (period: float) (waves: int) (x: Tensor) : Tensor =
        if not (period > 0.0) || waves < 1 then
            invalidArg
                "period"
                $"FourierFeatures.periodic: a period above 0 and at least one wave, got {period} and {waves}"

        [ for k in 1..waves -> x * (2.0 * Math.PI * float k / period) ]
        |> List.collect (fun angle -> [ cos angle; sin angle ])
        |> concat -1

/// Gaussian bumps: their centres [bumps, inputs], and the inverse of their widths [bumps].
type RadialBasis = { Centres: Tensor; Sharpness: Tensor }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RadialBasis =

    /// Bumps of one width around given centres.
    let create (width: float) (centres: Tensor) : RadialBasis =
        if centres.Rank <> 2 || not (width > 0.0) then
            invalidShape
                "RadialBasis.create"
                $"centres [bumps, inputs] and a width above 0 are needed, got {centres.Shape} and {width}"

        {
            Centres = centres
            Sharpness = Tensor.full centres.DType [ centres.Shape[0] ] (1.0 / width)
        }

    /// exp(−|x − c|²/2w²) of every bump: x [.., inputs] gives [.., bumps].
    /// Example: `RadialBasis.apply (RadialBasis.create 1.0 (Tensor.ofRows [ [ 0.0 ]; [ 1.0 ] ])) (Tensor.ofSeq [ 1.0 ])`
    /// is [0.606530660 1].
    let apply (p: RadialBasis) (x: Tensor) : Tensor =
        let apart = expandDims -2 x - p.Centres
        exp (sumOver [ -1 ] (square apart) * square p.Sharpness * -0.5)

    /// Bumps as a layer, with centres drawn from the cube [low, high]^inputs.
    let layer (dtype: DType) (low: float) (high: float) (width: float) (bumps: int) : Layer<RadialBasis> =
        Layer.create
            "radialBasis"
            (fun key shape -> create width (Random.uniform dtype [ bumps; Array.last shape ] key * (high - low) + low))
            (fun _ p x -> apply p x, p)
