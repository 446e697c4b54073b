namespace Functional.Levels

// Recording: the tape is a graph of linear maps. It is made of immutable nodes that hold no primal values but those a
// linear map needs, so what is not needed dies early.

open System.Collections.Generic
open System.Runtime.CompilerServices
open Functional
open Functional.Operations
open Functional.Rules
open System.Threading
open Functional.Kernels

/// How one value depends on at most two others. Adjoints are kept elsewhere, by Id, so that a tape can be swept many
/// times and from many threads.
[<AllowNullLiteral>]
type Node =
    val Id: int
    val Shape: int[]
    val DType: DType
    val P1: Node
    val M1: LinearMap
    val P2: Node
    val M2: LinearMap

    new(id, shape, dtype, p1, m1, p2, m2)= { Id = id; Shape = shape; DType = dtype; P1 = p1; M1 = m1; P2 = p2; M2 = m2 }

/// A node with a third input.
[<Sealed>]
type Node3(id, shape, dtype, p1, m1, p2, m2, p3: Node, m3: LinearMap) =
    inherit Node(id, shape, dtype, p1, m1, p2, m2)
    member _.P3 = p3
    member _.M3 = m3

/// Several results at once: cotangents arrive by slot and leave together.
[<AbstractClass>]
type ManyNode(id, parents: Node[], residuals: Tensor[], results: Spec[]) =
    inherit Node(id, Shape.scalar, DType.Float64, null, LinearMap.zero, null, LinearMap.zero)
    member _.Parents = parents
    member _.Residuals = residuals
    member _.Results = results
    /// Cotangents of the inputs; only the residuals passed in may be used. Null stands for zero on both sides.
    abstract Pull: residuals: Tensor[] * cotangents: Tensor[] -> Tensor[]

/// One result of a ManyNode.
[<Sealed>]
type Slot(id, shape, dtype, many: ManyNode, index: int) =
    inherit Node(id, shape, dtype, null, LinearMap.zero, null, LinearMap.zero)
    member _.Many = many
    member _.Index = index

/// A value on the tape.
[<Sealed>]
type Recorded(level: Level, primal: Tensor, node: Node) =
    inherit Tensor(level, primal.Shape, primal.DType)
    member _.Primal = primal
    member _.Node = node

/// The level of reverse mode. With `owns`, it keeps a list of the concrete values it made, for the caller to release.
[<Sealed>]
type RecordLevel(name: string, owns: bool, many: RecordLevel -> ManyOp -> Tensor[] -> Node[] -> Tensor[]) =
    inherit Level(name)

    let owned: List<Storage> = if owns then List() else null

    [<DefaultValue>]
    val mutable private count: int

    /// Storage of what this level made: reachable only through its tracers and its tape, which both end here.
    member _.Owned = owned
    member l.NextId() = Interlocked.Increment(&l.count) - 1

    /// Puts an input on the tape; integers and truth values take part as constants.
    member l.Input(x: Tensor) : Tensor =
        let id = l.NextId()

        if x.DType.IsFloat() then
            Recorded(l, x, Node(id, x.Shape, x.DType, null, LinearMap.zero, null, LinearMap.zero))
        else
            x

    member l.NodeOf(a: Tensor) : Node = if obj.ReferenceEquals(a.Level, l) then Unsafe.As<Recorded>(a).Node else null

    member l.PrimalOf(a: Tensor) : Tensor = if obj.ReferenceEquals(a.Level, l) then Unsafe.As<Recorded>(a).Primal else a

    /// Notes a value this level made. Where an outer level took part, that level may have kept the operands.
    member l.Own(out: Tensor, x: Tensor, y: Tensor) =
        if owns then
            if isNull out.Level then
                let storage = Unsafe.As<Concrete>(out).Storage

                if not (isNull storage) then
                    lock owned (fun () -> owned.Add storage)
            else
                RecordLevel.Expose x
                RecordLevel.Expose y

    /// A value that leaves bare, without its level, is never released.
    static member Expose(t: Tensor) =
        match t with
        | :? Concrete as c when not (isNull c.Storage) -> c.Storage.Expose()
        | _ -> ()

    member private l.Constant(out: Tensor) =
        RecordLevel.Expose out
        out

    override l.Detach(_, a) =
        let x = l.PrimalOf a
        RecordLevel.Expose x
        x

    override l.Process1(op, a) =
        l.Check()
        let x = l.PrimalOf a
        let out = Tensor.Bind(op, x)

        if not (out.DType.IsFloat()) then
            out
        else
            let m = Partial.partial op 0 x null null out

            if LinearMap.isZero m then
                l.Constant out
            elif LinearMap.isExpand m then
                Partial.expand op a null null
            else
                l.Own(out, x, null)
                Recorded(l, out, Node(l.NextId(), out.Shape, out.DType, l.NodeOf a, m, null, LinearMap.zero))

    override l.Process2(op, a, b) =
        l.Check()
        let x, y = l.PrimalOf a, l.PrimalOf b
        let out = Tensor.Bind(op, x, y)

        if not (out.DType.IsFloat()) then
            out
        else
            let na, nb = l.NodeOf a, l.NodeOf b
            let ma = if isNull na then LinearMap.zero else Partial.partial op 0 x y null out
            let mb = if isNull nb then LinearMap.zero else Partial.partial op 1 x y null out

            if LinearMap.isExpand ma || LinearMap.isExpand mb then
                Partial.expand op a b null
            else
                let na = if LinearMap.isZero ma then null else na
                let nb = if LinearMap.isZero mb then null else nb

                if isNull na && isNull nb then
                    l.Constant out
                else
                    l.Own(out, x, y)
                    Recorded(l, out, Node(l.NextId(), out.Shape, out.DType, na, ma, nb, mb))

    override l.Process3(op, a, b, c) =
        l.Check()
        let x, y, z = l.PrimalOf a, l.PrimalOf b, l.PrimalOf c
        let out = Tensor.Bind(op, x, y, z)

        if not (out.DType.IsFloat()) then
            out
        else
            let edge i (t: Tensor) =
                let n = l.NodeOf t

                if isNull n then
                    struct (null, LinearMap.zero)
                else
                    let m = Partial.partial op i x y z out
                    struct ((if LinearMap.isZero m then null else n), m)

            let struct (na, ma) = edge 0 a
            let struct (nb, mb) = edge 1 b
            let struct (nc, mc) = edge 2 c

            if isNull na && isNull nb && isNull nc then
                l.Constant out
            else
                l.Own(out, x, y)

                if not (isNull out.Level) then
                    RecordLevel.Expose z

                Recorded(l, out, Node3(l.NextId(), out.Shape, out.DType, na, ma, nb, mb, nc, mc))

    /// Puts several results on the tape as one node; the float ones can be differentiated.
    member l.Many(outs: Tensor[], make: int -> ManyNode) : Tensor[] =
        let node = make (l.NextId())

        outs
        |> Array.mapi (fun i out ->
            if out.DType.IsFloat() then
                Recorded(l, out, Slot(l.NextId(), out.Shape, out.DType, node, i)) :> Tensor
            else
                out)

    override l.ProcessMany(op, inputs) =
        l.Check()
        let primals = Array.map l.PrimalOf inputs
        Array.iter RecordLevel.Expose primals
        many l op primals (Array.map l.NodeOf inputs)
