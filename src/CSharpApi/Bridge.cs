// From C#'s delegates and nulls to F#'s functions and options. The only file that knows how F# values look from C#.
using Microsoft.FSharp.Core;

namespace Functional.CSharp;

internal static class Bridge
{
    /// <summary>A delegate as an F# function.</summary>
    public static FSharpFunc<TInput, TResult> Curry<TInput, TResult>(Func<TInput, TResult> function) =>
        FuncConvert.FromFunc(function);
}
