namespace Functional.Plans

// How every kernel of a schedule is run that is not elementwise.

open Functional
open Functional.Kernels
open Functional.Operations

[<RequireQualifiedAccess>]
module internal Lower =

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
                (fun run -> Step.make name run)

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

        Step.make (if copies.Length = 0 then "concat in place" else "concat") (fun v ->
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

            Step.make (Step.nameOf g kernel) (fun v ->
                MatMul.RunOnto(ta, tb, v[a], v[b], v[onto], sum.Scale, v[y], packed))
        | (Apply _ | ApplyMany _ | Constant _), _ -> invalidOp "internal: not a product and a sum"

    let private evaluated (f: NDArray[] -> NDArray[]) (arguments: int[]) (made: int[]) =
        Step.make "evaluate" (fun v ->
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

            Step.make "concat" (fun v ->
                for i in 0 .. xs.Length - 1 do
                    xs[i] <- v[arguments[i]]

                Layout.Concat(xs, axis, v[made[0]]))
        | Split(axis, _) ->
            let ys = Array.zeroCreate<NDArray> made.Length

            Step.make "split" (fun v ->
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
