// Many operations on single numbers as straight-line code: no dispatch, no memory between them. Emitted as IL where the
// runtime allows it and the program is long enough to be worth compiling; interpreted otherwise, with the same results.
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Functional.Kernels;

/// <summary>A program on single floats and truth values. Slots are numbered; each is written once, or is an input.</summary>
public sealed unsafe class ScalarProgram
{
    // Below this, interpreting takes less time than compiling ever saves.
    private const int WorthEmitting = 32;

    // The just-in-time compiler stops optimising methods with very many values, so long programs are several methods.
    private const int MethodLength = 400;

    private readonly FusedStep[] steps;
    private readonly DType[] types;
    private readonly (int Slot, int Value)[] inputs, outputs;
    private readonly long[] frame;
    private readonly nint[] functions;
    private readonly Action<nint>[] methods;

    /// <summary>
    /// Plans a program: places of the steps are slots, whose types are given; inputs and outputs pair slots with arrays
    /// of the plan.
    /// </summary>
    public ScalarProgram(FusedStep[] steps, DType[] types, (int Slot, int Value)[] inputs, (int Slot, int Value)[] outputs)
    {
        (this.steps, this.types, this.inputs, this.outputs) = (steps, types, inputs, outputs);
        frame = GC.AllocateArray<long>(Math.Max(1, types.Length), pinned: true);
        functions = new nint[steps.Length];
        for (var i = 0; i < steps.Length; i++)
        {
            var type = types[steps[i].A];
            functions[i] = steps[i].Kind switch
            {
                FusedKind.Unary => Scalars.Function((Unary)steps[i].Code, type),
                FusedKind.Binary => Scalars.Function((Binary)steps[i].Code, type),
                _ => 0,
            };
        }
        methods = steps.Length >= WorthEmitting && RuntimeFeature.IsDynamicCodeCompiled ? Emit() : [];
    }

    /// <summary>Whether the program was compiled.</summary>
    public bool IsEmitted => methods.Length > 0;

    /// <summary>Runs on the arrays, all of which are 0-d, in storage, and lie still in memory.</summary>
    public void Run(NDArray[] values)
    {
        var slots = (long*)Unsafe.AsPointer(ref frame[0]);
        foreach (var (slot, value) in inputs)
        {
            ref var source = ref values[value].Storage!.GetPinnableReference();
            slots[slot] = types[slot] switch
            {
                DType.Float64 => Unsafe.As<byte, long>(ref source),
                DType.Float32 => Unsafe.As<byte, int>(ref source),
                _ => source,
            };
        }
        if (methods.Length > 0)
        {
            var bare = (nint)slots;
#if CHECKED_KERNELS
            // Nobody checks what is compiled at run time.
            bare = (nint)Checked.Bare(slots);
#endif
            foreach (var method in methods) method(bare);
        }
        else Interpret(slots);
        foreach (var (slot, value) in outputs)
        {
            ref var target = ref values[value].Storage!.GetPinnableReference();
            switch (types[slot])
            {
                case DType.Float64: Unsafe.As<byte, long>(ref target) = slots[slot]; break;
                case DType.Float32: Unsafe.As<byte, int>(ref target) = (int)slots[slot]; break;
                default: target = (byte)slots[slot]; break;
            }
        }
    }

