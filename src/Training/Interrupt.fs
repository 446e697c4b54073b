namespace Functional

// Ctrl-C as a wish to stop, not as an end: the batch at hand is finished and what was learnt is kept. A wish to end of the
// system (SIGTERM of Kubernetes, Slurm and the like, SIGHUP of a closed terminal) is taken in the same way.

open System
open System.Runtime.InteropServices
open System.Threading

/// While it lives, the first Ctrl-C, SIGTERM or SIGHUP cancels the token; the second ends the process as usual. Another
/// token cancels it too. A signal that the process was started to ignore (`nohup`) stays ignored.
type internal Interrupt(listen: bool, outer: CancellationToken) =
    let source = CancellationTokenSource.CreateLinkedTokenSource outer

    let handler (context: PosixSignalContext) =
        if not source.IsCancellationRequested then
            context.Cancel <- true
            source.Cancel()

    // in a browser there is nobody to press Ctrl-C
    let registered: PosixSignalRegistration[] =
        if listen && not (OperatingSystem.IsBrowser()) then
            [| PosixSignal.SIGINT; PosixSignal.SIGTERM; PosixSignal.SIGHUP |]
            |> Array.map (fun signal -> PosixSignalRegistration.Create(signal, handler))
        else
            [||]

    member _.Requested = source.IsCancellationRequested

    interface IDisposable with
        member _.Dispose() =
            for one in registered do
                one.Dispose()

            source.Dispose()
