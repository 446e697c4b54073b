/// Keras' recurrent layers, their wrappers, and embeddings, from the words of a case: what a case of these families computes.
module Functional.Tests.KerasRecurrent

open System.Text.RegularExpressions
open Functional
open Functional.Tests.KerasCases

let private setting (config: string) name otherwise =
    let found = Regex.Match(config, name + @"='?(\w+)'?")
    if found.Success then found.Groups[1].Value else otherwise

/// Kernel, recurrent kernel and bias of each direction.
let private weightsOf (case: Case) =
    if case.Weights.Length % 3 = 0 then
        List.chunkBySize 3 case.Weights
    else
        [ case.Weights ]

/// A case by this library: its layer's cell over one direction or two.
let private through (case: Case) (cell: Cell<'P, 'S>) (parameters: Tensor list -> 'P) =
    let option name = setting case.Config name "False" = "True"
    let x = expandDims 0 case.Inputs[0]
    let ps = weightsOf case |> List.map parameters

    let layerOptions = {
        RecurrentLayer.defaults with
            ReturnSequences = option "return_sequences"
            GoBackwards = option "go_backwards"
    }

    let merge =
        match setting case.Config "merge_mode" "" with
        | "mul" -> Some BidirectionalMerge.Multiply
        | "ave" -> Some BidirectionalMerge.Average
        | "sum" -> Some BidirectionalMerge.Sum
        | "concat" -> Some BidirectionalMerge.Concat
        | _ -> None

    let y =
        match merge with
        | Some merge ->
            Layer.predict
                (RecurrentLayer.bidirectional merge cell layerOptions 4)
                { Forward = ps[0]; Backward = ps[1] }
                x
        | None when option "stateful" ->
            // the file's numbers are those of a second run, which begins where the first ended
            let options = { Recurrent.defaults with FromEnd = layerOptions.GoBackwards }
            let first = Recurrent.finish cell options None ps[0] x
            let outputs, last = Recurrent.run cell options (Some first) ps[0] x
            let outputs = if layerOptions.GoBackwards then reverse [ 1 ] outputs else outputs
            if layerOptions.ReturnSequences then outputs else cell.Output last
        | None -> Layer.predict (RecurrentLayer.ofCell cell layerOptions 4) ps[0] x

    squeeze [ 0 ] y

let private recurrent (case: Case) =
    let activation = KerasArguments.keras2Activation (setting case.Config @"\bactivation" "tanh")
    let gates = KerasArguments.keras2Activation (setting case.Config "recurrent_activation" "sigmoid")
    let is name = case.Name.Contains("." + name + ".") || case.Config.Contains $"a {name} layer"

    if is "SimpleRNN" then
        through case (SimpleRnn.cellWith activation) (fun w -> {
            SimpleRnn.Kernel = w[0]
            RecurrentKernel = w[1]
            Bias = List.tryItem 2 w
        })
    elif is "LSTM" then
        let cell = Lstm.cellWith { Lstm.defaults with Activation = activation; RecurrentActivation = gates }
        through case cell (fun w -> { Lstm.Kernel = w[0]; RecurrentKernel = w[1]; Bias = List.tryItem 2 w })
    else
        let cell = Gru.cellWith { Gru.defaults with Activation = activation; RecurrentActivation = gates }
        through case cell (fun w -> { Gru.Kernel = w[0]; RecurrentKernel = w[1]; Bias = List.tryItem 2 w })

/// A dense layer or a convolution applied to every step.
let private timeDistributed (case: Case) =
    let x = expandDims 0 case.Inputs[0]

    let y =
        if case.Weights[0].Rank = 4 then
            let layer = Layers.conv case.Weights[1].Size (List.ofArray case.Weights[0].Shape[..1])
            let p: Conv = { Kernel = case.Weights[0]; Bias = Some case.Weights[1] }
            Layer.predict (Layers.timeDistributed layer) p x
        else
            let p: Dense = { Weights = case.Weights[0]; Bias = Some case.Weights[1] }
            Layer.predict (Layers.timeDistributed (Layers.dense case.Weights[1].Size)) p x

    squeeze [ 0 ] y

/// The case's numbers, if it is of these families.
let tryCompute (case: Case) : Tensor option =
    match case.Name.Split '.' with
    | [| "embeddings"; "Embedding"; _ |] ->
        Some(embedding { Vectors = case.Weights[0] } (cast DType.Int32 case.Inputs[0]))
    | [| "wrappers"; "TimeDistributed"; _ |] -> Some(timeDistributed case)
    | [| "wrappers"; "Bidirectional"; _ |]
    | [| "recurrent"; _; _ |] -> Some(recurrent case)
    | _ -> None
