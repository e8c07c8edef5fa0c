using Agnes.Server.Web;
using Microsoft.AspNetCore.Http;

namespace Agnes.Server.Tests.Web;

public sealed class ListQueryTests
{
    [Fact]
    public void What_is_unknown_or_out_of_range_becomes_the_default()
    {
        var query = Read("?sort=passwords&page=-3&other=1");
        query.Sort.ShouldBe("name");
        query.Page.ShouldBe(1);
        query.IsNarrowed.ShouldBeFalse();
        Read("?page=99999999999").Page.ShouldBe(1);
        Read("?page=99999999").Page.ShouldBe(100_000);
        Read($"?q={new string('x', 5_000)}").Text.Length.ShouldBe(200);
    }

    [Fact]
    public void Addresses_keep_the_search_and_the_filters_and_start_sorting_at_the_first_page()
    {
        var query = Read("?q=a b&source=files&sort=-rows&page=3");
        query.ToPage(4).ShouldBe("/catalog?q=a%20b&source=files&sort=-rows&page=4");
        query.ToSort("rows").ShouldBe("/catalog?q=a%20b&source=files&sort=rows");
        query.ToSort("name").ShouldBe("/catalog?q=a%20b&source=files&sort=name");
        query.ToSort("size", descendingFirst: true).ShouldBe("/catalog?q=a%20b&source=files&sort=-size");
    }

    [Fact]
    public void A_page_beyond_the_last_is_the_last()
    {
        Read("?page=9").Within(120).Page.ShouldBe(3);
        Read("?page=9").Within(0).Page.ShouldBe(1);
        Read("?page=2").OnPage(Enumerable.Range(0, 120)).ShouldBe(Enumerable.Range(50, 50));
    }

    [Fact]
    public void Texts_are_sorted_without_regard_to_case_and_numbers_by_size()
    {
        Read("?sort=name").Ordered(["b", "A", "order_items", "orders", "C"], text => text).ShouldBe(["A", "b", "C", "order_items", "orders"]);
        Read("?sort=-rows").Ordered([2L, 10L, 1L], number => number).ShouldBe([10L, 2L, 1L]);
    }

    private static ListQuery Read(string query)
    {
        var context = new DefaultHttpContext();
        context.Request.Path = "/catalog";
        context.Request.QueryString = new QueryString(query);
        return ListQuery.From(context.Request, "name", ["name", "rows", "size"], "source");
    }
}
