namespace Functional.Compiling

// What a trace depends on.

open System
open Functional
open Functional.Operations

/// Shapes and types of the tensors in an argument, and everything static in it: arguments of one kind share a program.
[<Struct; CustomEquality; NoComparison>]
type internal Signature =
    val Specs: Spec[]
    val Statics: obj[]

    new(specs, statics) = { Specs = specs; Statics = statics }

    static member inline private SameSpec(a: Spec, b: Spec) = a.DType = b.DType && Shape.same a.Shape b.Shape

    override k.GetHashCode() =
        let mutable h = HashCode()

        for s in k.Specs do
            h.Add(int s.DType)

            for d in s.Shape do
                h.Add d

        for s in k.Statics do
            h.Add s

        h.ToHashCode()

    override k.Equals other =
        match other with
        | :? Signature as j ->
            k.Specs.Length = j.Specs.Length
            && k.Statics.Length = j.Statics.Length
            && Array.forall2 (fun a b -> Signature.SameSpec(a, b)) k.Specs j.Specs
            && Array.forall2 (fun (a: obj) (b: obj) -> Object.Equals(a, b)) k.Statics j.Statics
        | _ -> false
