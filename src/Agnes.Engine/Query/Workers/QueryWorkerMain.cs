using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Agnes.Engine.Query.Workers;

/// <summary>The body of <c>agnes-server query-worker</c>: reads frames, runs one statement at a time, writes frames.</summary>
public static partial class QueryWorkerMain
{
    /// <summary>The engine's parser and binder recurse on the caller's stack.</summary>
    private const int StackBytes = 64 << 20;

    /// <summary>The server sends one statement at a time; more than a few waiting frames would be its mistake.</summary>
    private const int WaitingFramesMax = 16;

    private static readonly TimeSpan EndWait = TimeSpan.FromMilliseconds(500);

    /// <summary>Serves statements until the other end closes.</summary>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(Stream input, Stream output, CancellationToken cancellation) =>
        Task.Factory.StartNew(() => Serve(input, output), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static int Serve(Stream input, Stream output)
    {
        using var work = new BlockingCollection<Action<WorkerSession>>(WaitingFramesMax);
        WorkerSession? session = null;
        var (kind, payload) = ReadFrame(input);
        if (kind != FrameKind.Configure) return 1;
        var share = WorkerShare.Read(payload);
        var executing = new Thread(() => Execute(share, output, work, made => Volatile.Write(ref session, made)), StackBytes) { IsBackground = true, Name = "statements" };
        executing.Start();
        for (; ; )
        {
            (kind, payload) = ReadFrame(input);
            switch (kind)
            {
                case FrameKind.Parse:
                    var sql = new FrameReader(payload).Text();
                    work.Add(at => at.Parse(sql));
                    break;
                case FrameKind.Rewrite:
                    var written = new FrameReader(payload).Text();
                    work.Add(at => at.Rewrite(written));
                    break;
                case FrameKind.Run:
                    var request = RunRequest.Read(payload);
                    work.Add(at => at.Run(request));
                    break;
                case FrameKind.Interrupt:
                    Volatile.Read(ref session)?.Interrupt(new FrameReader(payload).Int());
                    break;
                default:
                    work.CompleteAdding();
                    if (!executing.Join(EndWait)) EndNow();
                    return kind == FrameKind.Closed ? 0 : 1;
            }
        }
    }

    private static void Execute(WorkerShare share, Stream output, BlockingCollection<Action<WorkerSession>> work, Action<WorkerSession> made)
    {
        SetNiceness(share.Niceness);
        WorkerSession.WarmUp(share);
        void Send(ReadOnlyMemory<byte> frame)
        {
            output.Write(frame.Span);
            output.Flush();
        }

        void SendBody(ReadOnlySpan<byte> body)
        {
            Span<byte> header = stackalloc byte[WorkerWire.HeaderBytes];
            WorkerWire.WriteHeader(header, FrameKind.Body, body.Length);
            output.Write(header);
            output.Write(body);
            output.Flush();
        }

        using var session = new WorkerSession(share, Send, SendBody);
        made(session);
        Send(new FrameWriter().Start(FrameKind.Ready).End());
        foreach (var item in work.GetConsumingEnumerable()) item(session);
    }

    /// <summary>The engine does not let go of a statement, and nobody is left to wait for it.</summary>
    private static void EndNow()
    {
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        self.Kill();
    }

    /// <returns><see cref="FrameKind.Closed"/> at the end.</returns>
    private static (FrameKind Kind, byte[] Payload) ReadFrame(Stream input)
    {
        Span<byte> header = stackalloc byte[WorkerWire.HeaderBytes];
        if (input.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length) return (FrameKind.Closed, []);
        var (kind, length) = WorkerWire.ReadHeader(header);
        var payload = new byte[length];
        return input.ReadAtLeast(payload, length, throwOnEndOfStream: false) < length ? (FrameKind.Closed, []) : (kind, payload);
    }

    /// <summary>Long statements leave the processors to the server and to short ones. The engine's threads are made later and inherit it.</summary>
    private static void SetNiceness(int niceness)
    {
        const int processScope = 0;
        if (OperatingSystem.IsLinux() && niceness != 0) _ = setpriority(processScope, 0, niceness);
    }

    [LibraryImport("libc")]
    private static partial int setpriority(int which, uint who, int priority);
}
