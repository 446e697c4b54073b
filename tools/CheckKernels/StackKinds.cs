// What lies on the evaluation stack before each instruction: as far as is needed to tell pointers, which are checked, from
// references, which the runtime answers for, and from everything else.
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace CheckKernels;

/// <summary>What a place on the evaluation stack holds.</summary>
internal enum Kind
{
    Other,
    Pointer,
    Reference,
}

/// <summary>Runs a method's code over kinds instead of values.</summary>
internal static class StackKinds
{
    /// <summary>The stack before every instruction that can be reached, its top last.</summary>
    public static Dictionary<Instruction, Kind[]> Of(MethodDefinition method)
    {
        var before = new Dictionary<Instruction, Kind[]>();
        var work = new Stack<(Instruction At, Kind[] Stack)>();
        work.Push((method.Body.Instructions[0], []));
        foreach (var handler in method.Body.ExceptionHandlers)
        {
            Kind[] thrown = handler.HandlerType is ExceptionHandlerType.Catch or ExceptionHandlerType.Filter ? [Kind.Other] : [];
            work.Push((handler.HandlerStart, thrown));
            if (handler.FilterStart is not null) work.Push((handler.FilterStart, thrown));
        }
        while (work.TryPop(out var next))
        {
            if (before.TryGetValue(next.At, out var known))
            {
                var merged = Merge(known, next.Stack, method);
                if (merged.SequenceEqual(known)) continue;
                next.Stack = merged;
            }
            before[next.At] = next.Stack;
            var after = After(method, next.At, next.Stack);
            foreach (var follower in Followers(next.At)) work.Push((follower, next.At.OpCode.Code == Code.Leave ? [] : after));
        }
        return before;
    }

    /// <summary>The kind of a value of a type.</summary>
    public static Kind Of(TypeReference type) => Bare(type) switch
    {
        ByReferenceType => Kind.Reference,
        PointerType or FunctionPointerType => Kind.Pointer,
        { MetadataType: MetadataType.IntPtr or MetadataType.UIntPtr } => Kind.Pointer,
        _ => Kind.Other,
    };

    /// <summary>A type without what only compilers care about.</summary>
    public static TypeReference Bare(TypeReference type) => type is IModifierType or PinnedType ? Bare(((TypeSpecification)type).ElementType) : type;

    /// <summary>How many values an instruction takes.</summary>
    public static int Pops(MethodDefinition method, Instruction at)
    {
        switch (at.OpCode.StackBehaviourPop)
        {
            case StackBehaviour.Pop0: return 0;
            case StackBehaviour.Pop1 or StackBehaviour.Popi or StackBehaviour.Popref: return 1;
            case StackBehaviour.Pop1_pop1 or StackBehaviour.Popi_pop1 or StackBehaviour.Popi_popi or StackBehaviour.Popi_popi8 or StackBehaviour.Popi_popr4
                or StackBehaviour.Popi_popr8 or StackBehaviour.Popref_pop1 or StackBehaviour.Popref_popi:
                return 2;
            case StackBehaviour.Popi_popi_popi or StackBehaviour.Popref_popi_popi or StackBehaviour.Popref_popi_popi8 or StackBehaviour.Popref_popi_popr4
                or StackBehaviour.Popref_popi_popr8 or StackBehaviour.Popref_popi_popref:
                return 3;
            case StackBehaviour.PopAll: return int.MaxValue;
        }
        if (at.OpCode.Code == Code.Ret) return method.ReturnType.MetadataType == MetadataType.Void ? 0 : 1;
        var call = (IMethodSignature)at.Operand;
        return call.Parameters.Count + (call.HasThis && at.OpCode.Code != Code.Newobj ? 1 : 0) + (at.OpCode.Code == Code.Calli ? 1 : 0);
    }

