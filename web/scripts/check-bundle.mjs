// Fails when the first load (what the Overview needs before it can draw) is larger than the budget. Reads Vite's manifest.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 180 * 1024;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));

const files = new Set();
function add(key) {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const next of chunk.imports ?? []) add(next);
}
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) add(key);
files.add('theme.js');

const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
let total = 0;
for (const file of files) {
  total += size(file);
  process.stdout.write(`${kb(size(file)).padStart(10)}  ${file}\n`);
}
const later = new Set(
  Object.values(manifest)
    .flatMap((chunk) => [chunk.file, ...(chunk.css ?? [])])
    .filter((file) => !files.has(file)),
);
let laterTotal = 0;
for (const file of later) laterTotal += size(file);
process.stdout.write(`first load ${kb(total)} gzip of ${kb(BUDGET_BYTES)}; later, page by page, ${kb(laterTotal)}\n`);
if (total > BUDGET_BYTES) {
  process.stderr.write('The first load is above its budget: load a page or a library lazily.\n');
  process.exitCode = 1;
}
