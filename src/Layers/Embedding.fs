namespace Functional

// A vector for each token of a vocabulary.

/// Opened with the namespace; a module of its own, because the C# facade has a class of this name.
[<AutoOpen>]
module EmbeddingParameters =

    /// Parameters of an embedding: a vector for each token, [vocabulary, units].
    type Embedding = { Vectors: Tensor }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Embedding =

    /// Keras' initialiser: uniform within ±0.05.
    let defaultInitializer: Initializer = Initializer.uniform -0.05 0.05

    /// Vectors for a vocabulary, drawn by an initialiser.
    let initWith (initializer: Initializer) (dtype: DType) (key: Tensor) (vocabulary: int) (units: int) : Embedding =
        if vocabulary < 1 || units < 1 then
            invalidArg "units" $"embedding: {vocabulary} tokens and {units} units; there must be at least one of each"

        { Vectors = initializer dtype [| vocabulary; units |] key }

    /// Float32 vectors for a vocabulary, with Keras' default initialiser. Example: `Embedding.init (Key.create 1L) 1000 64`.
    let init (key: Tensor) (vocabulary: int) (units: int) : Embedding =
        initWith defaultInitializer DType.Float32 key vocabulary units

    /// Where there is a token: everywhere but at a number that stands for padding (Keras' `mask_zero` has 0). The mask to
    /// give to recurrent layers and attention.
    let mask (padding: int) (tokens: Tensor) : Tensor = notEqual tokens (host tokens (float padding))

[<AutoOpen>]
module EmbeddingFunction =

    /// The vector of every token: integers of any shape give one more axis, [.., units]. Tokens outside the vocabulary are an
    /// error. Example: `tokens |> embedding net.Words |> lstm Recurrent.defaults net.Reader`.
    let embedding (p: Embedding) (tokens: Tensor) : Tensor =
        if tokens.DType <> DType.Int32 && tokens.DType <> DType.Int64 then
            invalidArg "tokens" $"embedding: tokens are integers, not {tokens.DType}; cast them first"

        try
            Tensor.Bind(Functional.Operations.Gather 0, p.Vectors, tokens)
        with :? System.ArgumentException as e ->
            let vocabulary = p.Vectors.Shape[0]

            raise (
                System.ArgumentException(
                    $"embedding: a token is outside the vocabulary of {vocabulary}, whose numbers are 0 … {vocabulary - 1}: {e.Message}",
                    e
                )
            )
