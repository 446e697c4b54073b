/// vmap before its judge, a host loop over the examples: the same results in value, shape and element type, or the same
/// refusal, in the words that one example gets.
module Functional.Tests.Judges.Examples

open System
open System.Text.RegularExpressions
open Expecto
open Functional

/// What came of a call.
type Outcome =
    | Given of Tensor[]
    | Refused of exn

let attempt (f: unit -> Tensor[]) : Outcome =
    try
        Given(f ())
    with e ->
        Refused e

/// A refusal that a user may be given: it names what was wrong with the arguments, and no fault of the library's own.
let private isClear (e: exn) =
    match e with
    | :? ArgumentException
    | :? NotSupportedException
    | :? InvalidOperationException -> not (e :? ObjectDisposedException) && not (e.Message.StartsWith "internal")
    | _ -> false

/// The words without what only a batch can say: where in it the index or the matrix stands.
let private words (e: exn) = Regex.Replace(e.Message, @" at position \[[^\]]*\]| \(number \d+ of the batch\)", "")

/// Numbers agree to some digits, relative to the larger of the two or to 1; infinities and NaN agree with their like.
let private agree (tolerance: float) (what: string) (expected: Tensor) (actual: Tensor) =
    if expected.DType <> actual.DType || not (Shape.same expected.Shape actual.Shape) then
        failtest
            $"{what}: {actual.DType} {Shape.show actual.Shape}, by a loop {expected.DType} {Shape.show expected.Shape}"

    let allowed = if expected.DType.IsFloat() then tolerance else 0.0

    Array.iteri2
        (fun i (x: float) (y: float) ->
            let same = x = y || (Double.IsNaN x && Double.IsNaN y)

            if not same && not (abs (x - y) <= allowed * max 1.0 (max (abs x) (abs y))) then
                failtest $"{what}: element {i} is {y:R}, by a loop {x:R}\n{actual}\n{expected}")
        (Tensor.toFloats expected)
        (Tensor.toFloats actual)

/// The outcome of a batch against those of its examples. One refused example is enough for the batch to be refused.
let judge (tolerance: float) (what: string) (examples: Outcome[]) (batch: Outcome) =
    for outcome in examples do
        match outcome with
        | Refused e when not (isClear e) -> failtest $"{what}: one example alone ends in {e}"
        | Refused _
        | Given _ -> ()

    let refusals =
        examples
        |> Array.choose (function
            | Refused e -> Some e
            | Given _ -> None)

    let results =
        examples
        |> Array.choose (function
            | Given ys -> Some ys
            | Refused _ -> None)

    match batch with
    | Given ys when refusals.Length > 0 ->
        let shapes = ys |> Array.map (fun y -> Shape.show y.Shape) |> String.concat ", "
        failtest $"{what} gave {shapes}, where one example is refused: {refusals[0].Message}"
    | Refused e when refusals.Length = 0 -> failtest $"{what} was refused, where no example is: {e}"
    | Refused e ->
        if refusals |> Array.forall (fun r -> words r <> words e || r.GetType() <> e.GetType()) then
            failtest $"{what} was refused with\n{e}\nwhere one example is with\n{refusals[0]}"
    | Given ys ->
        Expect.equal ys.Length results[0].Length $"{what}: results"

        ys
        |> Array.iteri (fun i y ->
            agree tolerance $"{what}, result {i}" (results |> Array.map (fun r -> r[i]) |> stack 0) y)

/// A batch of no examples: results without elements, of the shapes that one example would give.
let judgeEmpty (what: string) (example: Outcome) (batch: Outcome) =
    match example, batch with
    | Given ys, Given empty ->
        Array.iter2
            (fun (y: Tensor) (none: Tensor) ->
                Expect.equal none.DType y.DType $"{what}: element type"
                Expect.equal (List.ofArray none.Shape) (0 :: List.ofArray y.Shape) $"{what}: shape of nothing")
            ys
            empty
    | Given _, Refused e -> failtest $"{what}: no examples are refused, where one is not: {e}"
    // what only its numbers make wrong is not wrong in none
    | Refused _, Given _ -> ()
    | Refused _, Refused e ->
        if not (isClear e) then
            failtest $"{what}: no examples end in {e}"
