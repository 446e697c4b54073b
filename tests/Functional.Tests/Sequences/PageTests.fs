/// The examples of docs/sequences.md, word by word.
module Functional.Tests.Sequences.PageTests

open Expecto
open Functional
open Functional.Tests.Layers

[<Tests>]
let tests =
    testList "the page on sequences" [
        testCase "text, attention, encoder and decoder"
        <| fun () ->
            let texts = [ "good morning"; "早上好" ]
            let vocabulary = Vocabulary.create (Seq.collect Vocabulary.characters texts)
            let numbers = texts |> List.map (Vocabulary.characters >> Vocabulary.numbers vocabulary)
            let tokens = Sequences.pad numbers // Int32 [2, 12], padded with 0
            let mask = Sequences.mask tokens // Bool [2, 12]
            Expect.equal (tokens.DType, tokens.Shape) (DType.Int32, [| 2; 12 |]) "tokens"
            Expect.equal (mask.DType, mask.Shape) (DType.Bool, [| 2; 12 |]) "mask"

            let keys, values = Close.numbers 1 [ 2; 12; 4 ], Close.numbers 2 [ 2; 12; 3 ]
            let queries = Close.numbers 3 [ 2; 5; 4 ]
            let options = { Attention.defaults with KeyMask = Some mask }
            let context, weights = dotProductAttention options keys values queries
            Expect.equal (context.Shape, weights.Shape) ([| 2; 5; 3 |], [| 2; 5; 12 |]) "attention"

            let cell = Gru.cell

            let net =
                EncoderDecoder.init cell (EncoderDecoder.settings vocabulary.Size vocabulary.Size 32) (Key.create 1L)

            let inputs, outputs = numbers |> List.map Sequences.teaching |> List.unzip // both padded below

            let loss net =
                EncoderDecoder.loss cell Recurrent.defaults net tokens (Sequences.pad inputs) (Sequences.pad outputs)

            let value, gradient = valueAndGrad loss net
            Expect.isLessThan (abs (Tensor.toFloat value - log (float vocabulary.Size))) 0.2 "nothing is learnt yet"
            Expect.equal (Tree.paths gradient) (Tree.paths net) "the gradient is a network"

            let known = EncoderDecoder.encode cell { Recurrent.defaults with Mask = Some mask } net tokens
            let step = EncoderDecoder.step cell net
            let answers = Decode.greedy (Decode.upTo 20) step known
            let better = Decode.beam { Width = 4; LengthPenalty = 0.6 } (Decode.upTo 20) step known
            let said = answers |> Array.map (fun a -> Vocabulary.text vocabulary a.Tokens)
            Expect.equal (said.Length, better.Length, better[0].Length) (2, 2, 4) "answers"
    ]
