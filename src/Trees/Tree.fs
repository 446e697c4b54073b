/// Parameters are trees: any record, tuple, list, array, option, map or union, any C# record or immutable class, nested,
/// with tensors at the leaves and everything else static. How a type is read and built is worked out once and cached.
[<RequireQualifiedAccess>]
module Functional.Tree

open System
open System.Collections.Concurrent
open System.Reflection
open Microsoft.FSharp.Reflection
open FSharp.Reflection.FSharpReflectionExtensions

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

/// How the values of one type are taken apart and put together.
[<AbstractClass>]
type internal Reader() =
    /// Appends the tensors inside, in order.
    abstract Leaves: value: obj * into: Collector -> unit
    /// Appends a path for each of them.
    abstract Paths: value: obj * prefix: string * into: ResizeArray<string> -> unit
    /// The same value with other tensors, taken from `leaves` from place `next` on.
    abstract Build: value: obj * leaves: Tensor[] * next: byref<int> -> obj
    /// Appends everything that is not a tensor: settings, and what shape the tree has.
    abstract Statics: value: obj * into: ResizeArray<obj> -> unit
    /// Appends path and text of all that a trace depends on: tensors by element type and shape, settings, item counts.
    abstract Describe: value: obj * prefix: string * into: ResizeArray<struct (string * string)> -> unit
    /// Whether no tensor can be inside.
    abstract Static: bool

let private cache = ConcurrentDictionary<Type, Reader>()

type private Leaf() =
    inherit Reader()

    override _.Leaves(value, into) =
        if isNull value then
            invalidArg "tree" "a parameter tree holds a null where a tensor is expected"

        into.Add(value :?> Tensor)

    override _.Paths(_, prefix, into) = into.Add prefix

    override _.Build(_, leaves, next) =
        let t = leaves[next]
        next <- next + 1
        box t

    override _.Statics(_, _) = ()

    override _.Describe(value, prefix, into) =
        let t = value :?> Tensor
        into.Add(struct (prefix, $"{t.DType} {Shape.show t.Shape}"))

    override _.Static = false

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

type private Fixed() =
    inherit Reader()
    override _.Leaves(_, _) = ()
    override _.Paths(_, _, _) = ()
    override _.Build(value, _, _) = value
    override _.Statics(value, into) = into.Add value

    override _.Describe(value, prefix, into) = into.Add(struct (prefix, settingText value))
    override _.Static = true

let private join prefix name = if prefix = "" then name else prefix + "." + name

/// Reads one property. A reference is read without allocating anything.
[<AbstractClass>]
type private Getter() =
    abstract Get: obj -> obj

