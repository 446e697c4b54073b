// Files that a case needs for a moment.
namespace Fixtures;

internal static class Scratch
{
    /// <summary>Does something with the path of an empty file, which is gone afterwards.</summary>
    public static void InFile(Action<string> act)
    {
        var path = Path.GetTempFileName();
        try
        {
            act(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
