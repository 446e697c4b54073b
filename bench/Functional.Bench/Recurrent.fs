/// Cases d and e: a recurrent layer over 50 steps, a dense layer on its last output, mean squared error, Adam.
module Functional.Bench.Recurrent

open System
open Functional

type private Net<'P> = { Reader: 'P; Output: Dense }

let private steps, examples, features, units, targets = 50, 32, 32, 128, 10

let private random = Random 1

let private uniform (shape: int list) =
    Tensor.create shape (Array.init (List.fold (*) 1 shape) (fun _ -> float32 (random.NextDouble())))

/// One step of Adam after another.
let private train (cell: Cell<'P, 'S>) eager =
    let keys = Key.split 2 (Key.create 1L)

    let net = {
        Reader = cell.Initialize Cell.defaults keys[0] features units
        Output = Dense.init keys[1] units targets
    }

    let optimizer = Optimizer.adam 1e-3
    let batch = uniform [ examples; steps; features ], uniform [ examples; targets ]

    let step (net, state) (x, y) =
        let loss net =
            x
            |> Recurrent.last cell Recurrent.defaults net.Reader
            |> dense net.Output
            |> Loss.meanSquaredError y

        let value, gradient = valueAndGrad loss net
        Optimizer.step optimizer gradient state net, value

    let initial = net, Optimizer.init optimizer net

    if eager then
        let mutable current = initial
        fun () -> current <- fst (step current batch)
    else
        let stepper = new Stepper<_, _, _>(step, initial)
        fun () -> stepper.Step batch

/// Every case by name: making it gives the step.
let cases: (string * (bool -> unit -> unit)) list = [
    "d_lstm_f32", train Lstm.cell
    "e_gru_f32", train (Gru.cellWith { Gru.defaults with ResetAfter = true })
]
