/// What the examples of F#'s docstrings take as given: for all, and in a module `GivenNAME` for those in a folder or a
/// file of that name. It stands before the pieces in one script (FSharpScript.fs).
open System
open System.IO
open System.Text.RegularExpressions
open Functional

// What the pieces print is not looked at; what is wrong with them is said here.
let out = Console.Out
Console.SetOut TextWriter.Null

let mutable begun, compared, current = 0, 0, ""

let begin_ place =
    begun <- begun + 1
    current <- place

let expect (place: string) (text: string) (found: string) =
    compared <- compared + 1

    if found <> text then
        out.WriteLine $"{place}: it is {found}, not {text}"

/// Compares the numbers of a text with those of a tensor, whatever their shape.
let expectNumbers (place: string) (text: string) (found: Tensor) =
    compared <- compared + 1
    let numbers = [ for m in Regex.Matches(text, @"-?\d+(\.\d+)?") -> float m.Value ]
    let found = List.ofArray (Tensor.toFloats found)

    if
        numbers.Length <> found.Length
        || List.exists2 (fun a b -> abs (a - b) > 1e-6 * (1.0 + abs a)) numbers found
    then
        out.WriteLine $"{place}: it is %A{found}, not {text}"

/// Runs an example; the others run even if it fails.
let attempt (place: string) example =
    try
        example () |> ignore
    with e ->
        out.WriteLine $"{place}: {e.Message}"

let key = Key.create 1L
let x = Tensor.ofRows [ [ 0.5; 1.0; -1.0 ]; [ 2.0; 0.0; 1.0 ] ]
let w = Tensor.ofRows [ [ 1.0; 0.0 ]; [ 0.0; 1.0 ]; [ 1.0; 1.0 ] ]
let a = Tensor.ofRows [ [ 2.0; 1.0 ]; [ 1.0; 3.0 ] ]
let b = Tensor.ofSeq [ 1.0; 2.0 ]
let p = Tensor.ofSeq [ 0.5; -1.0 ]
let rows = Tensor.ofRows [ [ 3.0; 4.0 ]; [ 0.0; 2.0 ] ]
let f (v: Tensor) = sum (v * v * v * v + v * v)
let normal shape = Random.normal DType.Float32 shape key
let labels = Tensor.ofSeq [ 0; 1 ]

type TwoLayers = { Hidden: Dense; Output: Dense }

/// Two layers, a batch for them, and what trains them.
module Dense2 =
    let init key = {
        Hidden = Dense.init (Key.fold 0 key) 3 4
        Output = Dense.init (Key.fold 1 key) 4 2
    }

    let net = init key
    let predict net = dense net.Hidden >> tanh >> dense net.Output
    let x, y = normal [ 8; 3 ], normal [ 8; 2 ]
    let batch = x, y
    let loss net (x, y) = Loss.meanSquaredError y (predict net x)
    let gradient = grad (fun net -> loss net batch) net
    let optimizer = Optimizer.adam 0.01
    let trainer = Trainer.ofFunction predict Loss.meanSquaredError optimizer [ Metric.accuracy ]
    let data = Dataset.create x y

module GivenCompiling =
    type Net = TwoLayers
    let net, batches = Dense2.net, [ Dense2.batch ]
    let loss x y net = Dense2.loss net (x, y)
    let lossOf = loss
    let update net gradient = Tree.map2 (addScaled -0.1) net gradient
    let step = compiled (fun (x: Tensor) -> x * x)

module GivenData =
    let sentences = [ for length in [ 3; 20; 5 ] -> Tensor.full DType.Int32 [ length ] 1.0 ]
    let labels = Tensor.ofSeq [ 0; 1; 0 ] |> Tensor.toFloats |> Seq.map scalar |> List.ofSeq
    let data, step = Dense2.data, ignore
    File.WriteAllText("iris.csv", "width,length,kind\n1.5,2.5,a\n2,3,b\n")

    let idx =
        use file =
            new Compression.GZipStream(File.Create "train-labels-idx1-ubyte.gz", Compression.CompressionMode.Compress)

        file.Write [| 0uy; 0uy; 8uy; 1uy; 0uy; 0uy; 0uy; 3uy; 7uy; 2uy; 1uy |]

module GivenDataset =
    let images, sizes, labels = normal [ 4; 8; 8; 1 ], normal [ 4; 2 ], Tensor.ofSeq [ 0; 1; 0; 1 ]

module GivenConvolution =
    let x, kernel = normal [ 2; 8; 8; 1 ], normal [ 3; 3; 1; 32 ]

    type FirstOnly = { First: Conv }
    let net = { First = Conv.init key [ 3; 3 ] 1 4 }

module GivenFunctions =
    let kernel = Tensor.zeros [ 1 ]

module GivenEinsum =
    let a, b = normal [ 2; 3; 4 ], normal [ 2; 4; 5 ]

module GivenPooling =
    let x = normal [ 2; 8; 8; 3 ]

module GivenLinearAlgebra =
    let g, mu, eye = a, 0.1, Tensor.eye DType.Float64 2

module GivenSpace =
    let x = normal [ 2; 4; 4; 3 ]

module GivenNormalization =
    let x = normal [ 2; 4; 4; 8 ]

/// Keys and values of six places, queries of five.
module GivenAttention =
    let keys, values, queries = normal [ 2; 6; 4 ], normal [ 2; 6; 3 ], normal [ 2; 5; 4 ]

