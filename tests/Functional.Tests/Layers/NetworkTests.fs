/// Blocks and networks: a chain is a sequential layer, masks travel and end where they should, and count in losses.
module Functional.Tests.Layers.NetworkTests

open Expecto
open Functional
open Functional.Tests.Layers.Close

let private key = Key.create 3L
let private bits (t: Tensor) = Tensor.toFloats t |> Array.map System.BitConverter.DoubleToInt64Bits
let private mask (rows: bool list list) = rows |> List.map Array.ofList |> Tensor.ofRows
let private present = mask [ [ true; true; false ]; [ true; false; false ] ]
let private masked x : Masked = { Value = x; Mask = Some present }
let private apply (block: Block<'P>) p inputs = fst (block.Apply Inference p (Array.ofList inputs))
let private first block p inputs = apply block p inputs |> Array.head
let private flags (x: Masked) = x.Mask |> Option.map (cast DType.Float64 >> Tensor.toFloats)

[<Tests>]
let tests =
    testList "networks" [
        testCase "a chain of blocks is its layers one after another, bit for bit"
        <| fun () ->
            let layers = [
                Layer.erase (Layers.dense 4)
                Layer.erase (Layers.dropout 0.5)
                Layer.erase Layers.batchNormalization
                Layer.erase (Layers.dense 2)
            ]

            let chain = Network.chain "row" (layers |> List.map (Block.ofLayer Keeps >> Layer.erase))
            let q = Network.initialize chain key [| [| 3 |] |]
            let x = cast DType.Float32 (numbers 2 [ 5; 3 ])
            // a key for each layer, in order, for what it begins with and for its noise
            let keys, phases = Key.split 4 key, Phase.split 4 (Training key)
            let shapes = layers |> List.scan (fun shape layer -> layer.OutputShape shape) [| 3 |]

            let p, y =
                List.zip3 layers shapes[..3] [ 0..3 ]
                |> List.mapFold
                    (fun x (layer: Layer<obj>, shape, i) ->
                        let y, p = layer.Apply phases[i] (layer.Initialize keys[i] shape) x
                        p, y)
                    x

            let z, q = Network.apply chain (Training key) q [| Masked.ofTensor x |]
            Expect.equal (bits z[0].Value) (bits y) "answers"
            let whole = Layers.sequential "row" layers
            let again, _ = whole.Apply (Training key) (whole.Initialize key [| 3 |]) x
            Expect.equal (bits again) (bits y) "as a layer"
            Expect.equal (Tree.leaves q |> Array.map bits) (Tree.leaves p |> Array.map bits) "parameters"
            let _, same = Network.apply chain Inference q [| Masked.ofTensor x |]
            Expect.isTrue (obj.ReferenceEquals(same, q)) "answering changes nothing"

            Expect.equal (Network.outputShapes chain [| [| 3 |] |]) [| [| 2 |] |] "shapes"

        testCase "a block that is called twice has its parameters once"
        <| fun () ->
            let input: Source = { Call = -1; Output = 0 }

            let twice: Network = {
                Name = "twice"
                Blocks = [| Layer.erase (Block.ofLayer Keeps (Layers.dense 3)) |]
                Calls = [|
                    { Block = 0; Inputs = [| input |]; As = None }
                    { Block = 0; Inputs = [| { Call = 0; Output = 0 } |]; As = None }
                |]
                Outputs = [| { Call = 1; Output = 0 }; { Call = 0; Output = 0 }; input |]
            }

            let p = Network.initialize twice key [| [| 3 |] |]
            Expect.equal (Tree.leaves p).Length 2 "weights and bias"
            let x = cast DType.Float32 (numbers 2 [ 5; 3 ])
            let outputs, _ = Network.apply twice Inference p [| Masked.ofTensor x |]
            let dense = dense (p[0] :?> Dense)
            Expect.equal (bits outputs[0].Value) (bits (dense (dense x))) "the second"
            Expect.equal (bits outputs[1].Value) (bits (dense x)) "the first"
            Expect.equal (bits outputs[2].Value) (bits x) "the input"

        testCase "a network that goes on where it ended: state in, state out"
        <| fun () ->
            let options = { RecurrentLayer.defaults with ReturnSequences = true }

            let network =
                Network.chain "parts" [
                    Layer.erase (RecurrentBlock.ofCell Lstm.cell options true 3)
                    Layer.erase (RecurrentBlock.ofCell Gru.cell options true 2)
                    Layer.erase (Block.ofLayer Keeps (Layers.dense 2))
                ]

            let p = Network.initialize network key [| [| 6; 4 |] |]
            let stateful = StatefulNetwork.create [| [| 6; 4 |] |] [ 0, 1; 1, 1 ] network
            Expect.equal stateful.States [| [| 3 |]; [| 3 |]; [| 2 |] |] "two states of the one, one of the other"
            let x = cast DType.Float32 (numbers 2 [ 5; 6; 4 ])
            let outputs, _ = Network.apply network Inference p [| Masked.ofTensor x |]
            let whole = outputs[0].Value
            let apply = StatefulNetwork.apply stateful Inference p
            let start = StatefulNetwork.start DType.Float32 5 stateful

            let step states from =
                let outputs, states, _ = apply states [| Masked.ofTensor (narrow 1 from 2 x) |]
                outputs[0].Value, states

            let parts, _ = List.mapFold step start [ 0; 2; 4 ]
            expectClose 1e-6 (Tensor.toFloats whole) (concat 1 parts) "in parts"

            expectRefused [ "remember 5 sequences"; "2 go on" ] (fun () ->
                apply start [| Masked.ofTensor (narrow 0 0 2 x) |])

        testCase "sizes that are not known beforehand"
        <| fun () ->
            let any = UnknownSize.Value

            let infer (layer: Layer<'P>) (shape: int[]) = layer.OutputShape shape

            Expect.equal (infer (Layers.dense 3) [| any; 4 |]) [| any; 3 |] "features are known"
            Expect.equal (infer (Layers.lstm 3) [| any; 4 |]) [| 3 |] "the last output"
            Expect.equal (infer (Layers.conv 3 [ 5; 5 ]) [| any; 9; 4 |]) [| any; 5; 3 |] "one axis of two"
            Expect.equal (infer Layers.flatten [| any; 4 |]) [| any |] "times four is not known either"
            expectRefused [ "None"; "5040" ] (fun () -> infer (Layers.reshape [ 3; 3 ]) [| any; 4 |])

            let network =
                Network.chain "any" [
                    Layer.erase (Block.ofLayer Keeps (Layers.dense 4))
                    Layer.erase (Block.ofLayer Drops (Layers.gru 3))
                ]

            let p = Network.initialize network key [| [| any; 2 |] |]
            let q = Network.initialize network key [| [| 5; 2 |] |]
            Expect.equal (Tree.leaves p |> Array.map bits) (Tree.leaves q |> Array.map bits) "the same parameters"
            let deep = Network.chain "deep" [ Layer.erase (Block.ofLayer Drops Layers.flatten); network.Blocks[0] ]
            expectRefused [ "deep"; "dense 4"; "None" ] (fun () -> Network.initialize deep key [| [| any; 2 |] |])

        testCase "masks go on, end, and meet"
        <| fun () ->
            let x = numbers 1 [ 2; 3; 4 ]
            let given = Some(Tensor.toFloats (cast DType.Float64 present))
            let keeps = Block.ofLayer Keeps (Layers.activation "tanh" tanh)
            let drops = Block.ofLayer Drops (Layers.activation "tanh" tanh)
            Expect.equal (flags (first keeps () [ masked x ])) given "kept"
            Expect.equal (flags (first drops () [ masked x ])) None "dropped"
            let add = Block.merge "add" Keeps Merge.add
            Expect.equal (flags (first add () [ masked x; Masked.ofTensor x ])) given "one has a mask"

            let other: Masked = {
                Value = x
                Mask = Some(mask [ [ true; false; true ]; [ true; true; false ] ])
            }

            Expect.equal
                (flags (first add () [ masked x; other ]))
                (Some [| 1.0; 0.0; 0.0; 1.0; 0.0; 0.0 |])
                "there in both"

            Expect.equal
                (flags (first (Block.concatenate 1) () [ masked x; Masked.ofTensor x ]))
                (Some [| 1.0; 1.0; 0.0; 1.0; 1.0; 1.0; 1.0; 0.0; 0.0; 1.0; 1.0; 1.0 |])
                "one after the other"

            Expect.equal (flags (first (Block.concatenate -1) () [ masked x; masked x ])) given "side by side"
            let average = (first Block.averageOverTime () [ masked x ]).Value

            let expected =
                concat 0 [ meanOver [ 1 ] (slice [ 0; 0; 0 ] [ 1; 2; 4 ] [ 1; 1; 1 ] x); index 1 0 x |> narrow 0 1 1 ]

            expectClose 1e-14 (Tensor.toFloats expected) average "the average of what is there"

        testCase "a recurrent layer's block: states, both directions, masks"
        <| fun () ->
            let x = cast DType.Float32 (numbers 1 [ 2; 3; 4 ])
            let options = { RecurrentLayer.defaults with ReturnSequences = true }
            let block = RecurrentBlock.ofCell Lstm.cell options true 5
            let p = Lstm.init key 4 5
            let running = { Recurrent.defaults with Mask = Some present }
            let y, last = Recurrent.run Lstm.cell running None p x
            let found = apply block p [ masked x ]

            Expect.equal
                (found |> Array.map (fun t -> bits t.Value))
                (Array.map bits [| y; last.Hidden; last.Memory |])
                "forwards"

            let again, _ = Recurrent.run Lstm.cell running (Some last) p x
            let states = [ for t in found[1..] -> Masked.ofTensor t.Value ]
            Expect.equal (bits (first block p (masked x :: states)).Value) (bits again) "from a state"
            let both: Bidirectional<Lstm> = { Forward = p; Backward = Lstm.init (Key.create 9L) 4 5 }

            let two =
                RecurrentBlock.bidirectional
                    (RecurrentBlock.Directions.Merged BidirectionalMerge.Concat)
                    Lstm.cell
                    options
                    false
                    5

            let expected = Recurrent.bidirectional BidirectionalMerge.Concat Lstm.cell running both x
            Expect.equal (bits (first two both [ masked x ]).Value) (bits expected) "both directions"
            Expect.equal (two.OutputShape [| [| 3; 4 |] |]) [| [| 3; 10 |] |] "shape"

        testCase "losses and metrics count the steps that are there, and no gradient reaches the others"
        <| fun () ->
            let target, prediction = numbers 4 [ 2; 3; 2 ], numbers 5 [ 2; 3; 2 ]
            let there (t: Tensor) = concat 0 [ index 0 0 t |> narrow 0 0 2; index 0 1 t |> narrow 0 0 1 ]
            let loss = Steps.loss present Loss.meanSquaredError target
            let expected = Loss.meanSquaredError (there target) (there prediction)
            expectClose 1e-14 (Tensor.toFloats expected) (loss prediction) "the loss"
            let gradient = grad loss prediction
            Expect.equal (Tensor.toFloats (index 0 0 gradient |> index 0 2)) [| 0.0; 0.0 |] "no gradient"

            expectClose
                1e-14
                (Tensor.toFloats (grad loss prediction))
                ((compiled (grad loss)).Invoke prediction)
                "compiled"

            for metric in [ Metric.accuracy; Metric.meanAbsoluteError; Metric.precision 0.5 ] do
                let labels = oneHot DType.Float64 2 (argmax -1 target)
                let sums = Steps.metric present metric metric.Init labels prediction
                let alone = metric.Update metric.Init (there labels) (there prediction)
                expectClose 1e-14 (Tensor.toFloats (metric.Result alone)) (metric.Result sums) metric.Name

            Expect.throwsT<System.ArgumentException>
                (fun () -> Steps.metric present Metric.rSquared Metric.rSquared.Init target prediction |> ignore)
                "sums that do not add up"
    ]
