/// Training steps as a user writes them: loss, gradient and update over a record of parameters, under the peer's case names.
module Functional.Bench.Steps

open Functional
open Functional.Kernels
open Functional.Bench.Options

let groups = [ "a_tiny_f32"; "a_full1000_f64"; "b_mlp_f32"; "c_cnn_f32"; "d_lstm_f32"; "e_gru_f32" ]

/// The shape of cases a and b: two hidden layers and an output.
type Net = { Hidden1: Dense; Hidden2: Dense; Output: Dense }

let net dtype inputs hidden outputs =
    let keys = Key.split 3 (Key.create 1L)
    let layer = Dense.initWith { Dense.defaults with DType = dtype }

    {
        Hidden1 = layer keys[0] inputs hidden
        Hidden2 = layer keys[1] hidden hidden
        Output = layer keys[2] hidden outputs
    }

/// One step of stochastic gradient descent, and the loss before it.
let update rate (loss: 'Net -> Tensor) (net: 'Net) =
    let value, gradient = valueAndGrad loss net
    Tree.map2 (addScaled -rate) net gradient, value

/// Gives back the memory of a tree that nobody looks at again.
let release (tree: 'T) =
    for t in Tree.leaves tree do
        match t with
        | :? Concrete as c when not (isNull c.Storage) -> c.Storage.Release()
        | _ -> ()

let private tinyLoss (x, y) net =
    let predict net = dense net.Hidden1 >> tanh >> dense net.Hidden2 >> tanh >> dense net.Output
    Loss.meanSquaredError y (predict net x)

/// Case a: 1-64-64-1 with tanh, fitted to a sine.
let private sine dtype examples =
    let x = Tensor.linspace -3.0 3.0 examples |> cast dtype |> reshape [ examples; 1 ]
    net dtype 1 64 1, (x, sin x)

/// The talk's network: sigmoids and softmax.
let predictTalk net = dense net.Hidden1 >> sigmoid >> dense net.Hidden2 >> sigmoid >> dense net.Output >> softmax

let netTalk () = net DType.Float32 784 500 10

/// Its loss: mean squared error.
let talkLoss (x, y) net = Loss.meanSquaredError y (predictTalk net x)

/// Case b: 784-500-500-10.
let private talk () =
    let x = Key.create 2L |> Random.uniform DType.Float32 [ 128; 784 ]
    let y = Tensor.create [ 128 ] (Array.init 128 (fun i -> i % 10)) |> oneHot DType.Float32 10
    netTalk (), (x, y)

/// One step of stochastic gradient descent.
let private descend name rate (loss: Tensor * Tensor -> 'Net -> Tensor) (initial: unit -> 'Net * (Tensor * Tensor)) =
    Case.create name (fun net batch -> update rate (loss batch) net) initial

/// Every case.
let cases: Case.Case list = [
    descend "a_tiny_f32" 0.01 tinyLoss (fun () -> sine DType.Float32 128)
    descend "a_full1000_f64" 0.01 tinyLoss (fun () -> sine DType.Float64 1000)
    descend "b_mlp_f32" 0.1 talkLoss talk
    descend "c_cnn_f32" 0.05 Images.loss (fun () -> Images.initial (), Images.batch ())
    yield! Recurrent.cases
]

/// The case of a name.
let case name = cases |> List.find (fun case -> case.Name = name)

/// Measures the cases asked for in this process.
let measure options =
    options.Threads |> Option.iter (fun n -> Workers.Count <- n)

    for case in cases do
        if selects options case.Name then
            Measure.print case.Name (Measure.microseconds options.Seconds (case.Make options.Eager))
