using Agnes.Server.Features.SignIn;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.SignIn;

public sealed class BreakGlassTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task Who_may_write_the_state_gets_back_in(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using (var state = await place.OpenAsync())
        {
            await state.WriteAsync(write => write.AddUserAsync("ana@example.com"));
            await state.WriteAsync(async write =>
            {
                var user = write.Before.UserByEmail("ana@example.com")! with { Active = false };
                await write.ExecuteAsync("UPDATE users SET active = FALSE WHERE id = @Id", user);
                write.Apply(snapshot => snapshot.WithUser(user));
            });
            if (engine == StateEngine.DuckDb) (await Should.ThrowAsync<StateRefusedException>(() => RunAsync(place, "", "grant-admin", "ana@example.com", "--yes"))).Message.ShouldNotBeEmpty();
        }

        (await RunAsync(place, "n\n", "grant-admin", "ana@example.com")).ShouldBe((1, "Make ana@example.com an admin of this installation? [y/N] Aborted.\n"));
        (await RunAsync(place, "y\n", "grant-admin", "ana@example.com")).Exit.ShouldBe(0);
        (await RunAsync(place, "", "grant-admin", "ana@example.com", "-y")).Output.ShouldContain("already");
        var made = await RunAsync(place, "", "grant-admin", "new@example.com", "--yes", "--link");
        made.Exit.ShouldBe(0);
        made.Output.ShouldContain("http://localhost:8000/auth/password/reset?email=new%40example.com&token=");

        await using var after = await place.OpenAsync();
        foreach (var email in (string[])["ana@example.com", "new@example.com"])
        {
            var user = after.Snapshot.UserByEmail(email)!;
            (user.Active, after.Snapshot.IsAdmin(user.Id)).ShouldBe((true, true));
            after.Snapshot.MembershipsOf(user.Id).ShouldContain(row => row.Source == "cli_break_glass" && row.AddedBy == "cli:break-glass");
        }

        after.Snapshot.UserByEmail("new@example.com")!.Name.ShouldBe("new");
        (await after.ReadAsync<long>("SELECT count(*) FROM audit_log WHERE action = 'break_glass'"))[0].ShouldBe(2);
    }

    [Theory]
    [InlineData("")]
    [InlineData("grant-admin")]
    [InlineData("grant-admin no-address --yes")]
    [InlineData("grant-admin a@example.com b@example.com --yes")]
    [InlineData("grant-admin a@example.com --force")]
    [InlineData("revoke-admin a@example.com")]
    public async Task Wrong_arguments_and_an_empty_folder_change_nothing(string arguments)
    {
        using var place = await StatePlace.EmbeddedAsync();
        await Should.ThrowAsync<OptionsException>(() => RunAsync(place, "", arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        (await Should.ThrowAsync<OptionsException>(() => RunAsync(place, "", "grant-admin", "a@example.com", "--yes"))).Message.ShouldContain("There is no state");
        Directory.Exists(place.Options.StateDir).ShouldBeFalse();
    }

    [Theory]
    [InlineData("http://0.0.0.0:8123", null, "http://localhost:8123/")]
    [InlineData("http://localhost:8123;http://localhost:9000", "http://127.0.0.1:8124\nhttp://[::1]:8125", "http://127.0.0.1:8124/")] // where it listened, whatever it would do now
    [InlineData("http://unix:/run/x", null, "http://localhost:8000/")]
    public async Task The_link_leads_to_where_the_server_listens(string urls, string? last, string link)
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using (await place.OpenAsync())
        {
            if (last is not null) await LastAddress.SaveAsync(new ServerOptions { DataDir = place.Options.DataDir, StateDir = place.Options.StateDir }, last.Split('\n'), CancellationToken.None);
        }

        var output = new StringWriter { NewLine = "\n" };
        string? Environment(string name) => name switch { "DATA_DIR" => place.Options.DataDir, "STATE_DIR" => place.Options.StateDir, "ASPNETCORE_URLS" => urls, _ => null };
        (await BreakGlass.RunAsync(["grant-admin", "new@example.com", "--yes", "--link"], Environment, new StringReader(""), output, CancellationToken.None)).ShouldBe(0);
        output.ToString().ShouldContain($"{link}auth/password/reset");
    }

    private static async Task<(int Exit, string Output)> RunAsync(StatePlace place, string input, params string[] args)
    {
        var output = new StringWriter { NewLine = "\n" };
        string? Environment(string name) => name switch { "DATA_DIR" => place.Options.DataDir, "STATE_DIR" => place.Options.StateDir, "AGNES_STATE_URL" => place.Options.ConnectionString, _ => null };
        var exit = await BreakGlass.RunAsync(args, Environment, new StringReader(input), output, CancellationToken.None);
        return (exit, output.ToString());
    }
}
