using Agnes.Engine.Query.Remote;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Postgres;

/// <summary>Each statement that is taken there means what it means here: the same rows in both, and the same answer.</summary>
public sealed class SameAnswerTests(Shelf shelf) : IClassFixture<Shelf>, IAsyncLifetime
{
    private static readonly SemaphoreSlim Once = new(1);
    private static bool _isFilled;

    public async ValueTask InitializeAsync()
    {
        await Once.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_isFilled) return;
            await shelf.FillSalesAsync();
            await shelf.ExecuteAsync("CREATE TABLE people (name text COLLATE \"C\", city varchar(20), born date)");
            await shelf.ExecuteAsync(
                "INSERT INTO people VALUES ('apple', 'Brno', '1980-02-29'), ('Zebra', NULL, '2000-12-31'), "
                + "('nobody', 'Praha', NULL), (NULL, 'Brno', '1999-01-01')");
            await shelf.ExecuteAsync($"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {shelf.Role}");
            await shelf.MirrorAsync("people");
            _isFilled = true;
        }
        finally
        {
            Once.Release();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("SELECT * FROM sales ORDER BY id")]
    [InlineData(
        "SELECT count(*), count(name), count(DISTINCT name), sum(id), sum(amount), avg(id), avg(ratio), min(name), "
        + "max(name), min(day), max(moment) FROM sales")]
    [InlineData("SELECT name, count(*) AS n, sum(amount) FILTER (WHERE large) FROM sales GROUP BY name ORDER BY name DESC")]
    [InlineData("SELECT grade, large, sum(id) FROM sales GROUP BY ALL ORDER BY 1, 2")]
    [InlineData(
        "SELECT id / 7 AS a, id % 7 AS b, -id + 3 AS c, id * 1.5 AS d, amount / 3 AS e, id / 2.5 AS f, 1e3 + id AS g "
        + "FROM sales ORDER BY id")]
    [InlineData("SELECT DISTINCT name FROM sales ORDER BY name NULLS FIRST LIMIT 4 OFFSET 1")]
    [InlineData("SELECT id FROM sales WHERE name LIKE '100%\\_' OR name LIKE 'a%' ORDER BY id")]
    [InlineData("SELECT id FROM sales WHERE name ILIKE 'Ä%' ORDER BY id")]
    [InlineData(
        "SELECT lower(name) AS a, upper(name) AS b, length(name) AS c, trim(name) AS d, name || '-' || id AS e, "
        + "concat(name, NULL, 'x', id) AS f, substring(name, 2, 3) AS g, left(name, 2) AS h, right(name, 2) AS i FROM "
        + "sales ORDER BY id")]
    [InlineData(
        "SELECT strpos(name, 'e') AS a, contains(name, 'ä') AS b, starts_with(name, 'Z') AS c, ends_with(name, 'ra') "
        + "AS d, replace(name, 'e', 'EE') AS e, md.x FROM sales, (SELECT 1 AS x) md ORDER BY id")]
    [InlineData("SELECT id, name FROM sales WHERE name > 'Z' AND name BETWEEN 'Z' AND 'z' ORDER BY name, id")]
    [InlineData(
        "SELECT day + 3 AS a, day - DATE '2026-01-01' AS b, day + INTERVAL '1 month' AS c, moment - INTERVAL 2 DAY AS "
        + "d, date_trunc('week', moment) AS e, date_trunc('month', day) AS f FROM sales ORDER BY id")]
    [InlineData(
        "SELECT extract(year FROM day) AS a, month(moment) AS b, date_part('dow', day) AS c, extract(second FROM "
        + "moment) AS d, week(day) AS e, dayofyear(day) AS f, date_diff('day', day, DATE '2026-03-01') AS g, "
        + "hour(moment) AS h FROM sales ORDER BY id")]
    [InlineData("SELECT id FROM sales WHERE day >= '2026-01-15' AND moment < '2026-01-05 12:00:00' OR day = DATE '2025-12-24' ORDER BY id")]
    [InlineData(
        "SELECT CASE WHEN amount > 0 THEN 'plus' WHEN amount = 0 THEN name ELSE 'minus' END AS sign, coalesce(amount, "
        + "0) AS amount, nullif(grade, 2) AS grade, greatest(grade, 1) AS most, least(name, 'b') AS first FROM sales "
        + "ORDER BY id")]
    [InlineData("SELECT CASE grade WHEN 1 THEN 'one' WHEN 2 THEN 'two' END AS word, if(large, 1, 0) AS flag FROM sales ORDER BY id")]
    [InlineData(
        "SELECT round(amount) AS a, round(amount, 1) AS b, floor(amount) AS c, ceil(ratio) AS d, abs(amount) AS e, "
        + "sqrt(id) AS f, sign(amount) AS g, floor(id) AS h FROM sales ORDER BY id")]
    [InlineData(
        "SELECT CAST(amount AS INTEGER) AS a, CAST(ratio AS BIGINT) AS b, CAST(id AS VARCHAR) AS c, CAST(large AS "
        + "INTEGER) AS d, CAST(amount AS DOUBLE) AS e, CAST(id AS DECIMAL(12,3)) AS f, CAST(moment AS DATE) AS g, "
        + "CAST(large AS VARCHAR) AS h, CAST(day AS VARCHAR) AS i FROM sales ORDER BY id")]
    [InlineData("SELECT s.id, p.city FROM sales s JOIN people p ON s.name = p.name ORDER BY s.id, p.city")]
    [InlineData("SELECT name, city, count(*) AS n FROM sales LEFT JOIN people USING (name) GROUP BY 1, 2 ORDER BY 1, 2")]
    [InlineData("SELECT * FROM people FULL JOIN (SELECT DISTINCT name, large FROM sales) s USING (name) ORDER BY name, city, large")]
    [InlineData("SELECT p.name, s.id FROM sales s RIGHT JOIN people p ON s.name = p.name AND s.id < 10 ORDER BY p.city, p.name, s.id")]
    [InlineData(
        "WITH x(k, total) AS (SELECT name, sum(id) FROM sales GROUP BY name), y AS (SELECT * FROM x WHERE total > 10) "
        + "SELECT k, total FROM y ORDER BY k")]
    [InlineData("SELECT name FROM sales WHERE id < 20 UNION SELECT name FROM people EXCEPT SELECT 'apple' ORDER BY 1")]
    [InlineData(
        "SELECT id FROM sales WHERE name IN (SELECT name FROM people WHERE name IS NOT NULL) AND EXISTS (SELECT 1 FROM "
        + "people p WHERE p.name = sales.name) ORDER BY id")]
    [InlineData(
        "SELECT id FROM sales WHERE name NOT IN ('apple', 'Zebra') AND grade IN (1, 2) AND id > (SELECT avg(id) FROM "
        + "sales) ORDER BY id")]
    [InlineData(
        "SELECT id, row_number() OVER (PARTITION BY name ORDER BY id DESC) AS a, rank() OVER (ORDER BY grade) AS b, "
        + "dense_rank() OVER (ORDER BY name) AS c, lag(amount, 2) OVER (ORDER BY id) AS d, sum(amount) OVER (ORDER BY id "
        + "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS e, first_value(name) OVER (ORDER BY id) AS f FROM sales ORDER BY "
        + "id")]
    [InlineData("SELECT name, grade, count(*) AS n FROM sales GROUP BY GROUPING SETS ((name), (grade), ()) ORDER BY name, grade, n")]
    [InlineData("SELECT name, grade, count(*) AS n FROM sales GROUP BY ROLLUP (name, grade) HAVING count(*) > 20 ORDER BY name, grade, n")]
    [InlineData("SELECT DISTINCT ON (grade) grade, id FROM sales ORDER BY grade, id DESC")]
    [InlineData("SELECT string_agg(name, ';' ORDER BY name, id) AS names, bool_or(large) AS any_large FROM sales WHERE id < 15")]
    [InlineData(
        "SELECT amount IS DISTINCT FROM NULL AS a, NOT large AS b, large AND amount > 5 AS c, name IS NULL AS d FROM "
        + "sales ORDER BY id")]
    [InlineData("SELECT id, id + 1 AS next, next * 2 AS twice FROM sales WHERE twice > 900 ORDER BY twice")]
    [InlineData("SELECT * EXCLUDE (moment, ratio) REPLACE (grade + 1 AS grade) FROM sales ORDER BY id LIMIT 3")]
    [InlineData("SELECT id, ratio FROM sales ORDER BY ratio DESC, id")]
    [InlineData(
        "SELECT id, seen FROM sales WHERE seen >= TIMESTAMPTZ '2026-01-02 03:00:00+02' AND seen < '2026-01-09 00:00:00' "
        + "OR seen > TIMESTAMPTZ '2026-01-18 00:00:00.5Z' OR seen IS NULL ORDER BY seen, id")]
    [InlineData("SELECT 2 AS k, name, count(*) AS n FROM sales GROUP BY 1, name ORDER BY name")]
    [InlineData("SELECT 3 AS k, true AS t, 'x' AS x, NULL AS y, -1 AS z, count(*) AS n FROM sales GROUP BY 1, 2, 3, 4, 5")]
    [InlineData("SELECT 2 AS k, grade, sum(id) AS s FROM sales GROUP BY ALL ORDER BY grade")]
    [InlineData("SELECT (SELECT max(city) FROM people p WHERE p.name = s.name) AS city, s.id FROM sales s ORDER BY s.id LIMIT 10")]
    [InlineData("SELECT sum(x.n) AS n FROM (SELECT count(*) AS n, name FROM sales GROUP BY name) AS x")]
    [InlineData(
        "SELECT 'it''s \\' AS text, '\"' AS quote, 5000000000 AS big, 170141183460469231731687303715884105 AS huge, "
        + "NULL AS nothing, true AS yes, 0.10 AS tenth")]
    public async Task It_is_the_same_there_as_here(string sql)
    {
        var there = await shelf.ThereAsync(sql, "sales", "people");
        there.ShouldBe(shelf.Here(sql));
        there.Count.ShouldBeGreaterThan(1, "an answer without rows shows nothing");
    }

    /// <summary>A campaign asks them by the hundred.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Statements_of_any_shape_are_the_same_there_as_here(int seed)
    {
        var questions = new RandomQuestions(seed);
        var asked = 0;
        for (var i = 0; i < 30; i++)
        {
            var sql = questions.Next();
            List<string> there;
            try
            {
                there = await shelf.ThereAsync(sql, "sales");
            }
            catch (RemoteException refused)
            {
                refused.Fault.ShouldBe(RemoteFault.Question, $"{sql}: {refused.Message}");
                continue;
            }

            asked++;
            there.Order(StringComparer.Ordinal).ShouldBe(shelf.Here(sql).Order(StringComparer.Ordinal), sql);
        }

        asked.ShouldBeGreaterThan(20, "most of them are taken");
    }
}
