namespace Functional

// The fully connected layer.

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module DenseParameters =

    /// Parameters of a dense layer: weights [inputs, outputs] and, if there is one, a bias [outputs].
    type Dense = { Weights: Tensor; Bias: Tensor option }

/// How the parameters of a dense layer begin.
type DenseSettings = {
    WeightInitializer: Initializer
    /// None leaves the bias out.
    BiasInitializer: Initializer option
    DType: DType
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Dense =

    /// Keras' defaults: Glorot-uniform weights, a bias of zeros, Float32.
    let defaults: DenseSettings = {
        WeightInitializer = Initializer.glorotUniform
        BiasInitializer = Some Initializer.zeros
        DType = DType.Float32
    }

    /// Parameters for a number of inputs and outputs.
    /// Example: `Dense.initWith { Dense.defaults with BiasInitializer = None } key 784 500`.
    let initWith (settings: DenseSettings) (key: Tensor) (inputs: int) (outputs: int) : Dense =
        if inputs < 1 || outputs < 1 then
            invalidArg "outputs" $"dense: {inputs} inputs and {outputs} outputs; there must be at least one of each"

        let keys = Key.split 2 key

        {
            Weights = settings.WeightInitializer settings.DType [| inputs; outputs |] keys[0]
            Bias = settings.BiasInitializer |> Option.map (fun bias -> bias settings.DType [| outputs |] keys[1])
        }

    /// Parameters with Keras' defaults. Example: `Dense.init (Key.create 1L) 784 500`.
    let init (key: Tensor) (inputs: int) (outputs: int) : Dense = initWith defaults key inputs outputs

[<AutoOpen>]
module DenseFunction =

    /// x·weights + bias over the last axis: x [.., inputs] gives [.., outputs].
    /// Example: `let predict net = dense net.Hidden >> sigmoid >> dense net.Output >> softmax`.
    let dense (p: Dense) (x: Tensor) : Tensor =
        match p.Bias with
        | Some bias -> affine p.Weights bias x
        | None -> matmul p.Weights x
