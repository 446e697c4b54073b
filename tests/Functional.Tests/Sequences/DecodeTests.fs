/// Decoding: greedy and beam search against the search of everything.
module Functional.Tests.Sequences.DecodeTests

open Expecto
open Functional
open Functional.Tests.Layers.Close

let private tokens, stop, start, limit = 4, 2, 1, 5
let private options: DecodeOptions = { Start = start; Stop = stop; Limit = limit }

/// A step whose logits depend on the last two tokens and on a number of the example: [tokens, tokens, tokens].
let private step (table: Tensor) (state: Tensor * Tensor) (token: Tensor) =
    let before, bias = state
    let row = before * float tokens + token
    let logits = take 0 row (reshape [ tokens * tokens; tokens ] table)
    logits * expandDims 1 bias, (token, bias)

let private initial (biases: float list) =
    Tensor.create [ biases.Length ] (Array.create biases.Length start), Tensor.ofSeq biases

/// log p of every next token, by hand.
let private logs (table: Tensor) bias before token =
    let all = index 0 before table |> index 0 token |> fun x -> x * scalar bias
    Tensor.toFloats (logSoftmax all)

/// Every sequence up to the limit with its log-probability, and whether it ended.
let private everything table bias =
    let rec go before token said sum = [
        let next = logs table bias before token

        for t in 0 .. tokens - 1 do
            let sum = sum + next[t]

            if t = stop then yield List.rev said, sum, true
            elif List.length said + 1 = limit then yield List.rev (t :: said), sum, false
            else yield! go token t (t :: said) sum
    ]

    go start start [] 0.0

