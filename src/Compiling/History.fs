namespace Functional.Compiling

// In which words a new trace is explained.

open System
open System.Collections.Generic
open Functional
open Functional.Operations

/// A trace as it is told of: what it was made for, and why it was needed.
type internal Traced = {
    /// Path and text of every tensor and setting.
    Parts: struct (string * string)[]
    Cause: string
    /// To trace, in milliseconds.
    Time: float
    /// Large arrays that the program holds: what and how many bytes.
    Held: (string * int)[]
    /// How often this happened.
    mutable Count: int
}

[<RequireQualifiedAccess>]
module internal Traced =

    let private limit = 4

    let private several (items: string list) =
        if items.Length <= limit then
            String.Join("; ", items)
        else
            String.Join("; ", List.truncate limit items) + $"; and {items.Length - limit} more"

    let private at path = if path = "" then "the argument" else path

    /// What of an argument differs from an earlier one, each by its path.
    let private differences (before: struct (string * string)[]) (now: struct (string * string)[]) =
        // several parts can have one path: a union's case and what is in it
        let byPath parts =
            parts
            |> Array.groupBy (fun (struct (path: string, _)) -> path)
            |> Array.map (fun (path, found) ->
                path, found |> Array.map (fun (struct (_, text)) -> text) |> String.concat " ")

        let earlier, later = byPath before, byPath now
        let known, present = dict earlier, dict later

        [
            for path, text in later do
                match known.TryGetValue path with
                | true, was when was = text -> ()
                | true, was -> $"{at path} is {text}, was {was}"
                | _ -> $"{at path} is new: {text}"
            for path, text in earlier do
                if not (present.ContainsKey path) then
                    $"{at path} is gone, was {text}"
        ]

    /// So many programs a compiled function keeps, and so many traces it tells of.
    [<Literal>]
    let Kept = 256

    /// So many bytes its programs may take together: a quarter of the memory there is.
    let keptBytes () = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4L

    /// Why an argument needs a trace of its own: how it differs from the one of some earlier that is most like it.
    let cause (earlier: Traced list) (now: struct (string * string)[]) : string =
        if earlier.IsEmpty then
            "first call"
        else
            match earlier |> List.map (fun t -> differences t.Parts now) |> List.minBy _.Length with
            | [] -> "a setting that has no text is another one"
            | differences -> several differences

    /// The parts in words, each `path: text`.
    let describe (parts: struct (string * string)[]) : string =
        parts
        |> Array.map (fun (struct (path, text)) -> if path = "" then text else $"{path}: {text}")
        |> List.ofArray
        |> fun all ->
            let shown = 8

            if all.Length <= shown then
                String.Join(", ", all)
            else
                String.Join(", ", List.truncate shown all) + $", and {all.Length - shown} more"

    /// A trace in one line: its cause, and what it is for.
    let line (t: Traced) = $"{t.Cause}: {describe t.Parts}"

    /// From this many bytes on an array that a program holds is worth a word.
    let private large = 1 <<< 20

    /// Whether all bytes of an array repeat its first element, as those of zeros do.
    let private isUniform (value: Kernels.NDArray) =
        let size = value.DType.Size()
        let bytes = value.Storage.Span<byte>()
        bytes.Slice(size).SequenceEqual(Span.op_Implicit (bytes.Slice(0, bytes.Length - size)): ReadOnlySpan<byte>)

    /// The arrays above 1 MB that a graph holds. What is the same number throughout is no data of the user's.
    let rec held (g: Graph) : (string * int)[] =
        g.Instructions
        |> Array.collect (fun instruction ->
            match instruction with
            | Constant c when not (isNull c.Storage) && c.Storage.ByteLength > large && not (isUniform c) -> [|
                $"{c.DType} {Shape.show c.Shape}", c.Storage.ByteLength
              |]
            | ApplyMany(Scan s, _, _) -> held s.Body
            | ApplyMany(Cond(whenTrue, whenFalse), _, _) -> Array.append (held whenTrue) (held whenFalse)
            | ApplyMany(While w, _, _) -> Array.append (held w.Condition) (held w.Body)
            | Constant _
            | Apply _
            | ApplyMany _ -> [||])

    let megabytes (bytes: int) = (float bytes / 1048576.0).ToString("F1", Globalization.CultureInfo.InvariantCulture)

    /// Says on the error output, once for each compiled function, that its programs hold much.
    let warn (what: string) (held: (string * int)[]) =
        let arrays = held |> Array.map (fun (array, bytes) -> $"{array} ({megabytes bytes} MB)") |> List.ofArray

        Console.Error.WriteLine
            $"warning: {what}: the function closes over large arrays, which its program keeps as they are now: {several arrays}; pass them as arguments if they change or should be freed"

/// The traces of a compiled function or a stepper: the last of them. Says on the error output, once each, that a program
/// holds large arrays, and that there is one trace after another.
[<Sealed>]
type internal TraceHistory(what: string) =
    // a trace is compared with so many before it, and after so many it is time for a word
    let compared, many = 16, 64
    let last = LinkedList<Traced>()
    let mutable traced = 0
    let mutable hasWarned = false
    let latest n = last |> Seq.rev |> Seq.truncate n |> List.ofSeq

    /// Writes a trace down. `level` is the transformation whose tensor the function closes over, or null.
    member _.Add(parts: struct (string * string)[], level: string, time: TimeSpan, held: (string * int)[]) : unit =
        lock last (fun () ->
            let cause =
                if isNull level then
                    Traced.cause (latest compared) parts
                else
                    $"it closes over a tensor of {level}, which is another one at each call"

            match
                latest compared |> List.tryFind (fun t -> not (isNull level) && t.Cause = cause && t.Parts = parts)
            with
            | Some again -> again.Count <- again.Count + 1
            | None ->
                last.AddLast {
                    Parts = parts
                    Cause = cause
                    Time = time.TotalMilliseconds
                    Held = held
                    Count = 1
                }
                |> ignore

                if last.Count > Traced.Kept then
                    last.RemoveFirst()

                traced <- traced + 1

                if traced = many then
                    Console.Error.WriteLine
                        $"warning: {what}: traced {many} times, since the argument changes ({cause}); sizes that change are best filled up to a few sizes (BatchSource.ofSequences does, for sequences), settings that change are best tensors"

            if held.Length > 0 && not hasWarned then
                hasWarned <- true
                Traced.warn what held)

    /// The last traces, in order.
    member _.Traces: Traced[] = lock last (fun () -> Array.ofSeq last)
