import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
export const DASHBOARD_DIRECTORY = join(ROOT, 'web', 'dist');

/** Builds the dashboard when "npm install" did not (it ran with --ignore-scripts, say). A failure is told and stops nothing. */
export async function ensureDashboard(): Promise<void> {
  if (existsSync(join(DASHBOARD_DIRECTORY, 'index.html'))) return;
  process.stderr.write('plimsoll: building the dashboard (once) …\n');
  await new Promise<void>((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, 'scripts', 'build-web.mjs')], { stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}