[<Tests>]
let tests =
    testList "decode" [
        testCase "greedy takes the likeliest token every time"
        <| fun () ->
            for seed in 1..5 do
                let table = numbers seed [ tokens; tokens; tokens ]
                let biases = [ 1.0; -2.0; 3.0 ]
                let found = Decode.greedy options (step table) (initial biases)

                for bias, h in List.zip biases (List.ofArray found) do
                    let rec go before token said sum =
                        let next = logs table bias before token
                        let best = Array.findIndex ((=) (Array.max next)) next
                        let sum = sum + next[best]

                        if best = stop then List.rev said, sum, true
                        elif List.length said + 1 = limit then List.rev (best :: said), sum, false
                        else go token best (best :: said) sum

                    let said, sum, ended = go start start [] 0.0
                    Expect.equal (List.ofArray h.Tokens, h.Finished) (said, ended) $"seed {seed}, {bias}"
                    Expect.floatClose Accuracy.high h.LogProbability sum "log-probability"

        testCase "a beam of one without a penalty is greedy"
        <| fun () ->
            for seed in 1..10 do
                let table = numbers seed [ tokens; tokens; tokens ]
                let state = initial [ 1.0; -2.0; 3.0 ]
                let one = Decode.beam { Width = 1; LengthPenalty = 0.0 } options (step table) state
                let greedy = Decode.greedy options (step table) state

                for h, g in Array.zip one greedy do
                    Expect.equal h[0].Tokens g.Tokens $"seed {seed}"
                    Expect.equal h[0].Finished g.Finished "end"
                    Expect.floatClose Accuracy.high h[0].LogProbability g.LogProbability "log-probability"

        testCase "a wide beam finds what the search of everything finds, with and without a penalty"
        <| fun () ->
            for penalty in [ 0.0; 0.6; 1.0 ] do
                for seed in 1..4 do
                    let table = numbers seed [ tokens; tokens; tokens ]
                    let biases = [ 1.0; -1.5 ]
                    let beam = { Width = 300; LengthPenalty = penalty }
                    let found = Decode.beam beam options (step table) (initial biases)

                    for bias, hypotheses in List.zip biases (List.ofArray found) do
                        let score (said: int list, sum, _) = sum / ((5.0 + float (said.Length + 1)) / 6.0) ** penalty

                        let best =
                            everything table bias
                            |> List.filter (fun (_, _, ended) -> ended)
                            |> List.sortByDescending score

                        let said, sum, _ = best[0]
                        Expect.equal (List.ofArray hypotheses[0].Tokens) said $"penalty {penalty}, seed {seed}"
                        Expect.floatClose Accuracy.high hypotheses[0].LogProbability sum "log-probability"
                        Expect.floatClose Accuracy.high hypotheses[0].Score (score best[0]) "score"
                        let finished = hypotheses |> Array.filter _.Finished
                        Expect.equal finished.Length (min 300 best.Length) "all of them"

                        Expect.equal
                            (Array.map _.Score finished |> Array.sortDescending)
                            (Array.map _.Score finished)
                            "in order"

        testCase "a beam finds what greedy misses"
        <| fun () ->
            // a token that looks good and leads nowhere: after 0 everything is equally likely, after 3 the end is certain
            let table = Array3D.create tokens tokens tokens -20.0

            for before in 0..3 do
                table[before, start, 0] <- 0.1
                table[before, start, 3] <- 0.0
                table[before, 3, stop] <- 0.0

                for next in 0..3 do
                    table[before, 0, next] <- 0.0

            let table = Tensor.create [ tokens; tokens; tokens ] (Seq.cast<float> table |> Array.ofSeq)
            let greedy = (Decode.greedy options (step table) (initial [ 1.0 ]))[0]
            let two = { Width = 2; LengthPenalty = 0.0 }
            let beam = Decode.beam two options (step table) (initial [ 1.0 ]) |> Array.exactlyOne |> Array.head
            Expect.equal (Array.head greedy.Tokens) 0 "greedy"
            Expect.equal beam.Tokens [| 3 |] "beam"
            Expect.isGreaterThan beam.LogProbability greedy.LogProbability "is likelier"

        testCase "examples of a batch do not disturb each other, and a compiled step says the same"
        <| fun () ->
            let table = numbers 7 [ tokens; tokens; tokens ]
            let biases = [ 1.0; -2.0; 3.0 ]
            let beam = { Width = 3; LengthPenalty = 0.6 }
            let together = Decode.beam beam options (step table) (initial biases)

            let alone =
                biases |> List.map (fun b -> Decode.beam beam options (step table) (initial [ b ]) |> Array.head)

            Expect.equal (List.ofArray together) alone "together and alone"
            let planned = compile (fun (state, token) -> step table state token)
            let compiled = Decode.beam beam options (fun s t -> planned (s, t)) (initial biases)

            for a, b in Array.zip together compiled do
                Expect.equal (Array.map _.Tokens a) (Array.map _.Tokens b) "compiled"

        testCase "bad input is refused in the user's words"
        <| fun () ->
            let table = numbers 1 [ tokens; tokens; tokens ]
            let greedy options step state () = Decode.greedy options step state
            expectRefused [ "limit of 0" ] (greedy { options with Limit = 0 } (step table) (initial [ 1.0 ]))
            expectRefused [ "stop token 9"; "0 … 3" ] (greedy { options with Stop = 9 } (step table) (initial [ 1.0 ]))
            let uneven = Tensor.create [ 2 ] [| 1; 1 |], Tensor.ofSeq [ 1.0 ]
            expectRefused [ "first axis of one size" ] (greedy options (step table) uneven)
            let wrong _ (token: Tensor) = Tensor.zeros [ 4 ], token
            expectRefused [ "logits [1, vocabulary]"; "4" ] (greedy options wrong (Tensor.create [ 1 ] [| 1 |]))
            let broken _ (token: Tensor) = Tensor.full DType.Float64 [ 1; 4 ] nan, token
            expectRefused [ "not numbers" ] (greedy options broken (Tensor.create [ 1 ] [| 1 |]))

            expectRefused [ "width of 0" ] (fun () ->
                Decode.beam { Width = 0; LengthPenalty = 0.0 } options (step table) (initial [ 1.0 ]))
    ]
