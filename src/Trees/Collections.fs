namespace Functional.Trees

// Readers of what holds values of one type: several, one or none.

open Functional

/// A member that C# declares nullable: when it is null, there is nothing inside.
[<Sealed>]
type internal Nullable(reader: Reader) =
    inherit Reader()

    override _.Leaves(value, into) =
        if not (isNull value) then
            reader.Leaves(value, into)

    override _.Visit(value, visitor) =
        visitor.Form(isNull value, (if isNull value then "nothing" else null))

        if not (isNull value) then
            reader.Visit(value, visitor)

    override _.Build(value, leaves, next) = if isNull value then null else reader.Build(value, leaves, &next)
    override _.Static = reader.Static

[<Sealed>]
type internal OptionOf<'T>(item: Reader) =
    inherit Reader()

    override _.Leaves(value, into) =
        match value :?> 'T option with
        | Some x -> item.Leaves(box x, into)
        | None -> ()

    // an option is there or not: it adds nothing to the path
    override _.Visit(value, visitor) =
        match value :?> 'T option with
        | Some x ->
            visitor.Form(true, null)
            item.Visit(box x, visitor)
        | None -> visitor.Form(false, "None")

    override _.Build(value, leaves, next) =
        match value :?> 'T option with
        | Some x -> box (Some(unbox<'T>(item.Build(box x, leaves, &next))))
        | None -> null

    override _.Static = item.Static

[<Sealed>]
type internal FrozenOf<'T>(item: Reader) =
    inherit Reader()

    override _.Leaves(value, into) =
        let start = into.Count
        item.Leaves(box (value :?> Frozen<'T>).Value, into)
        into.Freeze start

    override _.Visit(value, visitor) = item.Visit(box (value :?> Frozen<'T>).Value, visitor)

    override _.Build(value, leaves, next) =
        box {
            Value = unbox<'T>(item.Build(box (value :?> Frozen<'T>).Value, leaves, &next))
        }

    override _.Static = item.Static

/// Ordered collections of one item type.
[<AbstractClass>]
type internal Items<'T>(item: Reader) =
    inherit Reader()
    abstract Read: obj -> 'T seq
    abstract Make: 'T[] -> obj

    override c.Leaves(value, into) =
        if not item.Static then
            for x in c.Read value do
                item.Leaves(box x, into)

    override c.Visit(value, visitor) =
        let items = c.Read value
        visitor.Count(Seq.length items)

        if visitor.WantsSettings || not item.Static then
            let mutable i = 0

            for x in items do
                let place = visitor.Item i
                item.Visit(box x, visitor)
                visitor.Leave place
                i <- i + 1

    override c.Build(value, leaves, next) =
        if item.Static then
            value
        else
            let built = ResizeArray<'T>()

            for x in c.Read value do
                built.Add(unbox<'T>(item.Build(box x, leaves, &next)))

            c.Make(built.ToArray())

    override _.Static = item.Static

[<Sealed>]
type internal ListOf<'T>(item) =
    inherit Items<'T>(item)
    override _.Read value = Seq.ofList (value :?> 'T list)
    override _.Make items = box (List.ofArray items)

[<Sealed>]
type internal ArrayOf<'T>(item) =
    inherit Items<'T>(item)
    override _.Read value = Seq.ofArray (value :?> 'T[])
    override _.Make items = box items

/// IReadOnlyList and IEnumerable fields of C# types.
[<Sealed>]
type internal SequenceOf<'T>(item) =
    inherit Items<'T>(item)
    override _.Read value = value :?> 'T seq
    override _.Make items = box items

[<Sealed>]
type internal MapOf<'K, 'V when 'K: comparison>(item: Reader) =
    inherit Reader()
    override _.Leaves(value, into) = (value :?> Map<'K, 'V>) |> Map.iter (fun _ v -> item.Leaves(box v, into))

    override _.Visit(value, visitor) =
        let map = value :?> Map<'K, 'V>
        visitor.Count map.Count

        for KeyValue(k, v) in map do
            let place = visitor.Key k
            item.Visit(box v, visitor)
            visitor.Leave place

    override _.Build(value, leaves, next) =
        let mutable map = value :?> Map<'K, 'V>

        for KeyValue(k, v) in map do
            map <- Map.add k (unbox<'V>(item.Build(box v, leaves, &next))) map

        box map

    override _.Static = item.Static
