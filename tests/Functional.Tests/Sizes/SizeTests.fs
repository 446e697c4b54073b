/// Sizes that no array can have are refused where they are asked for, by the operation's name and the sizes: the places where
/// they once passed, wrapped round to small numbers, and memory of others was read or written.
module Functional.Tests.Sizes.SizeTests

open System
open Expecto
open Functional
open Functional.Tests.Layers.Close

let private most = Int32.MaxValue
let private ten = Tensor.iota 10 |> cast DType.Float32
let private eight = Tensor.iota 8 |> cast DType.Float32

/// Refused by its own name, eager and compiled.
let private refused (parts: string list) (f: Tensor -> Tensor) (x: Tensor) =
    expectRefused parts (fun () -> f x)
    expectRefused parts (fun () -> compile f x)
    expectRefused parts (fun () -> compile (fun x -> f (x + 0.0)) x)

[<Tests>]
let doors =
    testList "sizes" [
        testCase "a shape whose product wraps round"
        <| fun () ->
            refused [ "reshape"; "536870913×8"; "4,294,967,304 elements"; "2 GB" ] (reshape [ 536870913; 8 ]) eight
            refused [ "reshape"; "65536×65537" ] (reshape [ 65536; 65537 ]) (Tensor.ones [ 65536 ])
            refused [ "reshape"; "65536×65536" ] (reshape [ 65536; 65536 ]) (Tensor.zeros [ 0 ])
            refused [ "reshape"; "8×536870913" ] (reshape [ 8; 536870913 ] >> sumOver [ 1 ]) eight
            refused [ "broadcastTo"; "2 GB" ] (broadcastTo [ 65536; 65536; 65536; 65536 ]) (scalar 1.0)

            expectRefused [ "Tensor.full"; "18,446,744,073,709,551,616 elements" ] (fun () ->
                Tensor.full DType.Float32 [ 65536; 65536; 65536; 65536 ] 0.0)

            expectRefused [ "Tensor.full"; "2147483647×2147483647×4" ] (fun () ->
                Tensor.full DType.Bool [ most; most; 4 ] 0.0)

            expectRefused [ "Random.uniform"; "65536×65536" ] (fun () ->
                Random.uniform DType.Float32 [ 65536; 65536 ] (Key.create 1L))

        testCase "a negative size"
        <| fun () ->
            refused [ "reshape"; "-2 in the shape -2×-2" ] (reshape [ -2; -2 ]) (Tensor.ones [ 4 ])
            refused [ "reshape"; "-2" ] (reshape [ -2; 3 ]) (Tensor.ones [ 6 ])
            refused [ "broadcastTo"; "-3" ] (broadcastTo [ -3 ]) (scalar 1.0)
            refused [ "pad"; "-20" ] (pad [ -20, 0 ]) ten
            refused [ "scatterAdd"; "-1" ] (scatterAdd 0 -1 (Tensor.ofSeq [ 0; 1 ])) (Tensor.ones [ 2 ])
            refused [ "topK"; "-1" ] (topK 0 -1 >> fst) ten
            refused [ "tile"; "-1 times" ] (tile [ -1 ]) (Tensor.ones [ 2 ])
            refused [ "split"; "-1" ] (fun x -> (split 0 [ -1; 11 ] x)[1]) ten
            expectRefused [ "Tensor.create"; "-2×-2" ] (fun () -> Tensor.create [ -2; -2 ] [| 1.0 .. 4.0 |])
            expectRefused [ "Tensor.zeros"; "-1" ] (fun () -> Tensor.zeros [ -1 ])
            expectRefused [ "Tensor.full"; "-1" ] (fun () -> Tensor.full DType.Int32 [ -1 ] 0.0)
            expectRefused [ "Tensor.iota"; "-1" ] (fun () -> Tensor.iota -1)
            expectRefused [ "Tensor.eye"; "-1" ] (fun () -> Tensor.eye DType.Float64 -1)
            expectRefused [ "Tensor.linspace"; "-1" ] (fun () -> Tensor.linspace 0.0 1.0 -1)

        testCase "bounds that wrap round"
        <| fun () ->
            refused [ "narrow"; "2147483647" ] (narrow 0 most 2) ten
            refused [ "slice"; "2147483647" ] (slice [ 1 ] [ 3 ] [ most ]) ten
            refused [ "slice"; "1073741824" ] (slice [ 1 ] [ 5 ] [ 1 <<< 30 ]) ten
            refused [ "pad"; "4294967304"; "2 GB" ] (pad [ most, most ]) ten
            refused [ "pad"; "2147483657"; "2 GB" ] (pad [ most, 0 ]) ten
            let truths = Tensor.full DType.Bool [ 1000 ] 1.0
            expectRefused [ "narrow"; "2147483500" ] (fun () -> narrow 0 200 2147483500 truths)
            expectRefused [ "narrow"; "2147483647" ] (fun () -> grad (narrow 0 most 2 >> sum) ten)

        testCase "single arrays of more than 2 GB, and products on the way to layers"
        <| fun () ->
            let row = Tensor.full DType.Float32 [ 40000; 1 ] 1.0
            refused [ "add"; "40000×40000"; "6,400,000,000 bytes"; "2 GB" ] (fun x -> x + transpose x) row
            refused [ "matmul"; "65536×65536" ] (fun x -> x *@ transpose x) (Tensor.zeros [ 65536; 0 ])

            // every step is small, all of them together are not
            let stacked xs = snd (scan (fun () (x: Tensor) -> (), broadcastTo [ 1 <<< 20 ] x) () xs)

            refused [ "scan"; "1024×1048576"; "2 GB" ] stacked (Tensor.zeros [ 1024 ])

            let initialize (layer: Layer<'P>) shape = layer.Initialize (Key.create 1L) shape |> ignore

            // 4 gates of 2³⁰ units are 0 in 32 bits
            expectRefused [ "lstm"; "4294967296" ] (fun () -> initialize (Layers.lstm (1 <<< 30)) [| 3; 2 |])
            expectRefused [ "gru"; "4294967298" ] (fun () -> initialize (Layers.gru 1431655766) [| 3; 2 |])

            expectRefused [ "multiHeadAttention"; "4295032832" ] (fun () ->
                initialize (Layers.selfAttention 65536 65537) [| 3; 2 |])

            expectRefused [ "reshape"; "536870913×8" ] (fun () -> initialize (Layers.reshape [ 536870913; 8 ]) [| 8 |])

        testCase "a vocabulary of a hundred thousand makes no matrix of it"
        <| fun () ->
            let rows = oneHot DType.Float32 100_000 (Tensor.ofSeq [ 3; 99_999 ])
            Expect.equal rows.Shape [| 2; 100_000 |] "a row for each"
            Expect.equal (Tensor.toFloats (argmax 1 rows)) [| 3.0; 99_999.0 |] "the classes"
            Expect.equal (Tensor.toFloat (sum rows)) 2.0 "ones"
            expectRefused [ "oneHot"; "-1"; "0 to 2" ] (fun () -> oneHot DType.Float32 3 (Tensor.ofSeq [ 0; -1 ]))
            expectRefused [ "oneHot"; "3"; "0 to 2" ] (fun () -> oneHot DType.Float32 3 (Tensor.ofSeq [ 3 ]))
            expectRefused [ "outside axis" ] (fun () -> compile (oneHot DType.Float32 3) (Tensor.ofSeq [ 0; -1 ]))

        testCase "a single number, none, and steps of nothing"
        <| fun () ->
            Expect.equal (Tensor.toFloats (Tensor.linspace 2.0 5.0 1)) [| 2.0 |] "the start, as NumPy has it"
            Expect.equal (Tensor.linspace 2.0 5.0 0).Shape [| 0 |] "none"
            Expect.equal (Tensor.eye DType.Float64 0).Shape [| 0; 0 |] "no rows"
            expectRefused [ "Tensor.arange"; "steps of 0" ] (fun () -> Tensor.arange 0.0 1.0 0.0)
            expectRefused [ "Tensor.arange" ] (fun () -> Tensor.arange 0.0 1.0 1e-300)
            expectRefused [ "Tensor.arange" ] (fun () -> Tensor.arange 0.0 nan 1.0)

        testCase "repeats of nothing, however many"
        <| fun () ->
            let gives shape f (x: Tensor) =
                for y: Tensor in [ f x; compile f x; compile (fun x -> f (x + 0.0)) x ] do
                    Expect.equal y.Shape shape "the sizes"

                Expect.equal (grad (f >> sum) x).Shape x.Shape "the gradient's sizes"

            let three = Tensor.zeros [ 3; 4 ]
            gives [| 3 * 536870913; 0 |] (tile [ 536870913; 0 ]) three
            gives [| 0; 4 |] (tile [ 0; 1 ]) three
            gives [| 0; 8 |] (tile [ most; 2 ]) (Tensor.zeros [ 0; 4 ])
            gives [| 1; 0; 8; 2 |] (upSampling [ most; 2 ]) (Tensor.zeros [ 1; 0; 4; 2 ])
            refused [ "upSampling"; "2147483648" ] (upSampling [ 1 <<< 30; 1 ]) (Tensor.zeros [ 1; 2; 2; 1 ])

        testCase "long lists of places do not lie on the stack"
        <| fun () ->
            let image = Tensor.iota 160_000 |> cast DType.Float32 |> reshape [ 1; 400; 400; 1 ]
            let mutable largest, share = nan, nan

            let work () =
                largest <- maxPool { Pool.window [ 300 ] with Strides = [ 100 ] } image |> amax |> Tensor.toFloat
                // the gradient of a kernel of ones sums the image around every place
                let kernel = Tensor.full DType.Float32 [ 1; 1; 1; 1 ] 0.0
                share <- grad (fun k -> sum (conv ConvOptions.defaults k (image / 160_000.0))) kernel |> Tensor.toFloat

            // a tenth of the usual stack
            let thread = Threading.Thread(work, 192 * 1024)
            thread.Start()
            thread.Join()
            Expect.equal largest 159_999.0 "the last place"
            Expect.floatClose Accuracy.medium share (159_999.0 / 2.0) "the sum"
    ]
