using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Configuration;

/// <summary>A setting is declared once, by whoever reads it; all else follows.</summary>
public sealed class DeclaredSettingTests(Postgres postgres)
{
    private const string Config = "/api/admin/server-config";

    /// <summary>A feature as somebody would write it: what it reads, and nothing in any other file.</summary>
    private static class Weather
    {
        private static readonly Setting Station =
            new("weather.station", "WEATHER_STATION") { By = SettableBy.Admins, Means = "Which station is asked." };
        private static readonly Setting Key =
            new("weather.station_key", "WEATHER_STATION_KEY") { Kind = "secret", By = SettableBy.Admins, Means = "Goes to that station." };
        private static readonly Setting Hours =
            new Setting("weather.hours", "WEATHER_HOURS") { Default = 6, By = SettableBy.Admins, Means = "How far it looks ahead." }.Between(1, 48);
        private static readonly Setting Mast =
            new("weather.mast", "WEATHER_MAST") { Means = "Which mast is trusted.", OperatorsBecause = "opens the mast" };

        public static readonly SettingGroup Settings =
            new("Weather", Station, Key, Hours, Mast) { Credentials = [new("weather", [Key], Station)] };

        public static string Read(SettingLayers layers) =>
            $"{layers.Find(Station.Name)} {layers.Find(Key.Name)} {Hours.Number(layers.Find)} {layers.Find(Mast.Name)}";
    }

    private static readonly SettingSet All = new([.. SettingList.All.Groups, Weather.Settings]);

    [Fact]
    public async Task A_setting_of_a_feature_is_offered_read_masked_and_bounded_by_its_declaration_alone()
    {
        await using var server = await TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => options with { Settings = All });
        var admin = await server.SignInAsync();
        Task<Answer> PostAsync(JsonObject weather) => server.SendAsync(
            "POST", Config, new JsonObject { ["sections"] = new JsonObject { ["weather"] = weather } }.ToJsonString(), admin);

        var shown = (await server.SendAsync("GET", Config, token: admin)).Json;
        shown["known_fields"]!["weather"]!["hours"]!.ToJsonString().ShouldBe("""{"kind":"int","default":6,"hint":"How far it looks ahead."}""");
        shown["known_fields"]!["weather"]!["station_key"]!["kind"]!.GetValue<string>().ShouldBe("secret");
        shown["editable_sections"]!.AsArray().Select(section => section!.GetValue<string>()).ShouldContain("weather");

        (await PostAsync(new() { ["hours"] = 49 })).ShouldSatisfyAllConditions(
            refused => refused.Status.ShouldBe(422),
            refused => refused.Body.ShouldContain("weather.hours must be a whole number from 1 to 48"));
        (await PostAsync(new() { ["mast"] = "eve" })).Text("detail").ShouldBe(
            "weather.mast opens the mast: only whoever runs the server can set it, as WEATHER_MAST or in their own instance.yaml.");
        var set = await PostAsync(new() { ["hours"] = 12, ["station"] = "north", ["station_key"] = "marker-key", ["colour"] = "red" });
        (set.Status, set.Json["without_effect"]!.ToJsonString()).ShouldBe((200, """["weather.colour"]"""));
        var masked = (await server.SendAsync("GET", Config, token: admin)).Json["sections"]!["weather"]!["station_key"]!;
        masked.GetValue<string>().ShouldBe("***");
        (await server.AuditAsync()).Last().Params!.ShouldNotContain("marker");

        (string, string, int)[] stored = [("WEATHER_HOURS", "0", 422), ("WEATHER_HOURS", "24", 204), ("WEATHER_MAST", "eve", 400), ("WEATHER_WIND", "1", 400)];
        foreach (var (name, value, status) in stored)
        {
            var body = new JsonObject { ["value"] = value }.ToJsonString();
            (await server.SendAsync("PUT", $"/api/admin/secrets/{name}", body, admin)).Status.ShouldBe(status, name);
        }

        All.IsOperators("WEATHER_MAST").ShouldBeTrue();
        Weather.Read(SettingLayers.Open(All, "none", server.StateDir, _ => null)).ShouldBe("north marker-key 24 ");
        Weather.Read(SettingLayers.Open(All, "none", server.StateDir, name => name == "WEATHER_STATION_KEY" ? "operators" : null))
            .ShouldBe("north marker-key 24 ", "the operator's key stays away from a station that admins chose");
    }

    /// <summary>By whichever way it is read.</summary>
    [Fact]
    public void What_is_the_operators_does_not_count_in_an_overlay()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder[InstanceConfig.FileName], "weather:\n  mast: eve\n  hours: 99\n");
        var layers = SettingLayers.Open(All, folder["none"], folder.Path, _ => null);
        (Weather.Read(layers), layers.Instance.Text("weather.mast")).ShouldBe(("  6 ", null));
        layers.Instance.Problems.Count.ShouldBe(2);
        layers.Instance.Problems.ShouldContain(problem => problem.StartsWith("weather.mast of the overlay does not count", StringComparison.Ordinal));
    }

    [Fact]
    public void A_declaration_that_would_let_out_a_secret_or_let_in_a_path_is_refused()
    {
        static void ShouldBeRefused(Setting setting, string why) =>
            Should.Throw<InvalidOperationException>(() => new SettingSet([new("Weather", setting)])).Message.ShouldContain(why);
        ShouldBeRefused(new("weather.key", "WEATHER_KEY") { Kind = "secret" }, "declare where it is sent");
        ShouldBeRefused(new(null, "WEATHER_TOKEN"), "WEATHER_TOKEN");
        ShouldBeRefused(new(null, "WEATHER_FILE") { By = SettableBy.Admins }, "operator's");
        ShouldBeRefused(new("weather.map") { By = SettableBy.Overlay, IsFile = true }, "operator's");
    }
}
