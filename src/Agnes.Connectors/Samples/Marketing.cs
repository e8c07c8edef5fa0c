using DuckDB.NET.Data;

namespace Agnes.Connectors.Samples;

/// <summary>Campaigns, visits to the web shop, and leads.</summary>
internal static class Marketing
{
    private static readonly Weighted<string> CampaignChannels = new(("email", .20), ("paid_search", .22), ("paid_social", .18), ("organic_social", .12), ("display", .12), ("affiliate", .08), ("retargeting", .08));
    private static readonly string[] Themes = ["Spring", "Summer", "Autumn", "Winter", "Loyalty", "Launch", "Clearance", "Weekend"];
    private static readonly string[] Segments = ["b2c", "b2b_small", "b2b_enterprise"];
    private static readonly Weighted<string> Devices = new(("desktop", .45), ("mobile", .45), ("tablet", .10));
    private static readonly Weighted<string> Browsers = new(("Chrome", .64), ("Safari", .19), ("Firefox", .08), ("Edge", .07), ("Other", .02));
    private static readonly string[] Pages = ["/", "/sale", "/new", "/category/electronics", "/category/clothing", "/category/home", "/blog", "/about"];
    private static readonly string[] Countries = ["Czech Republic", "Germany", "United States", "United Kingdom", "France", "Austria", "Poland"];
    private static readonly Weighted<string> LeadSources = new(("newsletter_signup", .30), ("contact_form", .25), ("demo_request", .15), ("content_download", .20), ("webinar_registration", .10));
    private static readonly Weighted<string> LeadStatuses = new(("new", .35), ("contacted", .20), ("qualified", .15), ("converted", .18), ("lost", .12));

    public static IEnumerable<AdCampaign> Campaigns(Shop shop)
    {
        var draw = shop.DrawFor("campaigns");
        for (var number = 1; number <= shop.Size.Campaigns; number++)
        {
            var (channel, start) = (draw.Of(CampaignChannels), shop.Calendar.Day(draw));
            var ends = start.AddDays(draw.Whole(7, 60));
            var budget = draw.Money(500, 25_000);
            var past = ends < Calendar.End;
            var spend = Math.Round(budget * (past ? Math.Min(1, draw.Between(.6, 1.1)) : draw.Between(.2, .7)), 2);
            var impressions = (long)(spend * draw.Between(80, 500));
            var clicks = (long)(impressions * draw.Between(.005, .08));
            var status = ends.AddDays(7) < Calendar.End ? "completed" : draw.Chance(.8) ? "active" : "paused";
            yield return new AdCampaign($"CMP-{number:0000}", $"{draw.Of(Themes)} {channel.Replace('_', ' ')} {number}", channel, status, budget, spend, impressions, clicks, start, ends, draw.Of(Segments));
        }
    }

    public static void Append(Shop shop, DuckDBAppender rows)
    {
        foreach (var campaign in shop.Campaigns)
        {
            rows.Append(campaign.Id).Append(campaign.Name).Append(campaign.Channel).Append(campaign.Status).Append(campaign.Budget).Append(campaign.Spend).Append(campaign.Impressions)
                .Append(campaign.Clicks).Append(campaign.Start).Append(campaign.Ends).Append(campaign.TargetSegment).EndRow();
        }
    }

    public static void AppendSessions(Shop shop, DuckDBAppender rows)
    {
        var draw = shop.DrawFor("web_sessions");
        var visitors = Math.Max(1, shop.Size.WebSessions / 3);
        for (var number = 1; number <= shop.Size.WebSessions; number++)
        {
            var started = shop.Calendar.Moment(draw);
            var customer = draw.Chance(.40) ? draw.Of(shop.Customers) : null;
            var campaign = draw.Chance(.25) ? Running(shop, draw, DateOnly.FromDateTime(started)) : null;
            var bounced = draw.Chance(.35);
            rows.Append($"S-{number:00000000}").Append($"V-{draw.Whole(1, visitors):00000000}").Append(customer?.Id).Append(campaign?.Id).Append(started)
                .Append((long)(bounced ? draw.Whole(5, 30) : draw.Whole(30, 900))).Append((long)(bounced ? 1 : draw.Whole(2, 15))).Append(draw.Of(Devices)).Append(draw.Of(Browsers))
                .Append(customer?.Country ?? draw.Of(Countries)).Append(draw.Of(Pages)).Append(bounced).EndRow();
        }
    }

    public static void AppendLeads(Shop shop, DuckDBAppender rows)
    {
        var draw = shop.DrawFor("web_leads");
        for (var number = 1; number <= shop.Size.WebLeads; number++)
        {
            var created = shop.Calendar.Moment(draw);
            var customer = draw.Chance(.55) ? draw.Of(shop.Customers) : null;
            var campaign = draw.Chance(.40) ? Running(shop, draw, DateOnly.FromDateTime(created)) : null;
            var status = draw.Of(LeadStatuses);
            var converted = status == "converted" ? created.AddHours(draw.Between(1, 14 * 24)) : (DateTime?)null;
            if (converted >= Calendar.EndOfTime) (status, converted) = ("qualified", null);
            rows.Append($"L-{number:000000}").Append(customer?.Id).Append(customer?.Email ?? $"lead{number}@mail.example.com").Append(draw.Of(LeadSources)).Append(campaign?.Id).Append(created).Append(status);
            People.Optional(rows, converted);
            rows.EndRow();
        }
    }

    /// <summary>One of the campaigns of that day; a few tries, as there are days without any.</summary>
    private static AdCampaign? Running(Shop shop, Draw draw, DateOnly day)
    {
        const int triesMax = 6;
        for (var attempt = 0; attempt < triesMax; attempt++)
        {
            var campaign = draw.Of(shop.Campaigns);
            if (campaign.Start <= day && day <= campaign.Ends) return campaign;
        }

        return null;
    }
}
