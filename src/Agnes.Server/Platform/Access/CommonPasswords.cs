using System.Collections.Frozen;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// What is tried first: a well-known word, or two, with digits or signs around it and letters that look like others (<c>P@ssw0rd2024!</c>), one piece said again and again, runs along the
/// keyboard or the alphabet, digits alone. Long passphrases are none of these.
/// </summary>
internal static class CommonPasswords
{
    private const int LongCharsMin = 20;
    private const int DigitsMax = 12;
    private const int PieceCharsMax = 6;
    private const int RunCharsMin = 3;
    private const int AroundCharsMax = 8;

    private static readonly string[] Runs =
    [
        "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
        "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "!@#$%^&*()", "147258369", "159357", "741852963", "789456123", "321654987", "963852741", "zaqxswcdevfrbgtnhymjukilop", "aqwzsxedcrfv",
    ];

    private static readonly FrozenSet<string> Words = (
        "password passwords passwort passphrase motdepasse contrasena contrasenha senha parola haslo heslo salasana wachtwoord losenord lozinka sifre geslo pass passwd pwd passcode secret secrets "
        + "private access login logon signin letmein letmeinn opensesame welcome willkommen bienvenue welkom benvenuto bienvenido hello hallo bonjour hola ciao admin administrator administrador "
        + "adminadmin superadmin sysadmin root toor superuser user username test tester testing testtest guest demo sample example default changeme changethis change temp temporary trustno trustme "
        + "master masterkey manager operator system server service support internet computer laptop desktop windows linux ubuntu debian apple macbook iphone android samsung nokia google googled "
        + "facebook instagram twitter youtube microsoft office oracle mysql postgres database backup cisco router network wireless security secure pokemon pikachu naruto minecraft fortnite "
        + "starwars startrek skywalker yoda vader matrix batman superman spiderman ironman wolverine avengers hulk joker ninja samurai dragon dragons dragonfly tiger tigers tigger lion panther jaguar "
        + "eagle eagles falcon hawk phoenix wolf wolves monkey monkeys gorilla panda bear bears kitten kitty cat cats dog dogs doggy puppy bulldog horse horses dolphin dolphins shark sharks snake spider "
        + "butterfly rabbit turtle chicken duck fish fishing goldfish football fussball futbol soccer baseball basketball hockey tennis golf golfer rugby cricket volleyball swimming running cycling "
        + "runner boxing wrestling skate skateboard snowboard surfing gamer gaming player playboy playstation xbox nintendo zelda mario sonic tetris counterstrike halo callofduty warcraft "
        + "liverpool chelsea arsenal manchester united barcelona madrid realmadrid juventus milan inter bayern dortmund benfica celtic rangers everton yankees redsox lakers bulls cowboys steelers "
        + "packers broncos patriots raiders dallas chicago boston newyork london paris berlin vienna rome madrid moscow tokyo sydney florida texas california america american canada germany deutschland "
        + "france espana italia brasil mexico england ireland scotland russia india china japan australia holland ferrari porsche mercedes bmw audi toyota honda yamaha kawasaki harley corvette "
        + "mustang camaro chevy chevrolet ford subaru volvo nissan mazda money dollar dollars bitcoin lucky winner freedom liberty justice power energy magic mystery legend hunter killer assassin "
        + "warrior soldier marine army navy airforce police ranger captain general king queen prince princess princesa angel angels diablo devil satan heaven hell jesus christ jesuschrist "
        + "godisgood blessed faith grace hope peace love lovers loveme lovely loveyou iloveu iloveyou ilovegod ilovehim iloveher mylove truelove teamo teamomucho jetaime ichliebedich sweet sweety sweetie "
        + "sweetheart honey sugar candy chocolate cookie cookies banana apple apples orange cherry strawberry peaches pumpkin pepper ginger vanilla coffee pizza cheese bacon chicken hamburger whiskey "
        + "vodka tequila corona heineken budweiser marlboro sunshine sunflower sunny rainbow summer winter spring autumn sommer herbst sommerzeit snow snowball storm thunder lightning rain ocean beach "
        + "island mountain forest river flower flowers rose roses daisy lily jasmine violet crystal diamond silver golden purple yellow orange black white green blue red blackcat blackjack redhead "
        + "january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday christmas halloween birthday family mother "
        + "father mommy daddy mamma mama papa sister brother baby babygirl babyboy girl boy girls boys friend friends bestfriend forever together always never nothing everything something someone "
        + "whatever nobody anything michael michelle jennifer jessica ashley amanda nicole daniel danielle andrew anthony joshua matthew robert david richard william thomas charles charlie george "
        + "james john jordan justin kevin brian brandon jason joseph alexander alexandra alex andrea anna maria marina martin martina melissa stephanie stephen steven patrick patricia peter "
        + "victoria elizabeth samantha rebecca rachel sarah sandra sophie samuel samsam oliver olivia emily emma hannah isabella gabriel gabriela natasha natalie vanessa veronica barbara christine "
        + "christian christopher cristina carlos antonio fernando francisco alejandro eduardo roberto ricardo miguel manuel jose juan pedro pablo luis marcos mohammed muhammad ahmed ali omar fatima "
        + "sebastian dominik tobias florian stefan markus andreas bernd wolfgang helmut sabine claudia monika petra susanne katharina jakob lukas felix maximilian metallica slipknot nirvana "
        + "eminem rockstar rocknroll guitar music beatles pinkfloyd blink greenday acdc ironmaiden madonna britney shakira beyonce rihanna bieber scooter bubbles buster buddy bailey casper "
        + "coco cooper dakota daisy dexter duke fluffy garfield jackson jasper lucky maggie max maxwell merlin mickey minnie molly oreo oscar peanut pookie precious princess rocky roxy rusty sadie "
        + "sam sammy scooby shadow simba smokey snoopy snickers sparky spike sparkle stella teddy tinkerbell toby trinity tweety winston zeus zxcvbn qwerty qwertz azerty asdf asdfgh qazwsx "
        + "fuckyou fuckoff fuckme fucker asshole bitch bastard bullshit sexy sexsex pussy hardcore porn playgirl whatever nothing killers access abcdef abcd abc xyz aaa sandbox company business "
        + "office work working student teacher school college university doctor nurse lawyer engineer developer devops deploy production staging cloud azure amazon docker kubernetes jenkins gitlab "
        + "github jira confluence slack analytics analyst data warehouse report reports dashboard keboola bigquery snowflake tableau excel")
        .Split(' ').ToFrozenSet(StringComparer.Ordinal);

