// Comparisons and logic as C# operators on tensors; arithmetic is there already, in the core.
namespace Functional.CSharp;

/// <summary>Elementwise comparisons and logic: the results are Bool tensors, for masks and <see cref="TensorMath.Where"/>.</summary>
/// <example><code>var inside = (x &gt;= 0) &amp; (x &lt; 1);</code></example>
public static class TensorOperators
{
    extension(Tensor)
    {
        /// <summary>Less, elementwise.</summary>
        public static Tensor operator <(Tensor a, Tensor b) => Functions.less(NotNull(a), NotNull(b));

        /// <summary>Less than a host number, elementwise.</summary>
        public static Tensor operator <(Tensor a, double b) => Functions.less(NotNull(a), TensorModule.scalarOf(a.DType, b));

        /// <summary>Less, a host number first, elementwise.</summary>
        public static Tensor operator <(double a, Tensor b) => Functions.less(TensorModule.scalarOf(NotNull(b).DType, a), b);

        /// <summary>Less or equal, elementwise.</summary>
        public static Tensor operator <=(Tensor a, Tensor b) => Functions.lessEqual(NotNull(a), NotNull(b));

        /// <summary>Less or equal than a host number, elementwise.</summary>
        public static Tensor operator <=(Tensor a, double b) => Functions.lessEqual(NotNull(a), TensorModule.scalarOf(a.DType, b));

        /// <summary>Less or equal, a host number first, elementwise.</summary>
        public static Tensor operator <=(double a, Tensor b) => Functions.lessEqual(TensorModule.scalarOf(NotNull(b).DType, a), b);

        /// <summary>Greater, elementwise.</summary>
        public static Tensor operator >(Tensor a, Tensor b) => Functions.greater(NotNull(a), NotNull(b));

        /// <summary>Greater than a host number, elementwise.</summary>
        public static Tensor operator >(Tensor a, double b) => Functions.greater(NotNull(a), TensorModule.scalarOf(a.DType, b));

        /// <summary>Greater, a host number first, elementwise.</summary>
        public static Tensor operator >(double a, Tensor b) => Functions.greater(TensorModule.scalarOf(NotNull(b).DType, a), b);

        /// <summary>Greater or equal, elementwise.</summary>
        public static Tensor operator >=(Tensor a, Tensor b) => Functions.greaterEqual(NotNull(a), NotNull(b));

        /// <summary>Greater or equal than a host number, elementwise.</summary>
        public static Tensor operator >=(Tensor a, double b) => Functions.greaterEqual(NotNull(a), TensorModule.scalarOf(a.DType, b));

        /// <summary>Greater or equal, a host number first, elementwise.</summary>
        public static Tensor operator >=(double a, Tensor b) => Functions.greaterEqual(TensorModule.scalarOf(NotNull(b).DType, a), b);

        /// <summary>Both, elementwise.</summary>
        public static Tensor operator &(Tensor a, Tensor b) => Functions.logicalAnd(NotNull(a), NotNull(b));

        /// <summary>Either, elementwise.</summary>
        public static Tensor operator |(Tensor a, Tensor b) => Functions.logicalOr(NotNull(a), NotNull(b));

        /// <summary>One and not the other, elementwise.</summary>
        public static Tensor operator ^(Tensor a, Tensor b) => Functions.logicalXor(NotNull(a), NotNull(b));

        /// <summary>True where false, and the other way round.</summary>
        public static Tensor operator !(Tensor a) => Functions.logicalNot(NotNull(a));
    }

    private static Tensor NotNull(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor;
    }
}
