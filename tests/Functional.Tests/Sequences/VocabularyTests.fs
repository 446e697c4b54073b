/// Text as numbers, and batches of sequences.
module Functional.Tests.Sequences.VocabularyTests

open Expecto
open Functional
open Functional.Tests.Layers.Close

[<Tests>]
let tests =
    testList "vocabulary" [
        testCase "there and back, for any script"
        <| fun () ->
            let text = "你好, e\u0301t\u00e9 👩‍🚀!"
            let cut = Vocabulary.characters text
            Expect.equal (String.concat "" cut) text "nothing is lost"
            Expect.contains cut "e\u0301" "a letter and its accent are one"
            Expect.contains cut "👩‍🚀" "and so is an emoji"
            let v = Vocabulary.create cut
            Expect.equal v.Size (3 + (Array.distinct cut).Length) "marks and tokens"
            let numbers = Vocabulary.numbers v cut
            Expect.isTrue (numbers |> Array.forall (fun n -> n > Vocabulary.Stop)) "no token is a mark"
            Expect.equal (Vocabulary.text v numbers) text "back"

            let marked = [| Vocabulary.Start; yield! numbers; Vocabulary.Stop; numbers[0]; Vocabulary.Padding |]
            Expect.equal (Vocabulary.text v marked) text "up to the stop mark"

        testCase "a token outside the vocabulary is an error, and can be asked for"
        <| fun () ->
            let v = Vocabulary.create [ "a"; "b"; "a" ]
            Expect.equal v.Size 5 "repeated tokens count once"
            expectRefused [ "'c'"; "place 1"; "2 tokens" ] (fun () -> Vocabulary.numbers v [ "a"; "c" ])
            Expect.equal (Vocabulary.unknown v [ "c"; "a"; "d"; "c" ]) [| "c"; "d" |] "unknown"
            expectRefused [ "7"; "0 … 4" ] (fun () -> Vocabulary.tokens v [ 3; 7 ])
            expectRefused [ "no tokens" ] (fun () -> Vocabulary.create [])

        testCase "ragged batches are refused, or padded"
        <| fun () ->
            let ragged = [ [| 3; 4; 5 |]; [| 6 |] ]
            expectRefused [ "sequence 1 has 1"; "sequence 0 has 3"; "Sequences.pad" ] (fun () -> Sequences.batch ragged)
            let padded = Sequences.pad ragged
            Expect.equal (padded.DType, padded.Shape) (DType.Int32, [| 2; 3 |]) "as long as the longest"
            Expect.equal (Tensor.toArray<int> padded) [| 3; 4; 5; 6; 0; 0 |] "padding behind"
            Expect.equal (Tensor.toFloats (Sequences.mask padded)) [| 1.0; 1.0; 1.0; 1.0; 0.0; 0.0 |] "mask"
            Expect.equal (Sequences.padTo 4 ragged).Shape [| 2; 4 |] "as long as asked for"
            expectRefused [ "sequence 0 has 3"; "length of 2" ] (fun () -> Sequences.padTo 2 ragged)
            expectRefused [ "sequence 1"; "no tokens" ] (fun () -> Sequences.pad [ [| 3 |]; [||] ])
            expectRefused [ "there are none" ] (fun () -> Sequences.pad [])
            Expect.equal (Sequences.teaching [| 5; 6 |]) ([| 1; 5; 6 |], [| 5; 6; 2 |]) "teacher forcing"

        testCase "the loss of tokens leaves padding out"
        <| fun () ->
            let logits, labels = numbers 1 [ 2; 3; 4 ], Tensor.create [ 2; 3 ] [| 1; 2; 3; 0; 1; 0 |]
            let mask = Tensor.create [ 2; 3 ] [| true; true; true; true; false; false |]

            let rows =
                reshape [ 6; 4 ] logits
                |> narrow 0 0 4
                |> Loss.sparseCategoricalCrossEntropyFromLogits (Tensor.create [ 4 ] [| 1; 2; 3; 0 |])

            expectNumber 1e-14 (Tensor.toFloat rows) (Loss.tokenCrossEntropyFromLogits mask labels logits) "the mean"
            expectJudged (Loss.tokenCrossEntropyFromLogits mask labels) logits "gradient"
            let g = grad (Loss.tokenCrossEntropyFromLogits mask labels) logits
            Expect.all (Tensor.toFloats (index 0 1 g |> narrow 0 1 2)) ((=) 0.0) "exactly nothing of padding"
            let nothing = logicalAnd mask (logicalNot mask)
            expectNumber 0.0 0.0 (Loss.tokenCrossEntropyFromLogits nothing labels logits) "nothing to say"

            expectRefused [ "mask"; "2×3"; "2×2" ] (fun () ->
                Loss.tokenCrossEntropyFromLogits (narrow 1 0 2 mask) labels logits)
    ]
