/// Recurrent layers against Keras 2 at 1e-5, their gradients against differences, masked steps, and compiled runs.
module Functional.Tests.KerasRecurrentTests

open System.Text.RegularExpressions
open Expecto
open Functional
open Functional.Tests.Oracles
open Functional.Tests.KerasCases
open Functional.Tests.Layers.Close

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

let private compute (case: Case) =
    let activation = Activation.ofName (setting case.Config @"\bactivation" "tanh")
    let gates = Activation.ofName (setting case.Config "recurrent_activation" "sigmoid")
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

let private families = [ "recurrent."; "wrappers.Bidirectional"; "embeddings." ]

let private settings = { Cell.defaults with DType = DType.Float64 }

/// The gradients of a cell in inputs, every weight and the initial state, eager and compiled, with a masked step.
let private gradients name (cell: Cell<'P, 'S>) =
    testCase $"{name}: gradients, masks, compiled"
    <| fun () ->
        let p = cell.Initialize settings (Key.create 3L) 3 4
        let x = numbers 1 [ 2; 5; 3 ]
        let start = Tree.map (fun t -> numbers 2 (List.ofArray t.Shape)) (cell.Start p 2)
        let mask = Tensor.create [ 2; 5 ] [| true; true; true; false; false; true; false; true; true; true |]
        let options = { Recurrent.defaults with Mask = Some mask }

        let loss (p, start, x) =
            let y, state = Recurrent.run cell options (Some start) p x
            let weigh (t: Tensor) = inner t (numbers 5 (List.ofArray t.Shape))
            weigh y + weigh (cell.Output state)

        let given = p, start, x
        let leaves = Tree.leaves given
        let found = Tree.leaves (grad loss given)
        let planned = Tree.leaves ((compiled (grad loss)).Invoke given)

        for i in 0 .. leaves.Length - 1 do
            let along t = loss (Tree.rebuild given (Array.updateAt i t leaves))
            expectClose 1e-7 (differences along leaves[i]) found[i] $"{name}: gradient {i}"
            expectClose 1e-13 (Tensor.toFloats found[i]) planned[i] $"{name}: compiled gradient {i}"

        let padded = expandDims 2 (logicalNot mask) |> broadcastTo x.Shape
        Expect.equal (Tensor.toFloat (sum (where padded (abs found[leaves.Length - 1]) (x * 0.0)))) 0.0 "masked steps"

[<Tests>]
let tests =
    testList "recurrent" [
        gradients "simple rnn" SimpleRnn.cell
        gradients "lstm" Lstm.cell
        gradients "gru" Gru.cell
        gradients "gru, reset after" (Gru.cellWith { Gru.defaults with ResetAfter = true })

        testCase "bad input is refused in the user's words"
        <| fun () ->
            let p = Lstm.cell.Initialize settings (Key.create 3L) 3 4
            let run mask shape () = lstm { Recurrent.defaults with Mask = mask } p (Tensor.full DType.Float64 shape 1.0)
            expectRefused [ "no steps" ] (run None [ 2; 0; 3 ])
            expectRefused [ "5 features"; "expects 3" ] (run None [ 2; 4; 5 ])
            expectRefused [ "mask"; "2×4" ] (run (Some(Tensor.create [ 2; 3 ] (Array.create 6 true))) [ 2; 4; 3 ])

        match tryFind "keras/keras_layers.jsonl.gz" with
        | None -> testCase "Keras" <| skipWithout "keras/keras_layers.jsonl.gz" ignore
        | Some path ->
            for case in read path do
                if families |> List.exists case.Name.StartsWith then
                    testCase $"Keras {case.Name}"
                    <| fun () ->
                        let y =
                            if case.Name.StartsWith "embeddings." then
                                embedding { Vectors = case.Weights[0] } (cast DType.Int32 case.Inputs[0])
                            else
                                compute case

                        Expect.equal y.Shape case.Expected.Shape "shape"
                        expectClose 1e-5 (Tensor.toFloats case.Expected) y case.Name
    ]
