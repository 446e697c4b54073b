namespace Functional

// A recurrent cell: one step of a recurrent network, as a value. What loops over it is in Recurrent.fs.

/// How the parameters of a recurrent cell begin.
type CellSettings = {
    /// For the kernel that reads the inputs.
    KernelInitializer: Initializer
    /// For the kernel that reads the state.
    RecurrentInitializer: Initializer
    /// None leaves the bias out.
    BiasInitializer: Initializer option
    DType: DType
}

/// One step of a recurrent network with parameters 'P and a state 'S, which is a tree of tensors [batch, ..].
/// The product with the inputs is apart from the rest, so that it is made for all steps at once.
type Cell<'P, 'S> = {
    /// What the cell is called in summaries and errors.
    Name: string
    /// Parameters from settings, a key, the number of input features and the number of units.
    Initialize: CellSettings -> Tensor -> int -> int -> 'P
    /// The number of features it reads.
    Inputs: 'P -> int
    /// The number of features it gives.
    Units: 'P -> int
    /// The state before the first step for a number of examples: zeros.
    Start: 'P -> int -> 'S
    /// The inputs [.., features] as the step reads them: multiplied by the kernel, the bias added.
    Project: 'P -> Tensor -> Tensor
    /// Parameters to a step: a function that is applied to all of the state that meets the recurrent kernel (recurrent
    /// dropout), the state, and the projected inputs of one step give the next state. What depends on the parameters
    /// alone is best computed before the step is returned: it is then done once for all steps.
    Step: 'P -> (Tensor -> Tensor) -> 'S -> Tensor -> 'S
    /// The output: the part of the state that the next layer reads, [batch, units].
    Output: 'S -> Tensor
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Cell =

    /// Keras' defaults: a Glorot-uniform kernel, an orthogonal recurrent kernel, a bias of zeros, Float32.
    let defaults: CellSettings = {
        KernelInitializer = Initializer.glorotUniform
        RecurrentInitializer = Initializer.orthogonal 1.0
        BiasInitializer = Some Initializer.zeros
        DType = DType.Float32
    }

    /// Kernel [inputs, gates·units], recurrent kernel [units, gates·units] and bias of a shape.
    let internal draw
        name
        (gates: int)
        (biasShape: int[])
        (settings: CellSettings)
        (key: Tensor)
        (inputs: int)
        (units: int)
        =
        if inputs < 1 || units < 1 then
            invalidArg "units" $"{name}: {inputs} inputs and {units} units; there must be at least one of each"

        let width = Shape.times name "units in all gates" gates units
        let keys = Key.split 3 key

        struct (settings.KernelInitializer settings.DType [| inputs; width |] keys[0],
                settings.RecurrentInitializer settings.DType [| units; width |] keys[1],
                settings.BiasInitializer |> Option.map (fun bias -> bias settings.DType biasShape keys[2]))

    /// x·kernel + bias.
    let internal project (kernel: Tensor) (bias: Tensor option) (x: Tensor) =
        match bias with
        | Some bias -> affine kernel bias x
        | None -> matmul kernel x

    let internal zeros (recurrentKernel: Tensor) (batch: int) =
        Tensor.full recurrentKernel.DType [| batch; recurrentKernel.Shape[0] |] 0.0
