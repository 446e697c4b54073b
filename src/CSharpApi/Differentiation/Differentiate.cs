// Derivatives of C# functions over tensors, records, tuples and lists: thin shells around the F# transformations.
namespace Functional.CSharp;

/// <summary>Derivatives of ordinary functions, meant for <c>using static</c>. The parameters are any tree: a tensor, a
/// record or immutable class whose constructor takes its properties, a tuple, an array, a list, nested; tensors are the
/// leaves, everything else is carried along. A gradient has the type of its parameters. All of them nest, in any mix.</summary>
/// <example><code>
/// using static Functional.CSharp.Differentiate;
/// record Line(Tensor Slope, Tensor Intercept);
/// var (loss, gradient) = ValueAndGradient(line => Square(line.Slope * x + line.Intercept - y).Mean(), new Line(a, b));
/// // gradient is a Line
/// </code></example>
public static class Differentiate
{
    /// <summary>The gradient of a function that returns a single number.</summary>
    /// <typeparam name="TParameters">The type of the parameters, and of their gradient.</typeparam>
    /// <param name="function">Takes the parameters to a tensor of shape [].</param>
    /// <param name="at">Where to take the gradient.</param>
    /// <returns>A tree like the parameters; zeros at integer leaves.</returns>
    /// <example><code>var slope = Gradient(x => x * x, Tensor.Scalar(3));   // 6</code></example>
    /// <exception cref="ArgumentException">The function returned something other than a single float.</exception>
    public static TParameters Gradient<TParameters>(Func<TParameters, Tensor> function, TParameters at)
    {
        NotNull(function, at);
        return Transformations.grad(Bridge.Curry(function), at);
    }

    /// <summary>The gradient as a function, to be called, or differentiated again.</summary>
    /// <param name="function">Takes the parameters to a tensor of shape [].</param>
    /// <example><code>
    /// Func&lt;Tensor, Tensor&gt; cube = x => x * x * x;
    /// var second = Gradient(Gradient(cube));   // x => 6x
    /// </code></example>
    public static Func<TParameters, TParameters> Gradient<TParameters>(Func<TParameters, Tensor> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return at => Gradient(function, at);
    }

    /// <summary>The function's value and its gradient, in one pass.</summary>
    /// <param name="function">Takes the parameters to a tensor of shape [].</param>
    /// <param name="at">Where to take both.</param>
    /// <example><code>var (loss, gradient) = ValueAndGradient(net => Loss(net, batch), net);</code></example>
    /// <exception cref="ArgumentException">The function returned something other than a single float.</exception>
    public static (Tensor Value, TParameters Gradient) ValueAndGradient<TParameters>(Func<TParameters, Tensor> function, TParameters at)
    {
        NotNull(function, at);
        var (value, gradient) = Transformations.valueAndGrad(Bridge.Curry(function), at);
        return (value, gradient);
    }

    /// <summary>Forward mode: the function's value, and its derivative in the direction of a tangent.</summary>
    /// <param name="function">Takes the parameters to a tensor or a tree of them.</param>
    /// <param name="at">Where to take both.</param>
    /// <param name="tangent">The direction, built like the parameters.</param>
    /// <example><code>var (y, speed) = Jvp(x => Sin(x), Tensor.Scalar(0), Tensor.Scalar(1));   // 0 and 1</code></example>
    /// <exception cref="ArgumentException">The tangent is not built like the parameters.</exception>
    public static (TResult Value, TResult Tangent) Jvp<TParameters, TResult>(
        Func<TParameters, TResult> function, TParameters at, TParameters tangent)
    {
        NotNull(function, at);
        ArgumentNullException.ThrowIfNull(tangent);
        var (value, derivative) = Transformations.jvp(Bridge.Curry(function), at, tangent);
        return (value, derivative);
    }

    /// <summary>Reverse mode: the function's value, and its pullback from cotangents of the result to cotangents of the
    /// parameters. The pullback may be called any number of times, from any thread.</summary>
    /// <param name="function">Takes the parameters to a tensor or a tree of them.</param>
    /// <param name="at">Where to take both.</param>
    /// <example><code>
    /// var (y, pullback) = Vjp(x => x * x, Tensor.Of([1.0, 2.0]));
    /// var gradient = pullback(Tensor.Of([1.0, 1.0]));   // 2, 4
    /// </code></example>
    public static (TResult Value, Func<TResult, TParameters> Pullback) Vjp<TParameters, TResult>(
        Func<TParameters, TResult> function, TParameters at)
    {
        NotNull(function, at);
        var (value, pullback) = Transformations.vjp(Bridge.Curry(function), at);
        return (value, pullback.Invoke);
    }

    /// <summary>The Jacobian, in the direction that needs fewer passes.</summary>
    /// <param name="function">Takes the parameters to a tensor.</param>
    /// <param name="at">Where to take it.</param>
    /// <returns>A tree like the parameters, whose leaves have the result's axes, then their own.</returns>
    /// <example><code>var j = Jacobian(x => x * x, Tensor.Of([1.0, 2.0]));   // [[2, 0], [0, 4]]</code></example>
    public static TParameters Jacobian<TParameters>(Func<TParameters, Tensor> function, TParameters at)
    {
        NotNull(function, at);
        return Transformations.jacobian(Bridge.Curry(function), at);
    }

