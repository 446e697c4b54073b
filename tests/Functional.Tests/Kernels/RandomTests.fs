/// Random numbers: the generator's published answers, what a draw may depend on, and how well the numbers are distributed.
module Functional.Tests.Kernels.RandomTests

open System
open System.Security.Cryptography
open Expecto
open MathNet.Numerics.Distributions
open Functional
open Functional.Kernels
open Functional.Tests.Kernels.NaiveArrays
open Functional.Tests.Selection

let private key (k: int64) = NDArray.OfInteger(k, DType.Int64)

let private drawn distribution (keys: NDArray) dtype shape =
    let y = room dtype (Array.append keys.Shape shape)
    RandomNumbers.Draw(distribution, keys, y)
    toFloats y

let private continuous = [ Distribution.Uniform; Distribution.Normal; Distribution.TruncatedNormal ]
let private floats = [ DType.Float32; DType.Float64 ]

/// The distribution function that a draw must follow.
let private cumulative distribution =
    match distribution with
    | Distribution.Uniform -> id
    | Distribution.Normal -> fun x -> Normal.CDF(0.0, 1.0, x)
    | Distribution.TruncatedNormal ->
        let low = Normal.CDF(0.0, 1.0, -2.0)
        fun x -> (Normal.CDF(0.0, 1.0, x) - low) / (1.0 - 2.0 * low)
    | Distribution.Bits -> invalidArg (nameof distribution) "bits are not continuous"

/// Largest distance between the empirical and the true distribution function, times √n (Kolmogorov and Smirnov).
let private distance (cdf: float -> float) (values: float[]) =
    let sorted, n = Array.sort values, float values.Length
    let gap i x = max (abs (cdf x - float i / n)) (abs (cdf x - float (i + 1) / n))
    sqrt n * (sorted |> Array.mapi gap |> Array.max)

/// χ² of the counts of equally probable cells, as a standard normal deviate (Wilson and Hilferty).
let private deviate cells (values: float[]) =
    let counts = Array.zeroCreate cells

    for value in values do
        let cell = min (cells - 1) (int (value * float cells))
        counts[cell] <- counts[cell] + 1.0

    let expected, freedom = float values.Length / float cells, float (cells - 1)
    let statistic = counts |> Array.sumBy (fun count -> (count - expected) ** 2.0 / expected)

    ((statistic / freedom) ** (1.0 / 3.0) - (1.0 - 2.0 / (9.0 * freedom)))
    / sqrt (2.0 / (9.0 * freedom))

