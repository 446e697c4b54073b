/// Matrix products against the definition (exact: the elements are small integers), for every way a factor can lie,
/// with leading axes that broadcast, without elements, and on any number of threads.
module Functional.Tests.Kernels.MatMulTests

#nowarn "9" // the pointer level is tested, too

open System
open FSharp.NativeInterop
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests
open Functional.Tests.Selection
open Functional.Tests.Kernels.NaiveArrays

let private numeric = [ DType.Float32; DType.Float64; DType.Int32; DType.Int64 ]

/// Sizes around the widths of vectors and the heights of tiles.
let private drawSize (random: Random) =
    let sizes = [| 0; 1; 2; 3; 5; 6; 7; 8; 9; 15; 16; 17; 24; 31; 32; 33; 48; 63; 64; 65; 70 |]
    sizes[random.Next sizes.Length]

let private swapIf condition (shape: int[]) =
    if condition then
        Array.append shape[.. shape.Length - 3] [| shape[shape.Length - 1]; shape[shape.Length - 2] |]
    else
        shape

/// op(a)·op(b) + bias by three loops for each of the matrices.
let private product transA transB (a: NDArray) (b: NDArray) (bias: float[]) (shape: int[]) =
    let left, right = toFloats a, toFloats b
    let lead (shape: int[]) = shape[.. shape.Length - 3]
    let m, n = shape[shape.Length - 2], shape[shape.Length - 1]
    let k = a.Shape[if transA then a.Rank - 2 else a.Rank - 1]

    Array.init (size (lead shape)) (fun matrix ->
        let firstA = m * k * Arrays.place (lead shape) (lead a.Shape) matrix
        let firstB = k * n * Arrays.place (lead shape) (lead b.Shape) matrix

        Array.init (m * n) (fun at ->
            let i, j = at / n, at % n
            let mutable sum = if bias.Length = 0 then 0.0 else bias[j]

            for l in 0 .. k - 1 do
                let x = left[firstA + if transA then l * m + i else i * k + l]
                sum <- sum + x * right[firstB + if transB then j * k + l else l * n + j]

            sum))
    |> Array.concat

let private check random dtype (leadA: int[]) (leadB: int[]) (lead: int[]) m n k =
    for transA, transB in [ false, false; false, true; true, false; true, true ] do
        let a = draw random dtype (swapIf transA (Array.append leadA [| m; k |]))
        let b = draw random dtype (swapIf transB (Array.append leadB [| k; n |]))
        let y = room dtype (Array.append lead [| m; n |])
        MatMul.Run(transA, transB, a, b, y)

        expectSame (toFloats y) (product transA transB a b [||] y.Shape) (fun () ->
            $"{dtype} {show a.Shape}{transA} · {show b.Shape}{transB}")

let private onRandomShapes () =
    for dtype in numeric do
        let random = Random 31

        for _ in 1..60 do
            let lead = Array.init (random.Next 3) (fun _ -> random.Next(1, 4))
            let thin (axes: int[]) = axes |> Array.map (fun size -> if random.Next 3 = 0 then 1 else size)
            let short = if random.Next 2 = 0 then lead else lead[random.Next(lead.Length + 1) ..]
            let leadA, leadB = if random.Next 2 = 0 then lead, thin short else thin short, lead
            check random dtype leadA leadB lead (drawSize random) (drawSize random) (drawSize random)

let private onLargeShapes () =
    for dtype in numeric do
        let random = Random 32
        check random dtype [||] [||] [||] 203 300 530
        check random dtype [||] [||] [||] 9 1030 270
        check random dtype [||] [||] [||] 300 40 900
        check random dtype [||] [||] [||] 900 40 850
        check random dtype [||] [||] [||] 37 210 1100
        check random dtype [||] [||] [||] 16 130 520
        check random dtype [||] [||] [||] 70 96 900
        check random dtype [| 5 |] [| 5 |] [| 5 |] 90 70 260

let private withBias () =
    for dtype in numeric do
        let random = Random 33

        for lead in [ [||]; [| 3 |]; [| 2; 4 |] ] do
            for m, k, n in [ 1, 1, 1; 1, 20, 70; 5, 1, 40; 7, 33, 1; 17, 40, 37; 0, 3, 4; 3, 0, 4; 130, 300, 90 ] do
                let a, b = draw random dtype (Array.append lead [| m; k |]), draw random dtype [| k; n |]
                let bias = draw random dtype [| n |]
                let y = room dtype (Array.append lead [| m; n |])
                MatMul.RunAdd(a, b, bias, y)

                expectSame (toFloats y) (product false false a b (toFloats bias) y.Shape) (fun () ->
                    $"{dtype} {show a.Shape} · {show b.Shape} + bias")

