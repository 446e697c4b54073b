namespace Functional

// From a step, which says how likely each token comes next, to whole sequences: the likeliest token every time, or a search
// that keeps several beginnings.

open System

/// Where decoding begins and ends.
type DecodeOptions = {
    /// The token that is read first.
    Start: int
    /// The token that ends a sequence.
    Stop: int
    /// The largest number of tokens, the stop token included.
    Limit: int
}

/// A sequence that a decoder gives.
type Hypothesis = {
    /// Without the start and stop tokens.
    Tokens: int[]
    /// The sum of the tokens' log-probabilities, that of the stop token included.
    LogProbability: float
    /// What hypotheses are ranked by: the log-probability over its penalty for length.
    Score: float
    /// Whether it ended with the stop token; otherwise it was cut off at the limit.
    Finished: bool
}

/// A search that keeps several beginnings.
type BeamOptions = {
    /// How many it keeps.
    Width: int
    /// How far long sequences are made up for their many factors: the score is the log-probability divided by
    /// ((5 + tokens)/6)^penalty. 0 leaves it as it is. Wu et al., "Google's neural machine translation system" (2016).
    LengthPenalty: float
}

[<RequireQualifiedAccess>]
module Decode =

    /// From `Vocabulary`'s start mark to its stop mark, in at most so many tokens.
    let upTo (limit: int) : DecodeOptions = { Start = Vocabulary.Start; Stop = Vocabulary.Stop; Limit = limit }

    let private rowsOf name (state: 'S) =
        match Tree.leaves state |> Array.map (fun t -> if t.Rank = 0 then -1 else t.Shape[0]) |> Array.distinct with
        | [| n |] when n >= 0 -> n
        | [||] -> invalidArg "start" $"{name}: the state has no tensors; their first axis is that of the examples"
        | sizes ->
            invalidArg
                "start"
                $"{name}: all tensors of the state need a first axis of one size, the examples; they have {Shape.list sizes}"

    /// Log-probabilities of the next token, a row for each tensor row, and the state that follows.
    let private advance name (step: 'S -> Tensor -> Tensor * 'S) (rows: int) (state: 'S) (tokens: int[]) =
        let logits, next = step state (Tensor.create [ rows ] tokens)

        if logits.Rank <> 2 || logits.Shape[0] <> rows then
            invalidArg
                "step"
                $"{name}: a step gives logits [{rows}, vocabulary] for {rows} tokens; it gave {Shape.show logits.Shape}"

        let found =
            logits |> cast DType.Float64 |> logSoftmax |> Tensor.toFloats |> Array.chunkBySize logits.Shape[1]

        if found |> Array.exists (Array.exists Double.IsNaN) then
            invalidArg "step" $"{name}: a step gave logits that are not numbers"

        found, next

    let private checkOptions name (options: DecodeOptions) (vocabulary: int) =
        if options.Stop < 0 || options.Stop >= vocabulary then
            invalidArg "options" $"{name}: the stop token {options.Stop} is outside the vocabulary 0 … {vocabulary - 1}"

    let private checkLimit name (options: DecodeOptions) =
        if options.Limit < 1 then
            invalidArg "options" $"{name}: a limit of {options.Limit} tokens; there must be at least one"

    /// The likeliest token every time, for all examples of the state at once. The step takes the state and a token for each
    /// example, Int32 [examples], to the logits of the next [examples, vocabulary] and the next state; all tensors of the
    /// state have the examples as their first axis.
    /// Example: `Decode.greedy (Decode.upTo 50) (step net) (encode net questions)`.
    let greedy (options: DecodeOptions) (step: 'S -> Tensor -> Tensor * 'S) (start: 'S) : Hypothesis[] =
        let name = "Decode.greedy"
        checkLimit name options
        let rows = rowsOf name start
        let said = Array.init rows (fun _ -> ResizeArray<int>())
        let sums = Array.zeroCreate<float> rows
        let ended = Array.create rows false
        let last = Array.create rows options.Start
        let mutable state, count = start, 0

        while count < options.Limit && Array.contains false ended do
            let logs, next = advance name step rows state last
            state <- next
            count <- count + 1

            for row in 0 .. rows - 1 do
                if not ended[row] then
                    checkOptions name options logs[row].Length
                    let best = Array.IndexOf(logs[row], Array.max logs[row])
                    sums[row] <- sums[row] + logs[row][best]
                    last[row] <- best

                    if best = options.Stop then ended[row] <- true else said[row].Add best

        Array.init rows (fun row -> {
            Tokens = said[row].ToArray()
            LogProbability = sums[row]
            Score = sums[row]
            Finished = ended[row]
        })

    /// A beginning that the search keeps: its tokens, newest first, their sum, and the row of its state.
    [<Struct>]
    type private Beginning = { Said: int list; Sum: float; Row: int }

    /// The search of one example: beginnings and sequences that have ended.
    type private Search = { Live: Beginning list; Ended: Hypothesis list }

    let private penalty (beam: BeamOptions) (count: int) = Math.Pow((5.0 + float count) / 6.0, beam.LengthPenalty)

    let private hypothesis beam finished (sum: float) (said: int list) =
        let count = said.Length + (if finished then 1 else 0)

        {
            Tokens = Array.ofList (List.rev said)
            LogProbability = sum
            Score = sum / penalty beam count
            Finished = finished
        }

    let private best beam (found: Hypothesis list) = found |> List.sortByDescending _.Score |> List.truncate beam.Width

    /// Every beginning continued by every token, the likeliest first, until there are as many that go on as the search
    /// keeps.
    let private extend (beam: BeamOptions) (options: DecodeOptions) (logs: float[][]) (search: Search) =
        let candidates =
            search.Live
            |> Seq.collect (fun b ->
                logs[b.Row]
                |> Array.mapi (fun token log -> struct (b.Sum + log, token))
                |> Array.filter (fun (struct (sum, _)) -> sum > -infinity)
                |> Array.sortByDescending (fun (struct (sum, _)) -> sum)
                |> Seq.truncate (beam.Width + 1)
                |> Seq.map (fun (struct (sum, token)) -> struct (sum, token, b)))
            |> Seq.sortByDescending (fun (struct (sum, _, _)) -> sum)
            |> List.ofSeq

        let rec choose live ended count rest =
            match rest with
            | struct (sum, token, b) :: rest when count < beam.Width ->
                if token = options.Stop then
                    choose live (hypothesis beam true sum b.Said :: ended) count rest
                else
                    choose ({ b with Said = token :: b.Said; Sum = sum } :: live) ended (count + 1) rest
            | _ -> { Live = List.rev live; Ended = best beam ended }

        choose [] search.Ended 0 candidates

    /// Whether nothing that goes on can still get among the best: sums only fall, and no length makes up for more than the
    /// limit's does.
    let private isDone (beam: BeamOptions) (options: DecodeOptions) (search: Search) =
        let hope =
            search.Live
            |> List.map (fun b -> b.Sum / max (penalty beam options.Limit) (penalty beam (b.Said.Length + 1)))

        search.Live.IsEmpty
        || search.Ended.Length >= beam.Width && (List.last search.Ended).Score >= List.max hope

    /// The best sequences of a search that keeps several beginnings: for each example the best first, at most as many as the
    /// width. Step and state are as for `greedy`; the state is repeated for every beginning kept, so the rows are
    /// examples·width. A width of 1 without a penalty is `greedy`.
    /// Example: `Decode.beam { Width = 4; LengthPenalty = 0.6 } (Decode.upTo 50) (step net) (encode net questions)`.
    let beam
        (beam: BeamOptions)
        (options: DecodeOptions)
        (step: 'S -> Tensor -> Tensor * 'S)
        (start: 'S)
        : Hypothesis[][] =
        let name = "Decode.beam"
        checkLimit name options

        if beam.Width < 1 || not (beam.LengthPenalty >= 0.0) then
            invalidArg
                "beam"
                $"{name}: a width of {beam.Width} and a penalty of {beam.LengthPenalty}; at least 1 beginning is kept, and the penalty is not negative"

        let examples = rowsOf name start
        let rows = Shape.times name "beginnings" examples beam.Width
        let pick (places: int[]) state = Tree.map (take 0 (Tensor.create [ rows ] places)) state
        let mutable state = pick (Array.init rows (fun row -> row / beam.Width)) start

        let searches =
            Array.init examples (fun i -> { Live = [ { Said = []; Sum = 0.0; Row = i * beam.Width } ]; Ended = [] })

        let mutable count = 0

        while count < options.Limit && searches |> Array.exists (fun s -> not s.Live.IsEmpty) do
            // rows that nothing goes on in read the stop token, and are not looked at
            let tokens = Array.create rows options.Stop

            for search in searches do
                for b in search.Live do
                    tokens[b.Row] <- List.tryHead b.Said |> Option.defaultValue options.Start

            let logs, next = advance name step rows state tokens
            checkOptions name options logs[0].Length
            count <- count + 1
            let origins = Array.init rows id

            for i in 0 .. examples - 1 do
                if not searches[i].Live.IsEmpty then
                    let found = extend beam options logs searches[i]

                    let placed =
                        found.Live
                        |> List.mapi (fun place b ->
                            let row = i * beam.Width + place
                            origins[row] <- b.Row
                            { b with Row = row })

                    let found = { found with Live = placed }
                    searches[i] <- if isDone beam options found then { found with Live = [] } else found

            if origins = Array.init rows id then
                state <- next
            else
                state <- pick origins next

        searches
        |> Array.map (fun search ->
            let cut = search.Live |> List.map (fun b -> hypothesis beam false b.Sum b.Said)
            Array.ofList (search.Ended @ best beam cut |> List.truncate beam.Width))
