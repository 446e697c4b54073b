namespace Functional.Plans

// What runs a kernel of a schedule: a C# kernel, bound to places in the plan's table of arrays.

open Functional.Kernels
open Functional.Operations

/// One kernel, bound to places in the plan's table of arrays.
[<AbstractClass>]
type internal Step(name: string) =
    member _.Name = name
    abstract Run: values: NDArray[] -> unit
    /// Memory of the step's own.
    abstract Bytes: int64
    default _.Bytes = 0L

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module internal Step =

    let make name (run: NDArray[] -> unit) = {
        new Step(name) with
            member _.Run values = run values
    }

    /// The name of a kernel: those of its first operations.
    let nameOf (g: Graph) (kernel: Kernel) =
        kernel.Instructions
        |> Array.truncate 8
        |> Array.map (fun k ->
            match g.Instructions[k] with
            | Apply(op, _, _, _) -> Facts.name op
            | Constant _
            | ApplyMany _ -> "")
        |> String.concat " "
