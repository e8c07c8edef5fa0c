namespace Agnes.Connectors.Samples;

internal sealed record Customer(string Id, string Email, string First, string Last, string? Company, string Country, string City, string Segment, DateOnly Registered, bool Active)
{
    public bool IsBusiness => Segment != "b2c";
}

internal sealed record Product(string Id, string Sku, string Name, string Category, double Price, double Cost, double WeightKg, bool Active, DateTime CreatedAt);

internal sealed record AdCampaign(string Id, string Name, string Channel, string Status, double Budget, double Spend, long Impressions, long Clicks, DateOnly Start, DateOnly Ends, string TargetSegment);

internal sealed record Order(string Id, Customer Customer, DateTime CreatedAt, string Status, string Channel, IReadOnlyList<OrderItem> Items, double Discount, double Shipping)
{
    public double ItemsTotal => Math.Round(Items.Sum(item => item.LineTotal), 2);

    public double Total => Math.Round(ItemsTotal - Discount + Shipping, 2);
}

internal sealed record OrderItem(string Id, Product Product, int Quantity, double DiscountPercent)
{
    public double LineTotal => Math.Round(Quantity * Product.Price * (1 - DiscountPercent / 100), 2);
}

/// <summary>What several tables refer to, made once and kept; the long tables are streamed.</summary>
internal sealed class Shop(SampleSize size, int seed)
{
    private List<Customer>? _customers;
    private List<Product>? _products;
    private List<AdCampaign>? _campaigns;
    private List<Order>? _orders;

    public SampleSize Size => size;

    public Calendar Calendar { get; } = new(size.Months);

    public IReadOnlyList<Customer> Customers => _customers ??= [.. People.Customers(this)];

    public IReadOnlyList<Product> Products => _products ??= [.. Goods.Products(this)];

    public IReadOnlyList<AdCampaign> Campaigns => _campaigns ??= [.. Marketing.Campaigns(this)];

    public IReadOnlyList<Order> Orders => _orders ??= [.. Sales.Orders(this)];

    public Draw DrawFor(string table) => new(seed, table);
}