    private static IEnumerable<Instruction> Followers(Instruction at)
    {
        if (at.Operand is Instruction target) yield return target;
        if (at.Operand is Instruction[] targets)
            foreach (var one in targets) yield return one;
        if (at.OpCode.FlowControl is FlowControl.Branch or FlowControl.Return or FlowControl.Throw) yield break;
        yield return at.Next;
    }

    private static Kind[] Merge(Kind[] a, Kind[] b, MethodDefinition method)
    {
        if (a.Length != b.Length) throw new InvalidOperationException($"{method.FullName}: stacks of different heights meet");
        return [.. a.Zip(b, (x, y) => x == y ? x
            : x != Kind.Reference && y != Kind.Reference ? Kind.Pointer
            : x == Kind.Other || y == Kind.Other ? Kind.Reference
            : throw new InvalidOperationException($"{method.FullName}: a reference and a pointer meet"))];
    }

    private static Kind[] After(MethodDefinition method, Instruction at, Kind[] before)
    {
        var pops = Math.Min(Pops(method, at), before.Length);
        var taken = before[^pops..];
        Kind[] rest = before[..^pops];
        if (at.OpCode.Code == Code.Dup) return [.. rest, taken[0], taken[0]];
        return at.OpCode.StackBehaviourPush switch
        {
            StackBehaviour.Push0 => rest,
            StackBehaviour.Varpush => ((IMethodSignature)at.Operand).ReturnType.MetadataType == MetadataType.Void ? rest : [.. rest, Pushed(method, at, taken)],
            _ => [.. rest, Pushed(method, at, taken)],
        };
    }

    private static Kind Pushed(MethodDefinition method, Instruction at, Kind[] taken)
    {
        switch (at.OpCode.Code)
        {
            case Code.Ldarg: return Of(Argument(method, at));
            case Code.Ldloc: return Of(((VariableDefinition)at.Operand).VariableType);
            // Of what a pointer points to, the whole is checked where a part's address is taken.
            case Code.Ldloca or Code.Ldarga or Code.Ldflda or Code.Ldsflda or Code.Ldelema or Code.Unbox: return Kind.Reference;
            case Code.Ldfld or Code.Ldsfld: return Of(((FieldReference)at.Operand).FieldType);
            case Code.Ldobj: return Of((TypeReference)at.Operand);
            case Code.Call or Code.Callvirt or Code.Calli: return Of(((IMethodSignature)at.Operand).ReturnType);
            case Code.Add or Code.Sub or Code.Add_Ovf_Un or Code.Sub_Ovf_Un:
                if (taken[0] == Kind.Reference || taken[1] == Kind.Reference)
                    return taken[0] == taken[1] ? Kind.Pointer : Kind.Reference;
                return taken.Contains(Kind.Pointer) ? Kind.Pointer : Kind.Other;
            case Code.Mul or Code.Div or Code.Rem or Code.And or Code.Or or Code.Xor or Code.Neg or Code.Not or Code.Shl or Code.Shr or Code.Shr_Un
                or Code.Add_Ovf or Code.Sub_Ovf or Code.Mul_Ovf or Code.Mul_Ovf_Un or Code.Div_Un or Code.Rem_Un:
                return taken.Contains(Kind.Pointer) ? Kind.Pointer : Kind.Other;
            case Code.Conv_I or Code.Conv_U or Code.Conv_Ovf_I or Code.Conv_Ovf_U or Code.Conv_Ovf_I_Un or Code.Conv_Ovf_U_Un or Code.Localloc or Code.Ldind_I
                or Code.Ldftn or Code.Ldvirtftn or Code.Ldelem_I:
                return Kind.Pointer;
            case Code.Ldelem_Any: return Of((TypeReference)at.Operand);
            default: return Kind.Other;
        }
    }

    private static TypeReference Argument(MethodDefinition method, Instruction at)
    {
        var parameter = (ParameterDefinition)at.Operand;
        if (parameter != method.Body.ThisParameter) return parameter.ParameterType;
        return method.DeclaringType.IsValueType ? new ByReferenceType(method.DeclaringType) : method.DeclaringType;
    }
}
