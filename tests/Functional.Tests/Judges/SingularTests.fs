/// Matrices that are singular, not definite, not symmetric, not finite, or empty: what has a value has it with its
/// derivatives, what has none is an error, or NaN where that was asked for, and then the rest of a batch has its results.
module Functional.Tests.Judges.SingularTests

open System
open Expecto
open Functional
open Functional.Tests.Judges.Judges

let private m (rows: float list list) = Tensor.ofRows rows
let private eye n = Tensor.eye DType.Float64 n

/// The determinant by the first row's cofactors (Laplace), in products and sums of numbers.
let rec private laplace (a: float[,]) : float =
    match Array2D.length1 a with
    | 0 -> 1.0
    | n -> Seq.sumBy (fun j -> a[0, j] * cofactor a 0 j) (seq { 0 .. n - 1 })

and private cofactor (a: float[,]) row column : float =
    let n = Array2D.length1 a
    let skip at i = if i < at then i else i + 1
    let minor = Array2D.init (n - 1) (n - 1) (fun i j -> a[skip row i, skip column j])
    (if (row + column) % 2 = 0 then 1.0 else -1.0) * laplace minor

let private cofactors (a: Tensor) : Tensor =
    let n = a.Shape[0]
    let numbers = Tensor.toArray2D a
    Tensor.create [ n; n ] (Array.init (n * n) (fun k -> cofactor numbers (k / n) (k % n)))

/// The Hessian of the determinant: a polynomial of degree one in each element, whose differences are exact.
let private determinantHessian (a: Tensor) : Tensor =
    let n = a.Shape[0]

    let row k =
        let unit = Tensor.create [ n; n ] (Array.init (n * n) (fun i -> if i = k then 1.0 else 0.0))
        flatten (cofactors (a + unit) - cofactors a)

    if n = 0 then
        Tensor.zeros [ 0; 0 ]
    else
        stack 0 [ for k in 0 .. n * n - 1 -> row k ]

/// From rank n down to rank 0, and nearly singular.
let private matrices = [
    m [ [ 0.0 ] ]
    m [ [ 3.0 ] ]
    m [ [ 1.0; 2.0 ]; [ 2.0; 4.0 ] ]
    m [ [ 0.0; 0.0 ]; [ 0.0; 0.0 ] ]
    m [ [ 1.0; 2.0 ]; [ 3.0; 5.0 ] ]
    m [ [ 1.0; 2.0; 3.0 ]; [ 4.0; 5.0; 6.0 ]; [ 7.0; 8.0; 9.0 ] ]
    m [ [ 1.0; 1.0; 1.0 ]; [ 1.0; 1.0; 1.0 ]; [ 1.0; 1.0; 1.0 ] ]
    Tensor.zeros [ 3; 3 ]
    eye 3
    m [ [ 1.0; 2.0; 3.0 ]; [ 4.0; 5.0; 6.0 ]; [ 7.0; 8.0; 9.0 + 1e-9 ] ]
    m [ [ 2.0; -1.0; 0.0; 3.0 ]; [ 1.0; 1.0; 4.0; 0.0 ]; [ 3.0; 0.0; 4.0; 3.0 ]; [ 0.0; 2.0; 1.0; 1.0 ] ]
    m [
        [ 2.0; -1.0; 0.0; 3.0 ]
        [ 4.0; -2.0; 0.0; 6.0 ]
        [ -2.0; 1.0; 0.0; -3.0 ]
        [ 0.0; 2.0; 1.0; 1.0 ]
    ]
    m [ [ 2.0; -1.0; 0.0; 3.0 ]; [ 1.0; 1.0; 4.0; 0.0 ]; [ 3.0; 0.0; 5.0; 3.0 ]; [ 0.0; 2.0; 1.0; 1.0 ] ]
]

let private refused (message: string) (f: unit -> Tensor) =
    match
        (try
            Choice1Of2(f ())
         with :? ArgumentException as e ->
             Choice2Of2 e.Message)
    with
    | Choice1Of2 t -> failtest $"'{message}' expected, got {t}"
    | Choice2Of2 found -> Expect.stringContains found message "the error"

/// An operation that may fail, as one tensor: the function that raises, the one that gives NaN, a matrix it takes, and
/// others that it does not.
type private Failing = {
    Name: string
    Raises: Tensor -> Tensor
    Answers: Tensor -> Tensor
    Good: Tensor
    Bad: (string * Tensor) list
}

