namespace Functional

// Text as numbers: which token has which number, and batches of sequences of different lengths.

open System
open System.Collections.Generic
open System.Globalization

/// The tokens that a network knows: characters, words, or whatever text is cut into. Numbers 0, 1 and 2 are padding, and
/// the marks before the first token and behind the last.
[<Sealed>]
type Vocabulary internal (tokens: string[], numbers: Dictionary<string, int>) =

    /// The tokens by number; the first three are the marks.
    member _.Tokens: IReadOnlyList<string> = tokens

    /// How many numbers there are, the marks included.
    member _.Size = tokens.Length

    /// The number of a token, if it is known.
    member _.TryNumber(token: string) =
        match numbers.TryGetValue token with
        | true, n -> Some n
        | false, _ -> None

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Vocabulary =

    /// The number of padding.
    [<Literal>]
    let Padding = 0

    /// The number of the mark before the first token: what a decoder reads first.
    [<Literal>]
    let Start = 1

    /// The number of the mark behind the last token: where a decoder stops.
    [<Literal>]
    let Stop = 2

    /// A text's characters as people count them: an emoji or a letter with its accents is one.
    let characters (text: string) : string[] =
        let elements = StringInfo.GetTextElementEnumerator text

        [|
            while elements.MoveNext() do
                elements.GetTextElement()
        |]

    /// A vocabulary of tokens, numbered from 3 on in the order in which they come; repeated ones count once.
    /// Example: `Vocabulary.create (Seq.collect Vocabulary.characters texts)`.
    let create (tokens: string seq) : Vocabulary =
        let all = [| "<padding>"; "<start>"; "<stop>"; yield! Seq.distinct tokens |]

        if all.Length = 3 then
            invalidArg "tokens" "Vocabulary.create: there are no tokens"

        let numbers = Dictionary<string, int>(StringComparer.Ordinal)

        for n in 3 .. all.Length - 1 do
            numbers[all[n]] <- n

        Vocabulary(all, numbers)

    /// Those of the tokens that a vocabulary does not have, each once.
    let unknown (v: Vocabulary) (tokens: string seq) : string[] =
        tokens |> Seq.distinct |> Seq.filter (fun t -> (v.TryNumber t).IsNone) |> Array.ofSeq

    /// The numbers of tokens. A token outside the vocabulary is an error.
    /// Example: `Vocabulary.numbers v (Vocabulary.characters "hello")`.
    let numbers (v: Vocabulary) (tokens: string seq) : int[] =
        tokens
        |> Seq.mapi (fun place token ->
            match v.TryNumber token with
            | Some n -> n
            | None ->
                invalidArg
                    "tokens"
                    $"vocabulary: '{token}' at place {place} is none of its {v.Size - 3} tokens; Vocabulary.unknown tells beforehand")
        |> Array.ofSeq

    /// The tokens of numbers, up to the stop mark and without padding and start marks. A number outside is an error.
    let tokens (v: Vocabulary) (numbers: int seq) : string[] =
        numbers
        |> Seq.takeWhile ((<>) Stop)
        |> Seq.filter (fun n -> n <> Padding && n <> Start)
        |> Seq.map (fun n ->
            if n < 0 || n >= v.Size then
                invalidArg "numbers" $"vocabulary: {n} is the number of no token; they are 0 … {v.Size - 1}"

            v.Tokens[n])
        |> Array.ofSeq

    /// The tokens of numbers, joined.
    let text (v: Vocabulary) (numbers: int seq) : string = String.Join("", tokens v numbers)

/// Batches of sequences of token numbers.
[<RequireQualifiedAccess>]
module Sequences =

    let private checkAll (sequences: int[][]) =
        if sequences.Length = 0 then
            invalidArg "sequences" "sequences: there are none"

        match Array.tryFindIndex Array.isEmpty sequences with
        | Some i -> invalidArg "sequences" $"sequences: sequence {i} has no tokens; there must be at least one"
        | None -> ()

    /// Sequences of one length as Int32 [count, length]. Ragged ones are an error; `pad` is for them.
    let batch (sequences: int[] seq) : Tensor =
        let sequences = Array.ofSeq sequences
        checkAll sequences
        let length = sequences[0].Length

        match sequences |> Array.tryFindIndex (fun s -> s.Length <> length) with
        | Some i ->
            invalidArg
                "sequences"
                $"Sequences.batch: sequence {i} has {sequences[i].Length} tokens, sequence 0 has {length}; Sequences.pad makes them equally long"
        | None -> Tensor.create [ sequences.Length; length ] (Array.concat sequences)

    /// Sequences with padding behind them, as Int32 [count, length]. One longer than that is an error.
    let padTo (length: int) (sequences: int[] seq) : Tensor =
        let sequences = Array.ofSeq sequences
        checkAll sequences

        sequences
        |> Array.mapi (fun i s ->
            if s.Length > length then
                invalidArg
                    "sequences"
                    $"Sequences.padTo: sequence {i} has {s.Length} tokens, more than the length of {length}"

            Array.append s (Array.create (length - s.Length) Vocabulary.Padding))
        |> batch

    /// Sequences padded to the length of the longest, as Int32 [count, longest].
    let pad (sequences: int[] seq) : Tensor =
        let sequences = Array.ofSeq sequences
        checkAll sequences
        padTo (sequences |> Array.map Array.length |> Array.max) sequences

    /// Where a batch of tokens is not padding: Bool of the same shape.
    let mask (tokens: Tensor) : Tensor = Embedding.mask Vocabulary.Padding tokens

    /// What a decoder reads while it is taught, the start mark and then the target, and what it has to say, the target and
    /// then the stop mark.
    let teaching (target: int[]) : int[] * int[] =
        Array.append [| Vocabulary.Start |] target, Array.append target [| Vocabulary.Stop |]
