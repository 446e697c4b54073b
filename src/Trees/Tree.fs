/// Parameters are trees: any record, tuple, list, array, option, map or union, any C# record or immutable class, nested,
/// with tensors at the leaves and everything else static. How a type is read and built is worked out once and cached.
/// A type may contain itself (`type Node = { Weights: Tensor; Children: Node list }`), and values may be of any depth.
[<RequireQualifiedAccess>]
module Functional.Tree

open System
open System.Collections.Generic
open System.Text
open Microsoft.FSharp.Reflection
open Functional.Trees

type internal Collector = Functional.Trees.Collector

/// The longest path in characters that is made.
[<Literal>]
let private LongestPath = 10_000

type private Of<'P>() =
    [<DefaultValue>]
    static val mutable private reader: Reader

    // not a static initialiser, which would wrap the error
    static member Reader =
        if isNull (box Of<'P>.reader) then
            Of<'P>.reader <- Reading.readerOf typeof<'P>

        Of<'P>.reader

let private collect (tree: 'P) =
    let into = Collector()
    Of<'P>.Reader.Leaves(box tree, into)
    into

/// The tensors of a tree, in the order of its fields; frozen ones too.
let leaves (tree: 'P) : Tensor[] =
    match box tree with
    | :? Tensor as t -> [| t |]
    | _ -> (collect tree).Tensors

/// Collects the tensors of a tree where others were collected before, without allocating for trees of references.
let internal collectInto (into: Collector) (tree: 'P) =
    into.Clear()

    match box tree with
    | :? Tensor as t -> into.Add t
    | value -> Of<'P>.Reader.Leaves(value, into)

/// The tensors, and for each whether it is trained: null when all are.
let internal leavesAndTrainable (tree: 'P) : struct (Tensor[] * bool[]) =
    match box tree with
    | :? Tensor as t -> struct ([| t |], null)
    | _ ->
        let found = collect tree
        struct (found.Tensors, found.Trainable)

/// For each tensor of a tree, in the order of `leaves`, whether it is trained: all but those inside a `Frozen`.
let trainable (tree: 'P) : bool[] =
    match leavesAndTrainable tree with
    | struct (xs, null) -> Array.create xs.Length true
    | struct (_, flags) -> flags

/// A setting in words. What has no text of its own is told apart by its identity, as its equality does.
let private settingText (value: obj) =
    match value with
    | null -> "nothing"
    | :? string as s -> if s.Length > 40 then $"\"{s[..36]}...\"" else $"\"{s}\""
    | :? IFormattable as f -> f.ToString(null, Globalization.CultureInfo.InvariantCulture)
    | :? bool
    | :? Type -> string value
    | _ ->
        let what =
            if FSharpType.IsFunction(value.GetType()) then
                "function"
            else
                value.GetType().Name

        $"{what} #{Runtime.CompilerServices.RuntimeHelpers.GetHashCode value:x}"

/// What statics are made of: settings and forms, without their paths.
[<Sealed>]
type private Statics() =
    inherit Visitor()
    let found = ResizeArray<obj>()
    member _.Found = found
    override _.WantsSettings = true
    override _.Tensor _ = ()
    override _.Setting value = found.Add value
    override _.Form(value, _) = found.Add value
    override _.Count n = found.Add n
    override _.Field _ = 0
    override _.Item _ = 0

    override _.Key key =
        found.Add key
        0

    override _.Leave _ = ()

/// Everything in a tree that is not a tensor: its settings, and how many items its collections have. Two trees of one type
/// whose statics are equal differ in their tensors only.
let statics (tree: 'P) : obj[] =
    match box tree with
    | :? Tensor -> [||]
    | value ->
        let visitor = Statics()
        Of<'P>.Reader.Visit(value, visitor)
        visitor.Found.ToArray()

/// Knows where in the tree it is.
[<AbstractClass>]
type private Walker() =
    inherit Visitor()
    let path = StringBuilder()

    let went (before: int) =
        // trees this deep have as many paths, each as long
        if path.Length > LongestPath then
            invalidArg
                "tree"
                $"a parameter tree is so deep that a path in it has more than {LongestPath} characters ({path.ToString(0, 40)}…); names of its tensors cannot be made, so that it can be neither saved nor compiled; put what is repeated in a list or an array"

        before

    member _.Path = path.ToString()

    override _.Field name =
        let before = path.Length

        if before > 0 then
            path.Append '.' |> ignore

        path.Append name |> ignore
        went before

    override _.Item index =
        let before = path.Length
        path.Append('[').Append(index).Append(']') |> ignore
        went before

    override _.Key key =
        let before = path.Length
        path.Append('[').Append(string key).Append(']') |> ignore
        went before

    override _.Leave before = path.Length <- before

[<Sealed>]
type private Paths() =
    inherit Walker()
    let found = ResizeArray<string>()
    member _.Found = found
    override _.WantsSettings = false
    override w.Tensor _ = found.Add w.Path
    override _.Setting _ = ()
    override _.Form(_, _) = ()
    override _.Count _ = ()

/// The fields that tensors stand in directly.
[<Sealed>]
type private Fields() =
    inherit Visitor()
    let found = ResizeArray<string>()
    let within = Stack<string>()

    let enter (field: string) =
        within.Push field
        0

    member _.Found = found
    override _.WantsSettings = false
    override _.Tensor _ = found.Add(if within.Count = 0 then null else within.Peek())
    override _.Setting _ = ()
    override _.Form(_, _) = ()
    override _.Count _ = ()
    override _.Field name = enter name
    override _.Item _ = enter null
    override _.Key _ = enter null
    override _.Leave _ = within.Pop() |> ignore

[<Sealed>]
type private Description() =
    inherit Walker()
    let found = ResizeArray<struct (string * string)>()
    member _.Found = found
    override _.WantsSettings = true
    override w.Tensor t = found.Add(struct (w.Path, $"{t.DType} {Shape.show t.Shape}"))
    override w.Setting value = found.Add(struct (w.Path, settingText value))

    override w.Form(_, text) =
        if not (isNull text) then
            found.Add(struct (w.Path, text))

    override w.Count n = found.Add(struct (w.Path, $"{n} items"))

/// Path and text of all that a trace depends on: `Hidden1.Weights`, `Float32 784×500`; settings; numbers of items.
let internal describe (tree: 'P) : struct (string * string)[] =
    let visitor = Description()
    Of<'P>.Reader.Visit(box tree, visitor)
    visitor.Found.ToArray()

/// A path for each tensor: `Hidden1.Weights`, `Layers[2].Bias`. The path of a bare tensor is empty.
/// <exception cref="T:System.ArgumentException">The tree is nested so deep that a path would be longer than 10,000 characters.</exception>
let paths (tree: 'P) : string[] =
    let visitor = Paths()
    Of<'P>.Reader.Visit(box tree, visitor)
    visitor.Found.ToArray()

/// For each tensor the name of the field that it stands in; null where that is no field.
let internal fields (tree: 'P) : string[] =
    let visitor = Fields()
    Of<'P>.Reader.Visit(box tree, visitor)
    visitor.Found.ToArray()

/// The tree with other tensors at its leaves.
let rebuild (tree: 'P) (leaves: Tensor[]) : 'P =
    match box tree with
    | :? Tensor -> unbox<'P>(box leaves[0])
    | value ->
        let mutable next = 0
        let built = Of<'P>.Reader.Build(value, leaves, &next)

        if next <> leaves.Length then
            invalidArg "leaves" $"the tree has {next} tensors, {leaves.Length} were given"

        unbox<'P> built

/// The tree with a function applied to every tensor.
let map (f: Tensor -> Tensor) (tree: 'P) : 'P = rebuild tree (Array.map f (leaves tree))

let private alike what (a: 'P) (b: 'P) (xs: Tensor[]) (ys: Tensor[]) =
    if xs.Length <> ys.Length then
        let p, q = paths a, paths b
        let only = Array.append (Array.except q p) (Array.except p q) |> Array.truncate 5 |> String.concat ", "
        invalidArg "tree" $"{what}: the trees have {xs.Length} and {ys.Length} tensors; they differ in {only}"

/// The first tree with a function applied to every pair of tensors; both must be built alike.
let map2 (f: Tensor -> Tensor -> Tensor) (a: 'P) (b: 'P) : 'P =
    let xs, ys = leaves a, leaves b
    alike "Tree.map2" a b xs ys
    rebuild a (Array.map2 f xs ys)

/// The first tree with a function applied to every triple of tensors; all must be built alike.
let map3 (f: Tensor -> Tensor -> Tensor -> Tensor) (a: 'P) (b: 'P) (c: 'P) : 'P =
    let xs, ys, zs = leaves a, leaves b, leaves c
    alike "Tree.map3" a b xs ys
    alike "Tree.map3" a c xs zs
    rebuild a (Array.map3 f xs ys zs)

/// The places of the leaves that are trained: of a float type and not frozen. Null when all are.
let internal trainedPlaces (tree: 'P) : struct (Tensor[] * int[]) =
    let struct (xs, trainable) = leavesAndTrainable tree
    let mutable count = 0
    let places = Array.zeroCreate xs.Length

    for i in 0 .. xs.Length - 1 do
        if (isNull trainable || trainable[i]) && xs[i].DType.IsFloat() then
            places[count] <- i
            count <- count + 1

    struct (xs, (if count = xs.Length then null else places[.. count - 1]))

/// Tensors of one element type, flattened and joined to one vector.
let internal join (operation: string) (xs: Tensor[]) : Tensor =
    if xs.Length = 0 then
        invalidArg "tree" $"{operation}: the tree holds no tensor"

    match xs |> Array.tryFind (fun x -> x.DType <> xs[0].DType) with
    | Some other ->
        invalidArg
            "tree"
            $"{operation}: the tree holds tensors of {xs[0].DType} and of {other.DType}, and a vector has one element type; cast them"
    | None -> xs |> Array.map flatten |> concat 0

/// A vector cut into tensors of the shapes of others.
let internal cut (operation: string) (like: Tensor[]) (v: Tensor) : Tensor[] =
    let sizes = like |> Array.map Tensor.size

    if v.Rank <> 1 || v.Shape[0] <> Array.sum sizes then
        invalidShape
            operation
            $"the tree has {Array.sum sizes} numbers, which a tensor of shape {v.Shape} does not hold"

    Array.map2 (fun (x: Tensor) piece -> reshape x.Shape piece) like (split 0 sizes v)

/// All tensors of a tree, flattened and joined to one vector, in the order of its fields. They must be of one element type.
/// Example: `Tree.ravel (Tensor.ofRows [ [ 1.0; 2.0 ] ], scalar 3.0)` is [1 2 3].
let ravel (tree: 'P) : Tensor = join "Tree.ravel" (leaves tree)

/// The tree with the numbers of a vector at its leaves: `Tree.unravel p (Tree.ravel p)` is p.
/// Example: `Tree.unravel (scalar 0.0, Tensor.zeros [ 2 ]) (Tensor.ofSeq [ 1.0; 2.0; 3.0 ])`.
let unravel (tree: 'P) (v: Tensor) : 'P = rebuild tree (cut "Tree.unravel" (leaves tree) v)

/// The number of numbers in a tree.
let count (tree: 'P) = leaves tree |> Array.sumBy (fun t -> Shape.size t.Shape)
