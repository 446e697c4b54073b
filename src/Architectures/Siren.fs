namespace Functional

// Networks of sines.

/// Dense layers with sin(ω·(Wx + b)) between them, and none after the last. V. Sitzmann and others, "Implicit neural
/// representations with periodic activation functions" (2020).
type Siren = { Layers: Dense[]; Frequency: float }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Siren =

    /// A network by its sizes, inputs first. Weights are uniform such that what comes out of every layer is spread alike:
    /// within 1/n of 0 in the first layer, √(6/n)/ω in the others, n being its inputs; biases within 1/√n.
    /// Example: `Siren.init DType.Float64 30.0 key [ 2; 64; 64; 1 ]`.
    let init (dtype: DType) (frequency: float) (key: Tensor) (sizes: int list) : Siren =
        if sizes.Length < 2 || List.exists (fun n -> n < 1) sizes || not (frequency > 0.0) then
            invalidArg
                "sizes"
                $"Siren.init: at least the sizes of the input and the output, and a frequency above 0; got {sizes} and {frequency}"

        let uniform reach shape key = (Random.uniform dtype shape key * 2.0 - 1.0) * reach
        let keys = Key.split (2 * sizes.Length) key

        {
            Layers = [|
                for k, (inputs, outputs) in List.indexed (List.pairwise sizes) do
                    let n = float inputs
                    let reach = if k = 0 then 1.0 / n else sqrt (6.0 / n) / frequency

                    {
                        Weights = uniform reach [ inputs; outputs ] keys[2 * k]
                        Bias = Some(uniform (1.0 / sqrt n) [ outputs ] keys[2 * k + 1])
                    }
            |]
            Frequency = frequency
        }

    /// The network's output: x [.., inputs] gives [.., outputs].
    let apply (p: Siren) (x: Tensor) : Tensor =
        let last = p.Layers.Length - 1

        Array.fold (fun x layer -> sin (dense layer x * p.Frequency)) x p.Layers[.. last - 1]
        |> dense p.Layers[last]

    /// The network as a layer, by the sizes after the input's.
    let layer (dtype: DType) (frequency: float) (sizes: int list) : Layer<Siren> =
        Layer.create "siren" (fun key shape -> init dtype frequency key (Array.last shape :: sizes)) (fun _ p x ->
            apply p x, p)