    public static bool Contains(string password)
    {
        if (IsOnePieceAgainAndAgain(password)) return true;
        var lower = password.ToLowerInvariant();
        if (IsOfRuns(lower)) return true;
        if (password.Length >= LongCharsMin) return false;
        if (password.All(char.IsAsciiDigit)) return password.Length <= DigitsMax;
        return (Core(lower) is { Length: > 0 } core && IsOfRuns(core)) || IsOfWords(Core(lower)) || IsOfWords(Plain(Core(lower))) || IsOfWords(Core(Plain(lower)));
    }

    /// <summary>Lower-case, with letters in place of what is written for them.</summary>
    public static string Plain(string text) => string.Create(text.Length, text, static (plain, given) =>
    {
        for (var at = 0; at < plain.Length; at++)
        {
            plain[at] = char.ToLowerInvariant(given[at]) switch
            {
                '@' or '4' => 'a',
                '0' => 'o',
                '1' or '!' => 'i',
                '3' => 'e',
                '$' or '5' => 's',
                '7' => 't',
                var other => other,
            };
        }
    });

    /// <summary>Without the digits and signs around it, when those are few enough to be decoration.</summary>
    private static string Core(string text)
    {
        var (first, last) = (0, text.Length - 1);
        while (first < text.Length && !char.IsLetter(text[first])) first++;
        while (last > first && !char.IsLetter(text[last])) last--;
        return first >= text.Length || text.Length - (last - first + 1) > AroundCharsMax ? "" : text[first..(last + 1)];
    }

    /// <summary>One known word, or two.</summary>
    private static bool IsOfWords(string core)
    {
        if (Words.Contains(core)) return true;
        var words = Words.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var cut = RunCharsMin; cut <= core.Length - RunCharsMin; cut++)
        {
            if (words.Contains(core.AsSpan(0, cut)) && words.Contains(core.AsSpan(cut))) return true;
        }

        return false;
    }

    private static bool IsOnePieceAgainAndAgain(string text)
    {
        for (var length = 1; length <= Math.Min(PieceCharsMax, text.Length / 2); length++)
        {
            var repeats = true;
            for (var at = length; at < text.Length && repeats; at++) repeats = text[at] == text[at - length];
            if (repeats) return true;
        }

        return false;
    }

    /// <summary>Made of nothing but runs of three or more, forwards or backwards.</summary>
    private static bool IsOfRuns(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var length = RunAt(text.AsSpan(at));
            if (length < RunCharsMin) return false;
            at += length;
        }

        return true;
    }

    private static int RunAt(ReadOnlySpan<char> text)
    {
        var longest = 1;
        while (longest < text.Length && text[longest] == text[0]) longest++; // one key, held down
        foreach (var run in Runs)
        {
            for (var step = -1; step <= 1; step += 2)
            {
                for (var at = run.IndexOf(text[0], StringComparison.Ordinal); at >= 0; at = at + 1 < run.Length ? run.IndexOf(text[0], at + 1) : -1)
                {
                    var length = 1;
                    while (length < text.Length && at + (step * length) is var next && next >= 0 && next < run.Length && run[next] == text[length]) length++;
                    longest = Math.Max(longest, length);
                }
            }
        }

        return longest;
    }
}
