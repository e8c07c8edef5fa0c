using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.Answers;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>
/// A kind of source, which describes itself here and nowhere else: what it is called, what is set for it, what its tables can be, and what it can do. What a kind does
/// not say has a default, so that one that merely pulls is a few lines.
/// </summary>
internal abstract class SourceKind
{
    /// <summary>As <c>source_type</c> is stored; also the folder of its default connection below <c>extracts/</c>.</summary>
    public abstract string Name { get; }

    /// <summary>For people, in a sentence.</summary>
    public abstract string Title { get; }

    /// <summary>Other names that it is taken by at every entrance.</summary>
    public virtual IReadOnlyList<string> Aliases => [];

    /// <summary>Its name in lists of what tables can be registered for; null: nobody registers tables for it by hand.</summary>
    public virtual string? OfferedAs => Name;

    /// <summary>Its name in <c>data_source.type</c>; null: it is no instance's main source.</summary>
    public virtual string? MainAs => null;

    /// <summary>The tables of a row that names no kind are its.</summary>
    public virtual bool IsDefault => false;

    /// <summary>A section of <c>instance.yaml</c> of its own, beside <c>data_source</c>.</summary>
    public virtual string? Section => null;

    /// <summary>What <c>data_source.NAME</c> of <c>instance.yaml</c> sets for its default connection.</summary>
    public virtual IReadOnlyList<SourceSetting> Settings => [];

    /// <summary>The same, with what is secret in it and where that is sent, as the instance's configuration has it.</summary>
    public SettingGroup Declared
    {
        get
        {
            var settings = Settings.Select(setting => (Of: setting, Setting: setting.Under($"data_source.{Name}"))).ToArray();
            Setting[] secrets = [.. settings.Where(pair => pair.Of.IsSecret).Select(pair => pair.Setting)];
            Setting[] destination = [.. settings.Where(pair => pair.Of.IsDestination).Select(pair => pair.Setting)];
            return new(Title, [.. settings.Select(pair => pair.Setting)])
            {
                Credentials = secrets.Length == 0 ? [] : [new(Title, secrets, destination)],
            };
        }
    }

    /// <summary>What is set for each further connection; secrets are stored apart, see <see cref="Connection"/>.</summary>
    public virtual IReadOnlyList<SourceSetting> ConnectionSettings => [];

    /// <summary>Ways in which a table of it can be queried.</summary>
    public virtual IReadOnlyList<string> Modes => [TableRules.ModeLocal];

    /// <summary>A table without a query of its own can be materialized whole.</summary>
    public virtual bool MaterializesWhole => false;

    /// <summary>The language of queries that it answers itself.</summary>
    public virtual string SqlFlavor => "duckdb";

    /// <summary>Which connector of the engine pulls from it; null: this server does not, and serves what another program brings.</summary>
    public virtual string? Connector => null;

    /// <summary>
    /// What its connector is told besides the tables, and what it is asked with: what is set, unless the kind makes something of it. May hold
    /// secrets: it goes by pipe.
    /// </summary>
    public virtual Dictionary<string, string> OptionsOf(Connection connection, DataFolder folder) => new(connection.Settings, StringComparer.Ordinal);

    /// <summary>What the operator and the instance's configuration say besides, for its connector.</summary>
    /// <param name="given">What <see cref="OptionsOf"/> says, with the connection's secrets.</param>
    public virtual void AddOptions(IDictionary<string, string> given, Connection connection, ServerOptions options, SecretStore secrets)
    {
    }

    /// <summary>
    /// Nothing is pulled through its default connection before that is set up, and what another program writes to its folder is served.
    /// </summary>
    public virtual bool NeedsSetUp => false;

    /// <summary>Whether its default connection has what it needs now.</summary>
    public virtual bool IsSetUp(ServerOptions options, SecretStore secrets) => true;

    /// <summary>What is to be done so that its tables are pulled; null: nothing can be.</summary>
    public virtual string? HowToSetUp => null;

