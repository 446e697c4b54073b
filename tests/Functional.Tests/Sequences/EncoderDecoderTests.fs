/// Encoder and decoder: gradients of every parameter, teacher forcing against single steps, padding, attention, learning.
module Functional.Tests.Sequences.EncoderDecoderTests

open Expecto
open Functional
open Functional.Tests.Layers.Close
open Functional.Tests.Selection

let private wide attention : EncoderDecoderSettings = {
    EncoderDecoder.settings 7 6 4 with
        Embedding = 3
        Attention = if attention then Some 3 else None
        Cell = { Cell.defaults with DType = DType.Float64 }
}

let private source = Sequences.pad [ [| 3; 4; 5; 6 |]; [| 5; 3 |] ]
let private pairs = [ [| 3; 5 |]; [| 4; 4; 3 |] ] |> List.map Sequences.teaching
let private inputs = Sequences.pad (List.map fst pairs)
let private outputs = Sequences.pad (List.map snd pairs)
let private reading = { Recurrent.defaults with Mask = Some(Sequences.mask source) }

/// Embeddings start small; larger ones make every derivative count.
let private draw (cell: Cell<'P, 'S>) attention : EncoderDecoder<'P> =
    let p = EncoderDecoder.init cell (wide attention) (Key.create 2L)

    {
        p with
            Source = { Vectors = numbers 1 (List.ofArray p.Source.Vectors.Shape) }
            Target = { Vectors = numbers 2 (List.ofArray p.Target.Vectors.Shape) }
    }

let private check name (cell: Cell<'P, 'S>) attention =
    testCase $"{name}: gradients, and single steps say what teaching says"
    <| fun () ->
        let p = draw cell attention
        expectJudged (fun p -> EncoderDecoder.loss cell Recurrent.defaults p source inputs outputs) p name
        let known = EncoderDecoder.encode cell reading p source
        let taught = EncoderDecoder.teach cell Recurrent.defaults p known inputs
        let mutable state = known

        for t in 0 .. inputs.Shape[1] - 1 do
            let logits, next = EncoderDecoder.step cell p state (index 1 t inputs)
            expectClose 1e-13 (Tensor.toFloats (index 1 t taught)) logits $"{name}: step {t}"
            state <- next

        // the second source is as long as it is, whatever stands behind it in the batch
        let alone = Sequences.batch [ [| 5; 3 |] ]
        let single = EncoderDecoder.encode cell Recurrent.defaults p alone
        let expected = EncoderDecoder.teach cell Recurrent.defaults p single (narrow 0 1 1 inputs)
        expectClose 1e-13 (Tensor.toFloats expected) (narrow 0 1 1 taught) $"{name}: padding"

        let answers = Decode.greedy (Decode.upTo 6) (EncoderDecoder.step cell p) known
        let beam = { Width = 1; LengthPenalty = 0.0 }
        let searched = Decode.beam beam (Decode.upTo 6) (EncoderDecoder.step cell p) known
        Expect.equal (answers |> Array.map _.Tokens) (searched |> Array.map (fun h -> h[0].Tokens)) "greedy"

[<Tests>]
let tests =
    testList "encoder and decoder" [
        check "simple rnn" SimpleRnn.cell true
        check "lstm" Lstm.cell true
        check "gru" Gru.cell true
        check "lstm without attention" Lstm.cell false

        testCase "dropout while learning: gradients with a key"
        <| fun () ->
            let options = {
                Recurrent.defaults with
                    Dropout = 0.3
                    RecurrentDropout = 0.2
                    Phase = Training(Key.create 4L)
            }

            let p = draw Gru.cell true
            expectJudged (fun p -> EncoderDecoder.loss Gru.cell options p source inputs outputs) p "dropout"

        testCase "attention of every step: sums to 1, and nothing on padding"
        <| fun () ->
            let p = draw Gru.cell true
            let known = EncoderDecoder.encode Gru.cell reading p source
            let weights = EncoderDecoder.attention Gru.cell p known inputs
            Expect.equal weights.Shape [| 2; 4; 4 |] "target by source"
            expectClose 1e-14 (Array.create 8 1.0) (sumOver [ 2 ] weights) "sums"
            let padding = index 0 1 weights |> narrow 1 2 2
            Expect.all (Tensor.toFloats padding) ((=) 0.0) "padding"

            expectRefused [ "no attention" ] (fun () ->
                let p = draw Gru.cell false
                EncoderDecoder.attention Gru.cell p (EncoderDecoder.encode Gru.cell reading p source) inputs)

        testCase "learns to turn sequences around"
        <| fun () ->
            let dice = System.Random 3
            let words = List.init 24 (fun _ -> Array.init (dice.Next(1, 5)) (fun _ -> dice.Next(3, 8)))
            let taught = words |> List.map (Array.rev >> Sequences.teaching)

            let source, inputs, outputs =
                Sequences.pad words, Sequences.pad (List.map fst taught), Sequences.pad (List.map snd taught)

            let settings = { EncoderDecoder.settings 8 8 32 with Embedding = 16 }
            let start = EncoderDecoder.init Gru.cell settings (Key.create 1L)
            let optimizer = Optimizer.adam 0.01

            let step (p, memory) () =
                let loss, gradient =
                    valueAndGrad (fun p -> EncoderDecoder.loss Gru.cell Recurrent.defaults p source inputs outputs) p

                Optimizer.step optimizer gradient memory p, loss

            use stepper = new Stepper<_, _, _>(step, (start, Optimizer.init optimizer start))

            for _ in 1..200 do
                stepper.Step()

            let p, _ = stepper.Snapshot()
            let reading = { Recurrent.defaults with Mask = Some(Sequences.mask source) }
            let known = EncoderDecoder.encode Gru.cell reading p source
            let answers = Decode.greedy (Decode.upTo 8) (EncoderDecoder.step Gru.cell p) known
            Expect.equal (answers |> Array.map _.Tokens |> List.ofArray) (List.map Array.rev words) "every one"

            let beam =
                Decode.beam { Width = 3; LengthPenalty = 0.6 } (Decode.upTo 8) (EncoderDecoder.step Gru.cell p) known

            Expect.equal (beam |> Array.map (fun h -> h[0].Tokens) |> List.ofArray) (List.map Array.rev words) "beam"
        |> slow

        testCase "bad input is refused in the user's words"
        <| fun () ->
            let p = draw Gru.cell true
            let encode source () = EncoderDecoder.encode Gru.cell Recurrent.defaults p source
            expectRefused [ "source"; "[batch, tokens]" ] (encode (Tensor.create [ 3 ] [| 3; 4; 5 |]))
            expectRefused [ "source"; "at least one token" ] (encode (Tensor.create [ 2; 0 ] ([||]: int[])))
            expectRefused [ "integers" ] (encode (Tensor.ones [ 2; 3 ]))
            expectRefused [ "9"; "7" ] (encode (Tensor.create [ 1; 1 ] [| 9 |]))

            expectRefused [ "5 units"; "even" ] (fun () ->
                EncoderDecoder.init Gru.cell { wide true with Units = 5 } (Key.create 1L))

            let without = EncoderDecoder.encode Gru.cell reading (draw Gru.cell false) source

            expectRefused [ "encode with the same parameters" ] (fun () ->
                EncoderDecoder.step Gru.cell p without (index 1 0 inputs))
    ]
