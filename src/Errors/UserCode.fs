/// Where in the user's own program something was asked for, so that an error can name the line.
module internal Functional.UserCode

open System
open System.Diagnostics
open System.IO
open System.Reflection

/// Assemblies whose frames are of no interest to the user.
let private isOurs (assembly: Assembly) =
    let name = assembly.GetName().Name

    name = "Functional"
    || name = "Functional.CSharp"
    || name = "FSharp.Core"
    || name.StartsWith("System.", StringComparison.Ordinal)

/// The innermost frame of the user's: ` (asked for in Model.fs, line 12)`; empty where nothing is known. Slow, for errors only.
let place () : string =
    StackTrace(true).GetFrames()
    |> Seq.tryFind (fun frame ->
        match frame.GetMethod() with
        | null -> false
        | m -> not (isNull m.DeclaringType) && not (isOurs m.DeclaringType.Assembly))
    |> Option.map (fun frame ->
        match frame.GetFileName() with
        | null ->
            let m = frame.GetMethod()
            $" (asked for in {m.DeclaringType.Name}.{m.Name})"
        | file -> $" (asked for in {Path.GetFileName file}, line {frame.GetFileLineNumber()})")
    |> Option.defaultValue ""