type private GetterOf<'T, 'F when 'T: not struct>(property: PropertyInfo) =
    inherit Getter()
    let get = property.GetMethod.CreateDelegate<Func<'T, 'F>>()
    override _.Get value = box (get.Invoke(unbox<'T> value))

let private getter (property: PropertyInfo) : Getter =
    let owner = property.DeclaringType

    if owner.IsValueType then
        {
            new Getter() with
                member _.Get value = property.GetValue value
        }
    else
        Activator.CreateInstance(typedefof<GetterOf<_, _>>.MakeGenericType(owner, property.PropertyType), property)
        :?> Getter

/// Records, tuples, one case of a union, immutable classes: a fixed number of named fields.
type private Product(names: string[], fields: Reader[], getters: Getter[], read: obj -> obj[], make: obj[] -> obj) =
    inherit Reader()
    let still = fields |> Array.forall (fun f -> f.Static)

    override _.Leaves(value, into) =
        if not still then
            for i in 0 .. fields.Length - 1 do
                if not fields[i].Static then
                    fields[i].Leaves(getters[i].Get value, into)

    override _.Paths(value, prefix, into) =
        if not still then
            let v = read value

            for i in 0 .. fields.Length - 1 do
                fields[i].Paths(v[i], join prefix names[i], into)

    override _.Build(value, leaves, next) =
        if still then
            value
        else
            let v = read value

            for i in 0 .. fields.Length - 1 do
                if not fields[i].Static then
                    v[i] <- fields[i].Build(v[i], leaves, &next)

            make v

    override _.Statics(value, into) =
        let v = read value

        for i in 0 .. fields.Length - 1 do
            fields[i].Statics(v[i], into)

    override _.Describe(value, prefix, into) =
        let v = read value

        for i in 0 .. fields.Length - 1 do
            fields[i].Describe(v[i], join prefix names[i], into)

    override _.Static = still

/// Unions; the cases are looked at when first met, so that a union may contain itself.
type private Cases(tag: obj -> int, names: string[], cases: Lazy<Reader[]>) =
    inherit Reader()
    override _.Leaves(value, into) = cases.Value[tag value].Leaves(value, into)
    override _.Paths(value, prefix, into) = cases.Value[tag value].Paths(value, prefix, into)
    override _.Build(value, leaves, next) = cases.Value[tag value].Build(value, leaves, &next)

    override _.Statics(value, into) =
        into.Add(tag value)
        cases.Value[tag value].Statics(value, into)

    override _.Describe(value, prefix, into) =
        into.Add(struct (prefix, names[tag value]))
        cases.Value[tag value].Describe(value, prefix, into)

    override _.Static = false

/// A field of an abstract type, an interface or obj: read as what it holds.
type private Dynamic(readerOf: Type -> Reader) =
    inherit Reader()

    override _.Leaves(value, into) =
        if not (isNull value) then
            (readerOf (value.GetType())).Leaves(value, into)

    override _.Paths(value, prefix, into) =
        if not (isNull value) then
            (readerOf (value.GetType())).Paths(value, prefix, into)

    override _.Build(value, leaves, next) =
        if isNull value then
            null
        else
            (readerOf (value.GetType())).Build(value, leaves, &next)

    override _.Statics(value, into) =
        if isNull value then
            into.Add null
        else
            into.Add(value.GetType())
            (readerOf (value.GetType())).Statics(value, into)

    override _.Describe(value, prefix, into) =
        if isNull value then
            into.Add(struct (prefix, "nothing"))
        else
            if not (value :? Tensor) then
                into.Add(struct (prefix, value.GetType().Name))

            (readerOf (value.GetType())).Describe(value, prefix, into)

    override _.Static = false

/// A member that C# declares nullable: when it is null, there is nothing inside.
type private Nullable(reader: Reader) =
    inherit Reader()

    override _.Leaves(value, into) =
        if not (isNull value) then
            reader.Leaves(value, into)

    override _.Paths(value, prefix, into) =
        if not (isNull value) then
            reader.Paths(value, prefix, into)

    override _.Build(value, leaves, next) = if isNull value then null else reader.Build(value, leaves, &next)

    override _.Statics(value, into) =
        into.Add(isNull value)

        if not (isNull value) then
            reader.Statics(value, into)

    override _.Describe(value, prefix, into) =
        if isNull value then
            into.Add(struct (prefix, "nothing"))
        else
            reader.Describe(value, prefix, into)

    override _.Static = reader.Static

/// Ordered collections of one item type.
[<AbstractClass>]
type private Items<'T>(item: Reader) =
    inherit Reader()
    abstract Read: obj -> 'T seq
    abstract Make: 'T[] -> obj

    override c.Leaves(value, into) =
        if not item.Static then
            for x in c.Read value do
                item.Leaves(box x, into)

    override c.Paths(value, prefix, into) =
        c.Read value |> Seq.iteri (fun i x -> item.Paths(box x, $"{prefix}[{i}]", into))

    override c.Build(value, leaves, next) =
        if item.Static then
            value
        else
            let built = ResizeArray<'T>()

            for x in c.Read value do
                built.Add(unbox<'T>(item.Build(box x, leaves, &next)))

            c.Make(built.ToArray())

    override c.Statics(value, into) =
        let start = into.Count
        into.Add null
        let mutable count = 0

        for x in c.Read value do
            count <- count + 1
            item.Statics(box x, into)

        into[start] <- box count

    override c.Describe(value, prefix, into) =
        into.Add(struct (prefix, $"{Seq.length (c.Read value)} items"))
        c.Read value |> Seq.iteri (fun i x -> item.Describe(box x, $"{prefix}[{i}]", into))

    override _.Static = item.Static

type private ListOf<'T>(item) =
    inherit Items<'T>(item)
    override _.Read value = Seq.ofList (value :?> 'T list)
    override _.Make items = box (List.ofArray items)

type private ArrayOf<'T>(item) =
    inherit Items<'T>(item)
    override _.Read value = Seq.ofArray (value :?> 'T[])
    override _.Make items = box items

/// IReadOnlyList and IEnumerable fields of C# types.
type private SequenceOf<'T>(item) =
    inherit Items<'T>(item)
    override _.Read value = value :?> 'T seq
    override _.Make items = box items

type private OptionOf<'T>(item: Reader) =
    inherit Reader()

    override _.Leaves(value, into) =
        match value :?> 'T option with
        | Some x -> item.Leaves(box x, into)
        | None -> ()

    // an option is there or not: it adds nothing to the path
    override _.Paths(value, prefix, into) =
        match value :?> 'T option with
        | Some x -> item.Paths(box x, prefix, into)
        | None -> ()

    override _.Build(value, leaves, next) =
        match value :?> 'T option with
        | Some x -> box (Some(unbox<'T>(item.Build(box x, leaves, &next))))
        | None -> null

    override _.Statics(value, into) =
        match value :?> 'T option with
        | Some x ->
            into.Add true
            item.Statics(box x, into)
        | None -> into.Add false

    override _.Describe(value, prefix, into) =
        match value :?> 'T option with
        | Some x -> item.Describe(box x, prefix, into)
        | None -> into.Add(struct (prefix, "None"))

    override _.Static = item.Static

type private FrozenOf<'T>(item: Reader) =
    inherit Reader()

    override _.Leaves(value, into) =
        let start = into.Count
        item.Leaves(box (value :?> Frozen<'T>).Value, into)
        into.Freeze start

    override _.Paths(value, prefix, into) = item.Paths(box (value :?> Frozen<'T>).Value, prefix, into)

    override _.Build(value, leaves, next) =
        box {
            Value = unbox<'T>(item.Build(box (value :?> Frozen<'T>).Value, leaves, &next))
        }

    override _.Statics(value, into) = item.Statics(box (value :?> Frozen<'T>).Value, into)
    override _.Describe(value, prefix, into) = item.Describe(box (value :?> Frozen<'T>).Value, prefix, into)

    override _.Static = item.Static

type private MapOf<'K, 'V when 'K: comparison>(item: Reader) =
    inherit Reader()
    override _.Leaves(value, into) = (value :?> Map<'K, 'V>) |> Map.iter (fun _ v -> item.Leaves(box v, into))

    override _.Paths(value, prefix, into) =
        (value :?> Map<'K, 'V>) |> Map.iter (fun k v -> item.Paths(box v, $"{prefix}[{k}]", into))

    override _.Build(value, leaves, next) =
        let mutable map = value :?> Map<'K, 'V>

        for KeyValue(k, v) in map do
            map <- Map.add k (unbox<'V>(item.Build(box v, leaves, &next))) map

        box map

    override _.Statics(value, into) =
        let map = value :?> Map<'K, 'V>
        into.Add map.Count

        for KeyValue(k, v) in map do
            into.Add k
            item.Statics(box v, into)

    override _.Describe(value, prefix, into) =
        let map = value :?> Map<'K, 'V>
        into.Add(struct (prefix, $"{map.Count} items"))

        for KeyValue(k, v) in map do
            item.Describe(box v, $"{prefix}[{k}]", into)

    override _.Static = item.Static

/// Types whose values are settings, not parameters: they are carried along unchanged.
let private isStatic (t: Type) =
    t.IsPrimitive
    || t.IsEnum
    || t = typeof<string>
    || t = typeof<decimal>
    || t = typeof<unit>
    || t = typeof<DateTime>
    || t = typeof<TimeSpan>
    || t = typeof<Guid>
    || typeof<Type>.IsAssignableFrom t
    || typeof<Delegate>.IsAssignableFrom t
    || FSharpType.IsFunction t

let private bindings = BindingFlags.Public ||| BindingFlags.Instance

/// The constructor of an immutable class whose parameters are, by name, its properties.
let private constructorOf (t: Type) =
    let properties = t.GetProperties bindings

    let property (p: ParameterInfo) =
        properties
        |> Array.tryFind (fun q ->
            q.PropertyType = p.ParameterType
            && String.Equals(q.Name, p.Name, StringComparison.OrdinalIgnoreCase))

    t.GetConstructors bindings
    |> Array.sortByDescending (fun c -> c.GetParameters().Length)
    |> Array.tryPick (fun c ->
        let found = c.GetParameters() |> Array.map property

        if found.Length > 0 && found |> Array.forall Option.isSome then
            Some(c, found |> Array.map Option.get)
        else
            None)

let rec private make (t: Type) : Reader =
    let generic (definition: Type) (arguments: Type[]) (item: Type) =
        Activator.CreateInstance(definition.MakeGenericType arguments, readerOf item) :?> Reader

    let definition = if t.IsGenericType then t.GetGenericTypeDefinition() else null
    let argument i = t.GetGenericArguments()[i]
    let readers = Array.map (fun (p: PropertyInfo) -> readerOf p.PropertyType)
    let names = Array.map (fun (p: PropertyInfo) -> p.Name)

    if typeof<Tensor>.IsAssignableFrom t then
        Leaf()
    elif isStatic t then
        Fixed()
    elif definition = typedefof<Frozen<_>> then
        generic typedefof<FrozenOf<_>> [| argument 0 |] (argument 0)
    elif definition = typedefof<_ option> then
        generic typedefof<OptionOf<_>> [| argument 0 |] (argument 0)
    elif FSharpType.IsRecord(t, true) then
        let fields = FSharpType.GetRecordFields(t, true)

        Product(
            names fields,
            readers fields,
            Array.map getter fields,
            FSharpValue.PreComputeRecordReader(t, true),
            FSharpValue.PreComputeRecordConstructor(t, true)
        )
    elif FSharpType.IsTuple t then
        let items = FSharpType.GetTupleElements t
        let read = FSharpValue.PreComputeTupleReader t
        let name i = $"Item{i + 1}"

        let item i : Getter =
            match t.GetProperty(name i) with
            | null -> {
                new Getter() with
                    member _.Get value = (read value)[i]
              }
            | property -> getter property

        Product(
            Array.init items.Length name,
            Array.map readerOf items,
            Array.init items.Length item,
            read,
            FSharpValue.PreComputeTupleConstructor t
        )
    elif t.IsArray && t.GetArrayRank() = 1 then
        generic typedefof<ArrayOf<_>> [| t.GetElementType() |] (t.GetElementType())
    elif definition = typedefof<_ list> then
        generic typedefof<ListOf<_>> [| argument 0 |] (argument 0)
    elif definition = typedefof<Map<_, _>> then
        generic typedefof<MapOf<_, _>> [| argument 0; argument 1 |] (argument 1)
    elif
        definition = typedefof<System.Collections.Generic.IReadOnlyList<_>>
        || definition = typedefof<System.Collections.Generic.IEnumerable<_>>
    then
        generic typedefof<SequenceOf<_>> [| argument 0 |] (argument 0)
    elif FSharpType.IsUnion(t, true) then
        let case (c: UnionCaseInfo) =
            let fields = c.GetFields()

            let path (p: PropertyInfo) =
                if fields.Length = 1 && p.Name = "Item" || p.Name = "Value" then
                    c.Name
                else
                    $"{c.Name}.{p.Name}"

            Product(
                Array.map path fields,
                readers fields,
                Array.map getter fields,
                FSharpValue.PreComputeUnionReader(c, true),
                FSharpValue.PreComputeUnionConstructor(c, true)
            )
            :> Reader

        let found = FSharpType.GetUnionCases(t, true)

        Cases(
            FSharpValue.PreComputeUnionTagReader(t, true),
            found |> Array.sortBy _.Tag |> Array.map _.Name,
            lazy (found |> Array.map case)
        )
    elif t = typeof<obj> || t.IsInterface || t.IsAbstract then
        Dynamic readerOf
    else
        match constructorOf t with
        | Some(constructor, properties) ->
            let nullability = NullabilityInfoContext()

            let reader (p: PropertyInfo) : Reader =
                let isNullable =
                    not p.PropertyType.IsValueType && nullability.Create(p).ReadState = NullabilityState.Nullable

                if isNullable then
                    Nullable(readerOf p.PropertyType)
                else
                    readerOf p.PropertyType

            Product(
                names properties,
                Array.map reader properties,
                Array.map getter properties,
                (fun o -> properties |> Array.map (fun p -> p.GetValue o)),
                (fun values -> constructor.Invoke values)
            )
        | None ->
            invalidArg
                "tree"
                $"a parameter tree cannot hold a {t.FullName}: leaves are tensors; records, tuples, lists, arrays, options, maps, unions and classes whose constructor takes all their properties are branches; numbers, strings, enums and functions are carried along"

and internal readerOf (t: Type) : Reader =
    match cache.TryGetValue t with
    | true, r -> r
    | _ ->
        let r =
            try
                make t
            with :? ArgumentException as e when not (e.Message.Contains $"in {t.Name}") && FSharpType.IsRecord(t, true) ->
                raise (ArgumentException($"{e.Message} (in {t.Name})", e))

        cache.GetOrAdd(t, r)

type private Of<'P>() =
    [<DefaultValue>]
    static val mutable private reader: Reader

    // not a static initialiser, which would wrap the error
    static member Reader =
        if isNull (box Of<'P>.reader) then
            Of<'P>.reader <- readerOf typeof<'P>

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

/// Everything in a tree that is not a tensor: its settings, and how many items its collections have. Two trees of one type
/// whose statics are equal differ in their tensors only.
let statics (tree: 'P) : obj[] =
    match box tree with
    | :? Tensor -> [||]
    | value ->
        let into = ResizeArray<obj>()
        Of<'P>.Reader.Statics(value, into)
        into.ToArray()

/// Path and text of all that a trace depends on: `Hidden1.Weights`, `Float32 784×500`; settings; numbers of items.
let internal describe (tree: 'P) : struct (string * string)[] =
    let into = ResizeArray()
    Of<'P>.Reader.Describe(box tree, "", into)
    into.ToArray()

/// A path for each tensor: `Hidden1.Weights`, `Layers[2].Bias`. The path of a bare tensor is empty.
let paths (tree: 'P) : string[] =
    let into = ResizeArray<string>()
    Of<'P>.Reader.Paths(box tree, "", into)
    into.ToArray()

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

/// The number of numbers in a tree.
let count (tree: 'P) = leaves tree |> Array.sumBy (fun t -> Shape.size t.Shape)
