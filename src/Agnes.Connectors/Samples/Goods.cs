using DuckDB.NET.Data;

namespace Agnes.Connectors.Samples;

/// <summary>What the shop sells.</summary>
internal static class Goods
{
    private static readonly (string Name, double PriceFrom, double PriceTo, double CostFrom, double CostTo, string[] Items)[] Categories =
    [
        ("Electronics", 19.99, 1299.99, .40, .65, ["Headphones", "Keyboard", "Monitor", "Webcam", "Speaker", "Tablet", "Router", "Charger", "Mouse", "Camera", "Printer", "Microphone", "Projector", "Smartwatch", "Drive"]),
        ("Clothing", 9.99, 299.99, .30, .55, ["T-Shirt", "Jacket", "Jeans", "Sweater", "Dress", "Shirt", "Coat", "Socks", "Scarf", "Gloves", "Hat", "Skirt", "Shorts", "Belt", "Boots"]),
        ("Home & Garden", 7.99, 199.99, .35, .55, ["Lamp", "Vase", "Rug", "Shelf", "Planter", "Cushion", "Mirror", "Clock", "Blanket", "Curtain", "Basket", "Candle", "Hose", "Rake", "Grill"]),
        ("Sports & Outdoors", 8.99, 249.99, .35, .60, ["Tent", "Backpack", "Racket", "Ball", "Mat", "Dumbbell", "Helmet", "Bottle", "Sleeping Bag", "Rope", "Skates", "Paddle", "Compass", "Stove", "Lantern"]),
        ("Books & Media", 5.99, 79.99, .25, .45, ["Novel", "Cookbook", "Atlas", "Biography", "Comic", "Dictionary", "Guide", "Album", "Board Game", "Puzzle", "Magazine", "Calendar", "Notebook", "Poster", "Film"]),
        ("Beauty & Health", 4.99, 149.99, .20, .45, ["Shampoo", "Soap", "Cream", "Perfume", "Razor", "Toothbrush", "Vitamins", "Lotion", "Mask", "Comb", "Scale", "Balm", "Serum", "Dryer", "Brush"]),
    ];

    public static IEnumerable<Product> Products(Shop shop)
    {
        var draw = shop.DrawFor("products");
        for (var number = 1; number <= shop.Size.Products; number++)
        {
            var category = Categories[(number - 1) % Categories.Length];
            var turn = (number - 1) / Categories.Length;
            var item = category.Items[turn % category.Items.Length];
            var variant = turn / category.Items.Length;
            var price = draw.Money(category.PriceFrom, category.PriceTo);
            var cost = Math.Round(price * draw.Between(category.CostFrom, category.CostTo), 2);
            var created = shop.Calendar.Start.ToDateTime(TimeOnly.MinValue).AddMinutes(-draw.Whole(1, 400 * 24 * 60));
            yield return new Product($"P-{number:00000}", $"SKU-{number:00000}", variant == 0 ? item : $"{item} {(char)('A' + variant % 26)}", category.Name, price, cost, Math.Round(draw.Between(.1, 15), 2), draw.Chance(.90), created);
        }
    }

    public static void Append(Shop shop, DuckDBAppender rows)
    {
        foreach (var product in shop.Products)
        {
            rows.Append(product.Id).Append(product.Sku).Append(product.Name).Append(product.Category).Append(product.Price).Append(product.Cost).Append(product.WeightKg)
                .Append(product.Active).Append(product.CreatedAt).EndRow();
        }
    }
}
