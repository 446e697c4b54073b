// Derivatives over the types that a C# program has: records, record structs, classes, tuples, lists, nested.
using static Functional.CSharp.Differentiate;
using static Functional.CSharp.Staging;
using static Functional.CSharp.TensorMath;

namespace Fixtures;

public record Line(Tensor Slope, Tensor Intercept);

public readonly record struct Point(Tensor X, Tensor Y);

public sealed record Cell(Line Line, IReadOnlyList<Tensor> Weights, string Name, int Size, Tensor? Bias = null);

public sealed class Plane(Tensor normal, Point origin)
{
    public Tensor Normal { get; } = normal;

    public Point Origin { get; } = origin;
}

public sealed class Locked(int secret)
{
    public Tensor Weights { get; } = Tensor.Ones([1]) * secret;
}

public static class DifferentiationCases
{
    public static IEnumerable<(string Name, Action Run)> All()
    {
        var x = Tensor.Of(1.0, 2.0, 3.0);

        yield return ("the gradient of a record is that record", () =>
        {
            var line = new Line(Tensor.Scalar(2), Tensor.Scalar(1));
            var (value, gradient) = ValueAndGradient(p => Square(p.Slope * x + p.Intercept).Sum(), line);
            Expect.Numbers(value, 9 + 25 + 49);
            Expect.Numbers(gradient.Slope, 2 * (3 + 10 + 21));
            Expect.Numbers(gradient.Intercept, 2 * (3 + 5 + 7));
            Expect.Numbers(Gradient(p => Square(p.Slope * x + p.Intercept).Sum(), line).Intercept, 30);
        }
        );
        yield return ("equations and roots", () =>
        {
            var times = Tensor.Linspace(0, 1, 3);
            var decay = Ode.Solve((k, t, y) => new Point(-k * y.X, -k * y.Y), Tensor.Scalar(2), times, new Point(Tensor.Scalar(1), x), 1e-13, 1e-13);
            Expect.Numbers(decay.States.X, 1, Math.Exp(-1), Math.Exp(-2));
            Expect.Numbers(decay.States.Y.Slice(2), Math.Exp(-2), 2 * Math.Exp(-2), 3 * Math.Exp(-2));
            var slope = Gradient(k => Ode.Solve((k, t, y) => -k * y, k, times, Tensor.Scalar(1), 1e-13, 1e-13, derivative: OdeDerivative.ThroughSteps).States.Sum(), Tensor.Scalar(2));
            Expect.Numbers(slope, -0.5 * Math.Exp(-1) - Math.Exp(-2));
            Expect.Numbers(Gradient(p => CustomRoot((p, x) => x * x - p, p => Sqrt(p), p), Tensor.Scalar(9)), 1.0 / 6);
            Expect.Numbers(Gradient(p => CustomMinimum((p, x) => Square(x - p) + 2 * x, p => p - 1, p), Tensor.Scalar(3)), 1);
        }
        );
        yield return ("record structs, tuples, arrays and classes are trees", () =>
        {
            var point = new Point(Tensor.Scalar(3), Tensor.Scalar(4));
            Expect.Numbers(Gradient(p => Sqrt(p.X * p.X + p.Y * p.Y), point).Y, 0.8);
            Expect.Numbers(Gradient(p => p.A * p.B, (A: Tensor.Scalar(3), B: Tensor.Scalar(4))).A, 4);
            Expect.Numbers(Gradient(p => (p[0] * p[1]).Sum(), new[] { x, 2 * x })[1], 1, 2, 3);
            var plane = Gradient(p => (p.Normal * p.Origin.X).Sum(), new Plane(x, point));
            Expect.Numbers(plane.Normal, 3, 3, 3);
            Expect.Numbers(plane.Origin.X, 6);
            Expect.Numbers(plane.Origin.Y, 0);
        }
        );
        yield return ("nested records with lists and settings", () =>
        {
            var cell = new Cell(new Line(x, x), [x, x], "cell", 3, Tensor.Scalar(1));
            var gradient = Gradient(c => (c.Weights[1] * c.Line.Slope).Sum() * c.Size + c.Bias!, cell);
            Expect.Numbers(gradient.Weights[1], 3, 6, 9);
            Expect.Numbers(gradient.Line.Slope, 3, 6, 9);
            Expect.Numbers(gradient.Bias!, 1);
            Expect.Equal((gradient.Name, gradient.Size), ("cell", 3));
        }
        );
        yield return ("a member that may be null and is, is not a leaf", () =>
        {
            var gradient = Gradient(c => (c.Weights[0] * c.Weights[0]).Sum(), new Cell(new Line(x, x), [x], "cell", 3));
            Expect.Numbers(gradient.Weights[0], 2, 4, 6);
            Expect.True(gradient.Bias is null, "the gradient of what is not there is not there");
        }
        );
        yield return ("a null that may not be one is an error", () =>
            Expect.Throws<ArgumentException>(() => Gradient(p => p.Slope, new Line(Tensor.Scalar(1), null!)), "null"));
        yield return ("a class that cannot be put together again is refused by name", () =>
            Expect.Throws<ArgumentException>(() => Gradient(p => p.Weights.Sum(), new Locked(1)), "Locked"));
        yield return ("gradients nest", () =>
        {
            Func<Tensor, Tensor> cube = t => t * t * t;
            Expect.Numbers(Gradient(Gradient(Gradient(cube)))(Tensor.Scalar(5)), 6);
            Expect.Numbers(Gradient(a => a * Gradient(b => a + b, Tensor.Scalar(1)), Tensor.Scalar(1)), 1);
            Expect.Numbers(Gradient(a => a * Gradient(b => a * b, Tensor.Scalar(1)), Tensor.Scalar(4)), 8);
        }
        );
        yield return ("jvp, vjp, Jacobian, Hessian and its products", () =>
        {
            var (value, tangent) = Jvp(t => Sin(t), Tensor.Scalar(0), Tensor.Scalar(2));
            Expect.Numbers(value, 0);
            Expect.Numbers(tangent, 2);
            var (squares, pullback) = Vjp(t => t * t, x);
            Expect.Numbers(squares, 1, 4, 9);
            Expect.Numbers(pullback(Tensor.Ones([3])), 2, 4, 6);
            Expect.Numbers(pullback(x), 2, 8, 18);
            Expect.Numbers(Jacobian(t => t * t, Tensor.Of(1.0, 2.0)), 2, 0, 0, 4);
            Expect.Numbers(Hessian(t => (t * t * t).Sum(), Tensor.Of(1.0, 2.0)), 6, 0, 0, 12);
            Expect.Numbers(HessianVectorProduct(t => (t * t * t).Sum(), x, Tensor.Ones([3])), 6, 12, 18);
            Expect.Shape(Hessian(p => p.X * p.Y, new Point(Tensor.Scalar(3), Tensor.Scalar(4))), 2, 2);
        }
        );
        yield return ("vmap gives one gradient per example", () =>
        {
            var batch = Tensor.Of(new double[,] { { 1, 2 }, { 3, 4 } });
            Expect.Numbers(Vmap(row => Gradient(r => (r * r).Sum(), row), batch), 2, 4, 6, 8);
            Expect.Numbers(Vmap(p => p.A + p.B, (A: batch, B: batch)).Sum(), 20);
        }
        );
        yield return ("checkpoint changes nothing but memory", () =>
            Expect.Numbers(Gradient(t => Checkpoint<Tensor, Tensor>(s => s * s)(t).Sum(), x), 2, 4, 6));
        yield return ("a compiled function gives the same numbers", () =>
        {
            var step = Compile((Line p) => Gradient(q => Square(q.Slope * x + q.Intercept).Sum(), p));
            var line = new Line(Tensor.Scalar(2), Tensor.Scalar(1));
            Expect.Numbers(step(line).Slope, 2 * (3 + 10 + 21));
            Expect.Numbers(step(step(line)).Intercept, Gradient(q => Square(q.Slope * x + q.Intercept).Sum(), step(line)).Intercept.ToDouble());
        }
        );
        yield return ("branches and loops on numbers that are not known yet", () =>
        {
            var absolute = Compile((Tensor t) => Cond(t > 0, s => s, s => -s, t));
            Expect.Numbers(absolute(Tensor.Scalar(-3)), 3);
            var root = Compile((Tensor a) => WhileLoop(t => Abs(t * t - a) > 1e-12, t => (t + a / t) / 2, a));
            Expect.Numbers(root(Tensor.Scalar(2)), Math.Sqrt(2));
            var (total, sums) = Scan((Tensor sum, Tensor next) => (sum + next, sum + next), Tensor.Scalar(0), x);
            Expect.Numbers(total, 6);
            Expect.Numbers(sums, 1, 3, 6);
        }
        );
        yield return ("a gradient of more than one number says what to do", () =>
            Expect.Throws<ArgumentException>(() => Gradient(t => t * t, x), "grad", "single number", "jacobian"));
        yield return ("a number read in the middle of a gradient says what to do", () =>
            Expect.Throws<InvalidOperationException>(() => Gradient(t => t * t.Sum().ToDouble(), x), "detach"));
    }
}
