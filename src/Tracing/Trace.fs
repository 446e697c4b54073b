namespace Functional.Tracing

// Staging: an abstract value in a graph. Equal operations on equal values are one value, so common subexpressions are
// eliminated as the graph is made.

open System.Collections.Generic
open System.Runtime.CompilerServices
open Functional
open Functional.Kernels
open Functional.Operations

/// A value that is not there yet: a number in a graph.
[<Sealed>]
type Staged(level: Level, id: int, spec: Spec) =
    inherit Tensor(level, spec.Shape, spec.DType)
    member _.Id = id

/// A number was asked for that a trace does not have yet.
[<Sealed>]
type internal NoValueException(level: Level, message: string) =
    inherit System.InvalidOperationException(message)
    member _.Level = level

/// An operation on numbered values, as a key.
[<Struct; CustomEquality; NoComparison>]
type private Key =
    val Op: Op
    val A: int
    val B: int
    val C: int

    new(op, a, b, c) = { Op = op; A = a; B = b; C = c }

    override k.GetHashCode() = ((k.Op.GetHashCode() * 31 + k.A) * 31 + k.B) * 31 + k.C

    override k.Equals other =
        match other with
        | :? Key as j -> (k :> System.IEquatable<Key>).Equals j
        | _ -> false

    interface System.IEquatable<Key> with
        member k.Equals j = k.A = j.A && k.B = j.B && k.C = j.C && (obj.ReferenceEquals(k.Op, j.Op) || k.Op.Equals j.Op)

/// The level of compile. Arrays that the function closes over are constants of its graph, or, where they are lifted,
/// further inputs: then the graph depends on what the function does, not on the numbers it does it with.
[<Sealed>]
type TraceLevel(inputs: Spec[], lifts: bool) as level =
    inherit Level("compile")
    let instructions = List<Instruction>()
    let specs = List<Spec>()
    let seen = Dictionary<Key, Staged>()
    let arrays = Dictionary<obj, int>(HashIdentity.Reference)
    let numbers = Dictionary<struct (int64 * DType), int>()
    let captured = List<Tensor>()
    let places = Dictionary<Tensor, int>(HashIdentity.Reference)

    let take (spec: Spec) =
        specs.Add spec
        specs.Count - 1

    let staged = inputs |> Array.map (fun spec -> Staged(level, take spec, spec) :> Tensor)

    let constant (value: NDArray) =
        instructions.Add(Constant value)
        take { Shape = value.Shape; DType = value.DType }

    let specAt (t: Tensor) = if isNull t then Unchecked.defaultof<Spec> else Tensor.specOf t

    /// The graph's inputs, without the captured ones.
    member _.Inputs = staged
    /// The tensors of outer levels that the function closes over, in the order in which they were met.
    member _.Captured = captured.ToArray()

    /// The number of a value; constants get one when first met, and tensors of outer levels −2, −3 … until the graph is
    /// done and it is known how many there are.
    member _.IdOf(t: Tensor) : int =
        match t with
        | null -> -1
        | :? Staged as s when obj.ReferenceEquals(s.Level, level) -> s.Id
        | :? Concrete as c when isNull c.Storage ->
            let key = struct (c.Bits, c.DType)

            match numbers.TryGetValue key with
            | true, id -> id
            | _ ->
                let id = constant c.Value
                numbers[key] <- id
                id
        | :? Concrete as c when not lifts ->
            match arrays.TryGetValue c.Storage with
            | true, id when Shape.same specs[id].Shape c.Shape -> id
            | _ ->
                // the graph keeps the array; no transformation may take it back
                c.Storage.Expose()
                let id = constant c.Value
                arrays[c.Storage] <- id
                id
        | outer ->
            match places.TryGetValue outer with
            | true, id -> id
            | _ ->
                captured.Add outer
                let id = -1 - captured.Count
                places[outer] <- id
                id

    member private _.Emit(op: Op, a: Tensor, b: Tensor, c: Tensor) : Tensor =
        level.Check()
        let key = Key(op, level.IdOf a, level.IdOf b, level.IdOf c)

        match seen.TryGetValue key with
        | true, s -> s
        | _ ->
            let spec = Shapes.infer op (specAt a) (specAt b) (specAt c)
            instructions.Add(Apply(op, key.A, key.B, key.C))
            let s = Staged(level, take spec, spec)
            seen[key] <- s
            s

    /// What a value is, in words: for errors.
    member private _.Describe(t: Tensor) =
        let id = level.IdOf t
        let mutable next = inputs.Length

        let maker =
            instructions
            |> Seq.tryFind (fun instruction ->
                next <- next + Graphs.results instruction
                id >= inputs.Length && id < next)

        let what =
            match maker with
            | Some(Apply(op, _, _, _)) -> $"the result of {Facts.name op}"
            | Some(ApplyMany(Scan _, _, _)) -> "a result of scan"
            | Some(ApplyMany _)
            | Some(Constant _) -> "a result"
            | None -> "an argument"

        $"{what} ({t.DType} {Shape.show t.Shape})"

    override _.Detach(operation, t) =
        let message =
            $"{operation}: under compile {level.Describe t} has no value yet, so host `if` and `while` cannot depend on it; use where, cond, whileLoop or scan, or make the value a static setting of the parameters{UserCode.place ()}"

        raise (NoValueException(level, message))

    override _.Process1(op, a) = level.Emit(op, a, null, null)
    override _.Process2(op, a, b) = level.Emit(op, a, b, null)
    override _.Process3(op, a, b, c) = level.Emit(op, a, b, c)

    override _.ProcessMany(op, inputs) =
        level.Check()
        let arguments = Array.map level.IdOf inputs
        let outs = Shapes.inferMany op (Array.map Tensor.specOf inputs)
        instructions.Add(ApplyMany(op, arguments, outs.Length))
        outs |> Array.map (fun spec -> Staged(level, take spec, spec) :> Tensor)

    /// What the outputs need, renumbered; the captured tensors are the first inputs.
    member _.Graph(outputs: int[]) : Graph =
        let number i =
            if i >= 0 then i + captured.Count
            elif i = -1 then -1
            else -2 - i

        let renumber instruction =
            match instruction with
            | Constant _ -> instruction
            | Apply(op, a, b, c) -> Apply(op, number a, number b, number c)
            | ApplyMany(op, arguments, results) -> ApplyMany(op, Array.map number arguments, results)

        let specs = Array.append (captured.ToArray() |> Array.map Tensor.specOf) (specs.ToArray())
        let instructions = instructions.ToArray() |> Array.map renumber
        Graphs.live (Graph(captured.Count + staged.Length, instructions, specs, Array.map number outputs))

