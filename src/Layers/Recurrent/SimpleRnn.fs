namespace Functional

// The plain recurrent cell: the output is fed back. Elman, "Finding structure in time" (1990).

/// Parameters of a plain recurrent layer: kernel [inputs, units], recurrent kernel [units, units] and, if there is one, a
/// bias [units].
type SimpleRnn = { Kernel: Tensor; RecurrentKernel: Tensor; Bias: Tensor option }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module SimpleRnn =

    /// h′ = f(x·W + h·U + b). Example: `SimpleRnn.cellWith relu`.
    let cellWith (activation: Tensor -> Tensor) : Cell<SimpleRnn, Tensor> = {
        Name = "simple rnn"
        Initialize =
            fun settings key inputs units ->
                let struct (kernel, recurrent, bias) = Cell.draw "simple rnn" 1 [| units |] settings key inputs units
                { Kernel = kernel; RecurrentKernel = recurrent; Bias = bias }
        Inputs = fun p -> p.Kernel.Shape[0]
        Units = fun p -> p.RecurrentKernel.Shape[0]
        Start = fun p batch -> Cell.zeros p.RecurrentKernel batch
        Project = fun p x -> Cell.project p.Kernel p.Bias x
        Step = fun p keep h x -> activation (x + keep h *@ p.RecurrentKernel)
        Output = id
    }

    /// With tanh: h′ = tanh(x·W + h·U + b).
    let cell = cellWith tanh

    /// Parameters with Keras' defaults. Example: `SimpleRnn.init (Key.create 1L) 2 128`.
    let init (key: Tensor) (inputs: int) (units: int) : SimpleRnn = cell.Initialize Cell.defaults key inputs units
