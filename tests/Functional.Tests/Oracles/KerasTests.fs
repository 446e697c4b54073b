/// The layers against Keras 2: every case of a layer that the library has, at 1e-5 (the numbers are rounded to six
/// places). A case of a layer that it does not have is a failure.
module Functional.Tests.KerasTests

open System
open System.Text.RegularExpressions
open Expecto
open Functional
open Functional.Tests.Oracles
open Functional.Tests.KerasCases
open Functional.Tests.KerasArguments

let private single f : Reader = fun arguments weights -> (fun inputs -> f arguments (List.head inputs)), weights
let private merge f : Reader = fun arguments weights -> f arguments, weights
let private predict (layer: Layer<unit>) (x: Tensor) = Layer.predict layer () x

let private denseLayer (arguments: Arguments) (weights: Tensor list) =
    let hasBias = arguments.TryGet(2, "use_bias") <> Some(Name "False")
    let p: Dense = { Weights = weights[0]; Bias = if hasBias then Some weights[1] else None }
    let f = dense p >> arguments.Activation 1
    (fun inputs -> f (List.head inputs)), List.skip (if hasBias then 2 else 1) weights

let private layers: Map<string, Reader> =
    Map [
        "Dense", denseLayer
        "PReLU", (fun _ weights -> (fun inputs -> parametricRelu weights[0] (List.head inputs)), List.tail weights)
        "ThresholdedReLU", single (fun a -> thresholdedRelu (a.Number(0, "theta", 1.0)))
        "LeakyReLU", single (fun a -> leakyRelu (a.Number(0, "alpha", 0.3)))
        "ELU", single (fun a -> elu (a.Number(0, "alpha", 1.0)))
        "Dropout", single (fun a -> predict (Layers.dropout (a.Number(0, "rate", 0.5))))
        "GaussianNoise", single (fun a -> predict (Layers.gaussianNoise (a.Number(0, "stddev", 1.0))))
        "Flatten", single (fun _ -> predict Layers.flatten)
        "Reshape", single (fun a -> predict (Layers.reshape (a.Wholes(0, "target_shape"))))
        "Permute", single (fun a -> predict (Layers.permute (a.Wholes(0, "dims"))))
        "RepeatVector", single (fun a -> predict (Layers.repeatVector (a.Whole(0, "n", 1))))
        "Add", merge (fun _ -> Merge.add)
        "Subtract", merge (fun _ xs -> Merge.subtract xs[0] xs[1])
        "Multiply", merge (fun _ -> Merge.multiply)
        "Average", merge (fun _ -> Merge.average)
        "Maximum", merge (fun _ -> Merge.maximum)
        "Minimum", merge (fun _ -> Merge.minimum)
        "Concatenate", merge (fun a -> Merge.concatenate (a.Whole(0, "axis", -1)))
        "Dot",
        merge (fun a xs ->
            let axes = a.Wholes(0, "axes")
            Merge.dot (List.head axes, List.last axes) (a.IsTrue(1, "normalize")) xs[0] xs[1])
        yield! KerasImages.layers
    ]

/// What the bare activations of the file are called; their one argument is in the words of the case.
let private activation (name: string) (config: string) : (Tensor -> Tensor) option =
    let alpha = Regex.Match(config, @"alpha=([\d.]+)")

    match name with
    | "relu" when alpha.Success -> Some(leakyRelu (float alpha.Groups[1].Value))
    | "elu" when alpha.Success -> Some(elu (float alpha.Groups[1].Value))
    | name when List.contains name Activation.names -> Some(KerasArguments.keras2Activation name)
    | _ -> None

/// The cases `core.Activation.N` name their activation nowhere; these are the ones whose numbers they are.
let private coreActivations =
    Map [
        "0", softmax
        "2", selu
        "4", softsign
        "6", tanh
        "8", KerasArguments.keras2Activation "hard_sigmoid"
    ]

/// Raised where a case needs a layer that the library does not have.
exception private Missing of layer: string

type private Value =
    | Tensors of Tensor list
    | Function of (Tensor list -> Tensor)

