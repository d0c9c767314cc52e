// npm run bench -- <name> [options]: one question a file.
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';

const [name, ...rest] = process.argv.slice(2);
const file = join(import.meta.dirname, `${name}.ts`);
if (!name || name.startsWith('-') || !existsSync(file)) {
  const names = globSync('*.ts', { cwd: import.meta.dirname })
    .map((path) => basename(path, '.ts'))
    .filter((entry) => entry !== 'run');
  console.error(`Usage: npm run bench -- <${names.join(' | ')}> [--smoke] [--json]`);
  process.exit(64);
}
spawn(process.execPath, [file, ...rest], { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
