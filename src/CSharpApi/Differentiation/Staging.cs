// Compiled functions, and control flow on numbers that are not known yet.
namespace Functional.CSharp;

/// <summary>Compiled functions, and control flow that compiled and batched functions can contain; meant for
/// <c>using static</c>.</summary>
public static class Staging
{
    /// <summary>The same function as a planned program: traced once for each kind of argument (shapes, element types,
    /// settings), then run without the functions that made it.</summary>
    /// <param name="function">Takes a tree of tensors to a tree of tensors, and does nothing else.</param>
    /// <example><code>
    /// var step = Compile((Net net) => ValueAndGradient(n => Loss(n, x, y), net).Gradient);
    /// </code></example>
    public static Func<TParameters, TResult> Compile<TParameters, TResult>(Func<TParameters, TResult> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Compilation.compiled(Bridge.Curry(function)).Invoke;
    }

    /// <summary>One of two functions, by a truth value that need not be known yet. Both must give trees of the same shapes.</summary>
    /// <param name="condition">A Bool tensor of shape [].</param>
    /// <param name="whenTrue">Takes the operand to the result.</param>
    /// <param name="whenFalse">Takes the operand to the result.</param>
    /// <param name="operand">What both are given.</param>
    /// <example><code>var y = Cond(x &gt; 0, t => t * t, t => -t, x);</code></example>
    public static TResult Cond<TOperand, TResult>(
        Tensor condition, Func<TOperand, TResult> whenTrue, Func<TOperand, TResult> whenFalse, TOperand operand)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(whenTrue);
        ArgumentNullException.ThrowIfNull(whenFalse);
        return Control.cond(condition, Bridge.Curry(whenTrue), Bridge.Curry(whenFalse), operand);
    }

    /// <summary>A state that is changed as long as a condition on it holds.</summary>
    /// <param name="condition">Takes the state to a Bool tensor of shape [].</param>
    /// <param name="body">Takes the state to the next one, of the same shapes.</param>
    /// <param name="start">The first state.</param>
    /// <example><code>var root = WhileLoop(t => Abs(t * t - a) &gt; 1e-12, t => (t + a / t) / 2, a);</code></example>
    public static TState WhileLoop<TState>(Func<TState, Tensor> condition, Func<TState, TState> body, TState start)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(body);
        return Control.whileLoop(Bridge.Curry(condition), Bridge.Curry(body), start);
    }

    /// <summary>A state carried along the first axis of some tensors, with an output at each place.</summary>
    /// <param name="body">Takes the state and one place of the tensors to the next state and an output.</param>
    /// <param name="start">The first state.</param>
    /// <param name="xs">A tree of tensors whose first axes are equally long.</param>
    /// <returns>The last state, and all outputs, stacked along a new first axis.</returns>
    /// <example><code>var (total, sums) = Scan((Tensor sum, Tensor x) => (sum + x, sum + x), Tensor.Scalar(0), xs);</code></example>
    public static (TState State, TOutput Outputs) Scan<TState, TInput, TOutput>(
        Func<TState, TInput, (TState State, TOutput Output)> body, TState start, TInput xs)
    {
        ArgumentNullException.ThrowIfNull(body);
        var (state, outputs) = Control.scan(
            Bridge.Curry<TState, TInput, Tuple<TState, TOutput>>((carry, x) =>
            {
                var (next, output) = body(carry, x);
                return Tuple.Create(next, output);
            }),
            start,
            xs);
        return (state, outputs);
    }
}
