using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Platform.Registry;

internal static class RegistrySql
{
    public static readonly string Insert =
        """
        INSERT INTO table_registry (id, name, source_type, bucket, source_table, source_query, sync_strategy, query_mode, sync_schedule, profile_after_sync, primary_key,
            folder, description, registered_by, registered_at, incremental_window_days, max_history_days, initial_load_chunk_days, incremental_column, partition_by,
            partition_granularity, where_filters, settings, connection, reads_tables, schema_contract)
        VALUES (@Id, @Name, @SourceType, @Bucket, @SourceTable, @SourceQuery, @SyncStrategy, @QueryMode, @SyncSchedule, @ProfileAfterSync, @PrimaryKey,
            @Folder, @Description, @RegisteredBy, @RegisteredAt, @IncrementalWindowDays, @MaxHistoryDays, @InitialLoadChunkDays, @IncrementalColumn, @PartitionBy,
            @PartitionGranularity, @WhereFilters, @Settings, @Connection, @ReadsTables, @SchemaContract)
        """;

    /// <summary>Who registered a table, and when, stays.</summary>
    public static readonly string Update =
        """
        UPDATE table_registry SET name = @Name, source_type = @SourceType, bucket = @Bucket, source_table = @SourceTable, source_query = @SourceQuery,
            sync_strategy = @SyncStrategy, query_mode = @QueryMode, sync_schedule = @SyncSchedule, profile_after_sync = @ProfileAfterSync, primary_key = @PrimaryKey,
            folder = @Folder, description = @Description, incremental_window_days = @IncrementalWindowDays, max_history_days = @MaxHistoryDays,
            initial_load_chunk_days = @InitialLoadChunkDays, incremental_column = @IncrementalColumn, partition_by = @PartitionBy,
            partition_granularity = @PartitionGranularity, where_filters = @WhereFilters, settings = @Settings, connection = @Connection,
            reads_tables = @ReadsTables, schema_contract = @SchemaContract
        WHERE id = @Id
        """;

    public static readonly string Delete = "DELETE FROM table_registry WHERE id = @id";
}
