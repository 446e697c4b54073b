// Precompile FOLDER ASSEMBLY...: copies assemblies into a folder, with two flags changed that keep the ready-to-run compiler
// of .NET 10 from code that it could compile. Neither changes what the code does.
//
// - It does not compile generic functions of F# modules over reference types: a class that is not marked beforefieldinit could
//   have an initializer to run first, which it does not know how to call from code that instantiations share
//   (https://github.com/dotnet/runtime/pull/124649 teaches it to, for .NET 11). Classes that have none are marked.
// - It does not compile methods marked AggressiveOptimization, as the kernels are: where they are compiled when first called,
//   that is to be done well at once. Compiled ahead, they are well compiled before, and once more when they are hot.
using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

foreach (var path in args[1..])
{
    var image = File.ReadAllBytes(path);
    using var file = new PEReader([.. image]);
    var metadata = file.GetMetadataReader();
    Span<byte> Row(TableIndex table, EntityHandle handle)
    {
        var size = metadata.GetTableRowSize(table);
        var start = file.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(table);
        return image.AsSpan(start + ((metadata.GetRowNumber(handle) - 1) * size), size);
    }

    foreach (var handle in metadata.TypeDefinitions)
    {
        var type = metadata.GetTypeDefinition(handle);
        if (type.GetMethods().Any(method => metadata.StringComparer.Equals(metadata.GetMethodDefinition(method).Name, ".cctor"))) continue;
        // A row begins with the type's flags (ECMA-335, II.22.37).
        BinaryPrimitives.WriteInt32LittleEndian(Row(TableIndex.TypeDef, handle), (int)(type.Attributes | TypeAttributes.BeforeFieldInit));
    }
    foreach (var handle in metadata.MethodDefinitions)
    {
        var method = metadata.GetMethodDefinition(handle);
        // A row begins with the place of the code; two bytes of flags of its implementation follow (II.22.26).
        BinaryPrimitives.WriteInt16LittleEndian(
            Row(TableIndex.MethodDef, handle)[4..],
            (short)(method.ImplAttributes & ~MethodImplAttributes.AggressiveOptimization));
    }
    File.WriteAllBytes(Path.Combine(args[0], Path.GetFileName(path)), image);
}