module GivenAdditiveAttention =
    type Asking = { Attention: AdditiveAttention }
    let net = { Attention = AdditiveAttention.init key 4 4 8 }

module GivenMultiHeadAttention =
    let x = normal [ 2; 6; 16 ]

    type Asking = { Attention: MultiHeadAttention }
    let net = { Attention = MultiHeadAttention.init key 2 8 16 }

module GivenEmbedding =
    let tokens = Tensor.create [ 2; 3 ] [| 1; 2; 3; 3; 2; 1 |]

    type Reading = { Words: Embedding; Reader: Lstm }
    let net = { Words = Embedding.init key 10 4; Reader = Lstm.init key 4 8 }

module GivenRecurrent =
    let x, mask = normal [ 2; 5; 3 ], Tensor.create [ 2; 5 ] (Array.create 10 true)

    type Reading = { Encoder: Lstm; Hidden: SimpleRnn }
    let net = { Encoder = Lstm.init key 3 8; Hidden = SimpleRnn.init key 3 8 }

module GivenAttentive =
    let outputs, options = normal [ 2; 5; 8 ], Attention.defaults

    type Asking = { Attention: AdditiveAttention }
    let net = { Attention = AdditiveAttention.init key 8 8 8 }

module GivenLosses =
    let predict, net, x, labels = Dense2.predict, Dense2.net, normal [ 2; 3 ], labels
    let outputs, logits = Tensor.create [ 1; 2 ] [| 3; 0 |], normal [ 1; 2; 5 ]

module GivenMetrics =
    let predict, net, x, labels = Dense2.predict, Dense2.net, normal [ 2; 3 ], labels
    let mask = Tensor.create [ 1; 2 ] [| true; false |]
    let target, prediction = normal [ 1; 2; 3 ], normal [ 1; 2; 3 ]

module GivenOptimizers =
    let net, gradient = Dense2.net, Dense2.gradient

module GivenMinimizers =
    let xs, ys = Tensor.ofSeq [ 0.0; 1.0; 2.0; 3.0 ], Tensor.ofSeq [ 1.0; 2.9; 5.1; 7.0 ]
    let residual (a: Tensor, b: Tensor) (x: Tensor, y: Tensor) = y - (a + b * x)
    let start = scalar 0.0, scalar 0.0
    let loss (a: Tensor, b: Tensor) = square (a - 1.0) + 10.0 * square (b - a * a)
    let inside, points, edge, border = residual, (xs, ys), residual, (xs, ys)
    let net, forward = start, (fun (a: Tensor, b: Tensor) (x: Tensor) -> a * tanh (b * x))
    let objective = Objective.loss (fun (x: Tensor) -> sum (square (x + 1.0)))
    let model (a: Tensor, b: Tensor) (x: Tensor) = a + b * x
    let fit = Fit.curve model xs ys start

module GivenRandom =
    let epoch = 3

module GivenSaving =
    let net, init, optimizer, trainer, w = Dense2.net, Dense2.init, Dense2.optimizer, Dense2.trainer, w

    let fitted = Training.fit { FitOptions.create 1 with Display = Silent } trainer net Dense2.data

    TrainingState.saveWith (ModelFile.withOptimizer optimizer Map.empty) "run.safetensors" fitted.State
    Safetensors.write "model.safetensors" Map.empty [ "wte.weight", w; "wpe.weight", w ]

module GivenSequences =
    let texts, v = [ "hello"; "hold" ], Vocabulary.create (Vocabulary.characters "hello")
    let x, mask = Tensor.create [ 1; 3 ] [| 4; 5; 6 |], Tensor.create [ 1; 3 ] [| true; true; true |]
    let cell = Gru.cell
    let net = EncoderDecoder.init cell (EncoderDecoder.settings 90 90 16) key
    let step = EncoderDecoder.step cell
    let encode = EncoderDecoder.encode cell Recurrent.defaults
    let questions = x

module GivenTraining =
    let net, trainer, data = Dense2.net, Dense2.trainer, Dense2.data
    let fitted = Training.fit { FitOptions.create 1 with Display = Silent } trainer net data

    let history =
        Training.fit { FitOptions.create 1 with Display = Silent; Validation = Fraction 0.25 } trainer net data
        |> _.History

module GivenOnlineTraining =
    let net, trainer, x, y = Dense2.net, Dense2.trainer, Dense2.x, Dense2.y

module GivenTrainer =
    let net = Layers.dense 2

module GivenTransformations =
    let net, batch, loss = Dense2.net, Dense2.batch, Dense2.loss
    let xs, start = Tensor.ofSeq [ 1.0; 2.0; 3.0 ], scalar 0.0
    let cell = scalar 0.5
    let step (cell: Tensor) (h: Tensor) (x: Tensor) = tanh (cell * h + x), h
    let block (p: Tensor) (x: Tensor) = tanh (p * x)

module GivenCustomRules =
    let x, p, a = b, b, scalar 4.0

    let newton (a: Tensor) = Seq.fold (fun (t: Tensor) _ -> 0.5 * (t + a / t)) a (seq { 1..20 })

module GivenCheck =
    type Wave = { W: Tensor }

module GivenSelect =
    type Net = { Hidden1: Dense; Output: Dense }
    let net = { Hidden1 = Dense.init key 3 4; Output = Dense.init key 4 2 }

module GivenFrozen =
    type Net = { Hidden1: Frozen<Dense>; Hidden2: Dense }
    let pretrained = Dense.init key 3 4
    let net = { Hidden1 = { Value = pretrained }; Hidden2 = pretrained }
