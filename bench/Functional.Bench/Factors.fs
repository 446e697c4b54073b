/// Factorisations in double precision, ours and MathNet's managed ones in turns.
module Functional.Bench.Factors

open System
open Functional
open Functional.Kernels
open Functional.Bench.Options
open MathNet.Numerics.LinearAlgebra

let private draw m n = Random.normal DType.Float64 [ m; n ] (Key.create 1L)

let private theirs (a: Tensor) : Matrix<float> =
    Matrix<float>.Build.DenseOfRowMajor(a.Shape[0], a.Shape[1], Tensor.toFloats a)

/// Ours, and MathNet's up to the size at which it takes half a minute.
let private cases = [
    for n in [ 129; 312; 921 ] do
        let square = lazy (draw n n)

        let symmetric =
            lazy (let a = square.Value in (a *@ transpose a) * (1.0 / float n) + Tensor.eye DType.Float64 n)

        let case (a: Lazy<Tensor>) ours (other: Matrix<float> -> obj) =
            (fun () -> ours a.Value |> ignore), (fun () -> let m = theirs a.Value in fun () -> other m |> ignore)

        $"cholesky_{n}", case symmetric LinearAlgebra.cholesky (fun a -> a.Cholesky())
        $"solve_{n}", case square (fun a -> LinearAlgebra.solve a a[*, 0]) (fun a -> a.LU().Solve(a.Column 0))
        $"inverse_{n}", case square LinearAlgebra.inverse (fun a -> a.Inverse())
        $"eigen_{n}", case symmetric (LinearAlgebra.symmetricEigen >> fst) (fun a -> a.Evd Symmetricity.Symmetric)

        $"qr_{n + 1000}x{n}",
        case (lazy (draw (n + 1000) n)) (LinearAlgebra.qr >> fst) (fun a -> a.QR(Factorization.QRMethod.Thin))
]

let run options =
    options.Threads |> Option.iter (fun n -> Workers.Count <- n)
    Console.WriteLine "case                     ours (ms)  MathNet (ms)   ratio"

    for name, (ours, other) in cases do
        if selects options name then
            let ours = Measure.microseconds options.Seconds ours / 1000.0
            let other = Measure.microseconds options.Seconds (other ()) / 1000.0
            Console.WriteLine $"{name, -22} {ours, 11:F2} {other, 13:F2} {ours / other, 7:F3}"