let private realNumbers (random: Random) dtype shape =
    ofFloats dtype shape (Array.init (size shape) (fun _ -> random.NextDouble() - 0.5))

/// onto + scale·(op(a)·op(b)): the bits of two steps, also where the result lies over what it is added to.
let private onto () =
    for dtype in [ DType.Float32; DType.Float64 ] do
        let random = Random 37

        for lead in [ [||]; [| 2; 3 |] ] do
            for m, k, n in
                [
                    1, 1, 1
                    1, 20, 70
                    5, 1, 40
                    7, 33, 1
                    17, 40, 37
                    3, 0, 4
                    130, 300, 90
                    70, 900, 33
                    300, 500, 64
                    40, 1000, 1
                    16, 300, 90
                    33, 1100, 150
                ] do
                for transA, transB in [ false, false; false, true; true, false ] do
                    for onto in [ Array.append lead [| m; n |]; [| n |] ] do
                        let a = realNumbers random dtype (Array.append lead (swapIf transA [| m; k |]))
                        let b = realNumbers random dtype (swapIf transB [| k; n |])
                        let onto = realNumbers random dtype onto

                        let y, expected =
                            room dtype (Array.append lead [| m; n |]), room dtype (Array.append lead [| m; n |])

                        MatMul.Run(transA, transB, a, b, y)
                        Elementwise.AddScaled(-0.3, onto, y, expected)
                        MatMul.RunOnto(transA, transB, a, b, onto, -0.3, y)
                        let show () = $"{dtype} {show onto.Shape} − 0.3·{show a.Shape}{transA}·{show b.Shape}{transB}"
                        expectSame (toFloats y) (toFloats expected) show

                        if onto.Rank = y.Rank && Gemm.MayOverwriteBase k then
                            MatMul.RunOnto(transA, transB, a, b, onto, -0.3, onto)
                            expectSame (toFloats onto) (toFloats expected) (fun () -> show () + " in place")

/// y += a·b, and y = a·b + bias, with b as it is and transposed.
let private accumulated () =
    let random = Random 34

    for m, k, n in [ 1, 20, 70; 5, 1, 40; 7, 33, 1; 40, 300, 37; 13, 300, 70; 40, 1100, 137 ] do
        for transB, accumulate in [ false, true; true, true; true, false ] do
            let a = draw random DType.Float32 [| m; k |]
            let b = draw random DType.Float32 (swapIf transB [| k; n |])
            let bias = draw random DType.Float32 [| n |]
            let y = draw random DType.Float32 [| m; n |]

            let expected =
                if accumulate then
                    Array.map2 (+) (toFloats y) (product false transB a b [||] y.Shape)
                else
                    product false transB a b (toFloats bias) y.Shape

            use pa = fixed &a.Storage.GetPinnableReference()
            use pb = fixed &b.Storage.GetPinnableReference()
            use py = fixed &y.Storage.GetPinnableReference()
            use pbias = fixed &bias.Storage.GetPinnableReference()

            let floats (array: NDArray) pointer =
                NativePtr.ofNativeInt<float32>(Checks.point array.Storage (NativePtr.toNativeInt pointer))

            let mutable whole = Product<float32>(M = m, N = n, K = k, Accumulate = accumulate)
            whole.A <- floats a pa
            whole.RowA <- nativeint k
            whole.ColumnA <- 1n
            whole.B <- floats b pb
            whole.RowB <- if transB then 1n else nativeint n
            whole.ColumnB <- if transB then nativeint k else 1n
            whole.C <- floats y py
            whole.RowC <- nativeint n

            if not accumulate then
                whole.Bias <- floats bias pbias

            Gemm.Run &whole
            Checks.forget ()
            Storage.KeepAlive(a.Storage, b.Storage, y.Storage, bias.Storage)
            expectSame (toFloats y) expected (fun () -> $"accumulate {accumulate}: {m}×{k} · {k}×{n}{transB}")

let private onAnyThreads () =
    for dtype in [ DType.Float32; DType.Float64 ] do
        let random = Random 35

        for m, k, n in
            [ 130, 300, 200; 97, 300, 65; 600, 64, 40; 3, 700, 900; 2000, 900, 1; 24, 600, 700; 100, 900, 128 ] do
            for transA, transB in [ false, false; false, true; true, false ] do
                let a = realNumbers random dtype (swapIf transA [| m; k |])
                let b = realNumbers random dtype (swapIf transB [| k; n |])

                let run threads =
                    withThreads threads (fun () ->
                        let y = room dtype [| m; n |]
                        MatMul.Run(transA, transB, a, b, y)
                        toFloats y)

                let one = run 1

                for threads in [ 2; 3 ] do
                    expectSame (run threads) one (fun () -> $"{dtype} {m}×{k}×{n} on {threads} threads")

