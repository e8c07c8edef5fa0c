using Agnes.Connectors.Answers;
using Agnes.Connectors.Custom;
using Agnes.Connectors.Events;
using Agnes.Connectors.Files;
using Agnes.Connectors.Keboola;
using Agnes.Connectors.MySql;
using Agnes.Connectors.Postgres;
using Agnes.Connectors.Samples;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors;

/// <summary>All connectors, one line each.</summary>
public static class ConnectorList
{
    public static IReadOnlyList<Connector> All { get; } =
    [
        new FilesConnector(),
        new SamplesConnector(),
        new CustomConnector(),
        new AnswersConnector(),
        new EventsConnector(EventSchemaList.Open),
        new KeboolaConnector(),
        PostgresDatabase.Connector,
        MySqlDatabase.Connector,
    ];
}
