namespace Functional.Kernels.LinearAlgebra;

/// <summary>
/// A Householder reflection I − τ·v·vᵀ with v₀ = 1 that takes (α, x) to (β, 0), and several of them as one,
/// I − V·T·Vᵀ with T upper triangular (R. Schreiber, C. Van Loan, "A storage-efficient WY representation", 1989).
/// </summary>
internal readonly struct Reflector(double beta, double tau, double factor)
{
    public readonly double Beta = beta, Tau = tau;

    /// <summary>v below its first element is x times this.</summary>
    public readonly double Factor = factor;

    /// <summary>The reflection for α and the sum of the squares of x.</summary>
    public static Reflector Of(double alpha, double squares)
    {
        if (squares == 0) return new Reflector(alpha, 0, 0);
        var beta = -Math.CopySign(Math.Sqrt((alpha * alpha) + squares), alpha);
        return new Reflector(beta, (beta - alpha) / beta, 1 / (alpha - beta));
    }

    /// <summary>Column j of T from T's columns before it, τ, and the products of the vectors before with v.</summary>
    public static unsafe void Extend(in MatrixView t, int j, double tau, double* products)
    {
        for (var i = 0; i < j; i++)
        {
            double sum = 0;
            for (var k = i; k < j; k++) sum += t.Row(i)[k] * products[k];
            t.Row(i)[j] = -tau * sum;
        }
        t.Row(j)[j] = tau;
    }
}
