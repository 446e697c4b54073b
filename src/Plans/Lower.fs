namespace Functional.Plans

// How every kernel of a schedule is run: the C# kernel that does it, bound to places in the plan's table of arrays.

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

/// One kernel, bound to places in the plan's table of arrays.
[<AbstractClass>]
type internal Step(name: string) =
    member _.Name = name
    abstract Run: values: NDArray[] -> unit
    /// Memory of the step's own.
    abstract Bytes: int64
    default _.Bytes = 0L

[<RequireQualifiedAccess>]
module internal Lower =

    let private step name (run: NDArray[] -> unit) = {
        new Step(name) with
            member _.Run values = run values
    }

    /// The operation of a fused run: its loop, the loop's function, the factor of AddScaled.
    let private fusedStep (op: Op) a b c y =
        match Facts.fusion op with
        | Facts.Fusion.Elementwise(kind, number, factor) -> FusedStep(kind, number, a, b, c, y, factor)
        | Facts.Fusion.Product -> FusedStep(FusedKind.Outer, 0, a, b, c, y, 0.0)
        | Facts.Fusion.Apart -> invalidOp $"internal: {Facts.name op} is not elementwise"

    let private nameOf (g: Graph) (kernel: Kernel) =
        kernel.Instructions
        |> Array.truncate 8
        |> Array.map (fun k ->
            match g.Instructions[k] with
            | Apply(op, _, _, _) -> Facts.name op
            | Constant _
            | ApplyMany _ -> "")
        |> String.concat " "

    /// A kernel on single numbers: straight-line code.
    let scalars (g: Graph) (schedule: Schedule) (layout: Memory.Layout) (kernel: Kernel) : Step =
        let slots = Dictionary<int, int>()
        let types = List<DType>()
        let inputs, outputs = List<struct (int * int)>(), List<struct (int * int)>()

        let slot v =
            match slots.TryGetValue v with
            | true, s -> s
            | _ ->
                let s = types.Count
                types.Add g.Specs[v].DType
                slots[v] <- s
                s

        let steps =
            kernel.Instructions
            |> Array.map (fun k ->
                match g.Instructions[k] with
                | Apply(op, a, b, c) ->
                    let at v =
                        if v < 0 then
                            -1
                        else
                            let root = schedule.Root[v]

                            if not (slots.ContainsKey root) then
                                inputs.Add(struct (slot root, root))

                            slot root

                    let a, b, c = at a, at b, at c
                    let y = schedule.Firsts[k]
                    let target = slot y

                    match layout.Places[y] with
                    | Memory.Place.Nowhere -> ()
                    | Memory.Place.Outside
                    | Memory.Place.Constant
                    | Memory.Place.Arena _ -> outputs.Add(struct (target, y))

                    fusedStep op a b c target
                | Constant _
                | ApplyMany _ -> invalidOp "internal: not an elementwise instruction")

        let program = ScalarProgram(steps, types.ToArray(), inputs.ToArray(), outputs.ToArray())
        step (nameOf g kernel) program.Run

    /// An elementwise kernel of several operations, and of sums, block by block.
    let fused (g: Graph) (schedule: Schedule) (layout: Memory.Layout) (kernel: Kernel) : Step =
        let firsts = schedule.Firsts
        let result = g.Specs[firsts[kernel.Body[0]]].Shape
        let places = List<FusedPlace>()
        let numbers = Dictionary<int, int>()
        let mutable columns = None

        let inMemory v =
            match layout.Places[schedule.Root[v]] with
            | Memory.Place.Nowhere -> false
            | Memory.Place.Outside
            | Memory.Place.Constant
            | Memory.Place.Arena _ -> true

        // registers are reused once the last operation that reads them is done
        let lastUse = Dictionary<int, int>()

        Array.append kernel.Body (Array.collect BlockSum.instructions kernel.After)
        |> Array.iteri (fun i k ->
            for v in Graphs.arguments g.Instructions[k] do
                lastUse[v] <- i)

        let free = Stack<int>()
        let mutable registers = 0

        let place (mode: FusedMode) index dtype =
            places.Add(FusedPlace(mode, index, dtype))
            places.Count - 1

        /// A value of the result's shape, in memory.
        let whole v =
            match schedule.Windows[v] with
            | ValueSome window ->
                columns <- Some(Array.last result)

                places.Add(
                    FusedPlace(FusedMode.Window, schedule.Root[v], g.Specs[v].DType, window.Offset, window.Width)
                )

                places.Count - 1
            | ValueNone -> place FusedMode.Full schedule.Root[v] g.Specs[v].DType

        let operand v =
            match numbers.TryGetValue v with
            | true, n -> n
            | _ ->
                let spread mode = place mode schedule.Root[v] g.Specs[v].DType

                let n =
                    match Alignment.between g.Specs[v].Shape result with
                    | Alignment.Full -> whole v
                    | Alignment.Scalar -> spread FusedMode.Scalar
                    | Alignment.Row n ->
                        columns <- Some n
                        spread FusedMode.Row
                    | Alignment.Column n ->
                        columns <- Some n
                        spread FusedMode.Column
                    | Alignment.Other -> invalidOp "internal: an operand that is not aligned was fused"

                numbers[v] <- n
                n

        let steps = List<FusedStep>()

        kernel.Body
        |> Array.iteri (fun i k ->
            let y = firsts[k]

            match g.Instructions[k] with
            | Apply(op, a, b, c) ->
                let at v = if v < 0 then -1 else operand v
                let a', b', c' = at a, at b, at c

                // a result may take its operand's register where the elements are equally long
                let fades sameSize =
                    for v in Graphs.arguments g.Instructions[k] |> Array.distinct do
                        let p = places[numbers[v]]

                        if
                            lastUse[v] = i
                            && p.Mode = FusedMode.Register
                            && (p.Type.Size() = g.Specs[y].DType.Size()) = sameSize
                        then
                            free.Push p.Index

                fades true

                let target =
                    if inMemory y then
                        whole y
                    else
                        let r =
                            if free.Count > 0 then
                                free.Pop()
                            else
                                registers <- registers + 1
                                registers - 1

                        place FusedMode.Register r g.Specs[y].DType

                fades false
                numbers[y] <- target

                steps.Add(fusedStep op a' b' c' target)
            | Constant _
            | ApplyMany _ -> invalidOp "internal: not an elementwise instruction")

        let summed (sum: BlockSum) =
            let spread mode v = if v < 0 then -1 else place mode schedule.Root[v] g.Specs[v].DType

            /// Elements of the run, under whatever shape.
            let elements v =
                match numbers.TryGetValue v with
                | true, n -> n
                | _ -> spread FusedMode.Full v

            columns <- Option.orElse sum.Columns columns

            let factor =
                match sum.Over with
                | FusedSumKind.Weighted -> spread FusedMode.Column sum.Factor
                | FusedSumKind.Dots -> spread FusedMode.Row sum.Factor
                | _ -> elements sum.Factor

            let made =
                BlockSum.result firsts sum
                |> spread (if sum.Over = FusedSumKind.Dots then FusedMode.Column else FusedMode.Scalar)

            FusedSum(sum.Over, elements sum.Terms, factor, spread FusedMode.Scalar sum.Onto, sum.Scale, made)

        let before, after = Array.map summed kernel.Before, Array.map summed kernel.After
        let size = Shape.size result
        let columns = defaultArg columns (max 1 size)

        let loop =
            FusedLoop(size / max 1 columns, columns, registers, places.ToArray(), steps.ToArray(), before, after)

        step (nameOf g kernel) loop.Run

    /// One instruction by its kernel. `packed` is a copy of a product's right factor, or null.
    let single (g: Graph) (firsts: int[]) (k: int) (packed: PackedMatrix) : Step =
        let y = firsts[k]

        match g.Instructions[k] with
        | Constant _
        | ApplyMany _ -> invalidOp "internal: not an operation of one result"
        | Apply(op, a, b, c) ->
            let name = Facts.name op
            let shape v = if v < 0 then [||] else g.Specs[v].Shape

            Perform.operation
                op
                (shape a)
                (shape b)
                (shape y)
                packed
                (fun (v: NDArray[]) -> v[a])
                (fun v -> v[b])
                (fun v -> v[c])
                (fun v -> v[y])
                (fun run -> step name run)

    /// What is put together of columns some of which lie in place already: the others are copied there.
    let private gathered (g: Graph) (schedule: Schedule) (parts: int[]) (y: int) : Step =
        let shape = g.Specs[y].Shape
        let width = Array.last shape
        let offsets = parts |> Array.scan (fun at v -> at + Array.last g.Specs[v].Shape) 0
        let dtype = g.Specs[y].DType

        let copies = [|
            for i in 0 .. parts.Length - 1 do
                let v = parts[i]
                let columns = Array.last g.Specs[v].Shape

                let inPlace = schedule.Windows[v].IsSome && schedule.Root[v] = y

                if not inPlace && columns > 0 then
                    FusedLoop(
                        Shape.size shape / width,
                        columns,
                        0,
                        [|
                            match schedule.Windows[v] with
                            | ValueSome from ->
                                FusedPlace(FusedMode.Window, schedule.Root[v], dtype, from.Offset, from.Width)
                            | ValueNone -> FusedPlace(FusedMode.Full, schedule.Root[v], dtype)

                            FusedPlace(FusedMode.Window, y, dtype, offsets[i], width)
                        |],
                        [| FusedStep(FusedKind.Cast, 0, 0, -1, -1, 1, 0.0) |],
                        [||],
                        [||]
                    )
        |]

        step (if copies.Length = 0 then "concat in place" else "concat") (fun v ->
            for copy in copies do
                copy.Run v)

    /// A matrix product and what is added to it. `packed` is a copy of its right factor, or null.
    let product (g: Graph) (schedule: Schedule) (kernel: Kernel) (packed: PackedMatrix) : Step =
        let firsts = schedule.Firsts
        let k = kernel.Instructions[0]

        let made v = if v = firsts[k] then ValueSome g.Instructions[k] else ValueNone

        // the schedule has seen that the product is read nowhere else
        match g.Instructions[k], Products.sum g (fun _ -> true) made kernel.Instructions[1] with
        | Apply(MatMul(ta, tb), a, b, _), ValueSome sum ->
            let onto, y = schedule.Root[sum.Onto], firsts[kernel.Instructions[1]]
            step (nameOf g kernel) (fun v -> MatMul.RunOnto(ta, tb, v[a], v[b], v[onto], sum.Scale, v[y], packed))
        | (Apply _ | ApplyMany _ | Constant _), _ -> invalidOp "internal: not a product and a sum"

    let private evaluated (f: NDArray[] -> NDArray[]) (arguments: int[]) (made: int[]) =
        step "evaluate" (fun v ->
            let ys = f (arguments |> Array.map (fun i -> v[i].Settle()))

            for i in 0 .. made.Length - 1 do
                Elementwise.Cast(ys[i], v[made[i]]))

    /// An operation of many inputs or results that holds no graph.
    let many (g: Graph) (schedule: Schedule) (op: ManyOp) (arguments: int[]) (made: int[]) : Step =
        match op with
        | Concat _ when arguments |> Array.exists (fun v -> schedule.Windows[v].IsSome) ->
            gathered g schedule arguments made[0]
        | Concat axis ->
            let xs = Array.zeroCreate<NDArray> arguments.Length

            step "concat" (fun v ->
                for i in 0 .. xs.Length - 1 do
                    xs[i] <- v[arguments[i]]

                Layout.Concat(xs, axis, v[made[0]]))
        | Split(axis, _) ->
            let ys = Array.zeroCreate<NDArray> made.Length

            step "split" (fun v ->
                for i in 0 .. ys.Length - 1 do
                    ys[i] <- v[made[i]]

                Layout.Split(v[arguments[0]], axis, ys))
        // computed by evaluation, then copied to where the plan wants it
        | Linear(op, onFailure) -> evaluated (Evaluate.linear op onFailure) arguments made
        | Custom rule -> evaluated rule.Evaluate arguments made
        | Scan _
        | Cond _
        | While _
        | Call _ -> invalidOp "internal: an operation with a graph is planned with it"
