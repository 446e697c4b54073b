// Linear algebra over the last two axes, and Einstein summation; leading axes are a batch.
namespace Functional.CSharp;

/// <summary>Linear algebra over the last two axes; leading axes are a batch. Decompositions are computed in double
/// precision and have derivatives of any order.</summary>
public static class TensorAlgebra
{
    extension(Tensor)
    {
        /// <summary>Einstein summation by NumPy's rules: every letter is an axis; letters that the result does not name are
        /// summed over.</summary>
        /// <param name="equation">Such as <c>"bij,bjk->bik"</c>, a batch of matrix products.</param>
        /// <param name="operands">As many as the equation has terms.</param>
        /// <example><code>var gram = Tensor.Einsum("ni,nj->ij", x, x);</code></example>
        public static Tensor Einsum(string equation, params Tensor[] operands)
        {
            ArgumentNullException.ThrowIfNull(equation);
            ArgumentNullException.ThrowIfNull(operands);
            return Functional.Einsum.einsum(equation, operands);
        }
    }

    /// <summary>X with a·X = b.</summary>
    /// <param name="a">[…, n, n]; a singular matrix is an error.</param>
    /// <param name="b">[…, n, k], or a vector [n].</param>
    /// <example><code>var x = a.Solve(b);</code></example>
    public static Tensor Solve(this Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return LinearAlgebra.solve(a, b);
    }

    /// <summary>X with a·X = b, where only the lower (or the upper) triangle of a is read.</summary>
    /// <param name="a">[…, n, n].</param>
    /// <param name="b">[…, n, k], or a vector [n].</param>
    /// <param name="lower">Which triangle.</param>
    /// <example><code>var x = l.TriangularSolve(b);</code></example>
    public static Tensor TriangularSolve(this Tensor a, Tensor b, bool lower = true)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return LinearAlgebra.triangularSolve(lower, a, b);
    }

    /// <summary>L, lower triangular, with L·Lᵀ = a; a matrix that is not positive definite is an error.</summary>
    /// <example><code>var l = covariance.Cholesky();</code></example>
    public static Tensor Cholesky(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.cholesky(a);
    }

    /// <summary>Q with orthonormal columns and R, upper triangular, with Q·R = a.</summary>
    /// <example><code>var (q, r) = a.Qr();</code></example>
    public static (Tensor Q, Tensor R) Qr(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var (q, r) = LinearAlgebra.qr(a);
        return (q, r);
    }

    /// <summary>The determinant.</summary>
    /// <example><code>var volume = a.Determinant();</code></example>
    public static Tensor Determinant(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.determinant(a);
    }

    /// <summary>log |det a|, which does not overflow.</summary>
    /// <example><code>var logVolume = a.LogDeterminant();</code></example>
    public static Tensor LogDeterminant(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.logDeterminant(a);
    }

    /// <summary>a⁻¹; for a⁻¹·b, <see cref="Solve"/> is faster and more accurate.</summary>
    /// <example><code>var inverse = a.Inverse();</code></example>
    public static Tensor Inverse(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.inverse(a);
    }

    /// <summary>Eigenvalues in ascending order and eigenvectors, as columns, of a symmetric matrix.</summary>
    /// <example><code>var (values, vectors) = symmetric.SymmetricEigen();</code></example>
    public static (Tensor Values, Tensor Vectors) SymmetricEigen(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var (values, vectors) = LinearAlgebra.symmetricEigen(a);
        return (values, vectors);
    }

    /// <summary>U, the singular values in descending order, and Vᵀ, reduced: a = U·diag(s)·Vᵀ.</summary>
    /// <example><code>var (u, s, vt) = a.Svd();</code></example>
    public static (Tensor U, Tensor S, Tensor Vt) Svd(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var (u, s, vt) = LinearAlgebra.svd(a);
        return (u, s, vt);
    }

    /// <summary>The diagonal of the last two axes.</summary>
    /// <example><code>var d = a.Diagonal();</code></example>
    public static Tensor Diagonal(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.diagonal(a);
    }

    /// <summary>The sum of the diagonal of the last two axes.</summary>
    /// <example><code>var t = a.Trace();</code></example>
    public static Tensor Trace(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.trace(a);
    }
}
