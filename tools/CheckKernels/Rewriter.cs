// Puts the checks into one method.
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace CheckKernels;

/// <summary>Rewrites a method; see <see cref="Run"/>.</summary>
internal sealed class Rewriter(Checks checks, MethodDefinition method)
{
    private readonly ILProcessor code = method.Body.GetILProcessor();
    private VariableDefinition? mark;

    /// <summary>How many accesses are checked.</summary>
    public int Accesses { get; private set; }

    /// <summary>Gives every pointer that the method makes its range, and checks every access through one.</summary>
    public void Run()
    {
        method.Body.SimplifyMacros();
        var before = StackKinds.Of(method);
        foreach (var at in method.Body.Instructions.ToArray())
        {
            if (!before.TryGetValue(at, out var stack)) continue;
            Make(at, stack);
            Access(at, stack);
            Convert(at, stack);
            Compare(at, stack);
        }
        if (mark is not null) Frame(mark);
        method.Body.OptimizeMacros();
    }

    // A pointer comes from a reference (fixed, &local, Unsafe.AsPointer) or from the stack.
    private void Make(Instruction at, Kind[] stack)
    {
        var converts = at.OpCode.Code is Code.Conv_U or Code.Conv_I || IsAsPointer(at);
        if (converts && stack[^1] == Kind.Reference)
        {
            var source = at.Previous;
            switch (source.OpCode.Code)
            {
                case Code.Ldloca:
                    Local(at, ((VariableDefinition)source.Operand).VariableType);
                    break;
                case Code.Ldarga:
                    Local(at, ((ParameterDefinition)source.Operand).ParameterType);
                    break;
                case Code.Ldloc when ((VariableDefinition)source.Operand).IsPinned:
                case Code.Call or Code.Callvirt when ((MethodReference)source.Operand).Name.EndsWith("GetPinnableReference", StringComparison.Ordinal):
                    After(at, [.. Here(), code.Create(OpCodes.Call, checks.Pin)]);
                    break;
                case Code.Ldelema:
                    var element = new GenericInstanceMethod(checks.Element);
                    element.GenericArguments.Add((TypeReference)source.Operand);
                    (source.OpCode, source.Operand) = (OpCodes.Call, element);
                    After(at, [.. Here(), code.Create(OpCodes.Call, checks.Pin)]);
                    break;
                default:
                    Problem($"makes a pointer of what {source} gives");
                    break;
            }
        }
        if (at.OpCode.Code != Code.Localloc) return;
        var size = Variable(checks.Module.TypeSystem.UIntPtr);
        Before(at, code.Create(OpCodes.Dup), code.Create(OpCodes.Stloc, size));
        After(Moved(at), [code.Create(OpCodes.Ldloc, size), .. Here(), code.Create(OpCodes.Call, checks.Local)]);
    }

    private static bool IsAsPointer(Instruction at) =>
        at.OpCode.Code == Code.Call && ((MethodReference)at.Operand) is { Name: "AsPointer", DeclaringType.Name: "Unsafe" };

    private void Local(Instruction at, TypeReference type) =>
        After(at, [code.Create(OpCodes.Sizeof, type), code.Create(OpCodes.Conv_U), .. Here(), code.Create(OpCodes.Call, checks.Local)]);

