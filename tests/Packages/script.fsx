// What a script needs to work with the package: `.ci/run` puts `#r "nuget: Functional, VERSION"`, and Functional.Plots, above these lines.
open Functional
open Functional.Plots

type Net = { Hidden: Dense; Output: Dense }

let keys = Key.split 3 (Key.create 1L)
let net = { Hidden = Dense.init keys[0] 2 8; Output = Dense.init keys[1] 8 1 }
let x = Random.uniform DType.Float32 [ 16; 2 ] keys[2]
let y = x |> sumOver [ 1 ] |> reshape [ 16; 1 ]
let loss net = Loss.meanSquaredError y (x |> dense net.Hidden |> tanh |> dense net.Output)

let step net = Tree.map2 (addScaled -0.1) net (grad loss net)
let trained = Seq.fold (fun net _ -> step net) net (seq { 1..200 })
let before, after = Tensor.toFloat (loss net), Tensor.toFloat (loss trained)

if not (after < 0.1 * before) then
    failwith $"200 steps of gradient descent took the loss from {before} to {after}"

// what was learnt is saved, comes back, and goes on learning
let path =
    System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"functional-{System.Guid.NewGuid():N}.safetensors")

try
    let predict net = dense net.Hidden >> tanh >> dense net.Output
    let optimizer = Optimizer.adam 0.01 |> Optimizer.clipByGlobalNorm 1.0
    let trainer = Trainer.ofFunction predict Loss.meanSquaredError optimizer []
    let data = Dataset.create x y
    let saved = Callbacks.checkpoint path 1 (ModelFile.withOptimizer optimizer Map.empty)
    let options epochs = { FitOptions.create epochs with Display = Silent }
    let whole = Training.fit (options 4) trainer net data
    Training.fit { options 2 with Callbacks = [ saved ] } trainer net data |> ignore

    let trainer = { trainer with Optimizer = ModelFile.optimizer path }
    let resumed = Training.resume (options 4) trainer (TrainingState.load path trainer net) data
    let numbers net = net |> Tree.leaves |> Array.map Tensor.toFloats

    if numbers resumed.Parameters <> numbers whole.Parameters then
        failwith "the resumed training has learnt something else than the one that was not stopped"

    Checkpoint.save path resumed.Parameters

    if numbers (Checkpoint.load path net) <> numbers resumed.Parameters then
        failwith "the network that was loaded is not the one that was saved"
finally
    System.IO.File.Delete path

// what was learnt is drawn
let truth, said =
    Tensor.toFloats y, Tensor.toFloats (x |> dense trained.Hidden |> tanh |> dense trained.Output)

let picture = System.IO.Path.ChangeExtension(path, ".png")

try
    Chart("Sums", "truth", "network").Points("16 sums", truth, said).Save picture

    if System.IO.FileInfo(picture).Length < 1000L then
        failwith "the picture is empty"
finally
    System.IO.File.Delete picture
