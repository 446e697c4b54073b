// The functions that rewritten code calls, found by name in the kernels themselves.
using Mono.Cecil;

namespace CheckKernels;

/// <summary>What src/Kernels/Checked offers, and what is wrong with the kernels.</summary>
internal sealed class Checks(ModuleDefinition module)
{
    // What may be done to references without a check: nothing here computes an address.
    private static readonly string[] Harmless = ["BitCast", "SizeOf", "SkipInit", "AsPointer", "AreSame"];

    private readonly TypeDefinition of = module.GetType("Functional.Kernels.Checked");
    private readonly TypeDefinition replacements = module.GetType("Functional.Kernels.CheckedCalls");

    /// <summary>What cannot be checked; any of it ends the build.</summary>
    public HashSet<string> Problems { get; } = [];

    public ModuleDefinition Module => module;

    public MethodDefinition At => Of("At");

    public MethodDefinition Bare => Of("Bare");

    public MethodDefinition Enter => Of("Enter");

    public MethodDefinition Leave => Of("Leave");

    public MethodDefinition Pin => Of("Pin");

    public MethodDefinition Local => Of("Local");

    public MethodDefinition Element => Of("Element");

    public MethodDefinition Places => Of("get_Places");

    /// <summary>What a call of the framework becomes, null if it stays as it is.</summary>
    public MethodReference? Instead(MethodReference called, bool makesObject, string where)
    {
        if (called.DeclaringType.Scope == module || called.DeclaringType is GenericParameter) return null;
        var declaring = called.DeclaringType.GetElementType();
        var name = declaring.Name.Split('`')[0] + "_" + (called.Name != ".ctor" ? called.Name : makesObject ? "ctor" : "init");
        TypeReference[] arguments =
        [
            .. called.DeclaringType is GenericInstanceType type ? type.GenericArguments : [],
            .. called is GenericInstanceMethod method ? method.GenericArguments : [],
        ];
        var own = called.HasThis && !makesObject ? 1 : 0;
        var found = replacements.Methods.FirstOrDefault(candidate =>
            candidate.Name == name
            && candidate.GenericParameters.Count == arguments.Length
            && candidate.Parameters.Count == called.Parameters.Count + own
            && candidate.Parameters.Skip(own).Zip(called.Parameters, (x, y) => Same(x.ParameterType, y.ParameterType)).All(same => same));
        if (found is null)
        {
            var pointers = called.Parameters.Select(parameter => parameter.ParameterType).Append(called.ReturnType).Any(one => one is PointerType);
            var references = declaring.Name is "Unsafe" or "MemoryMarshal" || called.Name is "LoadUnsafe" or "StoreUnsafe";
            if ((pointers || references) && !Harmless.Contains(called.Name))
                Problems.Add($"{where} calls {called.FullName}, for which src/Kernels/Checked/CheckedCalls.cs has no {name}");
            return null;
        }
        if (arguments.Length == 0) return found;
        var instance = new GenericInstanceMethod(found);
        foreach (var argument in arguments) instance.GenericArguments.Add(argument);
        return instance;
    }

    private MethodDefinition Of(string name) => of.Methods.Single(method => method.Name == name);

    // Overloads that take the same number of arguments differ in types without parameters.
    private static bool Same(TypeReference x, TypeReference y) => x.ContainsGenericParameter || x.FullName == y.FullName;
}