/// A layer that no line makes, from the words of the case: "cropping (2,3) on 8x7x6 input, data_format='channels_last'".
let private described (case: Case) =
    let words = Regex.Match(case.Config, @"^(\w+) (.+) on \S+ input(?:, (.*))?$")
    let layer = case.Name.Split('.')[1]

    if words.Success then
        Some(line $"L = {layer}({words.Groups[1].Value}={words.Groups[2].Value}, {words.Groups[3].Value})")
    else
        None

/// What the lines of a case compute.
let private run (case: Case) : Tensor =
    let mutable weights = case.Weights
    let mutable known = Map.empty<string, Value>

    let rec value (expression: Python) : Value =
        match expression with
        | Name name -> known.TryFind name |> Option.defaultWith (fun () -> raise (Missing name))
        | Items items -> Tensors(List.collect tensors items)
        | Call(Name name, items, named) when layers.ContainsKey name ->
            let f, rest = layers[name] (Arguments(items, named)) weights
            weights <- rest
            Function f
        | Call(callee, items, _) ->
            match value callee with
            | Function f -> Tensors [ f (List.collect tensors items) ]
            | Tensors _ -> failwith $"{case.Name} calls a tensor"
        | Number _
        | Text _ -> failwith $"{case.Name}: %A{expression} stands where a layer is expected"

    and tensors expression =
        match value expression with
        | Tensors xs -> xs
        | Function _ -> failwith $"{case.Name}: %A{expression} stands where a tensor is expected"

    let mutable inputs = case.Inputs |> List.map (expandDims 0)
    let mutable output = []
    let functions = Collections.Generic.List<Tensor list -> Tensor>()

    let isMade name = case.Lines |> List.exists (fun (other, _) -> other = name)

    let isUsed =
        case.Lines
        |> List.exists (fun (_, e) ->
            match e with
            | Call(Name "L", _, _) -> true
            | _ -> false)

    let lines =
        if isUsed && not (isMade "L") then
            Option.toList (described case) @ case.Lines
        else
            case.Lines

    for name, expression in lines do
        match expression with
        | Call(Name "Input", _, _) ->
            known <- known.Add(name, Tensors [ List.head inputs ])
            inputs <- List.tail inputs
        | Call(Name "Model", _, named) ->
            match named["outputs"], Seq.tryExactlyOne functions with
            // the line that applies the only layer is left out
            | Name result, Some f when not (known.ContainsKey result) ->
                output <- [ f (case.Inputs |> List.map (expandDims 0)) ]
            | result, _ -> output <- tensors result
        | _ ->
            let made = value expression
            known <- known.Add(name, made)

            match made with
            | Function f -> functions.Add f
            | Tensors _ -> ()

    if not weights.IsEmpty then
        failwith $"{case.Name}: {weights.Length} of its weights were not used"

    squeeze [ 0 ] (List.exactlyOne output)

/// The case's numbers by this library.
let private compute (case: Case) : Tensor =
    match case.Name.Split '.' with
    | [| "activations"; name; _ |] ->
        match activation name case.Config with
        | Some f -> f (List.head case.Inputs)
        | None -> raise (Missing name)
    | [| "core"; "Activation"; number |] ->
        let p: Dense = { Weights = case.Weights[0]; Bias = Some case.Weights[1] }
        List.head case.Inputs |> expandDims 0 |> dense p |> coreActivations[number] |> squeeze [ 0 ]
    | _ -> KerasRecurrent.tryCompute case |> Option.defaultWith (fun () -> run case)

let private check (case: Case) =
    let actual = compute case
    Expect.equal actual.Shape case.Expected.Shape $"{case.Name}: shape"

    let difference =
        if actual.Size = 0 then
            0.0
        else
            Tensor.toFloat (amax (abs (actual - case.Expected)))

    Expect.isLessThanOrEqual difference 1e-5 $"{case.Name} ({case.Config})"

[<Tests>]
let tests =
    let file = "keras/keras_layers.jsonl.gz"

    match tryFind file with
    | None -> testCase "Keras" <| skipWithout file ignore
    | Some path ->
        let passed = ref 0

        testSequenced
        <| testList "Keras" [
            for case in read path do
                testCase case.Name
                <| fun () ->
                    try
                        check case
                    with Missing name ->
                        failtest $"{case.Name} needs {name}, which the library does not have"

                    passed.Value <- passed.Value + 1

            testCase "count" <| fun () -> Console.Out.WriteLine $"Keras: {passed.Value} cases agree"
        ]
