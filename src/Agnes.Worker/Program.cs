using Agnes.Connectors;
using Agnes.Engine.Limits.Walls;
using Agnes.Protocol;

// The server's children without the server: deploy/worker compiles it to machine code, so that a run costs half of the processor time (docs/decisions/0399).
OwnerOnly.FromNowOn();
SyscallFilter.CloseIfChild();
if (WorkerRoles.Of(args) is { } role) return await role();
await Console.Error.WriteLineAsync("agnes-worker is started by agnes-server.");
return 2;
