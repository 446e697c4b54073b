namespace Functional.Trees

// Readers of what has named parts: records, tuples, immutable classes, the cases of unions.

open System
open System.Reflection
open Functional

/// Reads one property. A reference is read without allocating anything.
[<AbstractClass>]
type internal Getter() =
    abstract Get: obj -> obj

    static member Of(property: PropertyInfo) : Getter =
        let owner = property.DeclaringType

        if owner.IsValueType then
            {
                new Getter() with
                    member _.Get value = property.GetValue value
            }
        else
            Activator.CreateInstance(typedefof<GetterOf<_, _>>.MakeGenericType(owner, property.PropertyType), property)
            :?> Getter

and internal GetterOf<'T, 'F when 'T: not struct>(property: PropertyInfo) =
    inherit Getter()
    let get = property.GetMethod.CreateDelegate<Func<'T, 'F>>()
    override _.Get value = box (get.Invoke(unbox<'T> value))

/// A fixed number of named fields.
[<Sealed>]
type internal Product(names: string[], fields: Reader[], getters: Getter[], read: obj -> obj[], make: obj[] -> obj) =
    inherit Reader()
    let still = fields |> Array.forall _.Static

    override _.Leaves(value, into) =
        if not still then
            for i in 0 .. fields.Length - 1 do
                if not fields[i].Static then
                    fields[i].Leaves(getters[i].Get value, into)

    override _.Visit(value, visitor) =
        for i in 0 .. fields.Length - 1 do
            if visitor.WantsSettings || not fields[i].Static then
                let place = visitor.Field names[i]
                fields[i].Visit(getters[i].Get value, visitor)
                visitor.Leave place

    override _.Build(value, leaves, next) =
        if still then
            value
        else
            let v = read value

            for i in 0 .. fields.Length - 1 do
                if not fields[i].Static then
                    v[i] <- fields[i].Build(v[i], leaves, &next)

            make v

    override _.Static = still

/// Unions; the cases are looked at when first met, so that a union may contain itself.
[<Sealed>]
type internal Cases(tag: obj -> int, names: string[], cases: Lazy<Reader[]>) =
    inherit Passage()
    override _.Inner value = cases.Value[tag value]

    override _.Announce(value, visitor) =
        let tag = tag value
        visitor.Form(tag, names[tag])
