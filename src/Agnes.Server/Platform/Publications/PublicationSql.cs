namespace Agnes.Server.Platform.Publications;

internal static class PublicationSql
{
    public const string Supersede = "UPDATE table_versions SET superseded_at = @now WHERE name = @name AND number = @number AND superseded_at IS NULL";

    public const string InsertVersion =
        """
        INSERT INTO table_versions (name, number, source, description, columns, rows, bytes, rendition, md5, parts_digest, query_mode, extracted_at, published_at, origin, instead_of)
        VALUES (@Name, @Number, @Source, @Description, @Columns, @Rows, @Bytes, @Rendition, @Md5, @PartsDigest, @QueryMode, @ExtractedAt, @PublishedAt, @Origin, @InsteadOf)
        """;

    public const string InsertPart =
        """
        INSERT INTO version_parts (name, number, ordinal, part_name, sha256, size_bytes, rows)
        VALUES (@Name, @Number, @Ordinal, @PartName, @Sha256, @SizeBytes, @Rows)
        """;

    /// <summary>The same rows, extracted again.</summary>
    public const string Refresh =
        "UPDATE table_versions SET extracted_at = @ExtractedAt, description = @Description, origin = @Origin WHERE name = @Name AND number = @Number";

    public const string SaveWhole =
        """
        UPDATE table_versions SET whole_sha256 = @Sha256, whole_md5 = @Md5, whole_size_bytes = @SizeBytes, whole_made_at = @MadeAt
        WHERE name = @Name AND number = @Number
        """;

    public const string ClaimName =
        "INSERT INTO view_ownership (view_name, source_name, registered_at) VALUES (@name, @source, @now) ON CONFLICT (view_name) DO NOTHING RETURNING source_name";

    public const string FreeName = "DELETE FROM view_ownership WHERE lower(view_name) = lower(@name)";

    // One statement that does both (ON CONFLICT DO UPDATE) costs DuckDB about 200 KiB until its transaction ends: a thousand tables in one commit did not fit.
    public const string UpdateState =
        """
        UPDATE sync_state SET last_sync = @LastSync, rows = @Rows, file_size_bytes = @FileSizeBytes, columns = @Columns, hash = @Hash, status = @Status, error = @Error
        WHERE table_id = @TableId
        """;

    public const string InsertState =
        """
        INSERT INTO sync_state (table_id, last_sync, rows, file_size_bytes, columns, hash, status, error)
        VALUES (@TableId, @LastSync, @Rows, @FileSizeBytes, @Columns, @Hash, @Status, @Error)
        """;

    /// <summary>A failure leaves the last good values.</summary>
    public const string UpdateFailure = "UPDATE sync_state SET status = @status, error = @error WHERE table_id = @name";

    public const string InsertFailure = "INSERT INTO sync_state (table_id, status, error) VALUES (@name, @status, @error)";

    public const string DeleteState = "DELETE FROM sync_state WHERE table_id = @name";

    public const string AddHistory =
        "INSERT INTO sync_history (id, table_id, synced_at, rows, duration_ms, status, error) VALUES (@id, @name, @now, @rows, @durationMs, @status, @error)";

    public const string DeleteHistory = "DELETE FROM sync_history WHERE table_id = @name";

    public const string DeleteParts = "DELETE FROM version_parts WHERE name = @Name AND number = @Number";

    public const string DeleteAllParts = "DELETE FROM version_parts WHERE name = @name";

    public const string DeleteAllVersions = "DELETE FROM table_versions WHERE name = @name";

    public const string DeleteVersion = "DELETE FROM table_versions WHERE name = @Name AND number = @Number AND superseded_at < @Before RETURNING number";

    // Renaming: what is known of a table goes with it.
    public const string RenameVersions = "UPDATE table_versions SET name = @after WHERE name = @before";
    public const string RenameParts = "UPDATE version_parts SET name = @after WHERE name = @before";
    public const string RenameState = "UPDATE sync_state SET table_id = @after WHERE table_id = @before";
    public const string RenameHistory = "UPDATE sync_history SET table_id = @after WHERE table_id = @before";
    public const string RenameOwner = "UPDATE view_ownership SET view_name = @after WHERE view_name = @before";
}
