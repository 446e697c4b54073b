// One page that is open: its socket, and what it is looking at. When the socket ends, so does all that the page has begun.
using System.Net.WebSockets;
using System.Text.Json;

namespace Playground.Server;

internal sealed class Page(WebSocket socket, Halls halls)
{
    /// <summary>Bytes of the longest message: a picture, a table or the weights of a network.</summary>
    private const int MostBytes = 512 << 10;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8 };

    private readonly Outbox outbox = new();
    private readonly Dictionary<string, Exhibit> exhibits = [];

    /// <summary>Answers the page until it is closed, or the server ends.</summary>
    public async Task Serve(CancellationToken closing)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(closing);
        var sending = Send(ended.Token);
        try
        {
            await Receive(ended.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            // the page is gone
        }
        finally
        {
            await ended.CancelAsync();
            await sending;
            foreach (var exhibit in exhibits.Values) exhibit.Leave();
            outbox.Dispose();
        }
    }

    private async Task Receive(CancellationToken cancellation)
    {
        var buffer = new byte[16 << 10];
        using var message = new MemoryStream();
        while (true)
        {
            message.SetLength(0);
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(), cancellation);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    await Close(WebSocketCloseStatus.NormalClosure, "");
                    return;
                }
                if (part.MessageType == WebSocketMessageType.Binary || message.Length + part.Count > MostBytes)
                {
                    await Close(WebSocketCloseStatus.MessageTooBig, $"messages are text of at most {MostBytes} bytes");
                    return;
                }
                message.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);
            await Do(message.GetBuffer().AsMemory(0, (int)message.Length), cancellation);
        }
    }

    /// <summary>Does what a message asks for, or answers why not.</summary>
    private async Task Do(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        var (about, what) = ("page", "");
        try
        {
            using var document = JsonDocument.Parse(message, Strict);
            var wish = new Wish(document.RootElement);
            about = wish.Text("exhibit", 20);
            what = wish.Text("do", 20);
            if (!exhibits.TryGetValue(about, out var exhibit))
            {
                exhibit = halls.Open(about, outbox) ?? throw new Refusal("exhibit-unknown", new { given = about });
                exhibits[about] = exhibit;
            }
            await exhibit.Do(wish, cancellation);
        }
        catch (JsonException)
        {
            outbox.Answer(new { exhibit = about, wish = what, error = "malformed" });
        }
        catch (Refusal refusal)
        {
            outbox.Answer(new { exhibit = about, wish = what, error = refusal.Code, about = refusal.About });
        }
    }

    private async Task Send(CancellationToken cancellation)
    {
        try
        {
            while (true)
                foreach (var message in await outbox.TakeAsync(cancellation))
                    await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellation);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            // the page is gone, which the receiving side finds, too
        }
    }

    private async Task Close(WebSocketCloseStatus status, string reason)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await socket.CloseOutputAsync(status, reason, patience.Token);
    }
}
