/// ADBench's Gaussian mixture and diagonal LSTM: values and gradients against the reference implementation's.
module Functional.Tests.AdbenchTests

open System
open System.IO
open Expecto
open Functional
open Functional.Tests.Oracles
open Functional.Tests.Selection

/// The numbers of a text file, taken one after the other.
type private Numbers(path: string) =
    let words =
        File.ReadAllText(path).Split([| ' '; '\n'; '\t'; '\r' |], StringSplitOptions.RemoveEmptyEntries)

    let mutable next = 0

    member _.Take(count: int) =
        next <- next + count
        Array.init count (fun i -> Double.Parse words[next - count + i])

    member n.One = n.Take(1)[0]
    member n.Int = int n.One
    member n.Tensor(shape: int list) = Tensor.create shape (n.Take(List.fold (*) 1 shape))
    member n.Rest = n.Take(words.Length - next)

/// ADBench's own measure of closeness.
let private close (what: string) (expected: float[]) (actual: float[]) =
    Expect.equal actual.Length expected.Length $"{what}: how many"
    let distance x y = abs (x - y) / max 1.0 (abs x + abs y)

    let worst =
        Array.fold2 (fun m x y -> let d = distance x y in if d > m || Double.IsNaN d then d else m) 0.0 expected actual

    if not (worst < 1e-8) then
        failtest $"{what}: off by {worst}"

let private reference (kind: string) = (Numbers(kind + ".F.txt")).Rest, (Numbers(kind + ".J.txt")).Rest

// ---- Gaussian mixture

type private Mixture = { Alpha: Tensor; Mu: Tensor; Q: Tensor; L: Tensor }

let private logGamma = MathNet.Numerics.SpecialFunctions.GammaLn

/// The penalised negative log-likelihood of `DESCRIPTION.txt`, up to its sign convention: F itself.
let private gmm (x: Tensor) (gamma: float) (m: float) (p: Mixture) =
    let n, d, k = x.Shape[0], x.Shape[1], p.Alpha.Shape[0]
    let count = d * (d - 1) / 2
    // the strictly lower triangle, column by column; the place behind the last one is a zero
    let place = Array.create (d * d) count
    let mutable next = 0

    for i in 0 .. d - 1 do
        for j in i + 1 .. d - 1 do
            place[j * d + i] <- next
            next <- next + 1

    let lower = concat 1 [ p.L; Tensor.zeros [ k; 1 ] ] |> take 1 (Tensor.create [ d; d ] place)
    let matrix = lower + expandDims 2 (exp p.Q) * Tensor.eye DType.Float64 d
    let centred = expandDims 0 x - expandDims 1 p.Mu
    let turned = centred *@ transpose matrix
    let sumQ = sumOver [ 1 ] p.Q
    let each = expandDims 1 (p.Alpha + sumQ) - 0.5 * sumOver [ 2 ] (turned * turned)

    let likelihood =
        sum (logsumexpOver [ 0 ] each)
        - float n * logsumexp p.Alpha
        - 0.5 * float (n * d) * log (2.0 * Math.PI)

    let freedom = float d + m + 1.0

    let constant =
        let multivariate =
            0.25 * float (d * (d - 1)) * log Math.PI
            + Seq.sum (seq { for j in 1..d -> logGamma (freedom / 2.0 + 0.5 * float (1 - j)) })

        freedom * float d * (log gamma - 0.5 * log 2.0) - multivariate

    let prior = 0.5 * gamma * gamma * (sum (exp (2.0 * p.Q)) + sum (p.L * p.L)) - m * sum p.Q
    likelihood + prior - float k * constant

