namespace Functional

// Ctrl-C as a wish to stop, not as an end: the batch at hand is finished and what was learnt is kept.

open System
open System.Threading

/// While it lives, the first Ctrl-C cancels the token; the second ends the process as usual. Another token cancels it too.
type internal Interrupt(listen: bool, outer: CancellationToken) =
    let source = CancellationTokenSource.CreateLinkedTokenSource outer

    let handler =
        ConsoleCancelEventHandler(fun _ e ->
            if not source.IsCancellationRequested then
                e.Cancel <- true
                source.Cancel())

    // in a browser there is nobody to press Ctrl-C
    let listen = listen && not (OperatingSystem.IsBrowser())

    do
        if listen then
            Console.CancelKeyPress.AddHandler handler

    member _.Requested = source.IsCancellationRequested

    interface IDisposable with
        member _.Dispose() =
            if listen then
                Console.CancelKeyPress.RemoveHandler handler

            source.Dispose()
