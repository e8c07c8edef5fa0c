namespace Agnes.Connectors.Tests.BigQuery;

/// <summary>A table with a column of each type; its second row is empty, its third has edges.</summary>
internal static class EveryType
{
    public const string Columns =
        "i INT64, f FLOAT64, n NUMERIC, big BIGNUMERIC, yes BOOL, s STRING, b BYTES, d DATE, tm TIME, dt DATETIME, t TIMESTAMP, j JSON, "
            + "g GEOGRAPHY, iv INTERVAL, r RANGE, "
        + "l ARRAY<INT64>, st STRUCT<a INT64, b ARRAY<STRUCT<c STRING, d NUMERIC>>, e TIMESTAMP, x BYTES, f FLOAT64, j JSON>";

    public const string Rows =
        """
        SELECT 1, 1.5::DOUBLE, 12.345, row('1234567890123456789012345678901234567890.5'), true,
          'é "quoted" \ line', '\xAB\x00'::BLOB, DATE '2026-01-02', TIME '03:04:05.5',
          TIMESTAMP '2026-01-02 03:04:05.123456', TIMESTAMPTZ '2026-01-02 03:04:05.678+00', '{"a":[1,null]}'::JSON,
          row('POINT(1 2)'), row('1-2 3 4:5:6'),
          row('[2026-01-01, 2026-02-01)'), [1, 2],
          {'a': 9223372036854775807, 'b': [{'c': 'x"y', 'd': 0.000000001}], 'e': TIMESTAMPTZ '2026-01-02 03:04:05.000001+00',
           'x': '\xFF'::BLOB, 'f': 'NaN'::DOUBLE, 'j': '{"k":1}'::JSON}
        UNION ALL SELECT 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        UNION ALL SELECT 3, '-Infinity'::DOUBLE, -99999999999999999999999999999.999999999::DECIMAL(38,9), row('-0.1'), false,
          '', ''::BLOB, DATE '0001-01-01', TIME '00:00:00',
          TIMESTAMP '9999-12-31 23:59:59.999999', TIMESTAMPTZ '0001-01-01 00:00:00+00', 'null'::JSON, row('POINT EMPTY'),
          row('0-0 0 0:0:0'),
          row('[UNBOUNDED, 2026-02-01)'), [], {'a': -1, 'b': [], 'e': NULL, 'x': NULL, 'f': 2, 'j': NULL}
        """;
}
