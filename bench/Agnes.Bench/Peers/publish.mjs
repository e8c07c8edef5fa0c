// Hashes one file and writes the state rows that one publication needs; reads {"file","table"} lines, answers milliseconds. argv: state file
import { DuckDBInstance } from '@duckdb/node-api';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const connection = await (await DuckDBInstance.create(process.argv[2])).connect();
await connection.run('create table if not exists versions(name varchar, number bigint, columns varchar, rows bigint, bytes bigint, primary key(name, number))');
await connection.run('create table if not exists parts(name varchar, number bigint, ordinal integer, sha256 varchar, bytes bigint)');
await connection.run('create table if not exists sync_state(name varchar primary key, hash varchar, rows bigint, made_at timestamp)');
await connection.run('create table if not exists history(name varchar, made_at timestamp, rows bigint)');
await connection.run('create table if not exists audit(made_at timestamp, action varchar, resource varchar, params varchar)');
let number = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { file, table } = JSON.parse(line);
  const start = process.hrtime.bigint();
  const bytes = readFileSync(file);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const md5 = createHash('md5').update(bytes).digest('hex');
  number++;
  await connection.run('begin');
  await connection.run(`insert into versions values ('${table}', ${number}, '[]', 1, ${bytes.length})`);
  await connection.run(`insert into parts values ('${table}', ${number}, 0, '${hash}', ${bytes.length})`);
  await connection.run(`insert into sync_state values ('${table}', '${md5}', 1, now()) on conflict (name) do update set hash = excluded.hash, made_at = excluded.made_at`);
  await connection.run(`insert into history values ('${table}', now(), 1)`);
  await connection.run(`insert into audit values (now(), 'publish', '${table}', '{}')`);
  await connection.run('commit');
  console.log(Number(process.hrtime.bigint() - start) / 1e6);
}