let private joined (parts: Tensor list) = parts |> List.map flatten |> concat 0

let private failing =
    let good = m [ [ 4.0; 1.0; 0.5 ]; [ 1.0; 3.0; 0.25 ]; [ 0.5; 0.25; 2.0 ] ]
    let notFinite = good * m [ [ 1.0; 1.0; 1.0 ]; [ 1.0; nan; 1.0 ]; [ 1.0; 1.0; 1.0 ] ]
    let infinite = good * m [ [ 1.0; 1.0; 1.0 ]; [ 1.0; infinity; 1.0 ]; [ 1.0; 1.0; 1.0 ] ]
    let singular = m [ [ 1.0; 2.0; 0.0 ]; [ 2.0; 4.0; 0.0 ]; [ 0.0; 0.0; 1.0 ] ]
    let skew = good + m [ [ 0.0; 0.5; 0.0 ]; [ 0.0; 0.0; 0.0 ]; [ 0.0; 0.0; 0.0 ] ]
    let b = m [ [ 1.0; 2.0 ]; [ -1.0; 0.5 ]; [ 0.0; 3.0 ] ]
    let b (a: Tensor) = cast a.DType b

    let eigen f a =
        let w, q = f a
        joined [ w; q ]

    let svd f a =
        let u, s, vt = f a
        joined [ u; s; vt ]

    let qr f a =
        let q, r = f a
        joined [ q; r ]

    let op name raises answers bad = { Name = name; Raises = raises; Answers = answers; Good = good; Bad = bad }

    [
        op "solve" (fun a -> LinearAlgebra.solve a (b a)) (fun a -> LinearAlgebra.solveOrNaN a (b a)) [
            "singular", singular
            "singular or not finite", notFinite
        ]
        op "inverse" LinearAlgebra.inverse LinearAlgebra.inverseOrNaN [ "singular", singular; "not finite", notFinite ]
        op "cholesky" LinearAlgebra.cholesky LinearAlgebra.choleskyOrNaN [
            "not positive definite", good - eye 3 * 3.0
            "not positive definite", singular
            "not symmetric", skew
            "not finite", notFinite
            "not finite", infinite
        ]
        op "symmetricEigen" (eigen LinearAlgebra.symmetricEigen) (eigen LinearAlgebra.symmetricEigenOrNaN) [
            "not symmetric", skew
            "not finite", notFinite
        ]
        op "svd" (svd LinearAlgebra.svd) (svd LinearAlgebra.svdOrNaN) [
            "not finite", notFinite
            "not finite", infinite
        ]
        op "qr" (qr LinearAlgebra.qr) (qr LinearAlgebra.qrOrNaN) [ "not finite", notFinite ]
    ]

let private forFailing check = [
    for f in failing ->
        testCase f.Name
        <| fun () ->
            for dtype in [ DType.Float64; DType.Float32 ] do
                check {
                    f with
                        Good = cast dtype f.Good
                        Bad = f.Bad |> List.map (fun (why, a) -> why, cast dtype a)
                }
]

let private same what (a: Tensor) (b: Tensor) = Expect.equal (Tensor.toFloats a) (Tensor.toFloats b) what

