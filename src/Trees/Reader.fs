namespace Functional.Trees

// How the values of one type are taken apart and put together: what every kind of reader can do, the two simplest kinds,
// and readers whose depth only the value decides.

open System
open System.Runtime.CompilerServices
open System.Runtime.ExceptionServices
open System.Threading
open Functional

/// The tensors of a tree as they are found, and which of them are frozen.
[<Sealed>]
type internal Collector() =
    let tensors = ResizeArray<Tensor>()
    let mutable frozen: ResizeArray<struct (int * int)> = null
    member _.Count = tensors.Count
    member _.Add(t: Tensor) = tensors.Add t

    /// Notes that everything found since a place is frozen.
    member _.Freeze(start: int) =
        if isNull frozen then
            frozen <- ResizeArray()

        frozen.Add(struct (start, tensors.Count))

    member _.Tensors = tensors.ToArray()

    member _.Item
        with get (i: int) = tensors[i]

    /// Ready to collect again.
    member _.Clear() =
        tensors.Clear()

        if not (isNull frozen) then
            frozen.Clear()

    /// For each tensor whether it is trained; null when all are, which is the common case.
    member _.Trainable: bool[] =
        if isNull frozen then
            null
        else
            let flags = Array.create tensors.Count true

            for struct (start, stop) in frozen do
                Array.fill flags start (stop - start) false

            flags

/// Who is shown a tree, part by part, in order.
[<AbstractClass>]
type internal Visitor() =
    /// Whether parts that hold no tensor are shown too.
    abstract WantsSettings: bool
    abstract Tensor: Tensor -> unit
    /// A setting: it is carried along.
    abstract Setting: value: obj -> unit
    /// What form the tree has here: the case of a union, whether something is there. The text is null where the value
    /// goes without saying.
    abstract Form: value: obj * text: string -> unit
    /// How many items are here.
    abstract Count: int -> unit
    /// Steps into a field, an item, the value of a key; what it answers takes `Leave` back.
    abstract Field: name: string -> int
    abstract Item: index: int -> int
    abstract Key: key: obj -> int
    abstract Leave: int -> unit

/// How the values of one type are taken apart and put together.
[<AbstractClass; AllowNullLiteral>]
type internal Reader() =
    /// Appends the tensors inside, in order. The shortest way, since every call of a transformation goes it.
    abstract Leaves: value: obj * into: Collector -> unit
    /// Shows all that is inside.
    abstract Visit: value: obj * visitor: Visitor -> unit
    /// The same value with other tensors, taken from `leaves` from place `next` on.
    abstract Build: value: obj * leaves: Tensor[] * next: byref<int> -> obj
    /// Whether no tensor can be inside.
    abstract Static: bool

[<Sealed>]
type internal Leaf() =
    inherit Reader()

    override _.Leaves(value, into) =
        if isNull value then
            invalidArg "tree" "a parameter tree holds a null where a tensor is expected"

        into.Add(value :?> Tensor)

    override _.Visit(value, visitor) = visitor.Tensor(value :?> Tensor)

    override _.Build(_, leaves, next) =
        let t = leaves[next]
        next <- next + 1
        box t

    override _.Static = false

/// A setting.
[<Sealed>]
type internal Fixed() =
    inherit Reader()
    override _.Leaves(_, _) = ()
    override _.Visit(value, visitor) = visitor.Setting value
    override _.Build(value, _, _) = value
    override _.Static = true

/// Going down a value as deep as it goes: where the stack of this thread ends, a thread of its own goes on.
[<Sealed>]
type internal Descent private () =
    /// The stack of each further thread. So many of them reach some hundred thousand levels.
    static let stackBytes = 16 <<< 20
    static let mostThreads = 8

    [<ThreadStatic; DefaultValue>]
    static val mutable private depth: int

    static member HasRoom = RuntimeHelpers.TryEnsureSufficientExecutionStack()

    /// Runs a piece of work on a fresh stack, and waits for it.
    static member Run(work: unit -> 'T) : 'T =
        let depth = Descent.depth + 1

        if depth > mostThreads || OperatingSystem.IsBrowser() then
            invalidArg
                "tree"
                "a parameter tree is nested deeper than can be gone through, or contains itself; put what is repeated in a list or an array"

        let mutable result = Unchecked.defaultof<'T>
        let mutable failure: ExceptionDispatchInfo = null

        let go () =
            Descent.depth <- depth

            try
                result <- work ()
            with e ->
                failure <- ExceptionDispatchInfo.Capture e

        let thread = Thread(ThreadStart go, stackBytes, IsBackground = true)
        thread.Start()
        thread.Join()

        if not (isNull failure) then
            failure.Throw()

        result

/// A reader that hands each value to another one. Every type that can contain itself is read through one of these.
[<AbstractClass>]
type internal Passage() =
    inherit Reader()
    /// The reader of this value; null where there is nothing inside.
    abstract Inner: value: obj -> Reader
    /// What there is to say before it.
    abstract Announce: value: obj * visitor: Visitor -> unit

    override p.Leaves(value, into) =
        match p.Inner value with
        | null -> ()
        | inner when Descent.HasRoom -> inner.Leaves(value, into)
        | inner -> Descent.Run(fun () -> inner.Leaves(value, into))

    override p.Visit(value, visitor) =
        p.Announce(value, visitor)

        match p.Inner value with
        | null -> ()
        | inner when Descent.HasRoom -> inner.Visit(value, visitor)
        | inner -> Descent.Run(fun () -> inner.Visit(value, visitor))

    override p.Build(value, leaves, next) =
        match p.Inner value with
        | null -> value
        | inner when Descent.HasRoom -> inner.Build(value, leaves, &next)
        | inner ->
            let start = next

            let struct (built, stop) =
                Descent.Run(fun () ->
                    let mutable next = start
                    let built = inner.Build(value, leaves, &next)
                    struct (built, next))

            next <- stop
            built

    override _.Static = false

/// A type that is being looked at already: its reader is asked for when the first value comes.
[<Sealed>]
type internal Knot(find: unit -> Reader) =
    inherit Passage()
    let mutable reader: Reader = null

    override _.Inner _ =
        if isNull reader then
            reader <- find ()

        reader

    override _.Announce(_, _) = ()

/// A field of an abstract type, an interface or obj: read as what it holds.
[<Sealed>]
type internal Dynamic(readerOf: Type -> Reader) =
    inherit Passage()

    override _.Inner value = if isNull value then Unchecked.defaultof<Reader> else readerOf (value.GetType())

    override _.Announce(value, visitor) =
        match value with
        | null -> visitor.Form(null, "nothing")
        | :? Tensor -> visitor.Form(value.GetType(), null)
        | _ -> visitor.Form(value.GetType(), value.GetType().Name)
