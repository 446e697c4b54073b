/// Cases d and e: a recurrent layer over 50 steps, a dense layer on its last output, mean squared error, Adam.
module Functional.Bench.Recurrent

open Functional
open Functional.Kernels

type private Net<'P> = { Reader: 'P; Output: Dense }

let private examples, features, units, targets = 32, 32, 128, 10

let private uniform seed (shape: int list) = Random.uniform DType.Float32 shape (Key.create seed)

/// One step of Adam over sequences of a length.
let private train name (length: int) (cell: Cell<'P, 'S>) =
    let optimizer = Optimizer.adam 1e-3

    let step (net, state) (x, y) =
        let loss net =
            x
            |> Recurrent.last cell Recurrent.defaults net.Reader
            |> dense net.Output
            |> Loss.meanSquaredError y

        let value, gradient = valueAndGrad loss net
        Optimizer.step optimizer gradient state net, value

    Case.create name step (fun () ->
        let keys = Key.split 2 (Key.create 1L)

        let net = {
            Reader = cell.Initialize Cell.defaults keys[0] features units
            Output = Dense.init keys[1] units targets
        }

        (net, Optimizer.init optimizer net),
        (uniform 2L [ examples; length; features ], uniform 3L [ examples; targets ]))

let cases = [
    train "d_lstm_f32" 50 Lstm.cell
    train "e_gru_f32" 50 (Gru.cellWith { Gru.defaults with ResetAfter = true })
]

/// Case d over sequences of another length.
let lstm length = train $"lstm_{length}" length Lstm.cell
