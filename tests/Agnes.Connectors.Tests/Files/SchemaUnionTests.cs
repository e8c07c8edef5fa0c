using Agnes.Connectors.Files;
using Agnes.Protocol;

namespace Agnes.Connectors.Tests.Files;

public sealed class SchemaUnionTests
{
    [Theory]
    [InlineData("BIGINT", "BIGINT", "BIGINT")]
    [InlineData("INTEGER", "BIGINT", "BIGINT")]
    [InlineData("BIGINT", "DOUBLE", "DOUBLE")]
    [InlineData("FLOAT", "DECIMAL(10,2)", "DOUBLE")]
    [InlineData("DECIMAL(10,2)", "BIGINT", "DECIMAL(21,2)")]
    [InlineData("DECIMAL(10,2)", "DECIMAL(5,4)", "DECIMAL(12,4)")]
    [InlineData("UBIGINT", "BIGINT", "DECIMAL(20,0)")]
    [InlineData("UINTEGER", "INTEGER", "BIGINT")]
    [InlineData("UTINYINT", "USMALLINT", "USMALLINT")]
    [InlineData("DATE", "TIMESTAMP", "TIMESTAMP")]
    [InlineData("DATE", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE")]
    [InlineData("BIGINT", "DATE", "VARCHAR")]
    [InlineData("BOOLEAN", "BIGINT", "VARCHAR")]
    [InlineData("BIGINT[]", "STRUCT(a BIGINT)", "JSON")]
    [InlineData("NULL", "DATE", "DATE")]
    [InlineData("NULL", "NULL", "NULL")]
    public void A_type_is_the_narrowest_that_holds_both_whatever_the_order(string one, string other, string both)
    {
        SchemaUnion.Widen(one, other).ShouldBe(both);
        SchemaUnion.Widen(other, one).ShouldBe(both);
    }

    [Fact]
    public void Columns_come_in_the_order_of_their_first_file_and_unknown_ones_are_text() =>
        SchemaUnion.Of([[new TableColumn("b", "NULL"), new TableColumn("A", "BIGINT")], [new TableColumn("a", "DOUBLE"), new TableColumn("c", "HUGEINT")]])
            .ShouldBe([new TableColumn("b", "VARCHAR"), new TableColumn("A", "DOUBLE"), new TableColumn("c", "DECIMAL(38,0)")]);
}
