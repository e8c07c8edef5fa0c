// Runs one statement again and again in one process; reads {"setup":[sql…],"sql":"…"} lines, answers one line of milliseconds each.
import { DuckDBInstance } from '@duckdb/node-api';
import { createInterface } from 'node:readline';

let connection = await (await DuckDBInstance.create(':memory:')).connect();
for await (const line of createInterface({ input: process.stdin })) {
  const { setup, sql, fresh, repeat } = JSON.parse(line);
  const start = process.hrtime.bigint();
  if (fresh) connection = await (await DuckDBInstance.create(':memory:')).connect();
  for (const statement of setup ?? []) await connection.run(statement);
  let rows = 0;
  for (let i = 0; i < (repeat ?? 1); i++) rows = JSON.stringify((await connection.runAndReadAll(sql)).getRowsJson()).length;
  console.log(Number(process.hrtime.bigint() - start) / 1e6 / (repeat ?? 1), rows);
}
