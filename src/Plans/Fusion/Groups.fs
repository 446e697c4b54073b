namespace Functional.Plans

// Kernels in the making: groups of instructions, what each needs of the others, and who makes what.

open System.Collections.Generic
open Functional
open Functional.Operations

/// Instructions that become one kernel.
[<Sealed; AllowNullLiteral>]
type internal Group(id: int, shape: int[]) =
    member _.Id = id
    member _.Shape = shape
    member val Members = List<int>()
    member val Columns: int option = None with get, set
    member val Elementwise = false with get, set
    member val Sums = List<BlockSum>()
    /// A product and what is added to it: complete.
    member val HoldsProduct = false with get, set
    /// Groups this one needs, directly.
    member val Needs = HashSet<int>()
    /// The kernel that took this one in.
    member val PartOf: Group option = None with get, set

/// The groups of a graph's instructions as far as they have been made.
[<Sealed>]
type internal Groups(passes: Passes, graph: Graph) =
    let firsts = Graphs.firsts graph
    let root = Array.init graph.Specs.Length id
    let owner = Array.create graph.Specs.Length -1
    let groups = List<Group>()
    let maker = Graphs.makers graph firsts

    let windows =
        if passes.Fuse then
            ColumnWindows.find graph firsts root
        else
            Array.create graph.Specs.Length ValueNone

    member _.Passes = passes
    member _.Graph = graph
    /// The first result of every instruction.
    member _.Firsts = firsts
    /// The value whose memory each value looks at.
    member _.Root = root
    /// The group that makes each value; −1 for inputs, constants and views.
    member _.Owner = owner
    member _.Windows = windows
    /// How often every value is read.
    member val Reads = Products.reads graph
    /// Instructions that stayed out of a group, and why.
    member val Apart = List<struct (int * int * Obstacle)>()
    member _.Count = groups.Count
    member _.Item(id: int) = groups[id]
    member _.All = groups

    /// The instruction that makes a value.
    member _.Made(v: int) = if maker[v] < 0 then ValueNone else ValueSome graph.Instructions[maker[v]]

    /// The group that makes what a value looks at; a part of what is put together has a group of its own.
    member _.Source(v: int) = if owner[v] >= 0 then owner[v] else owner[root[v]]

    member _.Fresh(shape: int[]) : Group =
        let fresh = Group(groups.Count, shape)
        groups.Add fresh
        fresh

    /// The group makes the results of an instruction.
    member _.Own(group: Group, k: int) : unit =
        for r in Graphs.made graph firsts k do
            owner[r] <- group.Id

    /// Whether group `from` needs group `target`, directly or through others.
    member _.Reaches(from: int, target: int) : bool =
        let seen = HashSet<int>()
        let stack = Stack<int>()
        stack.Push from
        let mutable found = false

        while not found && stack.Count > 0 do
            let x = stack.Pop()

            if x = target then
                found <- true
            else
                for n in groups[x].Needs do
                    if seen.Add n then
                        stack.Push n

        found

    /// Whether two kernels made one would wait for themselves: for something between them, or what also goes before.
    member s.Waits(a: Group, b: Group, before: int[]) : bool =
        Seq.concat [ seq a.Needs; seq b.Needs; seq before ]
        |> Seq.exists (fun n -> n <> a.Id && n <> b.Id && (s.Reaches(n, a.Id) || s.Reaches(n, b.Id)))

    /// Makes the second kernel a part of the first.
    member s.Absorb(group: Group, other: Group) : unit =
        for k in other.Members do
            s.Own(group, k)

        group.Members.AddRange other.Members
        group.Members.Sort()
        group.Needs.UnionWith other.Needs
        group.Columns <- Option.orElse other.Columns group.Columns
        other.Members.Clear()
        other.Needs.Clear()
        other.PartOf <- Some group

        for x in groups do
            if x.Needs.Remove other.Id then
                x.Needs.Add group.Id |> ignore

        group.Needs.Remove group.Id |> ignore
