using System.Diagnostics;
using Agnes.Server.Platform.State;

// A process that writes to a state until it is killed, for tests that kill it; or that measures how long a write takes.
//   Agnes.StateHost write FOLDER WRITERS [POSTGRES]     prints "open", then "ack <address>" after each commit
//   Agnes.StateHost measure FOLDER WRITERS [POSTGRES]   prints commits per second and latencies
var options = new StateOptions { DataDir = args[1], StateDir = Path.Combine(args[1], "state"), ConnectionString = args.ElementAtOrDefault(3), MemoryBytes = 256 << 20 };
var writers = int.Parse(args[2]);
await using var state = await StateDb.OpenAsync(options);
await Console.Out.WriteLineAsync("open");

Task AddAsync(string email) => state.WriteAsync(async write =>
{
    var user = new UserRow { Id = write.NewId(), Email = email, CreatedAt = write.Now };
    await write.ExecuteAsync("INSERT INTO users (id, email, active, created_at, onboarded) VALUES (@Id, @Email, @Active, @CreatedAt, @Onboarded)", user);
    await write.ExecuteAsync("UPDATE users SET updated_at = @Now WHERE id = @Id", new { write.Now, user.Id });
    user = user with { UpdatedAt = write.Now };
    write.Apply(snapshot => snapshot.WithUser(user));
    write.Audit(user.Id, "user.create", $"user:{user.Id}", new() { ["email"] = email });
});

switch (args[0])
{
    case "write":
        var output = Console.OpenStandardOutput();
        var run = Guid.NewGuid().ToString("N");
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; ; i++)
            {
                var email = $"{run}-{writer}-{i}@example.com";
                await AddAsync(email);
                // In one call, so that a line is there whole or not at all.
                var line = System.Text.Encoding.ASCII.GetBytes($"ack {email}\n");
                lock (output) output.Write(line);
            }
        })));
        return 0;
    case "measure":
        await AddAsync("warm@example.com");
        for (var i = 0; i < 200; i++) await AddAsync($"warm{i}@example.com");
        const int Commits = 3000;
        var clock = Stopwatch.StartNew();
        var processor = Environment.CpuUsage.TotalTime;
        var taken = await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            var mine = new List<double>();
            for (var i = 0; i < Commits / writers; i++)
            {
                var started = Stopwatch.GetTimestamp();
                await AddAsync($"{writer}-{i}@example.com");
                mine.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }
            return mine;
        })));
        var all = taken.SelectMany(mine => mine).Order().ToArray();
        Console.WriteLine($"{state.Engine}, {writers} writers: {all.Length / clock.Elapsed.TotalSeconds:0} commits/s, p50 {all[all.Length / 2]:0.00} ms, p99 {all[all.Length * 99 / 100]:0.00} ms, max {all[^1]:0.0} ms, processor {(Environment.CpuUsage.TotalTime - processor).TotalMilliseconds / all.Length:0.00} ms a commit");
        return 0;
    default:
        return 2;
}