[<Tests>]
let tests =
    testList "singular matrices" [
        testCase "the gradient of the determinant is the cofactors, in every mode"
        <| fun () ->
            for a in matrices do
                let wanted = [| cofactors a |]
                let adjugate = [| transpose wanted[0] |]
                agreeTensors 1e-11 "adjugate" [| LinearAlgebra.adjugate a |] adjugate
                agreeTensors 1e-11 "gradient" [| grad LinearAlgebra.determinant a |] wanted
                agreeTensors 1e-11 "compiled" [| compile (grad LinearAlgebra.determinant) a |] wanted
                let along = snd (jvp LinearAlgebra.determinant a (a + 1.0))
                agreeTensors 1e-11 "jvp" [| along |] [| sum (wanted[0] * (a + 1.0)) |]
                let single = grad LinearAlgebra.determinant (cast DType.Float32 a)
                agree 1e-5 "Float32" (Tensor.toFloats single) (Tensor.toFloats wanted[0])

        testCase "so is the second derivative"
        <| fun () ->
            for a in matrices do
                let wanted = [| determinantHessian a |]
                agreeTensors 1e-10 "hessian" [| hessian LinearAlgebra.determinant a |] wanted
                agreeTensors 1e-11 "compiled" [| compile (hessian LinearAlgebra.determinant) a |] wanted
                let e = a * 0.5 + 1.0
                let along = grad (fun a -> sum (grad LinearAlgebra.determinant a * e)) a
                let expected = wanted[0] *@ reshape [ -1; 1 ] e |> reshape a.Shape
                agreeTensors 1e-10 "grad of grad" [| along |] [| expected |]

        testCase "one singular matrix does not end a batch"
        <| fun () ->
            let squares = matrices |> List.filter (fun a -> a.Shape[0] = 3)
            let batch = stack 0 squares
            let wanted = [| squares |> List.map cofactors |> stack 0 |]
            agreeTensors 1e-11 "vmap" [| vmap (grad LinearAlgebra.determinant) batch |] wanted
            agreeTensors 1e-11 "leading axis" [| grad (LinearAlgebra.determinant >> sum) batch |] wanted

            let log =
                vmap LinearAlgebra.signLogDeterminant (stack 0 [ Tensor.zeros [ 2; 2 ]; -(eye 2); eye 2 * -1.0 + 3.0 ])

            same "sign" (fst log) (Tensor.ofSeq [ 0.0; 1.0; -1.0 ])
            same "log" (index 0 0 (snd log)) (Tensor.ofSeq [ -infinity ])
            let g = vmap (grad LinearAlgebra.logDeterminant) (stack 0 [ Tensor.zeros [ 2; 2 ]; eye 2 ])
            same "gradient of the regular one" (index 0 1 g) (eye 2)
            Expect.all (Tensor.toFloats (index 0 0 g)) Double.IsNaN "of the singular one: NaN"

        testList "raises, with the reason, alone, compiled and under vmap"
        <| forFailing (fun f ->
            let operation = if f.Name = "inverse" then "solve" else f.Name

            for why, bad in f.Bad do
                refused $"{operation}: the matrix" (fun () -> f.Raises bad)
                refused why (fun () -> f.Raises bad)
                refused why (fun () -> compile f.Raises bad)
                refused "number 1 of the batch" (fun () -> vmap f.Raises (stack 0 [ f.Good; bad ]))
                refused why (fun () -> compile (vmap f.Raises) (stack 0 [ f.Good; bad ])))

        testList "or gives NaN for that matrix, and the others their results"
        <| forFailing (fun f ->
            let alone = f.Raises f.Good
            same "good alone" (f.Answers f.Good) alone

            for _, bad in f.Bad do
                let batch = stack 0 [ f.Good; bad; f.Good ]

                for found in [ vmap f.Answers batch; compile (vmap f.Answers) batch; vmap (compile f.Answers) batch ] do
                    same "first" (index 0 0 found) alone
                    Expect.all (Tensor.toFloats (index 0 1 found)) Double.IsNaN "the bad one"
                    same "last" (index 0 2 found) alone

                let number (f: Tensor -> Tensor) a = sum (square (f a))
                let gradients = vmap (grad (number f.Answers)) batch
                same "gradient of the good" (index 0 0 gradients) (grad (number f.Raises) f.Good)
                Expect.all (Tensor.toFloats (index 0 1 gradients)) Double.IsNaN "gradient of the bad")

        testCase "a damped step asks in a loop whether its matrix is definite, compiled and for each of a batch"
        <| fun () ->
            let step (a: Tensor) =
                let factor mu = LinearAlgebra.choleskyOrNaN (a + mu * eye 2)

                let mu =
                    whileLoop (fun mu -> logicalNot (isFinite (sum (factor mu)))) (fun mu -> mu * 2.0) (scalar 1e-3)

                LinearAlgebra.choleskySolve (factor mu) (Tensor.ofSeq [ 1.0; 1.0 ]), mu

            let batch = stack 0 [ eye 2; m [ [ 1.0; 2.0 ]; [ 2.0; 1.0 ] ] ]
            let wanted = Tensor.ofSeq [ 1e-3; 1.024 ]

            for x, mu in [ vmap step batch; compile (vmap step) batch ] do
                same "damping" mu wanted
                Expect.all (Tensor.toFloats x) Double.IsFinite "the step"

        testCase "what is symmetric up to rounding is made symmetric"
        <| fun () ->
            let a = m [ [ 4.0; 1.0 ]; [ 1.0 + 1e-10; 3.0 ] ]
            let middle = m [ [ 4.0; 1.0 + 0.5e-10 ]; [ 1.0 + 0.5e-10; 3.0 ] ]
            same "cholesky" (LinearAlgebra.cholesky a) (LinearAlgebra.cholesky middle)
            same "eigen" (fst (LinearAlgebra.symmetricEigen a)) (fst (LinearAlgebra.symmetricEigen middle))

        testCase "gradients pass the check, on symmetric matrices"
        <| fun () ->
            let a = m [ [ 4.0; 1.0 ]; [ 1.0; 3.0 ] ]
            let functions = [ LinearAlgebra.cholesky; LinearAlgebra.symmetricEigen >> fst ]

            for f in functions do
                let c = Check.gradient (fun a -> sum (f ((a + transpose a) * 0.5))) a
                Expect.isTrue c.Passed (string c)
                // one element moved alone makes it another function's argument, which is said
                refused "(a + transpose a) * 0.5" (fun () ->
                    Check.gradient (f >> sum) a |> ignore
                    a)

        testCase "sizes 0 and 1"
        <| fun () ->
            for lead in [ []; [ 2 ]; [ 0 ] ] do
                for n in [ 0; 1 ] do
                    for dtype in [ DType.Float64; DType.Float32 ] do
                        let a = Tensor.full dtype (lead @ [ n; n ]) 4.0
                        let filled shape value = Tensor.full dtype shape value

                        let is what (found: Tensor) (wanted: Tensor) =
                            Expect.equal (List.ofArray found.Shape) (List.ofArray wanted.Shape) what
                            Expect.equal found.DType dtype what
                            agree 1e-6 what (Tensor.toFloats found) (Tensor.toFloats wanted)

                        let one = if n = 0 then 1.0 else 4.0
                        is "determinant" (LinearAlgebra.determinant a) (filled lead one)
                        is "logDeterminant" (LinearAlgebra.logDeterminant a) (filled lead (log one))
                        is "its gradient" (grad (LinearAlgebra.determinant >> sum) a) (filled a.Shape 1.0)
                        is "inverse" (LinearAlgebra.inverse a) (filled a.Shape 0.25)
                        is "solve" (LinearAlgebra.solve a (filled (lead @ [ n; 3 ]) 2.0)) (filled (lead @ [ n; 3 ]) 0.5)
                        is "cholesky" (LinearAlgebra.cholesky a) (filled a.Shape 2.0)
                        is "eigenvalues" (fst (LinearAlgebra.symmetricEigen a)) (filled (lead @ [ n ]) 4.0)
                        let _, s, _ = LinearAlgebra.svd a
                        is "singular values" s (filled (lead @ [ n ]) 4.0)
                        is "qr" (snd (LinearAlgebra.qr a)) (filled a.Shape 4.0)
                        is "root" (MatrixFunction.symmetric sqrt a) (filled a.Shape 2.0)
                        is "its gradient" (grad (MatrixFunction.symmetric sqrt >> sum) a) (filled a.Shape 0.25)
                        is "polar" (MatrixFunction.polar a) (filled a.Shape 1.0)
                        is "lyapunov" (MatrixFunction.lyapunov a a) (filled a.Shape 0.5)

        testCase "solves with a factor"
        <| fun () ->
            let a = m [ [ 4.0; 1.0 ]; [ 1.0; 3.0 ] ]
            let b = m [ [ 1.0; 2.0; 3.0 ]; [ 4.0; 5.0; 6.0 ] ]
            let l = LinearAlgebra.cholesky a
            agreeTensors 1e-14 "cholesky" [| LinearAlgebra.choleskySolve l b |] [| LinearAlgebra.solve a b |]

            for lower in [ true; false ] do
                let x = LinearAlgebra.triangularSolveTransposed lower a b
                let part = m [ [ 4.0; (if lower then 0.0 else 1.0) ]; [ (if lower then 1.0 else 0.0); 3.0 ] ]
                agreeTensors 1e-14 "triangular" [| transpose part *@ x |] [| b |]
    ]
