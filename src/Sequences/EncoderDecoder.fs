namespace Functional

// From sequence to sequence: an encoder reads, a decoder writes. Sutskever et al., "Sequence to sequence learning with
// neural networks" (2014); with attention, Bahdanau et al. (2015). Works with every recurrent cell.

/// Parameters of an encoder and a decoder whose cells have parameters 'P.
type EncoderDecoder<'P> = {
    /// The vectors of the tokens that are read, and of those that are written.
    Source: Embedding
    Target: Embedding
    /// Reads from both ends with half of the units each; the last states side by side are the decoder's first.
    Encoder: Bidirectional<'P>
    /// How the decoder's state asks the encoder's outputs before every token; None: it has the first state only.
    Attention: AdditiveAttention option
    Decoder: 'P
    /// From the decoder's output to the logits of the next token.
    Output: Dense
}

/// How the parameters begin, and how large the network is.
type EncoderDecoderSettings = {
    /// Tokens that are read, and tokens that are written.
    SourceVocabulary: int
    TargetVocabulary: int
    /// Features of a token's vector, and how the vectors begin.
    Embedding: int
    Vectors: Initializer
    /// Units of the decoder; half of them for each direction of the encoder.
    Units: int
    /// Units of the attention; None: there is no attention.
    Attention: int option
    Cell: CellSettings
}

