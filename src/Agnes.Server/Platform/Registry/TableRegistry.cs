using System.Text.Json.Nodes;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Registry;

/// <summary>Which tables there are. Registering never grants; unregistering takes grants along, so that a table of the same id starts closed.</summary>
internal sealed class TableRegistry(
    StateDb state, DataFolder folder, SourceKinds kinds, PublicationEvents events, TableBelongings belongings, TableQueries queries,
    AskedSources asked, IServiceProvider services)
{
    /// <summary>Reads and checks a body without writing anything.</summary>
    /// <exception cref="ProblemException">400 or 422.</exception>
    public TableRow Read(RequestBody body)
    {
        if (!body.Has("name")) body.String("name"); // notes the missing field
        var (row, _) = TableFields.Read(body, new TableRow { Id = "", Name = "" }, kinds);
        row = TableRules.Complete(row with { Id = TableRules.IdOf(row.Name) }, kinds.OfType(row.SourceType));
        Check(body, row);
        return asked.WithQuery(row);
    }

    /// <summary>The row with what its query reads; the query is looked at by whoever will answer it.</summary>
    /// <exception cref="ProblemException">422: the query is none that would be answered.</exception>
    public async Task<TableRow> CheckQueryAsync(RequestBody body, TableRow row, CancellationToken cancellation)
    {
        var (looked, fault) = await queries.CheckAsync(row, cancellation);
        if (fault is not null) body.Refuse("source_query", fault);
        else if (TableReads.CycleOf(state.Snapshot, kinds, looked) is { } cycle) body.Refuse("source_query", Cycle(cycle));
        body.ThrowIfInvalid();
        return looked;
    }

    /// <summary>Registers all or none.</summary>
    /// <exception cref="ProblemException">409: an id or a name is taken.</exception>
    public Task<IReadOnlyList<TableRow>> RegisterAsync(Caller caller, IReadOnlyList<TableRow> rows, CancellationToken cancellation) => state.WriteAsync<IReadOnlyList<TableRow>>(
        async write =>
        {
            var registered = new List<TableRow>(rows.Count);
            foreach (var row in rows)
            {
                RefuseCycle(write.Current, row);
                registered.Add(await RegisterAsync(write, caller, row));
            }

            return registered;
        },
        cancellation);

    /// <summary>As above, inside a transaction of the caller.</summary>
    public static async Task<TableRow> RegisterAsync(StateWrite write, Caller caller, TableRow row)
    {
        RefuseTaken(write.Current, row);
        if (row.Connection is { } through && !write.Current.Connections.ContainsKey(through)) throw new ProblemException(StatusCodes.Status409Conflict, $"The connection '{through}' has just been removed");
        var stored = row with { RegisteredBy = caller.Email, RegisteredAt = write.Now };
        await write.ExecuteAsync(RegistrySql.Insert, stored);
        write.Audit(caller.UserId, "register_table", stored.Id, TableJson.Of(stored), "ok");
        write.Apply(snapshot => snapshot.WithTable(stored));
        return stored;
    }

    /// <summary>Lays a body over a stored row: absent keeps, null clears.</summary>
    /// <returns>The row before and after, and the fields that the body named.</returns>
    /// <exception cref="ProblemException">400, 404, 409 or 422.</exception>
    public async Task<(TableRow Before, TableRow After, IReadOnlyList<string> Fields)> UpdateAsync(
        Caller caller, string id, RequestBody body, CancellationToken cancellation)
    {
        var looked = await LookAtQueryAsync(id, body, cancellation); // nobody asks a source inside a transaction
        return await UpdateAsync(caller, id, body, looked, cancellation);
    }

    private async Task<TableRow?> LookAtQueryAsync(string id, RequestBody body, CancellationToken cancellation)
    {
        if (state.Snapshot.Table(id) is not { } before) return null;
        var (read, _) = TableFields.Read(body, before, kinds);
        var after = TableRules.Complete(read, kinds.OfType(read.SourceType));
        Check(body, after);
        after = asked.WithQuery(after);
        return HaveSameQuery(before, after) ? before : await CheckQueryAsync(body, after, cancellation);
    }

    private static bool HaveSameQuery(TableRow one, TableRow other) =>
        (one.SourceQuery, one.QueryMode, one.SourceType, one.Connection)
            == (other.SourceQuery, other.QueryMode, other.SourceType, other.Connection);

    private Task<(TableRow Before, TableRow After, IReadOnlyList<string> Fields)> UpdateAsync(
        Caller caller, string id, RequestBody body, TableRow? looked, CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            var before = write.Current.Table(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, "Table not found");
            var (read, fields) = TableFields.Read(body, before, kinds);
            var after = TableRules.Complete(read, kinds.OfType(read.SourceType));
            Check(body, after);
            after = asked.WithQuery(after);
            if (fields.Count == 0) return (before, before, fields);
            if (looked is null || !HaveSameQuery(looked, after))
                throw new ProblemException(StatusCodes.Status409Conflict, "The table has just been changed. Try again.");
            after = after with { ReadsTables = looked.ReadsTables };
            RefuseCycle(write.Current, after);
            if (after.Name != before.Name) await RenameAsync(write, before, after);
            await write.ExecuteAsync(RegistrySql.Update, after);
            await write.RetryNowAsync(after.Name);
            write.Audit(caller.UserId, "update_table", id, Changes(before, after), "ok");
            write.Apply(snapshot => snapshot.WithTable(after));
            return (before, after, fields);
        },
        cancellation);

    /// <returns>The row that was removed.</returns>
    /// <exception cref="ProblemException">404.</exception>
    public Task<TableRow> DeleteAsync(Caller caller, string id, CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            var row = write.Current.Table(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, "Table not found");
            if (write.Current.PublishedTable(row.Name) is { } version) await events.AddAsync(write, PublicationEvent.Removed, [version.Name]);
            await write.ExecuteAsync(RegistrySql.Delete, new { id });
            await belongings.DropAsync(write, id);
            if (row.Name != id) await belongings.DropAsync(write, row.Name); // once unregistered, its name would be its id
            write.Apply(snapshot => snapshot.WithoutTable(id));
            await write.ForgetTableAsync(row.Name);
            write.Audit(caller.UserId, "unregister_table", id, TableJson.Of(row), "ok");
            return row;
        },
        cancellation);

    /// <summary>For answers before the write; the write looks again.</summary>
    /// <exception cref="ProblemException">409.</exception>
    public void RefuseTaken(TableRow row) => RefuseTaken(state.Snapshot, row);

    /// <summary>What can be said of a table's source without opening it.</summary>
    public string NoteOn(TableRow row) => kinds.OfType(row.SourceType) is { } kind
        ? kind.NoteOn(row, kinds.ConnectionOf(state.Snapshot, row), folder)
        : "Not looked at: this server does not pull from this source.";

    /// <summary>What whoever registers a table is told besides; null: nothing.</summary>
    public string? SaidOf(TableRow row) => kinds.OfType(row.SourceType)?.SaidWhenRegistered(row);

    /// <exception cref="ProblemException">400: nothing can be registered for this kind of source now.</exception>
    public void RefuseUnserved(TableRow row)
    {
        if (kinds.OfType(row.SourceType)?.NotServed(row, kinds.ConnectionOf(state.Snapshot, row), services) is { } why)
            throw new ProblemException(StatusCodes.Status400BadRequest, why);
    }

    /// <summary>Again where it is written: what else was registered meanwhile may close it.</summary>
    private void RefuseCycle(Snapshot snapshot, TableRow row)
    {
        if (TableReads.CycleOf(snapshot, kinds, row) is { } cycle) throw new ProblemException(StatusCodes.Status409Conflict, Cycle(cycle));
    }

    private static string Cycle(IReadOnlyList<string> way) => $"The query would read its own table: {string.Join(" → ", way)}";

    private static void RefuseTaken(Snapshot snapshot, TableRow row)
    {
        if (snapshot.Table(row.Id) is not null) throw new ProblemException(StatusCodes.Status409Conflict, $"Table '{row.Id}' already registered");
        if (snapshot.TableByName(row.Name) is { } owner)
            throw new ProblemException(StatusCodes.Status409Conflict, $"Table name '{row.Name}' is already used by table '{owner.Id}'");
    }

    private void Check(RequestBody body, TableRow row)
    {
        var kind = kinds.OfType(row.SourceType);
        if ((TableRules.Check(row, kind) ?? CheckConnection(row, kind) ?? LookAt(row, kind)) is not { } violation) return;
        if (violation.Status != StatusCodes.Status422UnprocessableEntity) throw new ProblemException(violation.Status, violation.Message);
        body.Refuse(violation.Field ?? "name", violation.Message);
        body.ThrowIfInvalid();
    }

    private RuleViolation? CheckConnection(TableRow row, SourceKind? kind)
    {
        if (row.Connection is not { } name)
        {
            return kind is { HasDefault: false } && kinds.IsAsked(row)
                ? new RuleViolation("connection", $"A table of {kind.Name} names its connection: agnes admin connection list")
                : null;
        }

        if (kind is not null && state.Snapshot.Connections.GetValueOrDefault(name) is { } connection && connection.Kind == kind.Name) return null;
        var others = state.Snapshot.Connections.Values.Where(one => one.Kind == kind?.Name).Select(one => one.Name).Order(StringComparer.Ordinal).ToList();
        return new RuleViolation("connection", $"There is no connection '{TableRules.Shorten(name)}' of {kind?.Name ?? row.SourceType}; there {(others.Count == 0 ? "is the default one alone" : $"are {string.Join(", ", others)}")}");
    }

    private RuleViolation? LookAt(TableRow row, SourceKind? kind) => kind is null
        ? row.Settings is null ? null : new RuleViolation("settings", $"A table of {row.SourceType} has no settings of its own")
        : kind.LookAt(row, kinds.ConnectionOf(state.Snapshot, row), folder);

    /// <summary>What is known and published of a table goes along with its new name.</summary>
    private async Task RenameAsync(StateWrite write, TableRow before, TableRow after)
    {
        var slug = TableRules.IdOf(after.Name);
        if (slug != before.Id && write.Current.Table(slug) is { } other)
            throw new ProblemException(StatusCodes.Status409Conflict, $"Table name '{after.Name}' would be taken for table '{other.Id}'");
        var taken = write.Current.TableByName(after.Name) is { } named && named.Id != before.Id;
        var published = write.Current.PublishedTable(after.Name) is { } version && !string.Equals(version.Name, before.Name, StringComparison.OrdinalIgnoreCase);
        if (taken || published) throw new ProblemException(StatusCodes.Status409Conflict, $"Table name '{after.Name}' is already used");
        if (kinds.PulledBy(write.Current, before) is null && write.Current.PublishedTable(before.Name) is not null)
            throw new ProblemException(StatusCodes.Status409Conflict, $"Table '{before.Name}' is named by the extract that it comes from; rename it there");
        var isPublished = write.Current.PublishedTable(before.Name) is not null;
        await write.RenameTableAsync(before.Name, after.Name);
        if (!isPublished) return;
        await events.AddAsync(write, PublicationEvent.Removed, [before.Name]);
        await events.AddAsync(write, PublicationEvent.Published, [after.Name]);
    }

    private static JsonObject Changes(TableRow before, TableRow after)
    {
        var (old, now) = (TableJson.Of(before), TableJson.Of(after));
        return new JsonObject(now.Where(field => !JsonNode.DeepEquals(field.Value, old[field.Key]))
            .Select(field => KeyValuePair.Create(field.Key, (JsonNode?)new JsonObject { ["before"] = old[field.Key]?.DeepClone(), ["after"] = field.Value?.DeepClone() })));
    }
}
