namespace Functional

// Long short-term memory: Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000).

/// Parameters of an LSTM layer: kernel [inputs, 4·units], recurrent kernel [units, 4·units] and, if there is one, a bias
/// [4·units]. The gates lie in the order input, forget, candidate, output.
type Lstm = { Kernel: Tensor; RecurrentKernel: Tensor; Bias: Tensor option }

/// The output of an LSTM's last step, and its memory; both [batch, units].
type LstmState = { Hidden: Tensor; Memory: Tensor }

/// What an LSTM cell computes.
type LstmOptions = {
    /// For the candidate and the output.
    Activation: Tensor -> Tensor
    /// For the gates.
    RecurrentActivation: Tensor -> Tensor
    /// Whether the forget gate's bias begins at 1 (where the others begin as they are told to), so that at first the
    /// memory is kept: Jozefowicz et al., "An empirical exploration of recurrent network architectures" (2015).
    UnitForgetBias: bool
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Lstm =

    /// tanh, sigmoid gates, the forget gate's bias 1.
    let defaults: LstmOptions = { Activation = tanh; RecurrentActivation = sigmoid; UnitForgetBias = true }

    let private initialize (options: LstmOptions) settings key inputs units : Lstm =
        let struct (kernel, recurrent, bias) =
            Cell.draw "lstm" 4 [| Shape.times "lstm" "numbers of the bias" 4 units |] settings key inputs units

        let remember (bias: Tensor) =
            if options.UnitForgetBias then
                let parts = bias |> split 0 [ units; units; 2 * units ]
                concat 0 [ parts[0]; Initializer.ones bias.DType [| units |] key; parts[2] ]
            else
                bias

        {
            Kernel = kernel
            RecurrentKernel = recurrent
            Bias = Option.map remember bias
        }

    /// i, f, o = σ(x·W + h·U + b) of their gates, g = φ(…) of the candidate's; c′ = f·c + i·g; h′ = o·φ(c′).
    let cellWith (options: LstmOptions) : Cell<Lstm, LstmState> = {
        Name = "lstm"
        Initialize = initialize options
        Inputs = fun p -> p.Kernel.Shape[0]
        Units = fun p -> p.RecurrentKernel.Shape[0]
        Start =
            fun p batch ->
                let zeros = Cell.zeros p.RecurrentKernel batch
                { Hidden = zeros; Memory = zeros }
        Project = fun p x -> Cell.project p.Kernel p.Bias x
        Step =
            fun p ->
                let units = p.RecurrentKernel.Shape[0]

                fun keep state x ->
                    let gates = x + keep state.Hidden *@ p.RecurrentKernel |> split -1 [ units; units; units; units ]
                    let input = options.RecurrentActivation gates[0]
                    let forget = options.RecurrentActivation gates[1]
                    let candidate = options.Activation gates[2]
                    let output = options.RecurrentActivation gates[3]
                    let memory = forget * state.Memory + input * candidate
                    { Hidden = output * options.Activation memory; Memory = memory }
        Output = _.Hidden
    }

    /// With the default options.
    let cell = cellWith defaults

    /// Parameters with Keras' defaults. Example: `Lstm.init (Key.create 1L) 2 128`.
    let init (key: Tensor) (inputs: int) (units: int) : Lstm = cell.Initialize Cell.defaults key inputs units