    // Instructions that read or write through an address.
    private void Access(Instruction at, Kind[] stack)
    {
        var types = checks.Module.TypeSystem;
        var (type, above) = at.OpCode.Code switch
        {
            Code.Ldind_I1 => (types.SByte, 0),
            Code.Ldind_U1 => (types.Byte, 0),
            Code.Ldind_I2 => (types.Int16, 0),
            Code.Ldind_U2 => (types.UInt16, 0),
            Code.Ldind_I4 => (types.Int32, 0),
            Code.Ldind_U4 => (types.UInt32, 0),
            Code.Ldind_I8 => (types.Int64, 0),
            Code.Ldind_I => (types.IntPtr, 0),
            Code.Ldind_R4 => (types.Single, 0),
            Code.Ldind_R8 => (types.Double, 0),
            Code.Ldind_Ref => (types.Object, 0),
            Code.Ldobj or Code.Initobj => ((TypeReference)at.Operand, 0),
            Code.Stind_I1 => (types.SByte, 1),
            Code.Stind_I2 => (types.Int16, 1),
            Code.Stind_I4 => (types.Int32, 1),
            Code.Stind_I8 => (types.Int64, 1),
            Code.Stind_I => (types.IntPtr, 1),
            Code.Stind_R4 => (types.Single, 1),
            Code.Stind_R8 => (types.Double, 1),
            Code.Stind_Ref => (types.Object, 1),
            Code.Stobj => ((TypeReference)at.Operand, 1),
            Code.Ldfld or Code.Ldflda => (((FieldReference)at.Operand).DeclaringType, 0),
            Code.Stfld => (((FieldReference)at.Operand).DeclaringType, 1),
            _ => (null, 0),
        };
        if (at.OpCode.Code is Code.Cpblk or Code.Initblk or Code.Cpobj) Problem($"uses {at.OpCode}, which is not checked");
        if (type is null || stack[^(above + 1)] != Kind.Pointer) return;
        var value = at.OpCode.Code == Code.Stfld ? Substitute.In(((FieldReference)at.Operand).FieldType, ((FieldReference)at.Operand).DeclaringType, null) : type;
        Check(at, type, above == 0 ? [] : [value]);
    }

    // Where a reference is expected and a pointer comes, what it points to is checked as a whole.
    private void Convert(Instruction at, Kind[] stack)
    {
        switch (at.OpCode.Code)
        {
            // What holds an array still is null at the end, and nobody reads through it.
            case Code.Stloc when !((VariableDefinition)at.Operand).IsPinned:
                ConvertTop(at, stack, ((VariableDefinition)at.Operand).VariableType);
                break;
            case Code.Starg:
                ConvertTop(at, stack, ((ParameterDefinition)at.Operand).ParameterType);
                break;
            case Code.Ret when stack.Length > 0:
                ConvertTop(at, stack, method.ReturnType);
                break;
            case Code.Stfld:
                ConvertTop(at, stack, ((FieldReference)at.Operand).FieldType);
                break;
            case Code.Call or Code.Callvirt or Code.Newobj:
                Call(at, stack);
                break;
        }
    }

    private void ConvertTop(Instruction at, Kind[] stack, TypeReference type)
    {
        if (stack[^1] == Kind.Pointer && StackKinds.Bare(type) is ByReferenceType to) Check(at, to.ElementType, []);
    }

    private void Call(Instruction at, Kind[] stack)
    {
        var called = (MethodReference)at.Operand;
        var makes = at.OpCode.Code == Code.Newobj;
        List<TypeReference> expected = [.. called.Parameters.Select(parameter => Substitute.In(parameter.ParameterType, called.DeclaringType, called))];
        if (called.HasThis && !makes)
        {
            var of = at.Previous is { OpCode.Code: Code.Constrained } prefix ? (TypeReference)prefix.Operand : called.DeclaringType;
            expected.Insert(0, of.IsValueType || of is GenericParameter ? new ByReferenceType(of) : of);
        }
        // From the top down: what is checked below finds the rest as it should be.
        for (var i = expected.Count - 1; i >= 0; i--)
        {
            if (stack[^(expected.Count - i)] == Kind.Pointer && StackKinds.Bare(expected[i]) is ByReferenceType to)
                Check(at, to.ElementType, [.. expected[(i + 1)..]]);
        }
        if (checks.Instead(called, makes, method.FullName) is not { } instead) return;
        var call = Moved(at);
        (call.OpCode, call.Operand) = (OpCodes.Call, instead);
        Accesses++;
    }

    // Two pointers to one place are equal, whichever arrays they were made for.
    private void Compare(Instruction at, Kind[] stack)
    {
        if (at.OpCode.Code is not (Code.Ceq or Code.Beq or Code.Bne_Un) || stack[^1] != Kind.Pointer || stack[^2] != Kind.Pointer) return;
        var second = Variable(checks.Module.TypeSystem.UIntPtr);
        Before(
            at,
            [
                code.Create(OpCodes.Call, checks.Bare),
                code.Create(OpCodes.Stloc, second),
                code.Create(OpCodes.Call, checks.Bare),
                code.Create(OpCodes.Ldloc, second),
            ]);
    }

