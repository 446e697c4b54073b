/// Case c: digits through two convolutions with pooling and two dense layers, softmax and cross-entropy, batch 64.
module Functional.Bench.Images

open Functional

/// A kernel and its bias.
type Filter = { Kernel: Tensor; Offset: Tensor }

type Net = { Conv1: Filter; Conv2: Filter; Dense1: Dense; Dense2: Dense }

let private examples, classes = 64, 10

let private filter key channels features = {
    Kernel = Initializer.glorotUniform DType.Float32 [| 3; 3; channels; features |] key
    Offset = Tensor.full DType.Float32 [ features ] 0.0
}

let initial () =
    let keys = Key.split 4 (Key.create 1L)

    {
        Conv1 = filter keys[0] 1 32
        Conv2 = filter keys[1] 32 64
        Dense1 = Dense.init keys[2] (64 * 7 * 7) 128
        Dense2 = Dense.init keys[3] 128 classes
    }

let batch () =
    let x = Key.create 2L |> Random.uniform DType.Float32 [ examples; 28; 28; 1 ]

    let y =
        Tensor.create [ examples ] (Array.init examples (fun i -> i % classes))
        |> oneHot DType.Float32 classes

    x, y

let loss (x, y) net =
    let pooled filter = convBias ConvOptions.same filter.Kernel filter.Offset >> relu >> maxPool (Pool.window [ 2 ])

    let logits =
        pooled net.Conv1
        >> pooled net.Conv2
        >> reshape [ examples; -1 ]
        >> dense net.Dense1
        >> relu
        >> dense net.Dense2

    -(mean (sumProductOver [ 1 ] y (logSoftmax (logits x))))
