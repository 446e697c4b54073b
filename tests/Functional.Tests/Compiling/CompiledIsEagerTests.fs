/// Compiled is eager: every transformation around and inside `compile`, for functions of every kind; training steps of
/// models of every kind; on one thread and on two.
module Functional.Tests.CompiledIsEagerTests

open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Programs
open Functional.Tests.Toys
open Functional.Tests.Selection

let private point = normal 200 [ 3; 4 ]
let private direction = normal 201 [ 3; 4 ]
let private many = normal 202 [ 5; 3; 4 ]
let private matrix = normal 203 [ 4; 4 ]
let private key = Key.create 5L

/// Functions from [3, 4] to a number, each of another kind; whether reverse mode has a rule for it.
let private functions: (string * bool * (Tensor -> Tensor)) list = [
    "elementwise", true, (fun x -> sum (sin x * exp (-(square x))))
    "products", true, (fun x -> sum (tanh (x *@ matrix) *@ transpose x))
    "where", true, (fun x -> sum (where (greater x (scalar 0.0)) (x * x) (exp x)))
    "cond", true, (fun x -> cond (greater (sum x) (scalar 0.0)) (fun x -> sum (x * x)) (fun x -> sum (sin x)) x)
    "scan",
    true,
    (fun x ->
        let last, ys = scan (fun (h: Tensor) (r: Tensor) -> let h = tanh (h + r) in h, h * r) x[0, *] x
        sum (square last) + sum ys)
    "scan in segments",
    true,
    (fun x ->
        let last, ys =
            scanCheckpointedWith 2 (fun (h: Tensor) (r: Tensor) -> let h = tanh (h * r) in h, h) x[0, *] x

        sum (square last) + sum (cos ys))
    "whileLoop", false, (fun x -> sum (whileLoop (fun x -> less (norm x) (scalar 50.0)) (fun x -> x * 1.5) x))
    "checkpoint", true, checkpoint (fun x -> sum (sin (x *@ matrix)))
    "a forward rule of the user's",
    true,
    (fun x -> sum (customForward "cube" (fun (x: Tensor) -> x * x * x) (fun x _ t -> 3.0 * x * x * t) x))
    "a reverse rule of the user's",
    true,
    (fun x ->
        sum (customReverse "exp" (fun (x: Tensor) -> let y = exp x in y, y) (fun (y: Tensor) ct -> y * ct) (0.5 * x)))
    "dropout", true, (fun x -> sum (square (dropout 0.4 key x)))
    "random numbers", true, (fun x -> sum (x * Random.normal DType.Float64 [ 3; 4 ] (Key.fold 3L key)))
    "linear algebra", true, (fun x -> LinearAlgebra.logDeterminant (x *@ transpose x + Tensor.eye DType.Float64 3))
    "indices", true, (fun x -> sum (square (take 1 (Tensor.ofSeq [ 3; 0; 0 ]) x)))
    "extremes", true, (fun x -> sum (maxOver [ 1 ] x) + sum (cumsum 0 x * x))
    "compile", true, compile (fun x -> sum (sigmoid (x *@ matrix)))
    "vmap", true, (fun x -> sum (vmap (fun (r: Tensor) -> sum (sin r) * r) x))
    "a gradient", true, (fun x -> sum (square (grad (fun x -> sum (exp x * x)) x)))
]

let private agree name eager compiled =
    testCase name
    <| fun () -> Expect.isLessThanOrEqual (distance (eager ()) (compiled ())) 1e-13 "relative distance"

[<Tests>]
let nests =
    testList "compile in any nest" [
        for name, hasReverse, f in functions do
            testList name [
                agree "compile f" (fun () -> f point) (fun () -> compile f point)
                agree "compile (compile f)" (fun () -> f point) (fun () -> compile (compile f) point)
                agree "compile (jvp f)" (fun () -> jvp f point direction) (fun () ->
                    compile (fun (x, v) -> jvp f x v) (point, direction))
                agree "jvp (compile f)" (fun () -> jvp f point direction) (fun () -> jvp (compile f) point direction)
                agree "compile (vmap f)" (fun () -> vmap f many) (fun () -> compile (vmap f) many)
                agree "vmap (compile f)" (fun () -> vmap f many) (fun () -> vmap (compile f) many)

                if hasReverse then
                    agree "compile (grad f)" (fun () -> grad f point) (fun () -> compile (grad f) point)
                    agree "grad (compile f)" (fun () -> grad f point) (fun () -> grad (compile f) point)

                    agree "compile (grad (compile f))" (fun () -> grad f point) (fun () ->
                        compile (grad (compile f)) point)

                    agree "compile (vmap (grad f))" (fun () -> vmap (grad f) many) (fun () ->
                        compile (vmap (grad f)) many)

                    agree "vmap (grad (compile f))" (fun () -> vmap (grad f) many) (fun () ->
                        vmap (grad (compile f)) many)

                    agree "grad (vmap (compile f))" (fun () -> grad (vmap f >> sum) many) (fun () ->
                        grad (vmap (compile f) >> sum) many)

                    agree "compile (hvp f)" (fun () -> hvp f point direction) (fun () ->
                        compile (fun (x, v) -> hvp f x v) (point, direction))

                    agree "hvp (compile f)" (fun () -> hvp f point direction) (fun () ->
                        hvp (compile f) point direction)

                    agree "compile (grad of grad)" (fun () -> grad (grad f >> square >> sum) point) (fun () ->
                        compile (grad (grad f >> square >> sum)) point)

                    agree "grad of grad (compile f)" (fun () -> grad (grad f >> square >> sum) point) (fun () ->
                        grad (grad (compile f) >> square >> sum) point)
            ]
    ]

