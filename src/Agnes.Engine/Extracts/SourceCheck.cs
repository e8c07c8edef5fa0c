namespace Agnes.Engine.Extracts;

/// <summary>A source was reached, took what it is signed in to with, and said what may be read there.</summary>
/// <param name="Tables">How many tables may be read; counted no further than <see cref="CountedMax"/>.</param>
public sealed record SourceCheck(int Tables)
{
    public const int CountedMax = 1000;
}