    /// <summary>Whether its connector brings a table of that query mode.</summary>
    public virtual bool Pulls(string? mode) =>
        mode is null or TableRules.ModeLocal || (mode == TableRules.ModeMaterialized && TakesAnswers);

    /// <summary>
    /// Asks a connection's source as little as can be: whether it is reached, takes what it is signed in to with, and has something that may be read. Kinds that
    /// list what they have, or are asked, are asked for that. Null: there is nothing that could be asked.
    /// </summary>
    /// <param name="options">Everything that is set for it, secrets too.</param>
    /// <exception cref="RemoteException">It is not so; the message says what is wrong.</exception>
    public virtual async Task<ConnectionCheck?> CheckAsync(
        Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services, CancellationToken stop)
    {
        if (IsListed) return new ConnectionCheck((await ListAsync(options, services, stop)).Count, "tables");
        if (!IsAsked || services.GetRequiredService<AskedSources>().Find(this, connection.Name) is not { } found) return null;
        var first = await found.System.ListAsync(new RemoteListing(null, null, null, ConnectionCheck.AskedMax), stop);
        return new ConnectionCheck(first.Count, first is [{ Table: null }, ..] ? "data sets" : "tables") { IsCut = first.Count >= ConnectionCheck.AskedMax };
    }

    /// <summary>It can list what could be registered: see <see cref="ListAsync"/>.</summary>
    public virtual bool IsListed => false;

    /// <summary>What the source has that could be registered.</summary>
    /// <param name="options">Everything that is set for the connection, secrets too.</param>
    /// <exception cref="RemoteException">It cannot be asked, or does not answer.</exception>
    public virtual Task<IReadOnlyList<ListedTable>> ListAsync(
        IReadOnlyDictionary<string, string> options, IServiceProvider services, CancellationToken stop) =>
        throw new NotSupportedException($"{Name} cannot be listed.");

    /// <summary>Its tables of mode <c>remote</c> stay at the source, which this server asks.</summary>
    public virtual bool IsAsked => false;

    /// <summary>Opens a connection, for questions to come: nothing is asked here. Called once until something is set differently.</summary>
    /// <param name="options">Everything that is set for it, secrets too.</param>
    /// <exception cref="RemoteException">It cannot be opened as it is set.</exception>
    public virtual IRemoteTables Ask(Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services) =>
        throw new NotSupportedException($"{Name} cannot be asked.");

    /// <summary>How a predicate over its tables is written, for whoever knows the engine's language only.</summary>
    public virtual IReadOnlyDictionary<string, string> WhereHints => Connection.Nothing;

    /// <summary>The language that its tables are asked in.</summary>
    public virtual SqlDialect Dialect => SqlDialect.Engine;

    /// <summary>
    /// What is set for a connection and is no secret: for the default one, what the instance's configuration says now.
    /// </summary>
    public virtual IReadOnlyDictionary<string, string> SettingsOf(Connection connection, IServiceProvider services) => connection.Settings;

    /// <summary>What the full names of a connection's tables begin with, as a project; null where they begin with nothing.</summary>
    /// <param name="settings">What <see cref="SettingsOf"/> says.</param>
    public virtual string? CatalogOf(IReadOnlyDictionary<string, string> settings) => null;

    /// <summary>
    /// The projects that a query of a materialized table may name, the connection's own first. Empty: names have none, or it has none.
    /// </summary>
    /// <param name="settings">What <see cref="SettingsOf"/> says.</param>
    public virtual IReadOnlyList<string> CatalogsOf(IReadOnlyDictionary<string, string> settings, ServerOptions options) => [];

    /// <summary>The query of a table that is materialized whole, where the source answers it; null: it has none.</summary>
    /// <param name="catalog">What <see cref="CatalogOf"/> says.</param>
    public virtual string? QueryOfWhole(TableRow row, string? catalog) => null;

    /// <summary>What whoever registered a table is told besides that; null: nothing.</summary>
    public virtual string? SaidWhenRegistered(TableRow row) => null;