let private rowByRow () =
    for dtype in [ DType.Float32; DType.Float64 ] do
        let random = Random 36
        let a, b = realNumbers random dtype [| 37; 300 |], realNumbers random dtype [| 300; 45 |]
        let y = room dtype [| 37; 45 |]
        MatMul.Run(false, false, a, b, y)
        let rowsOfA, rowsOfY = Array.chunkBySize 300 (toFloats a), Array.chunkBySize 45 (toFloats y)

        for i in [ 0; 17; 36 ] do
            let row = ofFloats dtype [| 1; 300 |] rowsOfA[i]
            let alone = room dtype [| 1; 45 |]
            MatMul.Run(false, false, row, b, alone)
            expectSame (toFloats alone) rowsOfY[i] (fun () -> $"{dtype}, row {i}")

/// A product asks for memory that others will need while it multiplies; that changes neither it nor the memory.
let private askingOnTheWay () =
    let random = Random 37

    for m, k, n, transB in [ 32, 128, 512, false; 32, 300, 64, true; 7, 40, 33, false; 1, 5, 3, false ] do
        let a = realNumbers random DType.Float32 [| m; k |]
        let b = realNumbers random DType.Float32 (swapIf transB [| k; n |])
        let others = [ for size in [ 1; 100; 5000 ] -> realNumbers random DType.Float32 [| size |] ]
        let before = others |> List.map toFloats

        let run () =
            let y = room DType.Float32 [| m; n |]
            MatMul.Run(false, transB, a, b, y)
            toFloats y

        let expected = run ()

        for _ in 1..9 do
            for other in others do
                Prefetch.Soon(other.Storage, 4 * other.Size)

        let found = run ()
        Prefetch.Rest()
        expectSame found expected (fun () -> $"{m}×{k}×{n}")
        Expect.equal (others |> List.map toFloats) before "what was asked for"

/// A right factor copied for many products: the bits of products with the matrix itself, also where they are shared out.
let private packed () =
    for dtype in [ DType.Float32; DType.Float64 ] do
        let random = Random 38

        for m, k, n in [ 2, 2, 2; 8, 128, 64; 7, 33, 5; 17, 300, 37; 33, 500, 129; 300, 70, 33; 64, 160, 600 ] do
            for transA, transB in [ false, false; false, true; true, false; true, true ] do
                let a = realNumbers random dtype (swapIf transA [| m; k |])
                let bias = realNumbers random dtype [| n |]
                let onto = realNumbers random dtype [| m; n |]
                let shapeOfB = swapIf transB [| k; n |]
                let copy = PackedMatrix(shapeOfB, transB, dtype)

                // the copy follows the matrix
                for _ in 1..2 do
                    let b = realNumbers random dtype shapeOfB
                    copy.Copy b

                    for threads in [ 1; 3 ] do
                        withThreads threads (fun () ->
                            let compare what (run: PackedMatrix -> NDArray -> unit) =
                                let found, expected = room dtype [| m; n |], room dtype [| m; n |]
                                run copy found
                                run null expected

                                expectSame (toFloats found) (toFloats expected) (fun () ->
                                    $"{what}, {dtype} {m}×{k}×{n} {transA} {transB} on {threads} threads")

                            compare "product" (fun copy y -> MatMul.Run(transA, transB, a, b, y, copy))

                            if not transA && not transB then
                                compare "with bias" (fun copy y -> MatMul.RunAdd(a, b, bias, y, copy))

                            compare "onto" (fun copy y -> MatMul.RunOnto(transA, transB, a, b, onto, -0.3, y, copy))

                            if Gemm.MayOverwriteBase k then
                                compare "in place" (fun copy y ->
                                    Elementwise.Cast(onto, y)
                                    MatMul.RunOnto(transA, transB, a, b, y, -0.3, y, copy)))

[<Tests>]
let tests =
    testList "matrix products" [
        testCase "a right factor copied for many products" packed
        testCase "asking for memory on the way" askingOnTheWay
        testCase "random shapes, transposed and broadcast" onRandomShapes
        testCase "several blocks of rows, columns and depth" onLargeShapes |> slow
        testCase "a dense layer" withBias
        testCase "added to what is there, or to a bias" accumulated
        testCase "added to another matrix, times a factor" onto
        testCase "the same bits on any number of threads" onAnyThreads |> slow
        testCase "a row's product does not depend on the rows around it" rowByRow

        testCase "no product of truth values"
        <| fun () ->
            let x = room DType.Bool [| 2; 2 |]
            Expect.throwsT<NotSupportedException> (fun () -> MatMul.Run(false, false, x, x, x)) "Bool"
    ]
