/// Recurrent layers, attention, encoder and decoder under all four judges: in inputs, every parameter and initial states,
/// with steps and keys that are masked.
module Functional.Tests.Judges.SequenceTests

open Expecto
open Functional
open Functional.Tests.Judges.Samples
open Functional.Tests.Judges.Judges

/// A function of a tree of Float64 tensors, under the four judges.
let private judged name (f: 'P -> Tensor list) (given: 'P) =
    testCase name
    <| fun () ->
        let xs = Tree.leaves given
        let g (xs: Tensor[]) = f (Tree.rebuild given xs) |> Array.ofList
        let vs = like 1 xs
        complexStep 1e-12 g xs vs
        adjoint 1e-11 g xs vs
        differences 1e-8 g xs vs
        secondOrder (sample name g (FsCheck.FSharp.Gen.constant xs)) 1e-10 g xs vs

let private numbers seed (shape: int list) = (like seed [| Tensor.zeros shape |])[0] * 0.5

let private settings = { Cell.defaults with DType = DType.Float64 }
let private key = Key.create 9L
let private x = numbers 1 [ 2; 4; 3 ]
let private mask = Tensor.create [ 2; 4 ] [| true; true; false; true; true; true; false; false |]

/// Parameters of another start than zeros, so that biases count.
let private drawn (cell: Cell<'P, 'S>) inputs units =
    cell.Initialize settings key inputs units
    |> Tree.map (fun t -> t + numbers t.Size (List.ofArray t.Shape) * 0.2)

let private cell name (cell: Cell<'P, 'S>) =
    let start = cell.Start (drawn cell 3 2) 2 |> Tree.map (fun t -> numbers 3 (List.ofArray t.Shape))

    judged
        name
        (fun (p, start, x) ->
            let options = { Recurrent.defaults with Mask = Some mask }
            let y, last = Recurrent.run cell options (Some start) p x
            y :: List.ofArray (Tree.leaves last))
        (drawn cell 3 2, start, x)

let private queries, keys, values = numbers 4 [ 2; 3; 3 ], numbers 5 [ 2; 4; 3 ], numbers 6 [ 2; 4; 2 ]
let private masked = { Attention.defaults with KeyMask = Some mask }

/// What a block gives, of inputs whose second is masked.
let private blockOf (block: Block<'P>) (p: 'P) (inputs: Tensor list) =
    let given = inputs |> List.mapi (fun i x -> { Value = x; Mask = (if i = 1 then Some mask else None) })
    let outputs, _ = block.Apply Inference p (Array.ofList given)
    [ for y in outputs -> y.Value ]