    /// <summary>What the source calls a table, as it stands in a question.</summary>
    /// <param name="catalog">What <see cref="CatalogOf"/> says.</param>
    public virtual string RelationOf(TableRow row, string? catalog)
    {
        var table = SqlText.Identifier(string.IsNullOrEmpty(row.SourceTable) ? row.Name : row.SourceTable);
        return string.IsNullOrEmpty(row.Bucket) ? table : $"{SqlText.Identifier(row.Bucket)}.{table}";
    }

    /// <summary>
    /// Its materialized tables are the answers of queries, which the server has answered and hands to the connector: by the source, where
    /// it is one that is asked, or over registered tables.
    /// </summary>
    public virtual bool TakesAnswers => Connector == AnswersConnector.ConnectorName;

    /// <summary>The queries of its tables are over registered tables.</summary>
    public bool IsDerived => TakesAnswers && !IsAsked;

    /// <summary>What the source calls a table that a query of it names.</summary>
    /// <param name="schema">Empty: the query named none.</param>
    public virtual string RelationOf(string schema, string table) =>
        RelationOf(new TableRow { Id = "", Name = table, Bucket = schema, SourceTable = table }, catalog: null);

    /// <summary>What the source may have to read for one materialized table, in bytes; 0: no limit.</summary>
    public virtual long MaterializeBytesMax(Connection connection) =>
        MaterializeLimit.Of(connection.Settings.GetValueOrDefault(MaterializeLimit.Name));

    /// <summary>Takes what the source sends by itself; null: nothing is taken, and there is no address for it.</summary>
    public virtual IReceiver? Receiver => null;

    /// <summary>The operator's program that a connection runs; null: none.</summary>
    /// <exception cref="WorkerFailedException">It should have one, and there is none.</exception>
    public virtual ExtractProgram? ProgramOf(Connection connection, ServerOptions options) => null;

    /// <summary>A table that names no connection comes through that of its kind.</summary>
    public virtual bool HasDefault => true;

    /// <summary>A row of the registry as its connector reads it.</summary>
    public virtual TableConfig ConfigOf(TableRow row) =>
        new(
            row.Id, row.Name, row.Bucket, row.SourceTable, row.Description, row.QueryMode ?? TableRules.ModeLocal,
            Settings: row.Settings is null ? null : JsonElement.Parse(row.Settings));

    /// <summary>Fills in what follows for a table of this kind from the rest.</summary>
    public virtual TableRow Complete(TableRow row) => row;

    /// <summary>The first rule of its own that a table breaks, or null.</summary>
    public virtual RuleViolation? Check(TableRow row) => null;

    /// <summary>The same, for what has to be looked up; it is done last.</summary>
    public virtual RuleViolation? LookAt(TableRow row, Connection? connection, DataFolder folder) =>
        row.Settings is null ? null : new RuleViolation("settings", $"A table of {row.SourceType} has no settings of its own");

    /// <summary>Why no table can be registered for it now, or null.</summary>
    public virtual string? NotServed(TableRow row, Connection? connection, IServiceProvider services) => null;

    /// <summary>What can be said of a table's source without opening it.</summary>
    public virtual string NoteOn(TableRow row, Connection? connection, DataFolder folder) => "Not looked at: this server does not pull from this source.";

    /// <summary>Why the settings of a further connection cannot be, or null.</summary>
    public virtual string? ConnectionFault(IReadOnlyDictionary<string, string> settings, ServerOptions options) => null;

    /// <summary>What the first set-up of the instance makes of the answers for this kind.</summary>
    /// <param name="given">The answer of a name, trimmed; null where there is none.</param>
    public virtual SourceSetUp SetUp(Func<string, string?> given, IServiceProvider services) => new("unverified");

    /// <summary>Where types and descriptions of columns can be given back to; null: it takes none.</summary>
    public virtual IColumnTarget? ColumnTarget => null;

    /// <summary>Whether a row of another installation's registry that names no kind can only be one of this.</summary>
    public virtual bool Recognises(TableRow row) => false;

