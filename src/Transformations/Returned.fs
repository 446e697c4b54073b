/// What a function that is transformed may return: tensors in any tree, but no functions. One that is given another
/// argument too few returns a function, which would take the transformation's tensors out of it.
[<RequireQualifiedAccess>]
module internal Functional.Returned

open System

let rec private isFunction (t: Type) : bool =
    typeof<Delegate>.IsAssignableFrom t
    || (t.IsGenericType
        && (t.GetGenericTypeDefinition() = typedefof<obj -> obj>
            || (typeof<Runtime.CompilerServices.ITuple>.IsAssignableFrom t
                && Array.exists isFunction (t.GetGenericArguments()))))

/// The answer for a type, found once.
type private Known<'Q> private () =
    static member val IsFunction = isFunction typeof<'Q>

/// Refuses a function as the result of a function that is transformed, or among the results.
let requireTensors<'Q> (operation: string) =
    if Known<'Q>.IsFunction then
        invalidArg
            "f"
            $"{operation}: the function returns another function, and the tensors in it would leave the {operation} that made them; a function of several arguments takes them as a tuple: fun (x, y) -> …"
