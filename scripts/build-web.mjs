// Builds the dashboard when its sources changed since the last build. Run by "npm install" (prepare) and by the first start.
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = join(dirname(dirname(fileURLToPath(import.meta.url))), 'web');
const stamp = join(web, 'dist', '.built-from');

/** @returns true when a build ran */
export async function buildWeb() {
  if (!existsSync(join(web, 'index.html'))) return false;
  const hash = createHash('sha256');
  for (const file of globSync(['index.html', 'package.json', 'vite.config.*', 'src/**/*', 'public/**/*'], { cwd: web, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()) {
    hash.update(file.slice(web.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  const digest = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return false;
  const { build } = await import('vite');
  await build({ root: web, logLevel: 'warn' });
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    if (await buildWeb()) console.log('dashboard built');
  } catch (error) {
    // An install must not fail for the dashboard: the gateway and the API work without it, and the first start tries again.
    console.error(`The dashboard could not be built: ${error.message}`);
  }
}