let private gmmCase name (referenceName: string) =
    testCase $"GMM {name}"
    <| skipWithout "adbench" (fun folder ->
        let n = Numbers(Path.Combine(folder, "gmm", name + ".txt"))
        let d, k, count = n.Int, n.Int, n.Int
        let alpha, mu = n.Tensor [ k ], n.Tensor [ k; d ]
        let icf = n.Tensor [ k; d * (d + 1) / 2 ]
        let x = n.Tensor [ count; d ]
        let gamma, m = n.One, n.One

        let p = {
            Alpha = alpha
            Mu = mu
            Q = narrow 1 0 d icf
            L = narrow 1 d (d * (d - 1) / 2) icf
        }

        let f, j = reference (Path.Combine(folder, "reference", referenceName))
        let value, g = valueAndGrad (gmm x gamma m) p
        close "F" f [| Tensor.toFloat value |]

        close
            "J"
            j
            (Array.concat [ Tensor.toFloats g.Alpha; Tensor.toFloats g.Mu; Tensor.toFloats (concat 1 [ g.Q; g.L ]) ]))

// ---- diagonal LSTM

/// One step of all layers: the state is hidden and cell of each layer.
let private step (main: Tensor) (extra: Tensor) layers (state: Tensor list) (input: Tensor) =
    let b = input.Shape[0]
    let gate row k = index 0 row main |> narrow 0 (k * b) b

    let rec go layer (y: Tensor) (state: Tensor list) =
        match state with
        | h :: cell :: rest when layer < layers ->
            let w, bias = gate (2 * layer), gate (2 * layer + 1)
            let forget = sigmoid (y * w 0 + bias 0)
            let ingate = sigmoid (h * w 1 + bias 1)
            let out = sigmoid (y * w 2 + bias 2)
            let change = tanh (h * w 3 + bias 3)
            let cell = cell * forget + ingate * change
            let h = out * tanh cell
            let y, rest = go (layer + 1) h rest
            y, h :: cell :: rest
        | _ -> y, []

    let y, state = go 0 (input * index 0 0 extra) state
    let prediction = y * index 0 1 extra + index 0 2 extra
    prediction - log (2.0 + sum (exp prediction)), state

let private objective (total: Tensor) (b: int) (c: int) = total * (-1.0 / float (b * (c - 1)))

let private lstmByHand layers (state: Tensor) (sequence: Tensor) (main, extra) =
    let c = sequence.Shape[0]
    let mutable running, total = List.init (2 * layers) (fun i -> index 0 i state), scalar 0.0

    for t in 0 .. c - 2 do
        let normal, next = step main extra layers running (index 0 t sequence)
        running <- next
        total <- total + sum (index 0 (t + 1) sequence * normal)

    objective total sequence.Shape[1] c

let private lstmByScan layers (state: Tensor) (sequence: Tensor) (main, extra) =
    let c, b = sequence.Shape[0], sequence.Shape[1]

    let body (running, total: Tensor) (now, next: Tensor) =
        let normal, running = step main extra layers running now
        (running, total + sum (next * normal)), ()

    let start = List.init (2 * layers) (fun i -> index 0 i state), scalar 0.0
    let (_, total), () = scan body start (narrow 0 0 (c - 1) sequence, narrow 0 1 (c - 1) sequence)
    objective total b c

let private lstmCase name program =
    testCase $"LSTM {name}"
    <| skipWithout "adbench" (fun folder ->
        let n = Numbers(Path.Combine(folder, "lstm", "lstm_l2_c1024.txt"))
        let l, c, b = n.Int, n.Int, n.Int
        let main, extra = n.Tensor [ 2 * l; 4 * b ], n.Tensor [ 3; b ]
        let state, sequence = n.Tensor [ 2 * l; b ], n.Tensor [ c; b ]
        let f, j = reference (Path.Combine(folder, "reference", "lstm_l2_c1024"))
        let value, (dMain, dExtra) = valueAndGrad (program l state sequence) (main, extra)
        close "F" f [| Tensor.toFloat value |]
        close "J" j (Array.append (Tensor.toFloats dMain) (Tensor.toFloats dExtra)))

[<Tests>]
let tests =
    testList "ADBench" [
        gmmCase "test" "gmm_test"
        for name in [ "gmm_d2_K5"; "gmm_d2_K10"; "gmm_d2_K25"; "gmm_d10_K5"; "gmm_d10_K10"; "gmm_d10_K25" ] do
            gmmCase name ("gmm_1k_" + name)
        lstmCase "step by step" lstmByHand |> slow
        lstmCase "by scan" lstmByScan
    ]