    private void Interpret(long* slots)
    {
        for (var i = 0; i < steps.Length; i++)
        {
            ref readonly var step = ref steps[i];
            void* a = slots + step.A, b = slots + step.B, y = slots + step.Y;
            var single = types[step.A] == DType.Float32;
            switch (step.Kind)
            {
                case FusedKind.Unary when single: *(float*)y = ((delegate*<float, float>)functions[i])(*(float*)a); break;
                case FusedKind.Unary: *(double*)y = ((delegate*<double, double>)functions[i])(*(double*)a); break;
                case FusedKind.Binary when single: *(float*)y = ((delegate*<float, float, float>)functions[i])(*(float*)a, *(float*)b); break;
                case FusedKind.Binary: *(double*)y = ((delegate*<double, double, double>)functions[i])(*(double*)a, *(double*)b); break;
                case FusedKind.Compare:
                    var (p, q) = single ? (*(float*)a, *(float*)b) : (*(double*)a, *(double*)b);
                    slots[step.Y] = Holds((Comparison)step.Code, p, q) ? 1 : 0;
                    break;
                case FusedKind.Select: slots[step.Y] = slots[slots[step.A] != 0 ? step.B : step.C]; break;
                case FusedKind.Cast when single && types[step.Y] == DType.Float64: *(double*)y = *(float*)a; break;
                case FusedKind.Cast when !single && types[step.Y] == DType.Float32: *(float*)y = (float)*(double*)a; break;
                case FusedKind.Cast: slots[step.Y] = slots[step.A]; break;
                default:
                    if (single) *(float*)y = MathF.FusedMultiplyAdd((float)step.Scale, *(float*)b, *(float*)a);
                    else *(double*)y = Math.FusedMultiplyAdd(step.Scale, *(double*)b, *(double*)a);
                    break;
            }
        }
    }

    private static bool Holds(Comparison op, double a, double b) => op switch
    {
        Comparison.Equal => a == b,
        Comparison.NotEqual => a != b,
        Comparison.Less => a < b,
        Comparison.LessEqual => a <= b,
        Comparison.Greater => a > b,
        _ => a >= b,
    };

    private Action<nint>[] Emit()
    {
        // the last method that reads each slot decides whether it goes through memory
        var lastRead = new int[types.Length];
        foreach (var (slot, _) in outputs) lastRead[slot] = int.MaxValue;
        for (var i = 0; i < steps.Length; i++)
        {
            foreach (var slot in Operands(steps[i])) lastRead[slot] = Math.Max(lastRead[slot], i / MethodLength);
        }
        var all = new Action<nint>[(steps.Length + MethodLength - 1) / MethodLength];
        for (var m = 0; m < all.Length; m++) all[m] = EmitMethod(m, lastRead);
        return all;
    }

    private static IEnumerable<int> Operands(FusedStep step)
    {
        yield return step.A;
        if (step.B >= 0) yield return step.B;
        if (step.C >= 0) yield return step.C;
    }