[<Tests>]
let tests =
    testList "random kernels" [
        testCase "Philox4x32-10 gives the published answers"
        <| fun () ->
            // kat_vectors of the authors' Random123: counter, key, result.
            let all = UInt32.MaxValue

            let answers = [
                (0u, 0u, 0u, 0u, 0u, 0u), struct (0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)
                (all, all, all, all, all, all), struct (0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)
                (0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u),
                struct (0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)
            ]

            for counterAndKey, answer in answers do
                Expect.equal (Philox.Block counterAndKey) answer $"%A{counterAndKey}"

        testCase "a draw is the generator's words in the order of its counters"
        <| fun () ->
            let k = 0x0123456789ABCDEFL
            let words = room DType.Int32 [| 1003 |]
            RandomNumbers.Draw(Distribution.Bits, key k, words)
            let words = words.AsSpan<int>().ToArray()

            for i in 0..1002 do
                let struct (a, b, c, d) = Philox.Block(uint32 (i / 4), 0u, 0u, 0u, uint32 k, uint32 (k >>> 32))

                if uint32 words[i] <> Array.item (i % 4) [| a; b; c; d |] then
                    failtest $"word {i}"

        testCase "element i of key k depends on i and k only"
        <| fun () ->
            let keys = NDArray.Of<int64>([| 2; 3 |], ReadOnlySpan [| 5L; -1L; 0L; 77L; Int64.MaxValue; 5L |])
            let inOrder = keys.AsSpan<int64>().ToArray()

            for dtype in floats do
                for distribution in continuous do
                    for n in [ 0; 1; 3; 7; 8; 31; 1000; 20_001 ] do
                        let together = drawn distribution keys dtype [| n |]

                        inOrder
                        |> Array.iteri (fun i k ->
                            let longer = drawn distribution (key k) dtype [| n + 13 |]


                            expectSame together[i * n .. (i + 1) * n - 1] longer[.. n - 1] (fun () ->
                                $"{distribution} of {n}"))

        testCase "the number of threads changes no bit"
        <| fun () ->
            let all () = [
                for dtype in floats do
                    for d in continuous -> drawn d (key 3L) dtype [| 100_003 |]
            ]

            let alone = Functional.Tests.Selection.withThreads 1 all
            Expect.equal (Functional.Tests.Selection.withThreads 3 all) alone "three threads draw what one does"

        testCase "the numbers of a key are the same on every machine, today and tomorrow"
        <| fun () ->
            // SHA-256 over all the bits; a run without vector instructions must come to the same.
            let sum =
                use hash = IncrementalHash.CreateHash HashAlgorithmName.SHA256

                for dtype in floats do
                    for distribution in continuous do
                        let y = room dtype [| 10_001 |]
                        RandomNumbers.Draw(distribution, key 123456789L, y)
                        hash.AppendData(y.Storage.Span<byte>())

                Convert.ToHexStringLower(hash.GetHashAndReset())

            Expect.equal sum "0f08d1494a9433887ce9b2bf36049de4b2735d711c8999c16210a66233f10b38" "six draws"

        testCase "folding and fresh keys give keys of their own"
        <| fun () ->
            let folded = [
                for k in -50L .. 50L do
                    for data in -50L .. 50L -> RandomNumbers.Fold(k, data)
            ]

            Expect.hasLength (List.distinct folded) folded.Length "folded keys"
            let fresh = room DType.Int64 [| 10_000 |]
            RandomNumbers.Draw(Distribution.Bits, key 1L, fresh)
            let fresh = fresh.AsSpan<int64>().ToArray()
            Expect.hasLength (Array.distinct fresh) fresh.Length "split keys"
            Expect.equal (RandomNumbers.Fold(1L, 2L)) (RandomNumbers.Fold(1L, 2L)) "the same key again"
            // Neighbouring keys are as unrelated as any.
            let one, two =
                drawn Distribution.Normal (key 1L) DType.Float64 [| 100_000 |],
                drawn Distribution.Normal (key 2L) DType.Float64 [| 100_000 |]

            Expect.isLessThan
                (abs (Array.averageBy (fun (a, b) -> a * b) (Array.zip one two)))
                (4.0 / sqrt 1e5)
                "correlation"

        slow (
            testCase "moments, Kolmogorov–Smirnov and χ²"
            <| fun () ->
                let n = 1_000_000

                for dtype in floats do
                    for distribution in continuous do
                        let values = drawn distribution (key 2024L) dtype [| n |]
                        let cdf = cumulative distribution
                        let name = $"{distribution} as {dtype}"
                        // Exceeded by chance once in some thousand runs; the key is fixed.
                        Expect.isLessThan (distance cdf values) 1.95 $"Kolmogorov–Smirnov of {name}"
                        Expect.isLessThan (abs (deviate 1000 (Array.map cdf values))) 3.5 $"χ² of {name}"

                        let pairs =
                            Array.init (n / 2) (fun i ->
                                0.03125 * (floor (32.0 * cdf values[2 * i]) + cdf values[2 * i + 1]))

                        Expect.isLessThan (abs (deviate 1024 pairs)) 3.5 $"χ² of successive pairs of {name}"

                        if distribution = Distribution.Normal then
                            let moment p = values |> Array.averageBy (fun x -> x ** p)

                            let within p expected deviation =
                                Expect.isLessThan
                                    (abs (moment p - expected))
                                    (4.0 * deviation / sqrt (float n))
                                    $"moment {p} of {name}"

                            within 1.0 0.0 1.0
                            within 2.0 1.0 (sqrt 2.0)
                            within 3.0 0.0 (sqrt 15.0)
                            within 4.0 3.0 (sqrt 96.0)
        )

        testCase "normal numbers are the quantiles of their bits"
        <| fun () ->
            let exact tail = -Normal.InvCDF(0.0, 1.0, tail)

            let words, numbers =
                room DType.Int32 [| 50_000 |], drawn Distribution.Normal (key 9L) DType.Float32 [| 50_000 |]

            RandomNumbers.Draw(Distribution.Bits, key 9L, words)
            let words = words.AsSpan<int>().ToArray()

            for i in 0 .. words.Length - 1 do
                let bits = uint32 words[i]
                let size = exact ((float (bits >>> 1) + 0.5) / 4294967296.0)
                let expected = if bits &&& 1u = 1u then -size else size

                if not (abs (numbers[i] - expected) < 1e-6 * max 1.0 (abs expected)) then
                    failtest $"bits {bits}: {numbers[i]}, expected {expected}"

            let words, numbers =
                room DType.Int64 [| 50_000 |], drawn Distribution.Normal (key 9L) DType.Float64 [| 50_000 |]

            RandomNumbers.Draw(Distribution.Bits, key 9L, words)
            let words = words.AsSpan<int64>().ToArray()

            for i in 0 .. words.Length - 1 do
                let bits = uint64 words[i]
                let size = exact ((float (bits >>> 12) + 0.5) / 9007199254740992.0)
                let expected = if bits &&& 1UL = 1UL then -size else size

                if not (abs (numbers[i] - expected) < 1e-13 * max 1.0 (abs expected)) then
                    failtest $"bits {bits}: {numbers[i]}, expected {expected}"

        testCase "ranges: uniform in [0, 1), truncated in (−2, 2)"
        <| fun () ->
            for dtype in floats do
                let uniform = drawn Distribution.Uniform (key 4L) dtype [| 100_000 |]
                Expect.isTrue (uniform |> Array.forall (fun u -> u >= 0.0 && u < 1.0)) "uniform"
                let truncated = drawn Distribution.TruncatedNormal (key 4L) dtype [| 100_000 |]
                Expect.isTrue (truncated |> Array.forall (fun z -> abs z < 2.0)) "truncated"

        testCase "a distribution that does not go with the element type is refused"
        <| fun () ->
            for distribution, dtype in
                [
                    Distribution.Normal, DType.Int32
                    Distribution.Bits, DType.Float32
                    Distribution.Bits, DType.Bool
                ] do
                Expect.throwsT<ArgumentException>
                    (fun () -> drawn distribution (key 0L) dtype [| 3 |] |> ignore)
                    $"{distribution} as {dtype}"
    ]
