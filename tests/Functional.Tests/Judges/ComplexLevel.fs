/// A transformation of the tests' own: tensors whose elements are complex numbers, computed by the naive definitions.
/// With it the complex step applies to anything made of tensors, gradients included: `f (x + i·h·v)` has `J·v` in its
/// imaginary part.
module Functional.Tests.Judges.ComplexLevel

open System
open System.Numerics
open Functional
open Functional.Kernels
open Functional.Operations
open Functional.Levels
open Functional.Tracing
open Functional.Rules
open Functional.Tests.Judges.ComplexArrays

/// A tensor of complex numbers.
[<Sealed>]
type ComplexTensor(level: Level, value: ComplexArray, dtype: DType) =
    inherit Tensor(level, value.Shape, dtype)
    member _.Value = value

let private realTensor (dtype: DType) (x: ComplexArray) : Tensor =
    let values = x.Data |> Array.map (fun z -> z.Real)

    match dtype with
    | DType.Float64 -> Tensor.create x.Shape values
    | DType.Float32 -> Tensor.create x.Shape (Array.map float32 values)
    | DType.Int32 -> Tensor.create x.Shape (Array.map int values)
    | DType.Int64 -> Tensor.create x.Shape (Array.map int64 values)
    | DType.Bool -> Tensor.create x.Shape (Array.map (fun v -> v <> 0.0) values)

let ofConcrete (t: Tensor) : ComplexArray = {
    Shape = t.Shape
    Data = Tensor.toFloats t |> Array.map (fun v -> Complex(v, 0.0))
}

/// The level of complex numbers.
[<Sealed>]
type ComplexLevel() =
    inherit Level("complex step")

    member l.ValueOf(t: Tensor) =
        match t with
        | :? ComplexTensor as c when obj.ReferenceEquals(c.Level, l) -> c.Value
        | _ -> ofConcrete t

    /// Integers and truth values are decided by the real parts and have no imaginary ones.
    member l.Wrap(dtype: DType, value: ComplexArray) : Tensor =
        if dtype.IsFloat() then
            ComplexTensor(l, value, dtype)
        else
            realTensor dtype value

    member private l.Process(op, inputs: Tensor[]) =
        l.Check()

        let at i =
            if i < inputs.Length then
                ({ Shape = inputs[i].Shape; DType = inputs[i].DType }: Spec)
            else
                Unchecked.defaultof<_>

        let dtype = (Shapes.infer op (at 0) (at 1) (at 2)).DType
        l.Wrap(dtype, ComplexVocabulary.evaluate op (Array.map l.ValueOf inputs))

    override l.Process1(op, a) = l.Process(op, [| a |])
    override l.Process2(op, a, b) = l.Process(op, [| a; b |])
    override l.Process3(op, a, b, c) = l.Process(op, [| a; b; c |])

    override l.ProcessMany(op, inputs) =
        l.Check()
        let xs = Array.map l.ValueOf inputs

        match op with
        | Concat axis ->
            let offsets = xs |> Array.scan (fun n x -> n + x.Shape[axis]) 0
            let shape = Array.updateAt axis (Array.last offsets) xs[0].Shape

            let piece (place: int[]) =
                let k = Array.FindLastIndex(offsets, (fun n -> n <= place[axis]))
                let k = if k = xs.Length then k - 1 else k
                at xs[k] (Array.updateAt axis (place[axis] - offsets[k]) place)

            [| l.Wrap(inputs[0].DType, build shape piece) |]
        | Split(axis, sizes) ->
            let offsets = Array.scan (+) 0 sizes

            sizes
            |> Array.mapi (fun k size ->
                let shape = Array.updateAt axis size xs[0].Shape
                let piece = build shape (fun p -> at xs[0] (Array.updateAt axis (p[axis] + offsets[k]) p))
                l.Wrap(inputs[0].DType, piece))
        | Linear(op, onFailure) ->
            let real = inputs |> Array.mapi (fun i t -> realTensor t.DType xs[i])
            let reference = Tensor.Bind(ManyOp.Linear(op, onFailure), real) |> Array.map ofConcrete
            ComplexMatrices.evaluate op xs reference |> Array.map (fun y -> l.Wrap(inputs[0].DType, y))
        | Scan s ->
            let constants, rest = Array.splitAt s.Constants inputs
            let start, moving = Array.splitAt s.Carry rest
            let mutable carry = start
            let found = Array.zeroCreate<Tensor[]> s.Length

            for k in 0 .. s.Length - 1 do
                let place = if s.FromEnd then s.Length - 1 - k else k
                let outs = Trace.replay s.Body (Array.concat [ constants; carry; moving |> Array.map (index 0 place) ])
                carry <- Array.take s.Carry outs
                found[place] <- Array.skip s.Carry outs

            let specs = Array.skip s.Carry s.Body.OutputSpecs

            let together i (spec: Spec) =
                if s.Length = 0 then
                    Tensor.full spec.DType (Array.append [| 0 |] spec.Shape) 0.0
                else
                    stack 0 (found |> Array.map (Array.item i))

            Array.append carry (Array.mapi together specs)
        | Cond(whenTrue, whenFalse) ->
            Trace.replay (if xs[0].Data[0] <> Complex.Zero then whenTrue else whenFalse) (Array.skip 1 inputs)
        | While w ->
            let constants, start = Array.splitAt w.Constants inputs
            let mutable carry = start

            while Trace.replay w.Condition (Array.append constants carry)
                  |> Array.head
                  |> Tensor.detach
                  |> Tensor.toBool do
                carry <- Trace.replay w.Body (Array.append constants carry)

            carry
        | Call p -> Trace.replay p.Graph inputs
        | Custom rule ->
            match rule with
            | :? CustomRule as r -> r.Apply inputs
            | _ -> invalidOp $"{rule.Name} is not made of the vocabulary"

    /// Control flow follows the real part.
    override l.Detach(_, t) = realTensor t.DType (l.ValueOf t)

let private step = 1e-20

/// The values of f at xs, and its derivative in the direction vs, by the complex step. Integer inputs have no direction.
let derivative (f: Tensor[] -> Tensor[]) (xs: Tensor[]) (vs: Tensor[]) : ComplexArray[] * float[][] =
    let level = ComplexLevel()

    let moved =
        Array.map2
            (fun (x: Tensor) (v: Tensor) ->
                if x.DType.IsFloat() then
                    let x', v' = ofConcrete x, Tensor.toFloats v
                    let data = Array.map2 (fun (z: Complex) (d: float) -> Complex(z.Real, step * d)) x'.Data v'
                    ComplexTensor(level, { x' with Data = data }, x.DType) :> Tensor
                else
                    x)
            xs
            vs

    let ys = f moved |> Array.map level.ValueOf
    level.Close()
    ys, ys |> Array.map (fun y -> y.Data |> Array.map (fun z -> z.Imaginary / step))