/// The largest distance between two trees, relative to the largest number of each tensor; what is smaller than 0.01, as
/// biases after a first step are, counts as 0.01.
let private apart (a: 'T) (b: 'T) =
    Array.map2
        (fun (x: Tensor) (y: Tensor) ->
            let xs, ys = Tensor.toFloats x, Tensor.toFloats y
            let size = xs |> Array.fold (fun m v -> max m (abs v)) 0.01
            Array.map2 (fun p q -> abs (p - q) / size) xs ys |> Array.fold max 0.0)
        (Tree.leaves a)
        (Tree.leaves b)
    |> Array.fold max 0.0

let private numbersOf n (shape: int list) = normal n shape |> cast DType.Float32
let private classes n = Tensor.create [ n ] (Array.init n (fun i -> i * 7 % 10)) |> oneHot DType.Float32 10

/// Training from the same start, eager and as a stepper: one step within rounding; several, the last of them on a smaller
/// batch, to the same bits on one thread and on two.
let private trains name (layer: Layer<'P>) (shape: int[]) loss optimizer (x: Tensor) (y: Tensor) =
    testCase name
    <| fun () ->
        let trainer = Trainer.ofLayer layer loss optimizer [ Metric.accuracy ]
        let data = Dataset.create x y

        let train compile size =
            let options = {
                quiet 1 with
                    Batching = { Batching.ofSize size with Shuffle = false }
                    Compile = compile
            }

            let fitted = Training.fit options trainer (layer.Initialize (Key.create 1L) shape) data
            Expect.isEmpty fitted.Warnings "nothing fell back"
            fitted

        let eager, compiled = train false 20, train true 20
        Expect.isLessThan (apart eager.Parameters compiled.Parameters) 1e-6 "parameters"
        Expect.isLessThan (apart eager.State.Optimizer compiled.State.Optimizer) 1e-5 "what the optimiser remembers"


        let parameters threads = withThreads threads (fun () -> bits (train true 6).Parameters)
        Expect.equal (parameters 2) (parameters 1) "the same bits on one thread and on two"

[<Tests>]
let models =
    let x, images = numbersOf 210 [ 20; 12 ], numbersOf 211 [ 20; 12; 12; 1 ]
    let sequences, y = numbersOf 212 [ 20; 9; 6 ], classes 20
    let logits = Loss.categoricalCrossEntropyFromLogits

    testSequenced
    <| testList "models trained compiled and eager" [
        trains
            "the talk's: sigmoids and softmax, mean squared error"
            (Layers.dense 30
             --> Layers.activation "sigmoid" sigmoid
             --> Layers.dense 10
             --> Layers.activation "softmax" softmax)
            [| 12 |]
            Loss.meanSquaredError
            (Optimizer.sgd 0.1)
            x
            y
        trains
            "dropout and normalisation"
            (Layers.dense 30
             --> Layers.batchNormalization
             --> Layers.activation "relu" relu
             --> Layers.dropout 0.3
             --> Layers.dense 10)
            [| 12 |]
            logits
            (Optimizer.momentum 0.9 0.05)
            x
            y
        trains
            "convolutions"
            (Layers.convSame 8 [ 3; 3 ]
             --> Layers.activation "relu" relu
             --> Layers.maxPool [ 2 ]
             --> Layers.conv 4 [ 3; 3 ]
             --> Layers.flatten
             --> Layers.dense 10)
            [| 12; 12; 1 |]
            logits
            (Optimizer.sgd 0.05)
            images
            y
        trains "LSTM" (Layers.lstm 8 --> Layers.dense 10) [| 9; 6 |] logits (Optimizer.sgd 0.1) sequences y
        trains "GRU" (Layers.gru 8 --> Layers.dense 10) [| 9; 6 |] logits (Optimizer.sgd 0.1) sequences y
        trains
            "attention"
            (Layers.selfAttention 2 4 --> Layers.layerNormalization --> Layers.flatten --> Layers.dense 10)
            [| 9; 6 |]
            logits
            (Optimizer.sgd 0.05)
            sequences
            y
        trains
            "embeddings"
            (Layers.embedding 10 5 --> Layers.flatten --> Layers.dense 10)
            [| 4 |]
            logits
            (Optimizer.sgd 0.1)
            (Tensor.create [ 20; 4 ] (Array.init 80 (fun i -> i * 3 % 10)))
            y
    ]

[<Tests>]
let threads =
    testSequenced
    <| testList "the same bits on one thread and on two" [
        let wide: (string * (Tensor -> Tensor)) list = [
            "elementwise", (fun x -> sum (sin x * exp (-(square x))))
            "products", (fun x -> sum (tanh (transpose x *@ x)))
            "reductions", (fun x -> sum (square (meanOver [ 0 ] x)) + sum (logsumexp x))
            "softmax", (fun x -> sum (square (softmax x)))
            "scan", (fun x -> sum (fst (scan (fun (h: Tensor) (r: Tensor) -> tanh (h + r), ()) x[0, *] x)))
        ]

        for name, f in wide do
            testCase name
            <| fun () ->
                let x = 0.1 * normal 220 [ 300; 257 ]
                let run threads = withThreads threads (fun () -> bits (compile (valueAndGrad f) x))
                Expect.equal (run 2) (run 1) "every bit"
    ]