    /// <summary>A row of another installation's registry with what its own later versions would have changed in it.</summary>
    /// <param name="version">Of the schema that the row is from.</param>
    /// <param name="find">A setting of the instance that is imported into, or that is imported from.</param>
    public virtual ImportedTable Modernised(TableRow row, int version, Func<string, string?> find) => new(row);
}

/// <summary>One thing that is set for a source.</summary>
/// <param name="Kind">In the words of the configuration's form: <c>string</c>, <c>int</c>, <c>bool</c>, <c>secret</c>.</param>
internal sealed record SourceSetting(string Name, string Kind = "string")
{
    public JsonNode? Default { get; init; }

    public string? Hint { get; init; }

    /// <summary>The setting whose value stands where this one has none.</summary>
    public string? PlaceholderFrom { get; init; }

    /// <summary>The default is shown as if it were set.</summary>
    public bool IsShown { get; init; }

    /// <summary>An address that secrets are sent to: it must not lead into a private network.</summary>
    public bool IsDestination { get; init; }

    public bool IsRequired { get; init; }

    /// <summary>Of the environment, for the default connection.</summary>
    public IReadOnlyList<string> Variables { get; init; } = [];

    /// <summary>Something reads it for the default connection.</summary>
    public bool IsRead { get; init; }

    /// <summary>False: it does not stand in the form of the configuration.</summary>
    public bool IsOffered { get; init; } = true;

    /// <summary>Of what only sounds like a secret: what it is.</summary>
    public string? NoSecret { get; init; }

    public bool IsSecret => Kind == "secret";

    /// <summary>As a setting of the instance's configuration.</summary>
    public Setting Under(string section) => new($"{section}.{Name}", [.. Variables])
    {
        Kind = Kind,
        By = SettableBy.Admins,
        Default = Default,
        Means = Hint,
        PlaceholderFrom = PlaceholderFrom,
        IsRead = IsRead,
        IsOffered = IsOffered,
        NoDestination = NoSecret,
    };
}

/// <summary>A table that a source has, as the contract's discovery shows it.</summary>
/// <param name="Id">With its bucket.</param>
internal sealed record ListedTable(
    string Id, string Name, string BucketId, string BucketName, IReadOnlyList<string> Columns, long? Rows, long? Bytes,
    IReadOnlyList<string> PrimaryKey, string? LastChange, string? LastImport);

/// <param name="Connection">What the answer says of it: <c>verified</c>, <c>unverified</c> or <c>local</c>.</param>
internal sealed record SourceSetUp(string Connection)
{
    /// <summary>What is wrong with the answers by themselves.</summary>
    public string? Fault { get; init; }

    /// <summary>Asks the source; what is wrong, without any secret.</summary>
    public Func<CancellationToken, Task<string?>>? Verify { get; init; }

    /// <summary>For <c>data_source.NAME</c>.</summary>
    public JsonObject? Section { get; init; }

    /// <summary>To be stored under these names, once the source has taken them.</summary>
    public IReadOnlyList<(string Name, string Value)> Secrets { get; init; } = [];

    public override string ToString() => Connection;
}

/// <summary>Takes types and descriptions of columns back to the source.</summary>
internal interface IColumnTarget
{
    /// <summary>Why it cannot be reached at all, or null.</summary>
    string? NotSetUp(IServiceProvider services);

    /// <returns>What was wrong, without any secret and without what the other side wrote.</returns>
    Task<PushedColumn> PushAsync(IServiceProvider services, TableRow table, DescribedColumn column, CancellationToken stop);
}

/// <param name="Basetype">In Keboola's words: STRING, INTEGER, NUMERIC, FLOAT, BOOLEAN, DATE, TIMESTAMP.</param>
internal sealed record DescribedColumn(string Name, string? Basetype, string? Description);

/// <param name="WasReached">False: there is no use in trying the next.</param>
internal sealed record PushedColumn(string? Fault, bool WasReached);

/// <param name="Changed">What became of it, for the report.</param>
/// <param name="Left">What could not be done, with the advice.</param>
internal sealed record ImportedTable(TableRow Row, string? Changed = null, string? Left = null);
