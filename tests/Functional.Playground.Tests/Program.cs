// Runs every public method of the classes of tests; `--filter PART` those whose name has this part. The last line counts.
using System.Diagnostics;
using System.Reflection;
using Functional.Playground.Tests;

var filter = args is ["--filter", var part] ? part : "";
var tests =
    from type in Assembly.GetExecutingAssembly().GetTypes()
    where type.Name.EndsWith("Tests", StringComparison.Ordinal) && !type.IsAbstract
    from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
    where $"{type.Name}.{method.Name}".Contains(filter, StringComparison.OrdinalIgnoreCase)
    select (type, method);

var (passed, failed) = (0, 0);
await using (var world = await World.BeginAsync())
    foreach (var (type, method) in tests)
    {
        var (name, clock) = ($"{type.Name}.{method.Name}", Stopwatch.StartNew());
        try
        {
            await (Task)method.Invoke(Activator.CreateInstance(type, world), null)!;
            passed++;
            Console.WriteLine($"passed  {name} ({clock.ElapsedMilliseconds} ms)");
        }
        catch (Exception e)
        {
            failed++;
            Console.WriteLine($"FAILED  {name}: {(e is TargetInvocationException { InnerException: { } inner } ? inner : e)}");
        }
    }
Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 ? 0 : 1;
