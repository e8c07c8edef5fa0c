using System.Text.Json.Nodes;
using Agnes.Connectors.Files;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Registry;

/// <summary>Which tables there are. Registering never grants; unregistering takes grants along, so that a table of the same id starts closed.</summary>
internal sealed class TableRegistry(StateDb state, DataFolder folder, PublicationEvents events, TableBelongings belongings)
{
    /// <summary>Reads and checks a body without writing anything.</summary>
    /// <exception cref="ProblemException">400 or 422.</exception>
    public TableRow Read(RequestBody body)
    {
        if (!body.Has("name")) body.String("name"); // notes the missing field
        var (row, _) = TableFields.Read(body, new TableRow { Id = "", Name = "" });
        row = TableRules.Complete(row with { Id = TableRules.IdOf(row.Name) });
        Check(body, row);
        return row;
    }

    /// <summary>Registers all or none.</summary>
    /// <exception cref="ProblemException">409: an id or a name is taken.</exception>
    public Task<IReadOnlyList<TableRow>> RegisterAsync(Caller caller, IReadOnlyList<TableRow> rows, CancellationToken cancellation) => state.WriteAsync<IReadOnlyList<TableRow>>(
        async write =>
        {
            var registered = new List<TableRow>(rows.Count);
            foreach (var row in rows) registered.Add(await RegisterAsync(write, caller, row));
            return registered;
        },
        cancellation);

    /// <summary>As above, inside a transaction of the caller.</summary>
    public static async Task<TableRow> RegisterAsync(StateWrite write, Caller caller, TableRow row)
    {
        RefuseTaken(write.Current, row);
        var stored = row with { RegisteredBy = caller.Email, RegisteredAt = write.Now };
        await write.ExecuteAsync(RegistrySql.Insert, stored);
        write.Audit(caller.UserId, "register_table", stored.Id, TableJson.Of(stored), "ok");
        write.Apply(snapshot => snapshot.WithTable(stored));
        return stored;
    }

    /// <summary>Lays a body over a stored row: absent keeps, null clears.</summary>
    /// <returns>The row before and after, and the fields that the body named.</returns>
    /// <exception cref="ProblemException">400, 404, 409 or 422.</exception>
    public Task<(TableRow Before, TableRow After, IReadOnlyList<string> Fields)> UpdateAsync(Caller caller, string id, RequestBody body, CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            var before = write.Current.Table(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, "Table not found");
            var (read, fields) = TableFields.Read(body, before);
            var after = TableRules.Complete(read);
            Check(body, after);
            if (fields.Count == 0) return (before, before, fields);
            if (after.Name != before.Name) await RenameAsync(write, before, after);
            await write.ExecuteAsync(RegistrySql.Update, after);
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
    public string NoteOn(TableRow row)
    {
        if (Sources.OfType(row.SourceType) is not { Connector: "files" }) return "Not looked at: this server does not pull from this source.";
        var where = FileTables.PatternOf(row);
        var files = FilesConnector.Find(folder.Csv, FileTables.ConfigOf(row)).Files.Count;
        return files == 0 ? $"No file matches {where} yet." : $"{files} file{(files == 1 ? "" : "s")} match {where}.";
    }

    private static void RefuseTaken(Snapshot snapshot, TableRow row)
    {
        if (snapshot.Table(row.Id) is not null) throw new ProblemException(StatusCodes.Status409Conflict, $"Table '{row.Id}' already registered");
        if (snapshot.TableByName(row.Name) is { } owner)
            throw new ProblemException(StatusCodes.Status409Conflict, $"Table name '{row.Name}' is already used by table '{owner.Id}'");
    }

    private void Check(RequestBody body, TableRow row)
    {
        if ((TableRules.Check(row) ?? CheckFiles(row)) is not { } violation) return;
        if (violation.Status != StatusCodes.Status422UnprocessableEntity) throw new ProblemException(violation.Status, violation.Message);
        body.Refuse(violation.Field ?? "name", violation.Message);
        body.ThrowIfInvalid();
    }

    /// <summary>The connector checks again when it opens the files: a link can appear in between.</summary>
    private RuleViolation? CheckFiles(TableRow row)
    {
        if (Sources.OfType(row.SourceType) is not { Connector: "files" })
            return row.Settings is null ? null : new RuleViolation("settings", $"A table of {row.SourceType} has no settings of its own");
        if (FilesConnector.SettingsFault(FileTables.ConfigOf(row).Settings) is { } fault) return new RuleViolation("settings", fault);
        // Two files of one name are one table only where that was asked for.
        if (FilesConnector.Find(folder.Csv, FileTables.ConfigOf(row)) is { IsAmbiguous: true, Fault: { } several }) return new RuleViolation("source_table", several);
        try
        {
            foreach (var path in FileTables.PathsOf(row)) SafePath.Resolve(folder.Csv, path);
            return null;
        }
        catch (UnsafePathException unsafePath)
        {
            return new RuleViolation("source_table", unsafePath.Message, StatusCodes.Status400BadRequest);
        }
    }

    /// <summary>What is known and published of a table goes along with its new name.</summary>
    private async Task RenameAsync(StateWrite write, TableRow before, TableRow after)
    {
        var slug = TableRules.IdOf(after.Name);
        if (slug != before.Id && write.Current.Table(slug) is { } other)
            throw new ProblemException(StatusCodes.Status409Conflict, $"Table name '{after.Name}' would be taken for table '{other.Id}'");
        var taken = write.Current.TableByName(after.Name) is { } named && named.Id != before.Id;
        var published = write.Current.PublishedTable(after.Name) is { } version && !string.Equals(version.Name, before.Name, StringComparison.OrdinalIgnoreCase);
        if (taken || published) throw new ProblemException(StatusCodes.Status409Conflict, $"Table name '{after.Name}' is already used");
        if (Sources.OfType(before.SourceType) is null && write.Current.PublishedTable(before.Name) is not null)
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
