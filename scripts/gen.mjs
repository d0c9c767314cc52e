// npm run gen: renews everything that is generated from code. With --check it changes nothing and fails when something is stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  commandsReference,
  configJsonSchema,
  configReference,
  environmentReference,
  errorsReference,
  openApiText,
} from '../src/app/reference.ts';

const FILES = {
  'docs/reference/errors.md': errorsReference,
  'docs/reference/config.md': configReference,
  'docs/reference/environment.md': environmentReference,
  'docs/reference/commands.md': commandsReference,
  'docs/reference/plimsoll.schema.json': configJsonSchema,
  'docs/reference/openapi.json': openApiText,
};
const isCheck = process.argv.includes('--check');
const stale = [];
for (const [path, make] of Object.entries(FILES)) {
  const text = await make();
  const present = existsSync(path) ? readFileSync(path, 'utf8') : null;
  if (present === text) continue;
  stale.push(path);
  if (isCheck) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`wrote ${path}`);
}
if (isCheck && stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Run "npm run gen" and commit the result.`);
  process.exit(1);
}
