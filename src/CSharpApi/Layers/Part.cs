// What a model does with the weights of a layer besides training them: penalties in the loss, constraints after each step.
namespace Functional.CSharp;

/// <summary>The weights of a layer that have a name, wherever it stands in its parameters, with what is asked of them.</summary>
/// <param name="Name">The F# record's field: <c>Kernel</c>.</param>
/// <param name="Regularizer">A penalty; null for none.</param>
/// <param name="Constraint">What they are brought back to after a step; null for nothing.</param>
internal sealed record Part(string Name, Regularizer? Regularizer, Constraint? Constraint)
{
    /// <summary>The places of these weights among the leaves of a layer's parameters.</summary>
    public IEnumerable<int> Places(object parameters) =>
        Functional.Select.field(Name, parameters).Index().Where(leaf => leaf.Item).Select(leaf => leaf.Index);
}
