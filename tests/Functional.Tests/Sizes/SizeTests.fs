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
            refused [ "tile"; "-1" ] (tile [ -1 ]) ten
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
    ]
