// What a script needs to work with the package: `.ci/run` puts the `#r "nuget: Functional, VERSION"` above these lines.
open Functional

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
