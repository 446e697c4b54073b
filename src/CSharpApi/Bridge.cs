// From C#'s delegates, nulls and arrays to F#'s functions, options and lists, and back.
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Functional.CSharp;

internal static class Bridge
{
    /// <summary>A delegate as an F# function.</summary>
    public static FSharpFunc<TInput, TResult> Curry<TInput, TResult>(Func<TInput, TResult> function) =>
        FuncConvert.FromFunc(function);

    /// <summary>A delegate that returns nothing as an F# function.</summary>
    public static FSharpFunc<TInput, Unit> Act<TInput>(Action<TInput> action) => FuncConvert.FromAction(action);

    /// <summary>A delegate of two arguments as an F# function of one after the other.</summary>
    public static FSharpFunc<T1, FSharpFunc<T2, TResult>> Curry<T1, T2, TResult>(Func<T1, T2, TResult> function) =>
        FuncConvert.FromFunc(function);

    /// <summary>A delegate of three arguments as an F# function of one after the other.</summary>
    public static FSharpFunc<T1, FSharpFunc<T2, FSharpFunc<T3, TResult>>> Curry<T1, T2, T3, TResult>(Func<T1, T2, T3, TResult> function) =>
        FuncConvert.FromFunc(function);

    /// <summary>An F# function of two arguments, called.</summary>
    public static TResult Call<T1, T2, TResult>(FSharpFunc<T1, FSharpFunc<T2, TResult>> function, T1 first, T2 second) =>
        FSharpFunc<T1, T2>.InvokeFast(function, first, second);

    /// <summary>None for null.</summary>
    public static FSharpOption<T>? Option<T>(T? value)
        where T : class => value is null ? null : FSharpOption<T>.Some(value);

    /// <summary>None for null.</summary>
    public static FSharpOption<T>? Option<T>(T? value)
        where T : struct => value is null ? null : FSharpOption<T>.Some(value.Value);

    public static FSharpList<T> List<T>(IEnumerable<T> items) => ListModule.OfSeq(items);

    /// <summary>Names and numbers as a dictionary that keeps their order.</summary>
    public static IReadOnlyDictionary<string, double> Dictionary(IEnumerable<Tuple<string, double>> numbers)
    {
        var dictionary = new OrderedDictionary<string, double>();
        foreach (var (name, value) in numbers) dictionary[name] = value;
        return dictionary;
    }
}
