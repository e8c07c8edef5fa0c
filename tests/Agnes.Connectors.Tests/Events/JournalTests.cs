using System.Text;
using Agnes.Connectors.Events;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Events;

public sealed class JournalTests : IDisposable
{
    private static readonly JournalLimits Small = new(64 << 20, 4096);
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_acknowledged_is_read_in_order_from_any_position_over_several_files_and_after_a_new_start()
    {
        List<long> positions = [];
        await using (var journal = Open(Small))
        {
            for (var i = 0; i < 200; i++) positions.Add(await journal.AppendAsync((byte)(i % 3), $"id-{i}", Body(i), Stop));
            JournalFormat.Files(_folder.Path).Count.ShouldBeGreaterThan(3);
        }

        await using var again = Open(Small);
        positions.Add(await again.AppendAsync(7, "", Body(200), Stop));
        for (var from = 0; from <= 200; from += 40)
        {
            var read = await ReadAsync(positions[from], again.Durable);
            read.Count.ShouldBe(201 - from);
            for (var i = 0; i < read.Count; i++)
            {
                read[i].Position.ShouldBe(positions[from + i]);
                read[i].Body.ToArray().ShouldBe(Body(from + i));
                if (from + i < 200) (read[i].Kind, read[i].Identity).ShouldBe(((byte)((from + i) % 3), $"id-{from + i}"));
            }
        }
    }

    /// <summary>Wherever a crash cuts the last file, or spoils it, everything before is there and what comes after is kept.</summary>
    [Fact]
    public async Task A_torn_end_is_cut_off_and_the_journal_goes_on()
    {
        List<long> positions = [];
        await using (var journal = Open(JournalLimits.Default))
        {
            for (var i = 0; i < 5; i++) positions.Add(await journal.AppendAsync(1, $"{i}", Body(i), Stop));
        }

        var file = JournalFormat.Files(_folder.Path).Single().Path;
        var whole = await File.ReadAllBytesAsync(file, Stop);
        var random = new Random(5);
        for (var cut = (int)positions[4] + 1; cut < whole.Length; cut += random.Next(1, 40))
        {
            var torn = whole[..cut];
            if (random.Next(2) == 0) torn = [.. whole[..cut], .. new byte[random.Next(1, 50)]]; // a file system may leave zeros
            foreach (var later in JournalFormat.Files(_folder.Path).Skip(1)) File.Delete(later.Path); // of the round before
            await File.WriteAllBytesAsync(file, torn, Stop);
            await using var journal = Open(JournalLimits.Default);
            journal.Durable.ShouldBe(positions[4], $"cut at {cut}");
            (await journal.AppendAsync(2, "new", Body(99), Stop)).ShouldBe(positions[4]);
            var read = await ReadAsync(0, journal.Durable);
            read.Select(entry => entry.Identity).ShouldBe(["0", "1", "2", "3", "new"], $"cut at {cut}");
        }
    }

