// CheckKernels ASSEMBLY: rewrites the kernels' compiled code in place, so that every access through a pointer is checked.
// What is called there, and what is found so, is told in src/Kernels/Checked/Checked.cs.
using CheckKernels;
using Mono.Cecil;
using Mono.Cecil.Cil;

var path = args[0];
var folder = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
var resolver = new DefaultAssemblyResolver();
resolver.AddSearchDirectory(folder);
using var assembly = AssemblyDefinition.ReadAssembly(path, new() { AssemblyResolver = resolver, InMemory = true, ReadSymbols = true });
var module = assembly.MainModule;
var calls = new Checks(module);
var places = calls.Places.Body.GetILProcessor();
if (!calls.Places.Body.Instructions[0].OpCode.Equals(OpCodes.Ldc_I4_0)) return 0; // nothing was compiled since
string[] trusted = ["Checked", "CheckedCalls", "KernelAccessException", "Storage", "LargeStorage", "StorageView", "Pool", "LargePages", "Scratch", "Prefetch", "Wishes"];
int methods = 0, accesses = 0;
foreach (var type in module.GetTypes())
{
    var outer = type;
    while (outer.DeclaringType is { } next) outer = next;
    // What the compiler adds for arrays inside structs is checked by nobody; the kernels have none on their way to memory.
    if (trusted.Contains(outer.Name) || outer.Name == "<PrivateImplementationDetails>") continue;
    foreach (var method in type.Methods)
    {
        if (!method.HasBody) continue;
        var rewriter = new Rewriter(calls, method);
        rewriter.Run();
        methods++;
        accesses += rewriter.Accesses;
    }
}
foreach (var problem in calls.Problems) Console.Error.WriteLine($"{path} : error CK0001: {problem}");
if (calls.Problems.Count > 0) return 1;
places.Replace(0, places.Create(OpCodes.Ldc_I4, accesses));
assembly.Write(path, new() { WriteSymbols = true });
Console.WriteLine($"{accesses} accesses in {methods} methods are checked");
return 0;
