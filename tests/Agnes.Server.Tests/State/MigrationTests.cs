using Agnes.Server.Platform.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.State;

public sealed class MigrationTests(Postgres postgres)
{
    [Fact]
    public void Marked_lines_are_for_postgres_only_and_comments_for_nobody()
    {
        const string Text =
            """
            -- A table.
            CREATE TABLE a (
                id VARCHAR PRIMARY KEY -- its key
            );
            -- pg: CREATE INDEX a_id ON a (id);

            INSERT INTO a VALUES ('x');
            """;
        Migrations.Statements(Text, StateEngine.DuckDb).ShouldBe(["CREATE TABLE a (\nid VARCHAR PRIMARY KEY -- its key\n)", "INSERT INTO a VALUES ('x')"]);
        Migrations.Statements(Text, StateEngine.Postgres).Count.ShouldBe(3);
        Should.Throw<FormatException>(() => Migrations.Statements("CREATE TABLE a (", StateEngine.DuckDb));
    }

    [Fact]
    public void Names_start_with_the_time_so_that_their_order_is_theirs()
    {
        Migrations.All.ShouldContain("202601010000_state");
        Migrations.All.ShouldAllBe(name => System.Text.RegularExpressions.Regex.IsMatch(name, @"\A[0-9]{12}_[a-z_]+\z"));
        Migrations.All.Select(name => name[..12]).Distinct(StringComparer.Ordinal).Count().ShouldBe(Migrations.All.Count);
    }

    [Theory, OnBothEngines]
    public async Task All_are_recorded_and_none_runs_twice(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        for (var start = 0; start < 2; start++)
        {
            await using var state = await place.OpenAsync();
            (await state.ReadAsync<string>("SELECT name FROM migrations ORDER BY name")).ShouldBe(Migrations.All);
        }
    }

    [Theory, OnBothEngines]
    public async Task Both_engines_have_the_same_tables_and_columns(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        using var embedded = await StatePlace.EmbeddedAsync();
        await using var state = await place.OpenAsync();
        await using var reference = await embedded.OpenAsync();
        const string Sql =
            """
            SELECT table_name || '.' || column_name || ' ' || is_nullable || ' ' || replace(replace(lower(data_type), 'character varying', 'varchar'), ' without time zone', '')
            FROM information_schema.columns
            WHERE table_schema IN ('main', 'public') ORDER BY 1
            """;
        (await state.ReadAsync<string>(Sql)).ShouldBe(await reference.ReadAsync<string>(Sql));
    }

    [Fact]
    public async Task A_group_made_by_hand_under_a_system_name_becomes_the_systems()
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using (var state = await place.OpenAsync())
        {
            await state.WriteAsync(async write =>
            {
                var old = write.Before.GroupByName("Everyone")!;
                await write.ExecuteAsync("UPDATE user_groups SET is_system = FALSE, description = 'ours' WHERE id = @Id", old);
                write.Apply(snapshot => snapshot.WithGroup(old with { IsSystem = false, Description = "ours" }));
            });
        }
        await using (var state = await place.OpenAsync())
        {
            var group = state.Snapshot.GroupByName("Everyone")!;
            group.IsSystem.ShouldBeTrue();
            group.Description.ShouldBe("ours");
        }
    }
}
