/// Numbers held against numbers worked out by hand, and gradients against central differences.
module Functional.Tests.Layers.Close

open System
open Expecto
open Functional

/// The numbers of a tensor are these, to a tolerance relative to 1 and to the number.
let expectClose (tolerance: float) (expected: float seq) (actual: Tensor) (name: string) =
    let expected, actual = Array.ofSeq expected, Tensor.toFloats actual
    Expect.equal actual.Length expected.Length $"{name}: how many numbers"

    Array.iteri2
        (fun i (e: float) (a: float) ->
            if not (abs (a - e) <= tolerance * max 1.0 (abs e)) then
                failtest $"{name}: at {i} it is {a:R}, should be {e:R}")
        expected
        actual

/// The one number of a tensor.
let expectNumber tolerance (expected: float) (actual: Tensor) name = expectClose tolerance [ expected ] actual name

/// The gradient of a function of one Float64 tensor, by central differences at every element.
let differences (f: Tensor -> Tensor) (x: Tensor) : float[] =
    let at = Tensor.toFloats x

    Array.init at.Length (fun i ->
        let h = 1e-5 * max 1.0 (abs at[i])
        let value d = Tensor.toFloat (f (Tensor.create x.Shape (Array.updateAt i (at[i] + d) at)))
        (value h - value -h) / (2.0 * h))

/// The gradient is what central differences say.
let expectGradient (f: Tensor -> Tensor) (x: Tensor) name =
    expectClose 1e-7 (differences f x) (grad f x) $"gradient of {name}"

/// The call is refused with a message that holds all these parts.
let expectRefused (parts: string list) (call: unit -> 'T) =
    match
        (try
            call () |> ignore
            None
         with :? ArgumentException as e ->
             Some e.Message)
    with
    | None -> failtest $"should have been refused with: %A{parts}"
    | Some message ->
        for part in parts do
            Expect.stringContains message part "what the error says"

/// Float64 numbers of a shape, the same every time, away from 0 and from each other.
let numbers (seed: int) (shape: int list) : Tensor =
    let random = Random seed
    Tensor.create shape (Array.init (List.fold (*) 1 shape) (fun _ -> random.NextDouble() * 3.0 - 1.4))

/// The gradient of a function of Float64 tensors is right in every one of them: against differences, forward mode against
/// reverse mode, the derivative of the gradient against its differences, and compiled against eager.
let expectJudged (f: 'P -> Tensor) (given: 'P) (name: string) =
    let check = Check.gradient f given

    if not check.Passed then
        failtest $"{name}: {check}"

    let eager = Tree.leaves (grad f given)
    let planned = Tree.leaves ((compiled (grad f)).Invoke given)

    for i in 0 .. eager.Length - 1 do
        expectClose 1e-12 (Tensor.toFloats eager[i]) planned[i] $"{name}: compiled gradient of {(Tree.paths given)[i]}"

    let isVaried (t: Tensor) = t.DType = DType.Float64

    let along =
        given |> Tree.map (fun t -> if isVaried t then numbers (1 + t.Size) (List.ofArray t.Shape) else t)

    let moved h = Tree.map2 (fun (t: Tensor) v -> if isVaried t then t + h * v else t) given along
    let second = Tree.leaves (hvp f given along)
    let above, below = Tree.leaves (grad f (moved 1e-5)), Tree.leaves (grad f (moved -1e-5))

    for i in 0 .. second.Length - 1 do
        if isVaried eager[i] then
            let expected = (above[i] - below[i]) * (1.0 / 2e-5)
            expectClose 1e-6 (Tensor.toFloats expected) second[i] $"{name}: second order of {(Tree.paths given)[i]}"

/// A sum of a tensor's numbers with different weights, so that each of them counts.
let weigh (y: Tensor) = inner y (cast y.DType (numbers 5 (List.ofArray y.Shape)))
