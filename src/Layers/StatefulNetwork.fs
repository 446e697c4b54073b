namespace Functional

// Networks that go on where they ended: Keras' stateful layers, as functions from a state to the next. What remembers is
// whoever calls them.

/// A network whose recurrent layers begin from states that are given, and give back their last.
type StatefulNetwork = {
    /// Its inputs are followed by the states, and so are its outputs.
    Network: Network
    /// The shapes of the states, without the batch axis.
    States: int[][]
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module StatefulNetwork =

    /// The network with the states of some calls as inputs and outputs, for inputs of some shapes. Each of the calls is of a
    /// block that takes a sequence, and gives its last states behind outputs of its own: `RecurrentBlock`, with `returnState`.
    /// Calls are given by their places, with the number of those outputs.
    let create (inputs: int[][]) (calls: (int * int) list) (network: Network) : StatefulNetwork =
        let shapes = Network.shapes network inputs

        let states = [|
            for call, own in calls do
                for output in own .. shapes[call].Length - 1 do
                    struct (call, output)
        |]

        let given call = [|
            for i in 0 .. states.Length - 1 do
                let struct (of', _) = states[i]

                if of' = call then
                    { Call = -1; Output = inputs.Length + i }
        |]

        {
            Network = {
                network with
                    Calls =
                        network.Calls
                        |> Array.mapi (fun i call -> { call with Inputs = Array.append call.Inputs (given i) })
                    Outputs =
                        Array.append network.Outputs [|
                            for struct (call, output) in states -> { Call = call; Output = output }
                        |]
            }
            States = [| for struct (call, output) in states -> shapes[call].[output] |]
        }

    /// The states before the first step of a number of sequences: zeros.
    let start (dtype: DType) (batch: int) (network: StatefulNetwork) : Tensor[] = [|
        for shape in network.States -> Tensor.full dtype (Array.append [| batch |] shape) 0.0
    |]

    /// A function that computes the network's outputs and the next states from those it is given, and the parameters with
    /// their running statistics brought up to date.
    let apply (network: StatefulNetwork) : Phase -> obj[] -> Tensor[] -> Masked[] -> Masked[] * Tensor[] * obj[] =
        let apply = Network.apply network.Network

        fun phase parameters states inputs ->
            for state in states do
                if state.Shape[0] <> inputs[0].Value.Shape[0] then
                    invalidArg
                        "states"
                        $"{network.Network.Name}: the layers remember {state.Shape[0]} sequences, and {inputs[0].Value.Shape[0]} go on from there; give batches of as many, or begin anew"

            let outputs, parameters =
                apply phase parameters (Array.append inputs (Array.map Masked.ofTensor states))

            let own = outputs.Length - states.Length
            outputs[.. own - 1], outputs[own..] |> Array.map _.Value, parameters
