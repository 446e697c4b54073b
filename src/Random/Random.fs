namespace Functional

open Functional.Kernels
open Functional.Operations

/// Keys: where random numbers come from. A key is a tensor; the same key always gives the same numbers, on any number
/// of threads, batched or compiled. Never use a key twice: split it.
[<RequireQualifiedAccess>]
module Key =

    let private integer (n: int64) : Tensor = Concrete(NDArray.OfInteger(n, DType.Int64))

    /// The key of a seed. Example: `let key = Key.create 42L`.
    let create (seed: int64) : Tensor = integer seed

    /// Independent keys made from one, as a tensor with a new last axis.
    let splitTensor (count: int) (key: Tensor) : Tensor =
        Evaluate.stored "Key.split" [| count |] DType.Int64 |> ignore
        Tensor.Bind(Op.Random(Distribution.Bits, [| count |], DType.Int64), key)

    /// Independent keys made from one. Example: `let [| k1; k2 |] = Key.split 2 key`.
    let split (count: int) (key: Tensor) : Tensor[] = key |> splitTensor count |> unstack -1

    // The odd constant of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): it spreads
    // neighbouring numbers over all 64 bits before the generator mixes them.
    let private golden = integer 0x9E3779B97F4A7C15L

    /// A key for each integer, as a step counter: different numbers give independent keys.
    let foldTensor (data: Tensor) (key: Tensor) : Tensor =
        let data = cast DType.Int64 data
        let folded = key + (data + 1.0) * golden |> splitTensor 1 |> index -1 0
        // −1 leaves the key as it is, whose first bits are a key of its split: turned over, they are another
        where (equal data (integer -1L)) (logicalNot folded) folded

    /// A key for a number: different numbers give independent keys. Example: `Key.fold epoch key`.
    let fold (data: int64) (key: Tensor) : Tensor = foldTensor (integer data) key

/// Random tensors. The key comes last, so `key |> Random.normal DType.Float32 [2; 3]`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Random =

    let private draw operation distribution (dtype: DType) (shape: int seq) (key: Tensor) : Tensor =
        let shape = Evaluate.stored operation (Array.ofSeq shape) dtype
        Tensor.Bind(Op.Random(distribution, shape, dtype), key)

    /// Random bits, as Int32 or Int64.
    let bits (dtype: DType) (shape: int seq) (key: Tensor) = draw "Random.bits" Distribution.Bits dtype shape key

    /// Uniform on [0, 1).
    let uniform (dtype: DType) (shape: int seq) (key: Tensor) =
        draw "Random.uniform" Distribution.Uniform dtype shape key

    /// Standard normal.
    let normal (dtype: DType) (shape: int seq) (key: Tensor) = draw "Random.normal" Distribution.Normal dtype shape key

    /// Standard normal, restricted to (−2, 2).
    let truncatedNormal (dtype: DType) (shape: int seq) (key: Tensor) =
        draw "Random.truncatedNormal" Distribution.TruncatedNormal dtype shape key

    /// True with probability p, to 24 bits; to 53 where p or 1 − p is below 1/256, so that rare events have their rate.
    let bernoulli (p: float) (shape: int seq) (key: Tensor) =
        if not (p >= 0.0 && p <= 1.0) then
            invalidArg "p" $"Random.bernoulli: a probability lies in [0, 1]; {p} was given"

        let dtype = if min p (1.0 - p) < 1.0 / 256.0 then DType.Float64 else DType.Float32
        less (draw "Random.bernoulli" Distribution.Uniform dtype shape key) (Tensor.scalarOf dtype p)

    /// 0 … n − 1 in random order, Int32.
    let permutation (n: int) (key: Tensor) =
        key |> draw "Random.permutation" Distribution.Bits DType.Int64 [ n ] |> argsort 0