    // Checks the pointer that lies below some values, and makes a bare address of it.
    private void Check(Instruction at, TypeReference type, TypeReference[] above)
    {
        Accesses++;
        var values = above.Select(Variable).ToArray();
        Before(
            at,
            [
                .. values.Reverse().Select(value => code.Create(OpCodes.Stloc, value)),
                code.Create(OpCodes.Sizeof, type),
                code.Create(OpCodes.Call, checks.At),
                .. values.Select(value => code.Create(OpCodes.Ldloc, value)),
            ]);
    }

    // The frame: what the method makes is good until it returns. It has a place on the stack of its own, so it is not inlined.
    private void Frame(VariableDefinition mark)
    {
        foreach (var at in method.Body.Instructions.ToArray())
            if (at.OpCode.Code == Code.Ret) Before(at, code.Create(OpCodes.Ldloc, mark), code.Create(OpCodes.Call, checks.Leave));
        var first = method.Body.Instructions[0];
        foreach (var one in (Instruction[])[.. Here(), code.Create(OpCodes.Call, checks.Enter), code.Create(OpCodes.Stloc, mark)])
            code.InsertBefore(first, one);
        method.AggressiveInlining = false;
        method.NoInlining = true;
    }

    private Instruction[] Here()
    {
        mark ??= Variable(checks.Module.TypeSystem.Int32);
        return [code.Create(OpCodes.Ldloca, mark), code.Create(OpCodes.Conv_U)];
    }

    private VariableDefinition Variable(TypeReference type)
    {
        var variable = new VariableDefinition(StackKinds.Bare(type));
        method.Body.Variables.Add(variable);
        return variable;
    }

    private void Problem(string what) => checks.Problems.Add($"{method.FullName} {what}");

    // Whoever jumps to an instruction must come by what is put before it. So the instruction itself becomes what stands there
    // first, nothing, and a copy of it follows; the same for the prefix that it may have.
    private readonly Dictionary<Instruction, Instruction> moved = [];

    private Instruction Moved(Instruction at) => moved.GetValueOrDefault(at, at);

    private void Before(Instruction at, params Instruction[] all)
    {
        if (!moved.TryGetValue(at, out var copy))
        {
            var anchor = at.Previous?.OpCode.OpCodeType == OpCodeType.Prefix ? at.Previous : at;
            if (anchor != at)
            {
                // The prefix moves, the instruction stays.
                var prefix = code.Create(OpCodes.Nop);
                (prefix.OpCode, prefix.Operand) = (anchor.OpCode, anchor.Operand);
                (anchor.OpCode, anchor.Operand) = (OpCodes.Nop, null);
                code.InsertBefore(at, prefix);
                moved[at] = at;
            }
            else
            {
                copy = code.Create(OpCodes.Nop);
                (copy.OpCode, copy.Operand) = (at.OpCode, at.Operand);
                (at.OpCode, at.Operand) = (OpCodes.Nop, null);
                code.InsertAfter(at, copy);
                moved[at] = copy;
            }
        }
        var place = moved[at];
        if (place.Previous.OpCode.OpCodeType == OpCodeType.Prefix) place = place.Previous;
        foreach (var one in all) code.InsertBefore(place, one);
    }

    private void After(Instruction at, params Instruction[] all)
    {
        foreach (var one in all.Reverse()) code.InsertAfter(at, one);
    }
}

/// <summary>Types as the caller of something generic sees them.</summary>
internal static class Substitute
{
    public static TypeReference In(TypeReference type, TypeReference declaring, MethodReference? called)
    {
        switch (type)
        {
            case GenericParameter { Type: GenericParameterType.Type } parameter when declaring is GenericInstanceType instance:
                return instance.GenericArguments[parameter.Position];
            case GenericParameter { Type: GenericParameterType.Method } parameter when called is GenericInstanceMethod instance:
                return instance.GenericArguments[parameter.Position];
            case ByReferenceType reference: return new ByReferenceType(In(reference.ElementType, declaring, called));
            case PointerType pointer: return new PointerType(In(pointer.ElementType, declaring, called));
            case ArrayType { IsVector: true } array: return new ArrayType(In(array.ElementType, declaring, called));
            case IModifierType modifier: return In(modifier.ElementType, declaring, called);
            case GenericInstanceType generic:
                var made = new GenericInstanceType(generic.ElementType);
                foreach (var argument in generic.GenericArguments) made.GenericArguments.Add(In(argument, declaring, called));
                return made;
            default: return type;
        }
    }
}
