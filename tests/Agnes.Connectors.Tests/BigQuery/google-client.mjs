// Every call that the platform makes of BigQuery, made by Google's own client. Prints one JSON object; the test says what must be in it.
// Arguments: the address of the service. The token comes from the metadata server of the environment.
import { BigQuery } from '@google-cloud/bigquery';

const [address] = process.argv.slice(2);
const options = { apiEndpoint: address, projectId: 'billing-project', maxRetries: 3 };
const client = new BigQuery(options);
const seen = {};

async function failing(work) {
  try {
    await work();
    return { reason: 'none' };
  } catch (error) {
    return { code: error.code, reason: error.errors?.[0]?.reason, message: error.message };
  }
}

const sql = 'SELECT id, name, tags, home FROM `data-project.sales.orders` WHERE id <= @most ORDER BY id';
const [rows] = await client.query({ query: sql, params: { most: 2 }, location: 'EU' });
seen.rows = rows;

const [dry] = await client.createQueryJob({ query: 'SELECT id FROM `data-project.sales.orders`', dryRun: true, location: 'EU' });
seen.dry = { bytes: dry.metadata.statistics.totalBytesProcessed, type: dry.metadata.statistics.query.statementType, tables: dry.metadata.statistics.query.referencedTables,
  schema: dry.metadata.statistics.query.schema };

const [job] = await client.createQueryJob({ query: 'SELECT id FROM `data-project.sales.orders` ORDER BY id', jobId: 'chosen-by-the-caller', location: 'EU', labels: { agnes: 'test' },
  maximumBytesBilled: '20971520' });
const pages = [];
let query = { maxResults: 2, autoPaginate: false };
while (query) {
  const [page, next] = await job.getQueryResults(query);
  pages.push(page.map((row) => row.id));
  query = next;
}
seen.pages = pages;
const [metadata] = await job.getMetadata();
seen.job = { id: metadata.jobReference.jobId, billed: metadata.statistics.query.totalBytesBilled, labels: metadata.configuration.labels, state: metadata.status.state };
seen.again = await failing(() => client.createQueryJob({ query: 'SELECT 1', jobId: 'chosen-by-the-caller', location: 'EU' }));

console.log('hold');
await new Promise((resolve) => process.stdin.once('data', resolve));
const [held] = await client.createQueryJob({ query: 'SELECT 7 AS n', jobId: 'to-be-cancelled' });
await held.cancel();
seen.cancelled = await failing(() => held.getQueryResults());
console.log('release');
await new Promise((resolve) => process.stdin.once('data', resolve));

const [datasets] = await client.getDatasets({ projectId: 'data-project' });
seen.datasets = datasets.map((dataset) => dataset.id);
const sales = client.dataset('sales', { projectId: 'data-project' });
seen.location = (await sales.getMetadata())[0].location;
const [tables] = await sales.getTables();
seen.tables = tables.map((table) => [table.id, table.metadata.type]);
const [table] = await sales.table('orders').getMetadata();
seen.table = { rows: table.numRows, bytes: table.numBytes, fields: table.schema.fields.map((field) => [field.name, field.type, field.mode]), partitioning: table.timePartitioning,
  clustering: table.clustering };

const [given, next] = await sales.table('everything').getRows({ maxResults: 1, autoPaginate: false });
seen.listed = given;
seen.listedNext = next?.pageToken ? 'more' : 'all';
seen.unlisted = await failing(() => sales.table('cheap').getRows());

seen.types = (await client.query({ query: 'SELECT * FROM `data-project.sales.everything` ORDER BY i', location: 'EU' }))[0];
seen.missing = await failing(() => client.query({ query: 'SELECT 1 FROM `data-project.sales.nothing`' }));
seen.invalid = await failing(() => client.query({ query: 'SELEC 1' }));
seen.tooMuch = await failing(() => client.query({ query: 'SELECT * FROM `data-project.sales.orders`', maximumBytesBilled: '1000', location: 'EU' }));
seen.noTable = await failing(() => sales.table('nothing').getMetadata());
seen.busy = (await client.query({ query: 'SELECT 5 AS busy' }))[0];
console.log(JSON.stringify(seen));
process.exit(0);
