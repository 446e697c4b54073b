/// Attention: by hand, masks, gradients of every input and parameter, heads, layers, and cells with a memory.
module Functional.Tests.Layers.AttentionTests

open Expecto
open Functional
open Functional.Tests.Layers.Close

let private key = Key.create 5L
let private floats = Tensor.toFloats

let private wide = {
    Dense.defaults with
        DType = DType.Float64
        BiasInitializer = Some(Initializer.normal 1.0)
}

let private settings = { Cell.defaults with DType = DType.Float64 }
let private mask = Tensor.create [ 2; 4 ] [| true; true; true; false; true; false; false; false |]

/// softmax(q·kᵀ·scale) by loops, where `sees` says so.
let private byHand scale (sees: int -> int -> int -> bool) (q: Tensor) (k: Tensor) (v: Tensor) =
    let batch, queries, keys, n = q.Shape[0], q.Shape[1], k.Shape[1], v.Shape[2]
    let q', k', v' = floats q, floats k, floats v
    let features = q.Shape[2]

    [|
        for b in 0 .. batch - 1 do
            for i in 0 .. queries - 1 do
                let weights =
                    Array.init keys (fun j ->
                        let dot =
                            Seq.init features (fun f ->
                                q'[(b * queries + i) * features + f] * k'[(b * keys + j) * features + f])
                            |> Seq.sum

                        if sees b i j then exp (dot * scale) else 0.0)

                let total = max 1e-300 (Array.sum weights)

                for f in 0 .. n - 1 do
                    Seq.init keys (fun j -> weights[j] / total * v'[(b * keys + j) * n + f]) |> Seq.sum
    |]

[<Tests>]
let tests =
    testList "attention" [
        testCase "dot products, by hand: weights, masks, causal, scale"
        <| fun () ->
            let q, k, v = numbers 1 [ 2; 3; 5 ], numbers 2 [ 2; 4; 5 ], numbers 3 [ 2; 4; 2 ]
            let scale = 1.0 / sqrt 5.0
            let everything = Attention.defaults
            let found, weights = dotProductAttention everything k v q
            expectClose 1e-13 (byHand scale (fun _ _ _ -> true) q k v) found "all"
            Expect.equal weights.Shape [| 2; 3; 4 |] "weights"
            expectClose 1e-14 (Array.create 6 1.0) (sumOver [ 2 ] weights) "weights sum to 1"
            let masked, _ = dotProductAttention { everything with KeyMask = Some mask } k v q
            let lengths = [| 3; 1 |]
            expectClose 1e-13 (byHand scale (fun b _ j -> j < lengths[b]) q k v) masked "padding"
            let causal, _ = dotProductAttention { everything with Causal = true; Scale = Some 0.7 } k v q
            expectClose 1e-13 (byHand 0.7 (fun _ i j -> j <= i) q k v) causal "causal, scaled"


        testCase "a query that sees nothing gets zeros, and gives finite gradients"
        <| fun () ->
            let q, k, v = numbers 1 [ 1; 2; 3 ], numbers 2 [ 1; 3; 3 ], numbers 3 [ 1; 3; 2 ]
            let sees = Tensor.create [ 2; 3 ] [| false; false; false; true; false; true |]
            let options = { Attention.defaults with Mask = Some sees }
            let found, weights = dotProductAttention options k v q
            expectClose 0.0 [ 0.0; 0.0 ] (index 1 0 found) "zeros"
            Expect.equal (floats (index 1 1 weights)).[1] 0.0 "a key not seen has weight 0"
            let attend (k, v, q) = weigh (fst (dotProductAttention options k v q))
            expectJudged attend (k, v, q) "gradients"
            let _, _, dq = grad attend (k, v, q)
            expectClose 0.0 [ 0.0; 0.0; 0.0 ] (index 1 0 dq) "of what sees nothing"

        testCase "padded keys may hold anything: exactly nothing flows back to them"
        <| fun () ->
            let junk x = where (expandDims 2 mask) x (scalar nan)
            let q, k, v = numbers 1 [ 2; 3; 5 ], numbers 2 [ 2; 4; 5 ], numbers 3 [ 2; 4; 2 ]
            let p = AdditiveAttention.initAs DType.Float64 key 5 5 4
            let heads = { MultiHeadAttention.settings 2 3 with Dense = wide }
            let many = MultiHeadAttention.initWith heads key 5 5 2
            let options = { Attention.defaults with KeyMask = Some mask }

            let check name (attend: 'P * Tensor * Tensor * Tensor -> Tensor * Tensor) (p: 'P) =
                let clean = fst (attend (p, k, v, q))
                expectClose 0.0 (floats clean) (fst (attend (p, junk k, junk v, q))) name
                let dp, dk, dv, _ = grad (fun given -> weigh (fst (attend given))) (p, junk k, junk v, q)

                for leaf in Tree.leaves dp do
                    Expect.all (floats leaf) System.Double.IsFinite $"{name}: parameters"

                for d in [ dk; dv ] do
                    let atPadding = where (broadcastTo d.Shape (expandDims 2 mask)) (Tensor.zerosLike d) d
                    Expect.all (floats atPadding) ((=) 0.0) $"{name}: exactly 0"

            check "dot product" (fun ((), k, v, q) -> dotProductAttention options k v q) ()
            check "additive" (fun (p, k, v, q) -> additiveAttention options p k v q) p
            check "multi-head" (fun (p, k, v, q) -> multiHeadAttention options p k v q) many

        testCase "gradients of keys, values, queries, biases"
        <| fun () ->
            let given = numbers 1 [ 2; 3; 5 ], numbers 2 [ 2; 4; 5 ], numbers 3 [ 2; 4; 2 ], numbers 4 [ 3; 4 ]

            for name, options in
                [
                    "plain", Attention.defaults
                    "masked, causal", { Attention.defaults with KeyMask = Some mask; Causal = true }
                    "capped, scaled", { Attention.defaults with Cap = Some 2.0; Scale = Some 1.3 }
                    "dropped", { Attention.defaults with Dropout = 0.4; Phase = Training key }
                ] do
                expectJudged
                    (fun (q, k, v, bias) ->
                        let found, weights = dotProductAttention { options with Bias = Some bias } k v q
                        weigh found + weigh weights)
                    given
                    name

        testCase "additive attention: by hand, and gradients"
        <| fun () ->
            let p = AdditiveAttention.initAs DType.Float64 key 3 5 4
            let q, k, v = numbers 1 [ 2; 3; 3 ], numbers 2 [ 2; 4; 5 ], numbers 3 [ 2; 4; 2 ]
            let found, weights = additiveAttention Attention.defaults p k v q

            let score b i j =
                let part (x: Tensor) place = index 0 b x |> index 0 place |> expandDims 0
                inner p.Vector (squeeze [ 0 ] (tanh (part q i *@ p.Query + part k j *@ p.Key))) |> Tensor.toFloat

            let expected = [|
                for b in 0..1 do
                    for i in 0..2 do
                        let all = Array.init 4 (fun j -> exp (score b i j))
                        yield! all |> Array.map (fun e -> e / Array.sum all)
            |]

            expectClose 1e-13 expected weights "weights"
            expectClose 1e-13 (floats (weights *@ v)) found "mean of the values"
            let options = { Attention.defaults with KeyMask = Some mask }

            expectJudged
                (fun (p, q, k, v) ->
                    let found, weights = additiveAttention options p k v q
                    weigh found + weigh weights)
                (p, q, k, v)
                "additive"

        testCase "several heads are several attentions"
        <| fun () ->
            let heads = {
                MultiHeadAttention.settings 2 3 with
                    ValueUnits = Some 4
                    Outputs = Some 5
                    Dense = wide
            }

            let p = MultiHeadAttention.initWith heads key 6 5 7
            let q, k, v = numbers 1 [ 2; 3; 6 ], numbers 2 [ 2; 4; 5 ], numbers 3 [ 2; 4; 7 ]
            let options = { Attention.defaults with KeyMask = Some mask }
            let found, weights = multiHeadAttention options p k v q
            Expect.equal weights.Shape [| 2; 2; 3; 4 |] "weights"
            Expect.equal found.Shape [| 2; 3; 5 |] "outputs"

            let one head =
                let cut width x = narrow -1 (head * width) width x
                dotProductAttention options (cut 3 (dense p.Key k)) (cut 4 (dense p.Value v)) (cut 3 (dense p.Query q))

            let joined = concat -1 [ fst (one 0); fst (one 1) ]
            expectClose 1e-13 (floats (dense p.Output joined)) found "outputs"
            expectClose 1e-14 (floats (stack 1 [ snd (one 0); snd (one 1) ])) weights "weights"
            expectJudged (fun (p, q, k, v) -> weigh (fst (multiHeadAttention options p k v q))) (p, q, k, v) "heads"
            let sees = Tensor.create [ 2; 3; 4 ] (Array.init 24 (fun i -> i % 3 <> 1))
            let masked = { Attention.defaults with Mask = Some sees }
            let all = snd (multiHeadAttention masked p k v q)
            let hidden = where (broadcastTo all.Shape (expandDims 1 sees)) (Tensor.zerosLike all) all
            Expect.all (floats hidden) ((=) 0.0) "a mask for each example holds for all heads"

        testCase "vmap over examples is the batch"
        <| fun () ->
            let q, k, v = numbers 1 [ 2; 3; 5 ], numbers 2 [ 2; 4; 5 ], numbers 3 [ 2; 4; 2 ]
            let whole = fst (dotProductAttention { Attention.defaults with KeyMask = Some mask } k v q)

            let one (q, k, v, mask) = fst (dotProductAttention { Attention.defaults with KeyMask = Some mask } k v q)

            expectClose 1e-14 (floats whole) (vmap one (q, k, v, mask)) "dot product"
            let p = AdditiveAttention.initAs DType.Float64 key 5 5 4
            let additive (q, k, v) = fst (additiveAttention Attention.defaults p k v q)
            expectClose 1e-14 (floats (additive (q, k, v))) (vmap additive (q, k, v)) "additive"

        testCase "Keras' layers as blocks: scores by hand, masks, what comes out"
        <| fun () ->
            let q, v, k = numbers 1 [ 2; 3; 5 ], numbers 2 [ 2; 4; 2 ], numbers 3 [ 2; 4; 5 ]

            let apply call (block: AttentionCall -> Block<'P>) (p: 'P) inputs =
                let outputs, _ = (block call).Apply Inference p (Array.ofList inputs)
                outputs

            let all = [ q; v; k ] |> List.map Masked.ofTensor
            let scores = { AttentionBlock.plain with ReturnScores = true }
            let softmaxOf (score: Tensor -> Tensor -> Tensor) = softmax (score (expandDims 2 q) (expandDims 1 k))
            let products scale = softmaxOf (fun q k -> scale * sumOver [ 3 ] (q * k))

            let expect name (weights: Tensor) (outputs: Masked[]) =
                expectClose 1e-13 (floats weights) outputs[1].Value $"{name}: weights"
                expectClose 1e-13 (floats (weights *@ v)) outputs[0].Value $"{name}: what is found"

            let dot mode scaled call = AttentionBlock.dotProduct call mode scaled
            let none = { Scale = None; ScoreWeight = None }
            expect "products" (products 1.0) (apply scores (dot AttentionScore.Products false) none all)
            let scaled = { none with Scale = Some(scalar 0.7) }
            expect "scaled" (products 0.7) (apply scores (dot AttentionScore.Products true) scaled all)

            let sums scale weight = softmaxOf (fun q k -> weight * sumOver [ 3 ] (tanh (scale * (q + k))))

            let both = { Scale = Some(scalar 0.7); ScoreWeight = Some(scalar 1.3) }
            expect "sums" (sums 0.7 1.3) (apply scores (dot AttentionScore.Sums true) both all)
            let row = numbers 4 [ 5 ]
            let additive = softmaxOf (fun q k -> sumOver [ 3 ] (row * tanh (q + k)))
            let additiveBlock scaled call = AttentionBlock.additive call scaled
            expect "additive" additive (apply scores (additiveBlock true) { none with Scale = Some row } all)
            expect "not scaled" (sums 1.0 1.0) (apply scores (additiveBlock false) none all)

            // queries that are padding get zeros and keep their mask; values that are padding are not seen
            let queries = Tensor.create [ 2; 3 ] [| true; true; false; true; false; false |]
            let junk present x = where (expandDims 2 present) x (scalar nan)

            let masked: Masked list = [
                { Value = junk queries q; Mask = Some queries }
                { Value = junk mask v; Mask = Some mask }
                Masked.ofTensor (junk mask k)
            ]

            let found = (apply AttentionBlock.plain (dot AttentionScore.Products false) none masked)[0]
            let direct = { Attention.defaults with KeyMask = Some mask; Scale = Some 1.0 }
            let expected = fst (dotProductAttention direct k v q)
            expectClose 0.0 (floats (where (expandDims 2 queries) expected (scalar 0.0))) found.Value "masked"
            Expect.equal (found.Mask |> Option.map floats) (Some(floats queries)) "the queries' mask goes on"
            let causal = { AttentionBlock.plain with Causal = true }
            let seen = (apply causal (dot AttentionScore.Products false) none all)[0]

            let expected =
                fst (dotProductAttention { Attention.defaults with Causal = true; Scale = Some 1.0 } k v q)

            expectClose 0.0 (floats expected) seen.Value "causal"

            expectRefused [ "queries of 5"; "keys of 2" ] (fun () ->
                (dot AttentionScore.Products false causal).OutputShape [| [| 3; 5 |]; [| 4; 2 |] |])

            expectRefused [ "4 keys and 3 values" ] (fun () ->
                (dot AttentionScore.Products false causal).OutputShape [| [| 3; 5 |]; [| 3; 2 |]; [| 4; 5 |] |])

            expectRefused [ "queries and values"; "1 inputs" ] (fun () ->
                (dot AttentionScore.Products false causal).OutputShape [| [| 3; 5 |] |])

        testCase "several heads over some of several axes"
        <| fun () ->
            let settings = { MultiHeadAttention.settings 2 3 with Dense = wide; Outputs = Some 5 }
            let p = MultiHeadAttention.initWith settings key 6 6 6
            let x = numbers 1 [ 2; 3; 4; 6 ]
            let call = { AttentionBlock.plain with ReturnScores = true }
            let block axes = MultiHeadBlock.create call axes false settings

            let apply axes (inputs: Tensor list) =
                let shapes = [| for x in inputs -> x.Shape[1..] |]
                let inputs = inputs |> List.map Masked.ofTensor |> Array.ofList
                let outputs, _ = (block axes).Apply Inference p inputs

                Expect.equal
                    [ for y in outputs -> y.Value.Shape[1..] ]
                    (List.ofArray ((block axes).OutputShape shapes))
                    "shapes"

                outputs |> Array.map _.Value

            // over the second axis: every row by itself; over the first: every column; over both: all places
            let rows = apply (Some [ 2 ]) [ x; x ]
            let columns = apply (Some [ 1 ]) [ x; x ]
            let places = apply None [ x; x ]

            for i in 0..2 do
                let row = index 1 i x
                let y, weights = multiHeadAttention Attention.defaults p row row row
                expectClose 1e-13 (floats y) (index 1 i rows[0]) "a row"
                expectClose 1e-13 (floats weights) (index 1 i rows[1]) "its weights"

            for i in 0..3 do
                let column = index 2 i x
                let y, _ = multiHeadAttention Attention.defaults p column column column
                expectClose 1e-13 (floats y) (index 2 i columns[0]) "a column"

            let flat = reshape [ 2; 12; 6 ] x
            let y, weights = multiHeadAttention Attention.defaults p flat flat flat
            expectClose 1e-13 (floats y) places[0] "all places"
            expectClose 1e-13 (floats weights) places[1] "their weights"
            Expect.equal places[1].Shape [| 2; 2; 3; 4; 3; 4 |] "weights as Keras has them"

            // a mask of the first axis holds for every place of the other
            let present = Tensor.create [ 2; 3 ] [| true; true; false; true; false; false |]
            let masked: Masked = { Value = x; Mask = Some present }
            let outputs, _ = (block (Some [ 1 ])).Apply Inference p [| masked; masked |]
            let column = index 2 1 x

            let options = {
                Attention.defaults with
                    KeyMask = Some present
                    Mask = Some(expandDims 2 present)
            }

            let y, _ = multiHeadAttention options p column column column
            expectClose 1e-13 (floats y) (index 2 1 outputs[0].Value) "a masked column"
            let shapes inputs axes () = (block axes).OutputShape(Array.ofList inputs)
            expectRefused [ "axes"; "4" ] (shapes [ [| 3; 4; 6 |]; [| 3; 4; 6 |] ] (Some [ 3 ]))
            expectRefused [ "axis 2"; "two lengths" ] (shapes [ [| 3; 4; 6 |]; [| 3; 5; 6 |] ] (Some [ 1 ]))
            expectRefused [ "as many axes" ] (shapes [ [| 3; 4; 6 |]; [| 3; 6 |] ] None)

            let causal = MultiHeadBlock.create { call with Causal = true } None false settings
            expectRefused [ "causal"; "2" ] (fun () -> causal.OutputShape [| [| 3; 4; 6 |]; [| 3; 4; 6 |] |])
            let told = MultiHeadBlock.create call None true settings

            expectRefused [ "attention mask"; "2×4" ] (fun () ->
                told.OutputShape [| [| 3; 6 |]; [| 4; 6 |]; [| 2; 4 |] |])

        testCase "self-attention as a layer"
        <| fun () ->
            let layer = Layers.selfAttention 2 3 --> Layers.dense 2
            Expect.equal (layer.OutputShape [| 4; 6 |]) [| 4; 2 |] "shape"
            let p = layer.Initialize key [| 4; 6 |]
            let x = cast DType.Float32 (numbers 1 [ 2; 4; 6 ])
            Expect.equal (Layer.predict layer p x).Shape [| 2; 4; 2 |] "output"
            let padding = AttentionLayer.self Attention.defaults (Some 0.0) (MultiHeadAttention.settings 2 3)
            let short = narrow 1 0 3 x
            let padded = pad [ 0, 0; 0, 1; 0, 0 ] short
            let p = fst p
            let expected = Layer.predict (Layers.selfAttention 2 3) p short

            expectClose
                1e-6
                (floats expected)
                (narrow 1 0 3 (Layer.predict padding p padded))
                "padding is not attended to"

            expectRefused [ "self-attention"; "[time, features]" ] (fun () -> layer.OutputShape [| 6 |])

        testCase "a cell with a memory: the loop by hand, gradients, masks"
        <| fun () ->
            let p = Gru.cell.Initialize settings key 5 4
            let attention = AdditiveAttention.initAs DType.Float64 key 4 3 4
            let memory, x, start = numbers 2 [ 2; 4; 3 ], numbers 1 [ 2; 3; 2 ], numbers 3 [ 2; 4 ]
            let options = { Attention.defaults with KeyMask = Some mask }

            let cellOver attention memory =
                Attentive.cell
                    (Some(Attentive.memory (AdditiveAttention.over options attention) memory memory))
                    Gru.cell

            let run (p, attention, memory, start, x) =
                let cell = cellOver attention memory
                let start = { cell.Start p 2 with State = start }
                Recurrent.run cell Recurrent.defaults (Some start) p x

            let given = p, attention, memory, start, x
            let outputs, last = run given

            let byHand =
                unstack 1 x
                |> Array.scan
                    (fun h x ->
                        let found, _ = additiveAttention options attention memory memory (expandDims 1 h)
                        Recurrent.step Gru.cell p h (concat -1 [ x; squeeze [ 1 ] found ]))
                    start

            expectClose 1e-14 (floats (stack 1 byHand[1..])) outputs "outputs"
            let _, weights = additiveAttention options attention memory memory (expandDims 1 byHand[2])
            expectClose 1e-14 (floats weights) last.Weights.Value "the last weights"
            expectJudged (run >> fun (y, last) -> weigh y + weigh last.Weights.Value) given "gradients"
            let cell = cellOver attention memory
            Expect.equal (cell.Inputs p, cell.Units p) (2, 4) "sizes"
            let drawn = cell.Initialize settings key 2 4
            Expect.equal drawn.Kernel.Shape [| 5; 12 |] "the kernel reads what is found, too"

        testCase "bad input is refused in the user's words"
        <| fun () ->
            let q, k, v = numbers 1 [ 2; 3; 5 ], numbers 2 [ 2; 4; 5 ], numbers 3 [ 2; 4; 2 ]
            let attend options k v q () = dotProductAttention options k v q
            let plain = Attention.defaults
            expectRefused [ "queries, 5"; "2×4×5"; "2×3×2" ] (attend plain k v (numbers 1 [ 2; 3; 2 ]))
            expectRefused [ "4 keys and 3 values" ] (attend plain k (numbers 1 [ 2; 3; 2 ]) q)
            expectRefused [ "no keys" ] (attend plain (Tensor.zeros [ 2; 0; 5 ]) (Tensor.zeros [ 2; 0; 2 ]) q)
            let short = Tensor.create [ 2; 3 ] (Array.create 6 true)
            expectRefused [ "mask of keys"; "2×4"; "2×3" ] (attend { plain with KeyMask = Some short } k v q)

            expectRefused
                [ "mask of keys"; "Float64" ]
                (attend { plain with KeyMask = Some(Tensor.ones [ 2; 4 ]) } k v q)

            expectRefused [ "2×3"; "does not broadcast"; "2×3×4" ] (attend { plain with Mask = Some short } k v q)
            expectRefused [ "Bool"; "Bias" ] (attend { plain with Mask = Some(Tensor.ones [ 3; 4 ]) } k v q)
            expectRefused [ "[0, 1)" ] (attend { plain with Dropout = 1.5 } k v q)
            expectRefused [ "cap of 0" ] (attend { plain with Cap = Some 0.0 } k v q)
            let p = AdditiveAttention.initAs DType.Float64 key 3 5 4
            expectRefused [ "kernel of queries"; "3" ] (fun () -> additiveAttention plain p k v q)
            let many = MultiHeadAttention.initWith { MultiHeadAttention.settings 2 3 with Dense = wide } key 5 5 2
            expectRefused [ "value"; "2×4×5" ] (fun () -> multiHeadAttention plain many k k q)
            expectRefused [ "4 heads"; "6 features" ] (fun () -> multiHeadAttention plain { many with Heads = 4 } k v q)
            expectRefused [ "0 heads" ] (fun () -> MultiHeadAttention.init key 0 3 5)
    ]
