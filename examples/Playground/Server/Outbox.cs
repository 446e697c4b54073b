// What waits to be sent to a page. Of pictures of the same thing only the newest waits: who makes them never waits for a
// page, and a slow page sees fewer of them.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Playground.Server;

internal sealed class Outbox : IDisposable
{
    /// <summary>As many answers may wait; a page that reads none of them is not listened to.</summary>
    private const int MostAnswers = 64;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly Lock gate = new();
    private readonly List<(string? Topic, byte[] Message)> waiting = [];
    private readonly SemaphoreSlim arrived = new(0);
    private int answers;

    /// <summary>An answer, which is sent whatever follows.</summary>
    /// <exception cref="IOException">The page does not read.</exception>
    public void Answer(object message) => Add(null, message);

    /// <summary>The state of something, which replaces what waits about the same.</summary>
    public void Show(string topic, object message) => Add(topic, message);

    /// <summary>All that waits, in order, once there is something.</summary>
    public async Task<byte[][]> TakeAsync(CancellationToken cancellation)
    {
        await arrived.WaitAsync(cancellation);
        lock (gate)
        {
            byte[][] taken = [.. waiting.Select(item => item.Message)];
            waiting.Clear();
            answers = 0;
            return taken;
        }
    }

    public void Dispose() => arrived.Dispose();

    private void Add(string? topic, object message)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(message, Json);
        lock (gate)
        {
            if (topic is null && ++answers > MostAnswers) throw new IOException("the page does not read its answers");
            if (topic is not null) waiting.RemoveAll(item => item.Topic == topic);
            var wasEmpty = waiting.Count == 0;
            waiting.Add((topic, bytes));
            if (wasEmpty && arrived.CurrentCount == 0) arrived.Release();
        }
    }
}
