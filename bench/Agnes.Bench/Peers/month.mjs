// Keeps the issues of a month in one Parquet file that is written anew for each event; reads events as lines, answers milliseconds. argv: file, issues in it
import { DuckDBInstance } from '@duckdb/node-api';
import { closeSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [file, count] = process.argv.slice(2);
const connection = await (await DuckDBInstance.create(':memory:')).connect();
await connection.run(`COPY (SELECT 'SUP-' || i AS issue_key, 'first' AS summary, repeat('Somebody wrote what it is about. ', 60) || i AS description, now() AS updated_at
  FROM range(${count}) t(i)) TO '${file}' (FORMAT parquet)`);
for await (const line of createInterface({ input: process.stdin })) {
  const start = process.hrtime.bigint();
  const { issue: { key, fields } } = JSON.parse(line);
  const row = `SELECT '${key}', '${fields.summary}', '${fields.description}', TIMESTAMPTZ '${fields.updated}'`;
  await connection.run(`COPY (SELECT * FROM read_parquet('${file}') WHERE issue_key <> '${key}' UNION ALL ${row}) TO '${file}.new' (FORMAT parquet)`);
  const opened = openSync(`${file}.new`, 'r');
  fsyncSync(opened);
  closeSync(opened);
  renameSync(`${file}.new`, file);
  console.log(Number(process.hrtime.bigint() - start) / 1e6);
}