[<Tests>]
let tests =
    testList "sequences" [
        cell "simple rnn" SimpleRnn.cell
        cell "lstm" Lstm.cell
        cell "gru" Gru.cell
        cell "gru, reset after" (Gru.cellWith { Gru.defaults with ResetAfter = true })

        judged
            "from the end, with dropout"
            (fun (p, x) ->
                let options = {
                    Recurrent.defaults with
                        FromEnd = true
                        Dropout = 0.3
                        RecurrentDropout = 0.3
                        Phase = Training key
                }

                [ gru options p x ])
            (drawn Gru.cell 3 2, x)

        judged
            "a stack"
            (fun (p, starts, x) ->
                let y, last = Recurrent.runStacked SimpleRnn.cell Recurrent.defaults (Some starts) p x
                y :: last)
            ([ drawn SimpleRnn.cell 3 2; drawn SimpleRnn.cell 2 2 ], [ numbers 2 [ 2; 2 ]; numbers 3 [ 2; 2 ] ], x)

        judged
            "two directions"
            (fun (p, x) -> [
                for how in [ BidirectionalMerge.Concat; BidirectionalMerge.Multiply; BidirectionalMerge.Average ] do
                    Recurrent.bidirectional how Gru.cell { Recurrent.defaults with Mask = Some mask } p x
            ])
            ({ Forward = drawn Gru.cell 3 2; Backward = drawn Gru.cell 3 2 }, x)

        judged
            "attention by dot products"
            (fun (k, v, q) ->
                let y, weights = dotProductAttention masked k v q
                [ y; weights ])
            (keys, values, queries)

        judged
            "causal, capped, with a bias"
            (fun (k, v, q, bias) ->
                let options = { Attention.defaults with Causal = true; Cap = Some 2.0; Bias = Some bias }
                [ fst (dotProductAttention options k v q) ])
            (keys, values, queries, numbers 7 [ 3; 4 ])

        judged
            "attention by sums"
            (fun (p, k, v, q) ->
                let y, weights = additiveAttention masked p k v q
                [ y; weights ])
            (AdditiveAttention.initAs DType.Float64 key 3 3 2, keys, values, queries)

        judged
            "several heads"
            (fun (p, k, v, q) -> [ fst (multiHeadAttention masked p k v q) ])
            (MultiHeadAttention.initWith
                {
                    MultiHeadAttention.settings 2 2 with
                        Dense = { Dense.defaults with DType = DType.Float64 }
                }
                key
                3
                3
                2,
             keys,
             values,
             queries)

        judged
            "Keras' attention, scaled"
            (fun (p, v, k, q) ->
                let call = { AttentionBlock.plain with ReturnScores = true }
                let block = AttentionBlock.dotProduct call AttentionScore.Products true
                blockOf block p [ q; v; k ])
            ({ Scale = Some(scalar 0.7); ScoreWeight = None }, values, keys, queries)

        judged
            "Keras' attention by sums, causal"
            (fun (p, v, k, q) ->
                let call = { AttentionBlock.plain with Causal = true }
                blockOf (AttentionBlock.dotProduct call AttentionScore.Sums true) p [ q; v; k ])
            ({ Scale = Some(scalar 0.7); ScoreWeight = Some(scalar 1.3) }, values, keys, queries)

        judged
            "Keras' additive attention"
            (fun (p, v, k, q) -> blockOf (AttentionBlock.additive AttentionBlock.plain true) p [ q; v; k ])
            ({ Scale = Some(numbers 8 [ 3 ]); ScoreWeight = None }, values, keys, queries)

        judged
            "several heads over one of two axes, causal"
            (fun (p, x) ->
                let call = { AttentionBlock.plain with Causal = true; ReturnScores = true }

                blockOf (MultiHeadBlock.create call (Some [ 1 ]) false (MultiHeadAttention.settings 2 2)) p [ x; x ])
            (MultiHeadAttention.initWith
                {
                    MultiHeadAttention.settings 2 2 with
                        Dense = { Dense.defaults with DType = DType.Float64 }
                }
                key
                3
                3
                3,
             numbers 4 [ 2; 4; 2; 3 ])

        judged
            "a cell with a memory"
            (fun (p, attention, memory, x) ->
                let memory = Attentive.memory (AdditiveAttention.over masked attention) memory memory
                let y, last = Recurrent.run (Attentive.cell (Some memory) Gru.cell) Recurrent.defaults None p x
                [ y; last.Weights.Value ])
            (drawn Gru.cell 5 2, AdditiveAttention.initAs DType.Float64 key 2 2 2, numbers 6 [ 2; 4; 2 ], x)

        let source, target =
            Sequences.pad [ [| 3; 4; 5 |]; [| 5 |] ], Sequences.pad [ [| 1; 3; 2 |]; [| 1; 2 |] ]

        judged
            "teacher forcing, and its loss"
            (fun p ->
                let options = { Recurrent.defaults with Mask = Some(Sequences.mask source) }
                let known = EncoderDecoder.encode Lstm.cell options p source

                [
                    EncoderDecoder.teach Lstm.cell Recurrent.defaults p known target
                    EncoderDecoder.loss Lstm.cell Recurrent.defaults p source target target
                ])
            (EncoderDecoder.init
                Lstm.cell
                {
                    EncoderDecoder.settings 6 5 4 with
                        Embedding = 2
                        Vectors = Initializer.normal 1.0
                        Attention = Some 2
                        Cell = settings
                }
                key)
    ]