    private Action<nint> EmitMethod(int number, int[] lastRead)
    {
        var method = new DynamicMethod($"scalars{number}", typeof(void), [typeof(nint)], typeof(ScalarProgram).Module, true);
        var il = method.GetILGenerator();
        var locals = new Dictionary<int, LocalBuilder>();
        for (var i = number * MethodLength; i < Math.Min(steps.Length, (number + 1) * MethodLength); i++)
        {
            foreach (var slot in Operands(steps[i])) LoadOnce(slot);
            EmitStep(i);
            var y = steps[i].Y;
            var local = locals[y] = il.DeclareLocal(Clr(types[y]));
            il.Emit(OpCodes.Stloc, local);
            if (lastRead[y] > number) StoreToFrame(y, local);
        }
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<Action<nint>>();

        void Address(int slot)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4, slot * sizeof(long));
            il.Emit(OpCodes.Add);
        }

        void LoadOnce(int slot)
        {
            if (locals.ContainsKey(slot)) return;
            Address(slot);
            il.Emit(types[slot] switch { DType.Float64 => OpCodes.Ldind_R8, DType.Float32 => OpCodes.Ldind_R4, _ => OpCodes.Ldind_I4 });
            il.Emit(OpCodes.Stloc, locals[slot] = il.DeclareLocal(Clr(types[slot])));
        }

        void StoreToFrame(int slot, LocalBuilder local)
        {
            Address(slot);
            il.Emit(OpCodes.Ldloc, local);
            il.Emit(types[slot] switch { DType.Float64 => OpCodes.Stind_R8, DType.Float32 => OpCodes.Stind_R4, _ => OpCodes.Stind_I4 });
        }

        void Load(int slot) => il.Emit(OpCodes.Ldloc, locals[slot]);

        void Number(DType type, double value)
        {
            if (type == DType.Float64) il.Emit(OpCodes.Ldc_R8, value);
            else il.Emit(OpCodes.Ldc_R4, (float)value);
        }

        void EmitStep(int i)
        {
            var step = steps[i];
            var type = types[step.A];
            switch (step.Kind)
            {
                case FusedKind.Unary:
                    EmitUnary((Unary)step.Code, step.A, type, functions[i]);
                    break;
                case FusedKind.Binary:
                    EmitBinary((Binary)step.Code, step.A, step.B, type, functions[i]);
                    break;
                case FusedKind.Compare:
                    Load(step.A);
                    Load(step.B);
                    EmitComparison((Comparison)step.Code);
                    break;
                case FusedKind.Select:
                    var (no, end) = (il.DefineLabel(), il.DefineLabel());
                    Load(step.A);
                    il.Emit(OpCodes.Brfalse, no);
                    Load(step.B);
                    il.Emit(OpCodes.Br, end);
                    il.MarkLabel(no);
                    Load(step.C);
                    il.MarkLabel(end);
                    break;
                case FusedKind.Cast:
                    Load(step.A);
                    if (types[step.Y] == DType.Float64) il.Emit(OpCodes.Conv_R8);
                    else if (types[step.Y] == DType.Float32) il.Emit(OpCodes.Conv_R4);
                    break;
                default:
                    Number(type, step.Scale);
                    Load(step.B);
                    Load(step.A);
                    var fma = type == DType.Float64
                        ? typeof(Math).GetMethod(nameof(Math.FusedMultiplyAdd), [typeof(double), typeof(double), typeof(double)])
                        : typeof(MathF).GetMethod(nameof(MathF.FusedMultiplyAdd), [typeof(float), typeof(float), typeof(float)]);
                    il.Emit(OpCodes.Call, fma!);
                    break;
            }
        }

        void EmitUnary(Unary op, int x, DType type, nint function)
        {
            switch (op)
            {
                case Unary.Neg:
                    Load(x);
                    il.Emit(OpCodes.Neg);
                    break;
                case Unary.Square:
                    Load(x);
                    Load(x);
                    il.Emit(OpCodes.Mul);
                    break;
                case Unary.Reciprocal:
                    Number(type, 1);
                    Load(x);
                    il.Emit(OpCodes.Div);
                    break;
                default:
                    Load(x);
                    CallFunction(function, type, 1);
                    break;
            }
        }

        void EmitBinary(Binary op, int a, int b, DType type, nint function)
        {
            OpCode? simple = op switch
            {
                Binary.Add => OpCodes.Add,
                Binary.Sub => OpCodes.Sub,
                Binary.Mul => OpCodes.Mul,
                Binary.Div => OpCodes.Div,
                _ => null,
            };
            Load(a);
            Load(b);
            if (simple is { } code) il.Emit(code);
            else CallFunction(function, type, 2);
        }

        void CallFunction(nint function, DType type, int operands)
        {
            var clr = Clr(type);
            il.Emit(OpCodes.Ldc_I8, (long)function);
            il.Emit(OpCodes.Conv_I);
            il.EmitCalli(OpCodes.Calli, System.Reflection.CallingConventions.Standard, clr, operands == 1 ? [clr] : [clr, clr], null);
        }

        void EmitComparison(Comparison op)
        {
            // Every comparison with NaN is false but NotEqual: the complements use the unordered forms.
            switch (op)
            {
                case Comparison.Equal: il.Emit(OpCodes.Ceq); return;
                case Comparison.Less: il.Emit(OpCodes.Clt); return;
                case Comparison.Greater: il.Emit(OpCodes.Cgt); return;
                case Comparison.NotEqual: il.Emit(OpCodes.Ceq); break;
                case Comparison.LessEqual: il.Emit(OpCodes.Cgt_Un); break;
                default: il.Emit(OpCodes.Clt_Un); break;
            }
            il.Emit(OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Ceq);
        }
    }

    private static Type Clr(DType type) => type switch
    {
        DType.Float64 => typeof(double),
        DType.Float32 => typeof(float),
        _ => typeof(int),
    };
}
