namespace Functional.Levels

// Forward mode: a tangent beside each primal.

open System.Runtime.CompilerServices
open Functional
open Functional.Operations
open Functional.Rules

/// A value and its tangent.
[<Sealed>]
type Dual(level: Level, primal: Tensor, tangent: Tensor) =
    inherit Tensor(level, primal.Shape, primal.DType)
    member _.Primal = primal
    member _.Tangent = tangent

/// The level of forward mode. A tensor without a tangent is simply not lifted, so no symbolic zero is needed.
[<Sealed>]
type ForwardLevel() =
    inherit Level("jvp")

    member l.PrimalOf(a: Tensor) =
        if obj.ReferenceEquals(a.Level, l) then Unsafe.As<Dual>(a).Primal else a

    /// Null where the tensor does not depend on what is varied.
    member l.TangentOf(a: Tensor) =
        if obj.ReferenceEquals(a.Level, l) then Unsafe.As<Dual>(a).Tangent else null

    member private l.Lift(out: Tensor, tangent: Tensor) : Tensor =
        if isNull tangent then out else Dual(l, out, tangent)

    override l.Detach(_, a) = l.PrimalOf a

    override l.Process1(op, a) =
        l.Check()
        let x = l.PrimalOf a
        let out = Tensor.Bind(op, x)

        if not (out.DType.IsFloat()) then
            out
        else
            let m = Partial.partial op 0 x null null out

            if LinearMap.isZero m then out
            elif LinearMap.isExpand m then Partial.expand op a null null
            else l.Lift(out, Linear.apply m (l.TangentOf a) out.Shape)

    /// The sum of the inputs' contributions, or the operation expanded where one of them has no single linear map.
    member private l.Combine(op, a: Tensor, b: Tensor, c: Tensor, x: Tensor, y: Tensor, z: Tensor, out: Tensor) : Tensor =
        if not (out.DType.IsFloat()) then
            out
        else
            let mutable tangent: Tensor = null
            let mutable expand = false

            let contribute i (input: Tensor) =
                let t = if isNull input then null else l.TangentOf input

                if not (isNull t) && not expand then
                    let m = Partial.partial op i x y z out

                    if LinearMap.isExpand m then
                        expand <- true
                    elif not (LinearMap.isZero m) then
                        let v = Linear.apply m t out.Shape
                        tangent <- if isNull tangent then v else tangent + v

            contribute 0 a
            contribute 1 b
            contribute 2 c
            if expand then Partial.expand op a b c else l.Lift(out, tangent)

    override l.Process2(op, a, b) =
        l.Check()
        let x, y = l.PrimalOf a, l.PrimalOf b
        l.Combine(op, a, b, null, x, y, null, Tensor.Bind(op, x, y))

    override l.Process3(op, a, b, c) =
        l.Check()
        let x, y, z = l.PrimalOf a, l.PrimalOf b, l.PrimalOf c
        l.Combine(op, a, b, c, x, y, z, Tensor.Bind(op, x, y, z))

    override l.ProcessMany(op, inputs) =
        l.Check()
        let xs = Array.map l.PrimalOf inputs
        let ys = Tensor.Bind(op, xs)
        let ts = Many.tangents op xs ys (Array.map l.TangentOf inputs)

        Array.map2 (fun (y: Tensor) t -> if y.DType.IsFloat() then l.Lift(y, t) else y) ys ts