    [Fact]
    public async Task What_was_durable_and_is_damaged_is_said_and_not_skipped()
    {
        long durable;
        await using (var journal = Open(JournalLimits.Default))
        {
            for (var i = 0; i < 5; i++) await journal.AppendAsync(1, $"{i}", Body(i), Stop);
            durable = journal.Durable;
        }

        var file = JournalFormat.Files(_folder.Path).Single().Path;
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Stop);
        (await Should.ThrowAsync<InvalidDataException>(() => ReadAsync(0, durable))).Message.ShouldContain("damaged");
    }

    [Fact]
    public async Task Many_at_once_share_a_flush_and_each_has_its_place()
    {
        await using var journal = Open(JournalLimits.Default);
        var grown = 0;
        journal.Grown = _ => grown++;
        var taken = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Task.Run(() => journal.AppendAsync(1, $"{i}", Body(i), Stop), Stop)));
        taken.Distinct().Count().ShouldBe(500);
        grown.ShouldBeLessThan(250);
        (await ReadAsync(0, journal.Durable)).Select(entry => int.Parse(entry.Identity)).Order().ShouldBe(Enumerable.Range(0, 500));
    }

    [Fact]
    public async Task A_full_journal_takes_nothing_until_something_is_dropped()
    {
        await using var journal = Open(new JournalLimits(40_000, 4096));
        var kept = 0;
        var fault = await Should.ThrowAsync<JournalFullException>(async () =>
        {
            for (; ; kept++) await journal.AppendAsync(1, $"{kept}", Body(kept), Stop);
        });
        fault.Message.ShouldContain("not folded");
        (await ReadAsync(0, journal.Durable)).Count.ShouldBe(kept);
        journal.DropBefore(journal.Durable, DateTime.MaxValue).ShouldBeGreaterThan(20_000);
        await journal.AppendAsync(1, "after", Body(1), Stop);
        (await ReadAsync(0, journal.Durable))[^1].Identity.ShouldBe("after");
    }

    [Fact]
    public async Task A_second_process_does_not_write_into_it()
    {
        await using var journal = Open(JournalLimits.Default);
        Should.Throw<IOException>(() => Open(JournalLimits.Default));
    }

    /// <summary>A file grows ahead of what is written; what a kill leaves of that is no entry, and what comes after it is kept.</summary>
    [Fact]
    public async Task What_was_reserved_is_given_back_and_is_nothing_after_a_kill()
    {
        long durable;
        string file;
        await using (var journal = Open(JournalLimits.Default))
        {
            for (var i = 0; i < 300; i++) await journal.AppendAsync(1, $"{i}", Body(i), Stop);
            durable = journal.Durable;
            file = JournalFormat.Files(_folder.Path).Single().Path;
            new FileInfo(file).Length.ShouldBeGreaterThan(durable);
        }

        new FileInfo(file).Length.ShouldBe(durable);
        await using (var longer = File.OpenWrite(file)) longer.SetLength(durable + 100_000); // as it is while it is at work
        await using var again = Open(JournalLimits.Default);
        again.Durable.ShouldBe(durable);
        (await again.AppendAsync(1, "after", Body(1), Stop)).ShouldBe(durable);
        (await ReadAsync(0, again.Durable)).Count.ShouldBe(301);
    }

    /// <summary>A full disk, by a limit of the file system: nothing that was acknowledged is lost, and it recovers by itself.</summary>
    [Fact]
    public async Task A_disk_without_room_refuses_and_takes_again_when_there_is_some()
    {
        await using var journal = Open(Small);
        await journal.AppendAsync(1, "before", Body(1), Stop);
        using (var full = new FullFolder(_folder.Path, JournalFormat.NameOf(journal.Durable)))
        {
            for (var i = 0; i < 20; i++)
            {
                try
                {
                    await journal.AppendAsync(1, $"fill-{i}", Body(i), Stop);
                    full.Next(JournalFormat.NameOf(journal.Durable));
                }
                catch (JournalFullException)
                {
                    break;
                }
            }

            await Should.ThrowAsync<JournalFullException>(() => journal.AppendAsync(1, "refused", Body(2), Stop));
        }

        await journal.AppendAsync(1, "after", Body(3), Stop);
        var read = await ReadAsync(0, journal.Durable);
        read[0].Identity.ShouldBe("before");
        read[^1].Identity.ShouldBe("after");
        read.ShouldNotContain(entry => entry.Identity == "refused");
    }

    private static byte[] Body(int i) => Encoding.UTF8.GetBytes(new string((char)('a' + (i % 26)), 50 + (i * 37 % 900)));

    private Journal Open(JournalLimits limits) => Journal.Open(_folder.Path, limits, TimeProvider.System);

    private async Task<List<JournalEntry>> ReadAsync(long from, long until) =>
        await new JournalReader(_folder.Path).ReadAsync(from, until, Stop).ToListAsync(Stop);

    /// <summary>Takes the name of the journal's next file by a folder, so that it cannot be made, as where there is no room.</summary>
    private sealed class FullFolder : IDisposable
    {
        private readonly string _folder;
        private string _taken;

        public FullFolder(string folder, string name)
        {
            _folder = folder;
            _taken = Path.Combine(folder, name);
            Directory.CreateDirectory(_taken);
        }

        public void Next(string name)
        {
            if (Directory.Exists(_taken)) Directory.Delete(_taken);
            _taken = Path.Combine(_folder, name);
            if (!File.Exists(_taken)) Directory.CreateDirectory(_taken);
        }

        public void Dispose()
        {
            if (Directory.Exists(_taken)) Directory.Delete(_taken);
        }
    }
}
