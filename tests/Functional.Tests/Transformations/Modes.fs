/// The derivative of a number with respect to a number or a vector, by one mode or the other: what tests of nesting mix.
module Functional.Tests.Transformations.Modes

open Functional

type Mode =
    | Forward
    | Reverse

let modes = [ Forward; Reverse ]
let pairs = List.allPairs modes modes

/// The derivative of a function of a single number that returns one.
let derivative (mode: Mode) (f: Tensor -> Tensor) (x: Tensor) : Tensor =
    match mode with
    | Forward -> snd (jvp f x (Tensor.onesLike x))
    | Reverse -> grad f x

/// The gradient of a function of a vector that returns a single number.
let gradient (mode: Mode) (f: Tensor -> Tensor) (x: Tensor) : Tensor =
    match mode with
    | Forward -> jacobianForward f x
    | Reverse -> grad f x

/// A tensor's number, whatever transformation it takes part in.
let number (t: Tensor) = Tensor.toFloat (Tensor.detach t)

let numbers (t: Tensor) = Tensor.toFloats (Tensor.detach t)
