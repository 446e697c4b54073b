/// From a type to its reader, which is worked out once: the table of all that a parameter tree can be made of.
module internal Functional.Trees.Reading

open System
open System.Collections.Concurrent
open System.Reflection
open Microsoft.FSharp.Reflection
open FSharp.Reflection.FSharpReflectionExtensions
open Functional

let private cache = ConcurrentDictionary<Type, Reader>()

/// Types within types that are looked at before the first value comes.
[<Literal>]
let private Deepest = 32

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

/// Whether a class is one of the system's collections that can be changed: what is in them is no property of theirs, so
/// that a new one made from the properties would be empty.
let private isMutableCollection (t: Type) =
    typeof<System.Collections.IEnumerable>.IsAssignableFrom t
    && not (isNull t.Namespace)
    && t.Namespace.StartsWith("System.", StringComparison.Ordinal)

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

let private names (properties: PropertyInfo[]) = properties |> Array.map _.Name

let private readers (readerOf: Type -> Reader) (properties: PropertyInfo[]) =
    properties |> Array.map (fun p -> readerOf p.PropertyType)

let private ofRecord (readerOf: Type -> Reader) (t: Type) : Reader =
    let fields = FSharpType.GetRecordFields(t, true)

    Product(
        names fields,
        readers readerOf fields,
        Array.map Getter.Of fields,
        FSharpValue.PreComputeRecordReader(t, true),
        FSharpValue.PreComputeRecordConstructor(t, true)
    )

let private ofTuple (readerOf: Type -> Reader) (t: Type) : Reader =
    let items = FSharpType.GetTupleElements t
    let read = FSharpValue.PreComputeTupleReader t
    let name i = $"Item{i + 1}"

    let item i : Getter =
        match t.GetProperty(name i) with
        | null -> {
            new Getter() with
                member _.Get value = (read value)[i]
          }
        | property -> Getter.Of property

    Product(
        Array.init items.Length name,
        Array.map readerOf items,
        Array.init items.Length item,
        read,
        FSharpValue.PreComputeTupleConstructor t
    )

let private ofUnion (readerOf: Type -> Reader) (t: Type) : Reader =
    let case (c: UnionCaseInfo) =
        let fields = c.GetFields()

        let path (p: PropertyInfo) =
            if fields.Length = 1 && p.Name = "Item" || p.Name = "Value" then
                c.Name
            else
                $"{c.Name}.{p.Name}"

        Product(
            Array.map path fields,
            readers readerOf fields,
            Array.map Getter.Of fields,
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

let private ofClass (readerOf: Type -> Reader) (constructor: ConstructorInfo) (properties: PropertyInfo[]) : Reader =
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
        Array.map Getter.Of properties,
        (fun o -> properties |> Array.map (fun p -> p.GetValue o)),
        (fun values -> constructor.Invoke values)
    )

/// `within`: the types around this one that are being looked at. One that comes again is tied in a knot, and so is what
/// goes too deep: a type may contain itself, and larger ones of its kind without end.
let rec private make (within: Type list) (t: Type) : Reader =
    let readerOf = readerWithin (t :: within)

    let generic (definition: Type) (arguments: Type[]) (item: Type) =
        Activator.CreateInstance(definition.MakeGenericType arguments, readerOf item) :?> Reader

    let definition = if t.IsGenericType then t.GetGenericTypeDefinition() else null
    let argument i = t.GetGenericArguments()[i]

    if typeof<Tensor>.IsAssignableFrom t then
        Leaf()
    elif isStatic t then
        Fixed()
    elif definition = typedefof<Frozen<_>> then
        generic typedefof<FrozenOf<_>> [| argument 0 |] (argument 0)
    elif definition = typedefof<_ option> then
        generic typedefof<OptionOf<_>> [| argument 0 |] (argument 0)
    elif FSharpType.IsRecord(t, true) then
        ofRecord readerOf t
    elif FSharpType.IsTuple t then
        ofTuple readerOf t
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
        ofUnion (readerWithin []) t
    elif t = typeof<obj> || t.IsInterface || t.IsAbstract then
        Dynamic(readerWithin [])
    else
        match (if isMutableCollection t then None else constructorOf t) with
        | Some(constructor, properties) -> ofClass readerOf constructor properties
        | None ->
            let reason =
                $"a parameter tree cannot hold a {TypeName.show t}: leaves are tensors; records, tuples, lists, arrays, options, maps, unions and classes whose constructor takes all their properties are branches; numbers, strings, enums and functions are carried along"

            raise (TreeException(reason, []))

and private readerWithin (within: Type list) (t: Type) : Reader =
    match cache.TryGetValue t with
    | true, r -> r
    | _ when List.contains t within || within.Length >= Deepest -> Knot(fun () -> readerWithin [] t)
    | _ ->
        let r =
            try
                make within t
            with :? TreeException as e when FSharpType.IsRecord(t, true) ->
                raise (e.In t)

        cache.GetOrAdd(t, r)

/// The reader of a type.
let readerOf (t: Type) : Reader = readerWithin [] t
