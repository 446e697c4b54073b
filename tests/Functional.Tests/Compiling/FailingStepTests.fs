/// A step that fails leaves the state as it was: for every operation that can fail on the values it is given, alone and in
/// loops and branches, whether the state is written before it or after.
module Functional.Tests.FailingStepTests

open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites

let private ints (numbers: int list) = Tensor.ofSeq numbers

/// Operations of an Int32 array of two, which fail on some and not on others: the one that is good and the one that is bad.
let private operations: (string * int list * int list * (Tensor -> Tensor)) list =
    let matrix (i: Tensor) =
        let x = cast DType.Float64 i
        stack 0 [ x; reverse [ 0 ] x ]

    [
        "take", [ 0; 1 ], [ 0; 7 ], (fun i -> take 0 i (Tensor.ones [ 3; 2 ]))
        "gatherAlong", [ 0; 1 ], [ 0; 7 ], (fun i -> gatherAlong 0 i (Tensor.ones [ 3 ]))
        "scatterAdd", [ 0; 1 ], [ 0; 7 ], (fun i -> scatterAdd 0 3 i (Tensor.ones [ 2; 2 ]))
        "scatterAlong", [ 0; 1 ], [ 0; 7 ], (fun i -> scatterAlong 0 3 i (Tensor.ones [ 2 ]))
        "solve", [ 2; 1 ], [ 1; 1 ], (fun i -> LinearAlgebra.solve (matrix i) (Tensor.ones [ 2; 1 ]))
        "cholesky", [ 2; 1 ], [ 1; 2 ], (matrix >> LinearAlgebra.cholesky)
        "a rule of the user's",
        [ 0; 1 ],
        [ 0; 7 ],
        (fun i ->
            let rule =
                customReverse "rule" (fun (i: Tensor, x: Tensor) -> take 0 i x, ()) (fun () (ct: Tensor) ->
                    ct, Tensor.zeros [ 3 ])

            rule (i, Tensor.ones [ 3 ]))
    ]

let private wrappers: (string * ((Tensor -> Tensor) -> Tensor -> Tensor)) list = [
    "alone", (fun f i -> sum (f i))
    "in a scan",
    (fun f i -> scan (fun (s: Tensor) (_: Tensor) -> s + sum (f i), ()) (scalar 0.0) (Tensor.zeros [ 3 ]) |> fst)
    "in a branch",
    (fun f i -> cond (greater (sum (cast DType.Float64 i)) (scalar -1.0)) (fun i -> sum (f i)) (fun _ -> scalar 0.0) i)
    "in a while loop",
    (fun f i ->
        whileLoop
            (fun (n: Tensor, _: Tensor) -> less n (scalar 2.0))
            (fun (n, s) -> n + 1.0, s + sum (f i))
            (scalar 0.0, scalar 0.0)
        |> snd)
]

/// Whether integers may be divided by zero, and powers negative, is another question: here only what fails counts.
let private integers: (string * (Tensor -> Tensor)) list = [
    "div", (fun i -> ints [ 100; 100 ] / i)
    "rem", (fun i -> ints [ 100; 100 ] % i)
    "pow", (fun i -> Tensor.Pow(ints [ 2; 2 ], i - ints [ 1; 1 ]))
]

let private orders: (string * (Tensor -> Tensor -> Tensor -> Tensor * Tensor)) list = [
    "the state is independent", (fun w x y -> w + x, y)
    "the state waits for it", (fun w x y -> w + x + 0.0 * y, y)
    "it waits for the state", (fun w x y -> (let w = w + x in w, y + sum w))
]

let private fails (f: Tensor -> Tensor) order good bad mustFail =
    let start = Tensor.full DType.Float64 [ 40; 40 ] 1.0, scalar 1.0

    let step (w: Tensor, n: Tensor) (x: Tensor, i: Tensor) =
        let w, y = order w x (f i)
        (w, n * 2.0), y

    use stepper = new Stepper<_, _, _>(step, start)
    stepper.Step(scalar 1.0, ints good)
    let w, n = stepper.Snapshot()
    Expect.equal (Tensor.toFloats w |> Array.head, Tensor.toFloat n) (2.0, 2.0) "a step"

    let failed =
        try
            stepper.Step(scalar 1.0, ints bad)
            false
        with _ ->
            true

    if mustFail then
        Expect.isTrue failed "it fails"

    let after, m = stepper.Snapshot()

    if failed then
        Expect.equal (Tensor.toFloats after) (Tensor.toFloats w) "the state is as it was"
        Expect.equal (Tensor.toFloat m) 2.0 "all of it"

    stepper.Step(scalar 1.0, ints good)
    Expect.equal (Tensor.toFloat (snd (stepper.Snapshot()))) (if failed then 4.0 else 8.0) "and steps go on"

[<Tests>]
let restored =
    testList "restored states" [
        test "a result that lay in the state is gone with it" {
            let step (w: Tensor) (x: Tensor) = (let w = w + x in w, w)
            use stepper = new Stepper<_, _, _>(step, scalar 1.0)
            stepper.Step(scalar 1.0)
            Expect.equal (Tensor.toFloat stepper.Result) 2.0 "the new state"
            stepper.Restore(scalar 7.0)
            Expect.throwsT<System.InvalidOperationException> (fun () -> stepper.Result |> ignore) "no result"
            stepper.Step(scalar 1.0)
            Expect.equal (Tensor.toFloat stepper.Result) 8.0 "the next one"
        }
        test "a state that does not fit leaves the stepper as it was" {
            use stepper =
                new Stepper<_, _, _>((fun (a: Tensor, b: Tensor) () -> (a, b), a), (scalar 1.0, scalar 2.0))

            Expect.throwsT<System.ArgumentException>
                (fun () -> stepper.Restore(scalar 5.0, Tensor.ones [ 2 ]))
                "another shape"

            let a, _ = stepper.Snapshot()
            Expect.equal (Tensor.toFloat a) 1.0 "as it was"
        }
    ]

[<Tests>]
let tests =
    testList "failing steps" [
        for order, make in orders do
            for wrapper, wrap in wrappers do
                for name, good, bad, f in operations do
                    test $"{name} {wrapper}, {order}" { fails (wrap f) make good bad true }

                for name, f in integers do
                    test $"{name} {wrapper}, {order}" {
                        fails (wrap (f >> cast DType.Float64)) make [ 1; 2 ] [ 0; 0 ] false
                    }
    ]
