// Prints the slowest tests of a run, from the CTRF files in the folder given, so that a suite that grows shows where.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const shown = 20;
const tests = readdirSync(folder)
  .filter((name) => name.endsWith('.ctrf'))
  .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).results.tests);
const seconds = (milliseconds) => (milliseconds / 1000).toFixed(1).padStart(7);
const total = tests.reduce((sum, test) => sum + test.duration, 0);
console.log(`The ${shown} slowest of ${tests.length} tests (${seconds(total).trim()} s together):`);
for (const test of tests.sort((a, b) => b.duration - a.duration).slice(0, shown)) console.log(`${seconds(test.duration)} s  ${test.name}`);
