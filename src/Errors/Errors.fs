namespace Functional

// Errors as data. What is wrong is kept as it was found, with the shapes and sizes in it; the sentence is made when somebody reads
// the message. So an error that passes through a layer, a network or a fit is asked what it speaks of, and its text is nobody's
// interface.

open System
open System.Globalization
open Functional.Kernels

/// Writes the shapes and sizes of a sentence, each size by a name.
[<Sealed>]
type private Words(names: int[] -> int -> string) =
    let write (shape: int[]) = ArraySize.Show(Array.init shape.Length (names shape))

    interface IFormatProvider with
        member words.GetFormat t = if t = typeof<ICustomFormatter> then box words else null

    interface ICustomFormatter with
        member _.Format(_, value, _) =
            match value with
            | :? (int[]) as shape -> write shape
            | :? int as number -> number.ToString CultureInfo.InvariantCulture
            | :? IFormattable as other -> other.ToString(null, CultureInfo.InvariantCulture)
            | null -> ""
            | other -> string other

/// Shapes that an operation cannot take: the operation, what is wrong, and the shapes that this speaks of.
[<Sealed>]
type ShapeException private (operation: string, reason: FormattableString, names: int[] -> int -> string) =
    inherit ArgumentException()

    /// An operation, and what is wrong: a sentence in which shapes (`int[]`) and sizes stand as they are.
    new(operation: string, reason: FormattableString) =
        ShapeException(operation, reason, (fun shape axis -> string shape[axis]))

    /// The operation, as it is called in messages.
    member _.Operation = operation

    /// What is wrong, without the operation.
    member _.Reason: string = reason.ToString(Words names)

    /// The shapes that the error speaks of, in the order of the sentence.
    member _.Shapes: int[][] =
        reason.GetArguments()
        |> Array.choose (function
            | :? (int[]) as shape -> Some shape
            | _ -> None)

    /// The same error with other words for the sizes of its shapes, from a shape and an axis: `batch`, for example.
    member internal _.Naming(names: int[] -> int -> string) = ShapeException(operation, reason, names)

    override e.Message = $"{operation}: {e.Reason}"

/// A value that is no tree of tensors: what is wrong, and the records it was found in, the innermost first.
[<Sealed>]
type TreeException(reason: string, within: Type list) =
    inherit ArgumentException()

    /// What is wrong, without where.
    member _.Reason = reason

    /// The records that hold it, the innermost first.
    member _.Within = within

    /// The same error, seen from a record that holds it.
    member internal e.In(record: Type) =
        if List.contains record within then
            e
        else
            TreeException(reason, within @ [ record ])

    override _.Message = within |> List.fold (fun text record -> $"{text} (in {record.Name})") reason

/// Raising errors.
[<AutoOpen>]
module internal Raising =

    /// Raises the error of an argument. The message is the sentence alone, so that another may quote it: .NET would write the
    /// parameter behind it, which is here for the reader of the code.
    let invalidArg (_parameter: string) (reason: string) : 'T = raise (ArgumentException reason)

    /// Raises the error of shapes that an operation cannot take. In the sentence shapes stand as they are: `{x.Shape}`.
    let invalidShape (operation: 'Op) (reason: FormattableString) : 'T =
        raise (ShapeException(string (box operation), reason))

/// What errors speak of.
[<RequireQualifiedAccess>]
module internal Errors =

    /// The shapes that an error, or what caused it, speaks of.
    let rec shapes (e: exn) : int[][] =
        match e with
        | null -> [||]
        | :? ShapeException as e -> e.Shapes
        | e -> shapes e.InnerException
