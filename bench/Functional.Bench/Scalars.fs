/// The gradient of a scalar function of a thousand operations: compiled, and written by hand.
module Functional.Bench.Scalars

open System
open Functional
open Functional.Bench.Options

[<Literal>]
let private Rounds = 167

/// Six operations a round, a thousand in all.
let private f (x: Tensor, y: Tensor) =
    let mutable a, b = x, y

    for _ in 1..Rounds do
        let c = a * b + x
        a <- sin c
        b <- b * 0.5 + a * y

    a + b

/// Its gradient as one writes it down: values forwards, derivatives backwards.
let private byHand (x: float) (y: float) =
    let c = Array.zeroCreate<float> Rounds
    let a = Array.zeroCreate<float>(Rounds + 1)
    let b = Array.zeroCreate<float>(Rounds + 1)
    a[0] <- x
    b[0] <- y

    for i in 0 .. Rounds - 1 do
        c[i] <- a[i] * b[i] + x
        a[i + 1] <- sin c[i]
        b[i + 1] <- b[i] * 0.5 + a[i + 1] * y

    let mutable da, db, dx, dy = 1.0, 1.0, 0.0, 0.0

    for i in Rounds - 1 .. -1 .. 0 do
        let through = da + db * y
        dy <- dy + db * a[i + 1]
        let dc = through * cos c[i]
        dx <- dx + dc
        da <- dc * b[i]
        db <- db * 0.5 + dc * a[i]

    dx + da, dy + db

let run options =
    let point = scalar 0.3, scalar 0.7
    let gradient = compile (grad f)
    let dx, dy = gradient point
    let hx, hy = byHand 0.3 0.7
    let error = max (abs (Tensor.toFloat dx - hx) / abs hx) (abs (Tensor.toFloat dy - hy) / abs hy)
    use stepper = new Stepper<_, _, _>((fun state p -> state, grad f p), scalar 0.0)
    let mutable sink = 0.0
    let eager = Measure.microseconds options.Seconds (fun () -> grad f point |> ignore)
    let call = Measure.microseconds options.Seconds (fun () -> gradient point |> ignore)
    let step = Measure.microseconds options.Seconds (fun () -> stepper.Step point)
    let hand = Measure.microseconds options.Seconds (fun () -> sink <- sink + fst (byHand 0.3 0.7))
    Console.WriteLine $"by hand   {hand, 8:F2} us   (largest relative difference {error:E1})"
    Console.WriteLine $"compiled  {call, 8:F2} us   {call / hand:F2} times"
    Console.WriteLine $"stepper   {step, 8:F2} us   {step / hand:F2} times"
    Console.WriteLine $"eager     {eager, 8:F2} us   {eager / hand:F2} times"
