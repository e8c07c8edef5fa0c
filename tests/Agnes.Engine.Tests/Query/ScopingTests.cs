using System.Text;
using Agnes.Engine.Query;

namespace Agnes.Engine.Tests.Query;

/// <summary>Queries grown at random from a grammar that keeps its own account of what every name means, compared with what the guard thought of them.</summary>
public sealed class ScopingTests(Bench bench, ITestOutputHelper log) : IClassFixture<Bench>
{
    private const int QueriesPerSeed = 300;

    [Theory]
    [InlineData(3)]
    [InlineData(20260102)]
    public async Task A_query_is_refused_exactly_when_a_name_in_it_means_the_hidden_table(int seed)
    {
        var grower = new Grower(new Random(seed));
        var (denied, answered) = (0, 0);
        for (var i = 0; i < QueriesPerSeed; i++)
        {
            var (sql, meansHidden) = grower.Grow();
            var (outcome, body) = await bench.RunAsync(sql, limit: 5);
            body.ShouldNotContain(Bench.HiddenText, customMessage: sql);
            (outcome.Status == StatementStatus.TableDenied).ShouldBe(meansHidden, $"{sql}\n{outcome.Status} {outcome.Message}");
            outcome.Status.ShouldBeOneOf([StatementStatus.TableDenied, StatementStatus.Ok, StatementStatus.TimedOut]);
            if (meansHidden) denied++;
            else answered++;
        }
        log.WriteLine($"seed {seed}: {denied} refused, {answered} answered");
        denied.ShouldBeGreaterThan(QueriesPerSeed / 10);
        answered.ShouldBeGreaterThan(QueriesPerSeed / 10);
    }

    /// <summary>All its tables and common table expressions have the one column <c>id</c> that the queries use.</summary>
    private sealed class Grower(Random random)
    {
        private static readonly string[] CteNames = ["secrets", "a", "b"];
        private bool _meansHidden;

        public (string Sql, bool MeansHidden) Grow()
        {
            _meansHidden = false;
            return (Query(3, []), _meansHidden);
        }

        private string Query(int depth, HashSet<string> ctes)
        {
            var sql = new StringBuilder();
            var known = new HashSet<string>(ctes, StringComparer.OrdinalIgnoreCase);
            if (depth > 0 && random.Next(3) == 0)
            {
                var names = CteNames.OrderBy(_ => random.Next()).Take(random.Next(1, 3)).ToList();
                foreach (var name in names)
                {
                    sql.Append(sql.Length == 0 ? "WITH " : ", ").Append(name).Append(" AS (").Append(Query(depth - 1, known)).Append(')');
                    known.Add(name);
                }
                sql.Append(' ');
            }
            sql.Append(Select(depth, known));
            if (depth > 0 && random.Next(4) == 0) sql.Append(random.Next(2) == 0 ? " UNION ALL " : " EXCEPT ").Append(Select(depth - 1, known));
            return sql.ToString();
        }

        private string Select(int depth, HashSet<string> ctes)
        {
            var sql = new StringBuilder("SELECT t.id FROM ").Append(Source(depth, ctes)).Append(" t");
            if (depth > 0 && random.Next(4) == 0) sql.Append(random.Next(2) == 0 ? " SEMI JOIN " : " ANTI JOIN ").Append(Source(depth - 1, ctes)).Append(" u ON t.id = u.id");
            if (depth > 0 && random.Next(4) == 0) sql.Append(" WHERE t.id ").Append(random.Next(2) == 0 ? "IN" : "NOT IN").Append(" (").Append(Query(depth - 1, ctes)).Append(')');
            if (depth > 0 && random.Next(6) == 0) sql.Append(" GROUP BY t.id HAVING count(*) >= (SELECT count(*) * 0 FROM (").Append(Query(depth - 1, ctes)).Append("))");
            return sql.ToString();
        }

        private string Source(int depth, HashSet<string> ctes)
        {
            if (depth > 0 && random.Next(3) == 0) return $"({Query(depth - 1, ctes)})";
            var name = random.Next(8) switch
            {
                0 => "secrets",
                1 => "SECRETS",
                2 when ctes.Count > 0 => ctes.ElementAt(random.Next(ctes.Count)),
                3 when ctes.Count > 0 => ctes.ElementAt(random.Next(ctes.Count)),
                4 => "main.orders",
                _ => "orders",
            };
            if (name.Equals("secrets", StringComparison.OrdinalIgnoreCase) && !ctes.Contains("secrets")) _meansHidden = true;
            return name;
        }
    }
}