/// Functions as graphs.
[<RequireQualifiedAccess>]
module Trace =

    let private traceAt (level: TraceLevel) (f: Tensor[] -> Tensor[]) : Graph * Tensor[] =
        let outs =
            try
                f level.Inputs |> Array.map level.IdOf
            finally
                level.Close()

        level.Graph outs, level.Captured

    /// The graph of a function of leaves, and the tensors of outer levels it closes over, which are the first inputs.
    let closed (inputs: Spec[]) (f: Tensor[] -> Tensor[]) : Graph * Tensor[] = traceAt (TraceLevel(inputs, false)) f

    /// The same; arrays that the function closes over are among them.
    let lifted (inputs: Spec[]) (f: Tensor[] -> Tensor[]) : Graph * Tensor[] = traceAt (TraceLevel(inputs, true)) f

    /// The graph of a function that closes over nothing of an outer level.
    let graph (inputs: Spec[]) (f: Tensor[] -> Tensor[]) : Graph =
        match closed inputs f with
        | g, [||] -> g
        | _, captured -> invalidOp $"internal: the function closes over a tensor of {captured[0].Level.Name}"

    /// What a function makes of inputs that have no values: its tensors have shapes and element types alone. Nothing is
    /// computed, and no memory taken for them.
    let outline (inputs: Spec[]) (f: Tensor[] -> 'T) : 'T =
        let level = TraceLevel(inputs, false)

        try
            f level.Inputs
        finally
            level.Close()

    /// The graph of a function of leaves with what it closes over; nothing where the function reads numbers to decide what
    /// to do, and so is no graph.
    let tryClosed (inputs: Spec[]) (f: Tensor[] -> Tensor[]) : (Graph * Tensor[]) voption =
        let level = TraceLevel(inputs, false)

        try
            ValueSome(traceAt level f)
        with :? NoValueException as e when obj.ReferenceEquals(e.Level, level) ->
            ValueNone

    /// Runs a graph on tensors at any level, operation by operation.
    let replay (g: Graph) (inputs: Tensor[]) : Tensor[] =
        let values = Array.zeroCreate<Tensor> g.Specs.Length
        System.Array.Copy(inputs, values, inputs.Length)
        let mutable next = g.Inputs

        for instruction in g.Instructions do
            match instruction with
            | Constant c ->
                values[next] <- Concrete c
                next <- next + 1
            | Apply(op, a, b, c) ->
                values[next] <-
                    if b < 0 then Tensor.Bind(op, values[a])
                    elif c < 0 then Tensor.Bind(op, values[a], values[b])
                    else Tensor.Bind(op, values[a], values[b], values[c])

                next <- next + 1
            | ApplyMany(op, arguments, results) ->
                let ys = Tensor.Bind(op, arguments |> Array.map (fun i -> values[i]))
                System.Array.Copy(ys, 0, values, next, results)
                next <- next + results

        g.Outputs |> Array.map (fun i -> values[i])

    /// Graphs with what each closes over before its own inputs, over one list of all that any of them closes over.
    let together (graphs: (Graph * Tensor[])[]) : Graph[] * Tensor[] =
        let captured = List<Tensor>()
        let places = Dictionary<Tensor, int>(HashIdentity.Reference)

        for _, own in graphs do
            for t in own do
                if places.TryAdd(t, captured.Count) then
                    captured.Add t

        let captured = captured.ToArray()

        let widen (g: Graph, own: Tensor[]) =
            let specs = Array.append (Array.map Tensor.specOf captured) g.InputSpecs[own.Length ..]

            graph specs (fun v ->
                replay g (Array.append (own |> Array.map (fun t -> v[places[t]])) (Array.skip captured.Length v)))

        Array.map widen graphs, captured
