/// Which operations run as one kernel, and in which order. Elementwise operations over the same elements join into one run
/// over memory, which sums up what is summed of it; a matrix product takes along what is added to it; everything else is a
/// kernel of its own; a reshape is no kernel at all.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module internal Functional.Plans.Schedule

open System.Collections.Generic
open Functional
open Functional.Operations

/// Groups in an order that respects what they need: by the place of their last member, after everything needed.
let private ordered (s: Groups) : Group[] =
    let order = List<Group>()
    let placed = Array.create s.Count false

    let byLast =
        s.All
        |> Seq.filter (fun group -> group.Members.Count > 0)
        |> Seq.sortBy (fun group -> group.Members[group.Members.Count - 1])
        |> Array.ofSeq

    for start in byLast do
        let stack = Stack<struct (Group * bool)>()
        stack.Push(struct (start, false))

        while stack.Count > 0 do
            let struct (group, ready) = stack.Pop()

            if not placed[group.Id] then
                if ready then
                    placed[group.Id] <- true
                    order.Add group
                else
                    stack.Push(struct (group, true))

                    for n in group.Needs |> Seq.sortDescending do
                        if not placed[n] then
                            stack.Push(struct (s[n], false))

    order.ToArray()

/// A group, complete.
let private kernel (s: Groups) (group: Group) : Kernel =
    let sums = group.Sums |> Seq.collect BlockSum.instructions |> HashSet
    let isMade v = v >= 0 && s.Owner[s.Root[v]] = group.Id

    let after, before =
        group.Sums.ToArray() |> Array.partition (fun sum -> isMade sum.Terms || isMade sum.Factor)

    let body = group.Members |> Seq.filter (fun k -> not (sums.Contains k)) |> Array.ofSeq
    Kernel(body, group.Elementwise, before, after)

/// What stayed apart, by the places of the kernels; kernels that later became one are not apart.
let private apart (s: Groups) (order: Group[]) : struct (int * int * Obstacle)[] =
    let place = Array.zeroCreate<int> s.Count
    order |> Array.iteri (fun i group -> place[group.Id] <- i)

    let rec kernelOf p =
        match s[p].PartOf with
        | Some whole -> kernelOf whole.Id
        | None -> place[p]

    s.Apart.ToArray()
    |> Array.map (fun (struct (k, p, why)) -> struct (k, kernelOf p, why))
    |> Array.filter (fun (struct (k, kernel, _)) -> place[s.Owner[s.Firsts[k]]] <> kernel)

/// The schedule of a graph.
let make (passes: Passes) (g: Graph) : Schedule =
    let s = Groups(passes, g)
    Joining.run s

    if passes.Fuse && passes.Sums then
        Summing.run s

    let order = ordered s

    {
        Kernels = Array.map (kernel s) order
        Root = s.Root
        Windows = s.Windows
        Firsts = s.Firsts
        Apart = apart s order
    }

/// Whether an instruction reads or makes columns of a wider value.
let touchesWindows (g: Graph) (schedule: Schedule) (k: int) =
    schedule.Windows[schedule.Firsts[k]].IsSome
    || Graphs.arguments g.Instructions[k] |> Array.exists (fun v -> schedule.Windows[v].IsSome)