/// What a decoder knows: its state, and what has been read. All tensors have the examples as their first axis.
type Decoding<'S> = {
    State: 'S
    /// The weights of the last token's attention, [batch, source tokens].
    Weights: Tensor option
    /// The encoder's outputs, as they are found and as they are asked, [batch, source tokens, features].
    Values: Tensor option
    Keys: Tensor option
    /// Bool [batch, source tokens]: where the source is not padding.
    Mask: Tensor option
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module EncoderDecoder =

    /// Vectors of 64 features, attention of as many units as the decoder has, Keras' initialisers.
    let settings (sourceVocabulary: int) (targetVocabulary: int) (units: int) : EncoderDecoderSettings = {
        SourceVocabulary = sourceVocabulary
        TargetVocabulary = targetVocabulary
        Embedding = 64
        Vectors = Embedding.defaultInitializer
        Units = units
        Attention = Some units
        Cell = Cell.defaults
    }

    /// Parameters for cells of a kind. Example: `EncoderDecoder.init Gru.cell (EncoderDecoder.settings 90 90 128) key`.
    let init (cell: Cell<'P, 'S>) (settings: EncoderDecoderSettings) (key: Tensor) : EncoderDecoder<'P> =
        if settings.Units < 2 || settings.Units % 2 <> 0 then
            invalidArg
                "settings"
                $"encoder–decoder: {settings.Units} units; the encoder has half of them for each direction, so the number is even"

        let keys = Key.split 7 key
        let dtype = settings.Cell.DType
        let vectors i count = Embedding.initWith settings.Vectors dtype keys[i] count settings.Embedding
        let draw i inputs units = cell.Initialize settings.Cell keys[i] inputs units
        let found = if settings.Attention.IsSome then settings.Units else 0

        {
            Source = vectors 0 settings.SourceVocabulary
            Target = vectors 1 settings.TargetVocabulary
            Encoder = {
                Forward = draw 2 settings.Embedding (settings.Units / 2)
                Backward = draw 3 settings.Embedding (settings.Units / 2)
            }
            Attention =
                settings.Attention
                |> Option.map (AdditiveAttention.initAs dtype keys[4] settings.Units settings.Units)
            Decoder = draw 5 (settings.Embedding + found) settings.Units
            Output =
                Dense.initWith { Dense.defaults with DType = dtype } keys[6] settings.Units settings.TargetVocabulary
        }

    let private tokensOf what (tokens: Tensor) =
        if tokens.Rank <> 2 || tokens.Shape[1] = 0 then
            invalidArg
                what
                $"encoder–decoder: the {what} is [batch, tokens] with at least one token; it is {Shape.show tokens.Shape}"

    /// Reads sources, Int32 [batch, tokens]: all that a decoder needs to know of them. The options have the mask and what is
    /// dropped while learning. Example: `EncoderDecoder.encode Gru.cell { Recurrent.defaults with Mask = Some mask } net x`.
    let encode
        (cell: Cell<'P, 'S>)
        (options: RecurrentOptions)
        (p: EncoderDecoder<'P>)
        (source: Tensor)
        : Decoding<'S> =
        tokensOf "source" source
        let outputs, last = Recurrent.runBidirectional cell options None p.Encoder (embedding p.Source source)
        let values = Recurrent.merge BidirectionalMerge.Concat outputs.Forward outputs.Backward
        let asked = Option.isSome p.Attention

        {
            State = Tree.map2 (fun a b -> concat -1 [ a; b ]) last.Forward last.Backward
            Weights = if asked then Some(Tensor.full values.DType values.Shape[..1] 0.0) else None
            Values = if asked then Some values else None
            Keys = p.Attention |> Option.map (fun a -> AdditiveAttention.keys a values)
            Mask = options.Mask
        }

    /// The decoder's cell with the memory of what was read.
    let private attentive (cell: Cell<'P, 'S>) (p: EncoderDecoder<'P>) (known: Decoding<'S>) =
        let memory =
            match p.Attention, known.Keys, known.Values with
            | Some attention, Some keys, Some values ->
                let options = { Attention.defaults with KeyMask = known.Mask }
                Some(Attentive.memory (AdditiveAttention.overKeys options attention) keys values)
            | None, _, _ -> None
            | _ ->
                invalidArg
                    "known"
                    "encoder–decoder: the parameters have attention, but what was read has no keys and values; encode with the same parameters"

        Attentive.cell memory cell

    let private stateOf (known: Decoding<'S>) : Attentive<'S> = { State = known.State; Weights = known.Weights }

    /// All outputs of a cell over the decoder's inputs, Int32 [batch, tokens].
    let private run (cell: Cell<'P, Attentive<'S>>) options (p: EncoderDecoder<'P>) known (inputs: Tensor) =
        tokensOf "target" inputs

        // the source's mask is the attention's; the target's padding is left to the loss
        let options = { options with Mask = None; FromEnd = false }
        Recurrent.run cell options (Some(stateOf known)) p.Decoder (embedding p.Target inputs) |> fst

    /// Teacher forcing: the logits [batch, tokens, vocabulary] of what follows each input, where the inputs are the tokens
    /// that should have been said up to there; `Sequences.teaching` makes them of a target.
    let teach
        (cell: Cell<'P, 'S>)
        (options: RecurrentOptions)
        (p: EncoderDecoder<'P>)
        (known: Decoding<'S>)
        (inputs: Tensor)
        : Tensor =
        run (attentive cell p known) options p known inputs |> dense p.Output

    /// The attention of every step, [batch, tokens, source tokens], over inputs as `teach` has them.
    let attention (cell: Cell<'P, 'S>) (p: EncoderDecoder<'P>) (known: Decoding<'S>) (inputs: Tensor) : Tensor =
        if p.Attention.IsNone then
            invalidArg "parameters" "encoder–decoder: these parameters have no attention"

        let cell = { attentive cell p known with Output = fun s -> s.Weights.Value }
        run cell Recurrent.defaults p known inputs

    /// The loss of teacher forcing: the mean of −log p over the tokens of the target that are not padding, the stop mark
    /// among them. Source and target are padded token numbers, Int32 [batch, ..]; inputs and outputs are the two parts of
    /// `Sequences.teaching`. In training, `options` has the phase; the source's mask is made from its padding.
    let loss
        (cell: Cell<'P, 'S>)
        (options: RecurrentOptions)
        (p: EncoderDecoder<'P>)
        (source: Tensor)
        (inputs: Tensor)
        (outputs: Tensor)
        : Tensor =
        let phases = Phase.split 2 options.Phase
        let reading = { options with Mask = Some(Sequences.mask source); Phase = phases[0] }

        teach cell { options with Phase = phases[1] } p (encode cell reading p source) inputs
        |> Loss.tokenCrossEntropyFromLogits (Sequences.mask outputs) outputs

    /// One step: the logits [batch, vocabulary] of what follows the tokens, Int32 [batch], and what is known then. What
    /// `Decode.greedy` and `Decode.beam` take.
    let step
        (cell: Cell<'P, 'S>)
        (p: EncoderDecoder<'P>)
        (known: Decoding<'S>)
        (tokens: Tensor)
        : Tensor * Decoding<'S> =
        let cell = attentive cell p known
        let next = Recurrent.step cell p.Decoder (stateOf known) (embedding p.Target tokens)
        dense p.Output (cell.Output next), { known with State = next.State; Weights = next.Weights }
