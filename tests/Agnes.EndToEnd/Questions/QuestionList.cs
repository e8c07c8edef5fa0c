namespace Agnes.EndToEnd.Questions;

/// <summary>
/// Twenty questions over the demo's tables (size s, seed 42, which never change). Every answer was also worked out from the rows in plain JavaScript, outside of our programs and without SQL;
/// four categories share the first place, and a median is of seconds, not of whole minutes.
/// </summary>
internal static class QuestionList
{
    public static IReadOnlyList<Question> All { get; } =
    [
        new("How much revenue did we make in January 2026?", "finance",
            [
                Step.Metrics("total_revenue", "Total revenue (EUR)"),
                Step.Metric("revenue/total_revenue", "status IN ('confirmed', 'shipped', 'delivered')", "Amounts are EUR"),
                Step.Query("SELECT round(sum(total_amount), 2) AS revenue FROM orders WHERE status IN ('confirmed', 'shipped', 'delivered') AND date_trunc('month', created_at) = DATE '2026-01-01'"),
            ],
            "revenue\n305374.82\n"),
        new("Which sales channel brought most revenue in January 2026?", "finance",
            [
                Step.Verified("revenue/revenue_by_channel", "from_date (date"),
                new(["verified", "run", "revenue/revenue_by_channel", "--param", "from_date=2026-01-01", "--param", "to_date=2026-01-31", "--format", "csv", "--limit", "1"], []),
            ],
            "channel,revenue,orders\nweb,159753.46,157\n"),
        new("Who were our three best customers in the last year?", "finance",
            [
                Step.Verified("sales/top_customers", "customers (integer"),
                new(["verified", "run", "sales/top_customers", "--param", "customers=3", "--format", "csv"], []),
            ],
            "customer_id,customer,segment,country,revenue\nC-000223,Delta Partners,b2b_enterprise,Czech Republic,45195.72\nC-000307,Green Partners,b2b_enterprise,Czech Republic,43804.27\nC-000073,Green Systems,b2b_enterprise,Italy,41743.87\n"),
        new("What was the average order value in December 2025?", "finance",
            [
                Step.Metrics("average_order_value"),
                Step.Metric("revenue/average_order_value", "sum(total_amount) / count(*)"),
                Step.Query("SELECT round(sum(total_amount) / count(*), 2) AS average_order_value FROM orders WHERE status IN ('confirmed', 'shipped', 'delivered') AND date_trunc('month', created_at) = DATE '2025-12-01'"),
            ],
            "average_order_value\n1198.85\n"),
        new("How many new customers did we win in each month of the last quarter of 2025?", "finance",
            [
                Step.Metrics("new_customers"),
                Step.Metric("sales/new_customers", "status <> 'cancelled'"),
                Step.Query("SELECT strftime(first_order, '%Y-%m') AS month, count(*) AS new_customers FROM (SELECT customer_id, min(created_at) AS first_order FROM orders WHERE status <> 'cancelled' GROUP BY 1) WHERE first_order >= DATE '2025-10-01' AND first_order < DATE '2026-01-01' GROUP BY 1 ORDER BY 1"),
            ],
            "month,new_customers\n2025-10,28\n2025-11,45\n2025-12,29\n"),
        new("What share of the money paid was refunded, over all time?", "finance",
            [
                Step.Metric("revenue/refund_rate", "status IN ('completed', 'refunded')"),
                Step.Query("SELECT round(sum(amount) FILTER (WHERE status = 'refunded') / sum(amount) * 100, 2) AS refund_rate FROM payments WHERE status IN ('completed', 'refunded')"),
            ],
            "refund_rate\n5.38\n"),
        new("How many orders were cancelled, and how many returned?", "finance",
            [
                Step.Catalog("Orders with status"),
                Step.Query("SELECT status, count(*) AS orders FROM orders WHERE status IN ('cancelled', 'returned') GROUP BY 1 ORDER BY 1"),
            ],
            "status,orders\ncancelled,160\nreturned,101\n"),
        new("In which three countries do most of our customers live?", "finance",
            [
                Step.Schema("customers", "country"),
                Step.Query("SELECT country, count(*) AS customers FROM customers GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3"),
            ],
            "country,customers\nCzech Republic,122\nGermany,74\nUnited Kingdom,56\n"),
        new("How do people pay, by number of completed payments?", "finance",
            [
                Step.Schema("payments", "method", "status"),
                Step.Query("SELECT method, count(*) AS payments FROM payments WHERE status = 'completed' GROUP BY 1 ORDER BY 2 DESC, 1"),
            ],
            "method,payments\ncredit_card,548\nbank_transfer,342\ndebit_card,288\npaypal,255\ninvoice,198\napple_pay,108\n"),
        new("How many payment attempts failed, and for how many orders?", "finance",
            [
                Step.Catalog("payments"),
                Step.Query("SELECT count(*) AS attempts, count(DISTINCT order_id) AS orders FROM payments WHERE status = 'failed'"),
            ],
            "attempts,orders\n94,94\n"),
        new("Which segment spends most per customer?", "finance",
            [
                Step.Metric("revenue/total_revenue", "status IN"),
                Step.Schema("customers", "segment"),
                Step.Query("SELECT segment, round(sum(total_amount) / count(DISTINCT customer_id), 2) AS revenue_per_customer FROM orders JOIN customers USING (customer_id) WHERE status IN ('confirmed', 'shipped', 'delivered') GROUP BY 1 ORDER BY 2 DESC LIMIT 1"),
            ],
            "segment,revenue_per_customer\nb2b_enterprise,20128.96\n"),
        new("How many items does an order have on average?", "finance",
            [
                Step.Schema("order_items", "quantity"),
                Step.Query("SELECT round(sum(quantity) / count(DISTINCT order_id), 2) AS items FROM order_items"),
            ],
            "items\n6.64\n"),
        new("How many active customers did we have in February 2026?", "finance",
            [
                // A name that is nearly right: the message says which are there.
                Step.Mistake("SELECT count(DISTINCT custmer_id) FROM orders", "customer_id"),
                Step.Metric("sales/active_customers", "count(DISTINCT customer_id)"),
                Step.Query("SELECT count(DISTINCT customer_id) AS active_customers FROM orders WHERE status <> 'cancelled' AND date_trunc('month', created_at) = DATE '2026-02-01'"),
            ],
            "active_customers\n172\n"),
        new("Which marketing channel has the highest cost per click?", "marketing",
            [
                Step.Metrics("cost_per_click"),
                Step.Metric("marketing/cost_per_click", "sum(spend) / nullif(sum(clicks), 0)"),
                Step.Query("SELECT channel, round(sum(spend) / sum(clicks), 3) AS cost_per_click FROM campaigns GROUP BY 1 ORDER BY 2 DESC LIMIT 1"),
            ],
            "channel,cost_per_click\norganic_social,0.31\n"),
        new("Where did leads come from in January 2026, and how many were converted?", "marketing",
            [
                Step.Verified("marketing/leads_by_source"),
                new(["verified", "run", "marketing/leads_by_source", "--format", "csv"], []),
            ],
            "source,leads,converted,conversion_rate\ncontact_form,23,0,0.0\nnewsletter_signup,16,2,12.5\ncontent_download,10,0,0.0\nwebinar_registration,9,3,33.33\ndemo_request,6,1,16.67\n"),
        new("What is the bounce rate by device?", "marketing",
            [
                Step.Metric("marketing/bounce_rate", "is_bounce"),
                Step.Query("SELECT device_type, round(count(*) FILTER (WHERE is_bounce) * 100.0 / count(*), 2) AS bounce_rate FROM web_sessions GROUP BY 1 ORDER BY 1"),
            ],
            "device_type,bounce_rate\ndesktop,36.21\nmobile,35.43\ntablet,33.93\n"),
        new("Which three campaigns had the best click-through rate?", "marketing",
            [
                Step.Schema("campaigns", "impressions", "clicks"),
                Step.Query("SELECT campaign_id, round(clicks * 100.0 / impressions, 2) AS click_through_rate FROM campaigns ORDER BY 2 DESC, 1 LIMIT 3"),
            ],
            "campaign_id,click_through_rate\nCMP-0028,7.94\nCMP-0016,7.61\nCMP-0017,7.5\n"),
        new("How many visits did we have in 2026, and how long were they on average?", "marketing",
            [
                // A table that belongs to others is missing like one that never was; the message says where to look.
                Step.Mistake("SELECT count(*) FROM sessions", "web_sessions"),
                Step.Query("SELECT count(*) AS visits, round(avg(duration_seconds), 1) AS seconds FROM web_sessions WHERE started_at >= DATE '2026-01-01'"),
            ],
            "visits,seconds\n1384,321.7\n"),
        new("Which product categories have the most products, and what do those cost us on average?", "marketing",
            [
                Step.Catalog("products"),
                Step.Schema("products", "category", "cost"),
                Step.Query("SELECT category, count(*) AS products, round(avg(cost), 2) AS average_cost FROM products GROUP BY 1 QUALIFY rank() OVER (ORDER BY count(*) DESC) = 1 ORDER BY 1"),
            ],
            "category,products,average_cost\nClothing,17,62.07\nElectronics,17,378.24\nHome & Garden,17,51.11\nSports & Outdoors,17,66.33\n"),
        new("How long does support take to resolve a critical ticket, at the median?", "admin",
            [
                Step.Metrics("support_resolution_time"),
                Step.Metric("operations/support_resolution_time", "quantile_cont"),
                new(["query", "--remote", "--format", "csv", "SELECT round(quantile_cont(date_diff('second', created_at, resolved_at), 0.5) / 3600, 2) AS median_hours FROM support_tickets WHERE resolved_at IS NOT NULL AND priority = 'critical'"], []),
            ],
            "median_hours\n111.4\n"),
    ];
}
