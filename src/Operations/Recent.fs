namespace Functional.Operations

open System.Collections.Concurrent

/// A value with the time of its last use, counted in uses.
[<Sealed>]
type private Held<'V>(value: 'V, number: int64) =
    member _.Value = value
    /// In which order it came.
    member _.Number = number
    member val Used = number with get, set

/// The values that were used last, by key. Where there are more than so many, or together they take too many bytes, those
/// whose last use is longest ago are let go; one is always kept.
[<Sealed>]
type internal Recent<'K, 'V when 'K: equality>(most: int, mostBytes: int64, bytesOf: 'V -> int64) =
    let known = ConcurrentDictionary<'K, Held<'V>>()
    let mutable uses = 0L

    let use' (held: Held<'V>) =
        // two threads may count one use: then two values are equally old
        uses <- uses + 1L
        held.Used <- uses
        held.Value

    let trim () =
        let byAge = known.ToArray() |> Array.sortBy (fun entry -> -entry.Value.Used)
        let mutable bytes = 0L

        byAge
        |> Array.iteri (fun i entry ->
            bytes <- bytes + bytesOf entry.Value.Value

            if i > 0 && (i >= most || bytes > mostBytes) then
                known.TryRemove entry.Key |> ignore)

    /// Values that take no memory worth speaking of.
    new(most) = Recent<'K, 'V>(most, System.Int64.MaxValue, (fun _ -> 0L))

    member _.TryFind(key: 'K) : 'V voption =
        match known.TryGetValue key with
        | true, held -> ValueSome(use' held)
        | _ -> ValueNone

    /// Keeps a value, and returns it; or the one that another thread has kept meanwhile.
    member _.Add(key: 'K, value: 'V) : 'V =
        uses <- uses + 1L
        let kept = known.GetOrAdd(key, Held(value, uses))
        trim ()
        use' kept

    /// The values that are held, in the order in which they came.
    member _.Values: 'V[] = known.ToArray() |> Array.map _.Value |> Array.sortBy _.Number |> Array.map _.Value
