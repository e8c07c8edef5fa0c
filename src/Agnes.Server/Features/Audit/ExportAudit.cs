using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Audit;

/// <summary>Writes every entry that the filters let through, page by page, so that memory does not grow with the log. That it was exported is in the log too.</summary>
internal static class ExportAudit
{
    private static readonly string[] Columns = ["timestamp", "user_id", "email", "action", "resource", "result", "duration_ms", "params", "id"];

    public static async Task<IResult> HandleAsync(HttpContext context, AuditLog audit, CancellationToken stop)
    {
        var query = new RequestQuery(context);
        var filter = AuditQuery.Filter(query);
        var format = query.Text("format") ?? "jsonl";
        if (format is not ("jsonl" or "csv")) query.Refuse("format", "Input should be 'jsonl' or 'csv'");
        query.ThrowIfInvalid();
        var asked = new JsonObject { ["format"] = format, ["filter"] = context.Request.QueryString.Value };
        await audit.AppendAsync(context.Caller().UserId, "audit.export", null, asked, cancellation: stop);
        return new Export(audit, filter, format == "csv");
    }

    private sealed class Export(AuditLog audit, AuditFilter filter, bool asCsv) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            var stop = httpContext.RequestAborted;
            var snapshot = httpContext.Snapshot();
            response.ContentType = asCsv ? "text/csv; charset=utf-8" : "application/x-ndjson";
            response.Headers.CacheControl = "no-store";
            response.Headers.ContentDisposition = $"attachment; filename=\"audit.{(asCsv ? "csv" : "jsonl")}\"";
            var text = new StringBuilder();
            if (asCsv) text.AppendJoin(',', Columns).Append("\r\n");
            string? cursor = null;
            do
            {
                var page = await audit.ReadAsync(filter, cursor, AuditLog.PageMax, stop);
                foreach (var entry in page.Entries)
                {
                    if (asCsv) Append(text, entry, entry.UserId is { } id ? snapshot.User(id)?.Email : null);
                    else text.Append(ListAudit.Entry(entry, snapshot).ToJsonString()).Append('\n');
                }

                await response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), stop);
                text.Clear();
                cursor = page.Next;
            }
            while (cursor is not null);
        }

        private static void Append(StringBuilder text, AuditEntry entry, string? email)
        {
            var duration = entry.DurationMs?.ToString(CultureInfo.InvariantCulture);
            text.AppendJoin(',', ((string?[])[Timestamps.Spaced(entry.Timestamp), entry.UserId, email, entry.Action, entry.Resource, entry.Result, duration, entry.Params, entry.Id]).Select(Cell)).Append("\r\n");
        }

        /// <summary>A spreadsheet takes a cell that begins with one of these for a formula: such a text gets an apostrophe in front.</summary>
        private static string Cell(string? value)
        {
            if (string.IsNullOrEmpty(value)) return "";
            if (value[0] is '=' or '+' or '-' or '@' or '\t' or '\r') value = "'" + value;
            return value.AsSpan().IndexOfAny(",\"\r\n") < 0 ? value : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        }
    }
}