    /// <summary>The Hessian of a function that returns a single number.</summary>
    /// <param name="function">Takes the parameters to a tensor of shape [].</param>
    /// <param name="at">Where to take it.</param>
    /// <returns>A matrix [N, N] over the N numbers of the tree, leaf by leaf in row-major order.</returns>
    /// <example><code>var h = Hessian(x => (x * x * x).Sum(), Tensor.Of([1.0, 2.0]));   // [[6, 0], [0, 12]]</code></example>
    public static Tensor Hessian<TParameters>(Func<TParameters, Tensor> function, TParameters at)
    {
        NotNull(function, at);
        return Transformations.hessian(Bridge.Curry(function), at);
    }

    /// <summary>The Hessian times a direction, without the Hessian.</summary>
    /// <param name="function">Takes the parameters to a tensor of shape [].</param>
    /// <param name="at">Where to take it.</param>
    /// <param name="direction">Built like the parameters.</param>
    /// <example><code>var curvature = HessianVectorProduct(f, x, v).Dot(v);</code></example>
    public static TParameters HessianVectorProduct<TParameters>(
        Func<TParameters, Tensor> function, TParameters at, TParameters direction)
    {
        NotNull(function, at);
        ArgumentNullException.ThrowIfNull(direction);
        return Transformations.hvp(Bridge.Curry(function), at, direction);
    }

    /// <summary>The function applied to every example along the first axis of all tensors of the tree, in one go. What the
    /// function closes over is shared by all examples.</summary>
    /// <param name="function">A function of one example.</param>
    /// <param name="examples">Tensors whose first axes are equally long.</param>
    /// <example><code>var gradients = Vmap(x => Gradient(f, x), batch);   // one gradient per example</code></example>
    /// <exception cref="ArgumentException">A leaf has no axis, or the first axes differ.</exception>
    public static TResult Vmap<TParameters, TResult>(Func<TParameters, TResult> function, TParameters examples)
    {
        NotNull(function, examples);
        return Transformations.vmap(Bridge.Curry(function), examples);
    }

    /// <summary>The same function, whose reverse pass stores only its argument and computes the rest again: memory for time.</summary>
    /// <param name="function">Takes the parameters to a tensor or a tree of them.</param>
    /// <example><code>var block = Checkpoint&lt;Tensor, Tensor&gt;(x => Tanh(x.MatMul(w)));</code></example>
    public static Func<TParameters, TResult> Checkpoint<TParameters, TResult>(Func<TParameters, TResult> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        var curried = Bridge.Curry(function);
        return at => CustomRules.checkpoint(curried, at);
    }

    /// <summary>The x that solves f(p, x) = 0, found by a function of one's own, through which no derivative goes: it follows from
    /// the equation, by the implicit function theorem, in both modes and to any order. NaN where ∂f/∂x is singular.</summary>
    /// <param name="equation">Takes p and x to a tree like x, which is zero at the root.</param>
    /// <param name="solve">Finds the root for p.</param>
    /// <param name="at">p: derivatives flow to it, not to what the functions close over.</param>
    /// <example><code>var root = CustomRoot((p, x) => x * x - p, p => Sqrt(p), Tensor.Scalar(9));   // 3, its derivative 1/6</code></example>
    /// <exception cref="ArgumentException">There are not as many equations as unknowns.</exception>
    public static TRoot CustomRoot<TParameters, TRoot>(
        Func<TParameters, TRoot, TRoot> equation, Func<TParameters, TRoot> solve, TParameters at)
    {
        NotNull(equation, at);
        ArgumentNullException.ThrowIfNull(solve);
        return Implicit.customRoot(Bridge.Curry(equation), Bridge.Curry(solve), at);
    }

    /// <summary>The x at which f(p, x) is least, found by a function of one's own: <see cref="CustomRoot"/> of the gradient.</summary>
    /// <param name="loss">Takes p and x to a single number.</param>
    /// <param name="solve">Finds the minimum for p.</param>
    /// <param name="at">p: derivatives flow to it.</param>
    /// <example><code>var least = CustomMinimum((p, x) => Square(x - p) + 2 * x, p => p - 1, Tensor.Scalar(3));   // 2, its derivative 1</code></example>
    /// <exception cref="ArgumentException">The loss is not a single number.</exception>
    public static TMinimum CustomMinimum<TParameters, TMinimum>(
        Func<TParameters, TMinimum, Tensor> loss, Func<TParameters, TMinimum> solve, TParameters at)
    {
        NotNull(loss, at);
        ArgumentNullException.ThrowIfNull(solve);
        return Implicit.customMinimum(Bridge.Curry(loss), Bridge.Curry(solve), at);
    }

    private static void NotNull<TParameters>(object function, TParameters at)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(at);
    }
}
