namespace Functional

// The gated recurrent unit: Cho et al., "Learning phrase representations using RNN encoder–decoder" (2014).

/// Parameters of a GRU layer: kernel [inputs, 3·units], recurrent kernel [units, 3·units] and, if there is one, a bias:
/// [3·units], or [2, 3·units] where the reset comes after the product (one for the inputs, one for the state). The gates
/// lie in the order update, reset, candidate.
type Gru = { Kernel: Tensor; RecurrentKernel: Tensor; Bias: Tensor option }

/// What a GRU cell computes.
type GruOptions = {
    /// For the candidate.
    Activation: Tensor -> Tensor
    /// For the gates.
    RecurrentActivation: Tensor -> Tensor
    /// Whether the reset gate is applied to the product of state and recurrent kernel, as cuDNN and PyTorch do, or to the
    /// state before it, as the paper and Keras 2 do.
    ResetAfter: bool
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Gru =

    /// tanh, sigmoid gates, reset before the product.
    let defaults: GruOptions = { Activation = tanh; RecurrentActivation = sigmoid; ResetAfter = false }

    let private initialize (options: GruOptions) settings key inputs units : Gru =
        let each = Shape.times "gru" "numbers of the bias" 3 units
        let biasShape = if options.ResetAfter then [| 2; each |] else [| each |]
        let struct (kernel, recurrent, bias) = Cell.draw "gru" 3 biasShape settings key inputs units
        { Kernel = kernel; RecurrentKernel = recurrent; Bias = bias }

    /// The bias for the inputs, and that for the state.
    let private biases (options: GruOptions) (p: Gru) =
        match p.Bias with
        | None -> struct (None, None)
        | Some bias ->
            match options.ResetAfter, bias.Rank with
            | true, 2 -> struct (Some(index 0 0 bias), Some(index 0 1 bias))
            | false, 1 -> struct (Some bias, None)
            | true, _ -> invalidShape "gru" $"reset after the product has a bias [2, 3·units], this one is {bias.Shape}"
            | false, _ -> invalidShape "gru" $"reset before the product has a bias [3·units], this one is {bias.Shape}"

    let private resetBefore (options: GruOptions) (p: Gru) =
        let units = p.RecurrentKernel.Shape[0]
        let kernels = p.RecurrentKernel |> split -1 [ 2 * units; units ]

        fun keep (h: Tensor) (x: Tensor) ->
            let xs = x |> split -1 [ 2 * units; units ]
            let gates = xs[0] + keep h *@ kernels[0] |> options.RecurrentActivation |> split -1 [ units; units ]
            let update, reset = gates[0], gates[1]
            let candidate = options.Activation(xs[1] + keep (reset * h) *@ kernels[1])
            candidate + update * (h - candidate)

    let private resetAfter (options: GruOptions) (p: Gru) =
        let units = p.RecurrentKernel.Shape[0]
        let parts = split -1 [ units; units; units ]
        let struct (_, bias) = biases options p

        fun keep (h: Tensor) (x: Tensor) ->
            let xs, hs = parts x, parts (Cell.project p.RecurrentKernel bias (keep h))
            let update = options.RecurrentActivation(xs[0] + hs[0])
            let reset = options.RecurrentActivation(xs[1] + hs[1])
            let candidate = options.Activation(xs[2] + reset * hs[2])
            candidate + update * (h - candidate)

    /// z, r = σ(x·W + h·U + b) of the update and reset gates; the candidate n = φ(x·W + (r·h)·U + b), or with the reset
    /// after the product φ(x·W + b + r·(h·U + b′)); h′ = z·h + (1 − z)·n.
    let cellWith (options: GruOptions) : Cell<Gru, Tensor> = {
        Name = "gru"
        Initialize = initialize options
        Inputs = fun p -> p.Kernel.Shape[0]
        Units = fun p -> p.RecurrentKernel.Shape[0]
        Start = fun p batch -> Cell.zeros p.RecurrentKernel batch
        Project =
            fun p x ->
                let struct (bias, _) = biases options p
                Cell.project p.Kernel bias x
        Step = if options.ResetAfter then resetAfter options else resetBefore options
        Output = id
    }

    /// With the default options.
    let cell = cellWith defaults

    /// Parameters with Keras' defaults. Example: `Gru.init (Key.create 1L) 2 128`.
    let init (key: Tensor) (inputs: int) (units: int) : Gru = cell.Initialize Cell.defaults key inputs units
