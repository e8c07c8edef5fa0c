using System.Collections.Frozen;
using System.Globalization;

namespace Agnes.Server.Features.Metrics;

/// <summary>
/// Other forms of the letters that names have: full width, mathematical, raised, in circles, two in one. The product
/// runs without the machine's tables of languages, so that nothing depends on the machine; without them the framework does not fold what is
/// not ASCII.
/// </summary>
internal static class LetterForms
{
    /// <summary>
    /// What Unicode 14.0.0 folds (NFKC) to letters, digits, <c>_</c>, <c>-</c> or the dot: <c>form=text</c>, or
    /// <c>form+count=first</c> for forms in a row of characters in a row.
    /// </summary>
    private const string Forms =
        """
        AA=a B2+2=2 B9=1 BA=o 132=IJ 133=ij 17F=s 1C7=LJ 1C8=Lj 1C9=lj 1CA=NJ 1CB=Nj 1CC=nj 1F1=DZ 1F2=Dz 1F3=dz 2B0=h 2B2=j 2B3=r
        2B7=w 2B8=y 2E1=l 2E2=s 2E3=x 1D2C=A 1D2E=B 1D30+2=D 1D33+8=G 1D3C=O 1D3E=P 1D3F=R 1D40+2=T 1D42=W 1D43=a 1D47=b 1D48+2=d
        1D4D=g 1D4F=k 1D50=m 1D52=o 1D56=p 1D57+2=t 1D5B=v 1D62=i 1D63=r 1D64+2=u 1D9C=c 1DA0=f 1DBB=z 2024=. 2070=0 2071=i 2074+6=4
        207F=n 2080+10=0 2090=a 2091=e 2092=o 2093=x 2095=h 2096+4=k 209A=p 209B+2=s 20A8=Rs 2102=C 210A=g 210B=H 210C=H 210D=H
        210E=h 2110=I 2111=I 2112=L 2113=l 2115=N 2116=No 2119+3=P 211C=R 211D=R 2120=SM 2121=TEL 2122=TM 2124=Z 2128=Z 212A=K
        212C+2=B 212F=e 2130+2=E 2133=M 2134=o 2139=i 213B=FAX 2145=D 2146+2=d 2148+2=i 2160=I 2161=II 2162=III 2163=IV 2164=V
        2165=VI 2166=VII 2167=VIII 2168=IX 2169=X 216A=XI 216B=XII 216C=L 216D+2=C 216F=M 2170=i 2171=ii 2172=iii 2173=iv 2174=v
        2175=vi 2176=vii 2177=viii 2178=ix 2179=x 217A=xi 217B=xii 217C=l 217D+2=c 217F=m 2460+9=1 2469=10 246A=11 246B=12 246C=13
        246D=14 246E=15 246F=16 2470=17 2471=18 2472=19 2473=20 24B6+26=A 24D0+26=a 24EA=0 2C7C=j 2C7D=V 3250=PTE 3251=21 3252=22
        3253=23 3254=24 3255=25 3256=26 3257=27 3258=28 3259=29 325A=30 325B=31 325C=32 325D=33 325E=34 325F=35 32B1=36 32B2=37
        32B3=38 32B4=39 32B5=40 32B6=41 32B7=42 32B8=43 32B9=44 32BA=45 32BB=46 32BC=47 32BD=48 32BE=49 32BF=50 32CC=Hg 32CD=erg
        32CE=eV 32CF=LTD 3371=hPa 3372=da 3373=AU 3374=bar 3375=oV 3376=pc 3377=dm 3378=dm2 3379=dm3 337A=IU 3380=pA 3381=nA 3383=mA
        3384=kA 3385=KB 3386=MB 3387=GB 3388=cal 3389=kcal 338A=pF 338B=nF 338E=mg 338F=kg 3390=Hz 3391=kHz 3392=MHz 3393=GHz
        3394=THz 3396=ml 3397=dl 3398=kl 3399=fm 339A=nm 339C=mm 339D=cm 339E=km 339F=mm2 33A0=cm2 33A1=m2 33A2=km2 33A3=mm3 33A4=cm3
        33A5=m3 33A6=km3 33A9=Pa 33AA=kPa 33AB=MPa 33AC=GPa 33AD=rad 33B0=ps 33B1=ns 33B3=ms 33B4=pV 33B5=nV 33B7=mV 33B8=kV 33B9=MV
        33BA=pW 33BB=nW 33BD=mW 33BE=kW 33BF=MW 33C3=Bq 33C4=cc 33C5=cd 33C8=dB 33C9=Gy 33CA=ha 33CB=HP 33CC=in 33CD=KK 33CE=KM
        33CF=kt 33D0=lm 33D1=ln 33D2=log 33D3=lx 33D4=mb 33D5=mil 33D6=mol 33D7=PH 33D9=PPM 33DA=PR 33DB=sr 33DC=Sv 33DD=Wb 33FF=gal
        A7F2=C A7F3=F A7F4=Q FB00=ff FB01=fi FB02=fl FB03=ffi FB04=ffl FB05=st FB06=st FE33=_ FE34=_ FE4D=_ FE4E=_ FE4F=_ FE52=.
        FE63=- FF0D+2=- FF10+10=0 FF21+26=A FF3F=_ FF41+26=a 107A5=q 1D400+26=A 1D41A+26=a 1D434+26=A 1D44E+7=a 1D456+18=i 1D468+26=A
        1D482+26=a 1D49C=A 1D49E+2=C 1D4A2=G 1D4A5+2=J 1D4A9+4=N 1D4AE+8=S 1D4B6+4=a 1D4BB=f 1D4BD+7=h 1D4C5+11=p 1D4D0+26=A
        1D4EA+26=a 1D504+2=A 1D507+4=D 1D50D+8=J 1D516+7=S 1D51E+26=a 1D538+2=A 1D53B+4=D 1D540+5=I 1D546=O 1D54A+7=S 1D552+26=a
        1D56C+26=A 1D586+26=a 1D5A0+26=A 1D5BA+26=a 1D5D4+26=A 1D5EE+26=a 1D608+26=A 1D622+26=a 1D63C+26=A 1D656+26=a 1D670+26=A
        1D68A+26=a 1D7CE+10=0 1D7D8+10=0 1D7E2+10=0 1D7EC+10=0 1D7F6+10=0 1F12B=C 1F12C=R 1F12D=CD 1F12E=WZ 1F130+26=A 1F14A=HV
        1F14B=MV 1F14C=SD 1F14D=SS 1F14E=PPV 1F14F=WC 1F16A=MC 1F16B=MD 1F16C=MR 1F190=DJ 1FBF0+10=0
        """;

    private static readonly FrozenDictionary<int, string> Texts = Read();

    /// <summary>What a character is a form of; null where it is itself.</summary>
    public static string? Plain(int character) => Texts.GetValueOrDefault(character);

    private static FrozenDictionary<int, string> Read()
    {
        var texts = new Dictionary<int, string>();
        foreach (var item in Forms.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = item.IndexOf('=', StringComparison.Ordinal);
            var plus = item.IndexOf('+', StringComparison.Ordinal);
            var first = int.Parse(item.AsSpan(0, plus < 0 ? equals : plus), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var text = item[(equals + 1)..];
            var count = plus < 0 ? 1 : int.Parse(item.AsSpan(plus + 1, equals - plus - 1), NumberStyles.None, CultureInfo.InvariantCulture);
            for (var at = 0; at < count; at++) texts[first + at] = count == 1 ? text : ((char)(text[0] + at)).ToString();
        }
        return texts.ToFrozenDictionary();
    }
}
