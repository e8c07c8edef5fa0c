// CSV to Parquet by the engine alone; reads {"from","to"} lines, answers milliseconds.
import { DuckDBInstance } from '@duckdb/node-api';
import { createInterface } from 'node:readline';

for await (const line of createInterface({ input: process.stdin })) {
  const { from, to, threads, memory } = JSON.parse(line);
  const connection = await (await DuckDBInstance.create(':memory:', { threads: String(threads), memory_limit: memory })).connect();
  const start = process.hrtime.bigint();
  await connection.run(`COPY (SELECT * FROM read_csv('${from}')) TO '${to}' (FORMAT parquet, COMPRESSION zstd)`);
  console.log(Number(process.hrtime.bigint() - start) / 1e6);
}
