import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

/** Core of what is measured; everything else runs on the other one. */
export const MEASURED_CORE = 0;
export const OTHER_CORE = 1;

export function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

const canPin = availableParallelism() >= 2 && isInstalled('taskset');

function pinned(core: number, command: string, args: readonly string[]): [string, string[]] {
  return canPin ? ['taskset', ['-c', String(core), command, ...args]] : [command, [...args]];
}

export function start(
  core: number,
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): ChildProcess {
  const [program, programArgs] = pinned(core, command, args);
  return spawn(program, programArgs, { stdio: ['pipe', 'pipe', 'inherit', 'ipc'], ...options });
}

/** Waits for the line `PORT=…` of our own children. */
export async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('no stdout');
  const lines: Interface = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const match = /^PORT=(\d+)$/.exec(line);
    if (match !== null) {
      child.stdout.resume();
      return Number(match[1]);
    }
  }
  throw new Error('a bench process ended before it was ready');
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

export async function waitForPort(port: number, limitMs = 15_000): Promise<void> {
  const end = Date.now() + limitMs;
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) });
      return;
    } catch {
      if (Date.now() > end) throw new Error(`nothing listens on port ${port}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** User and system CPU of a process and its threads, milliseconds. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function rssMegabytes(pid: number): number {
  const match = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) / 1024;
}

export function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    }
  });
}

const PORTKEY_PACKAGES = ['@portkey-ai/gateway@1.15.2', 'hono@4.9.7', '@hono/node-server@1.13.5', '@hono/node-ws@1.2.0'];

/** Installs Portkey with the versions of its lock file (later ones break its streams). @returns its directory, null when npm cannot reach the registry */
export function installPortkey(directory: string): string | null {
  const entry = join(directory, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(entry)) {
    try {
      mkdirSync(directory, { recursive: true });
      execFileSync(
        'npm',
        ['install', '--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...PORTKEY_PACKAGES],
        {
          stdio: 'ignore',
          timeout: 120_000,
        },
      );
    } catch {
      return null;
    }
  }
  return existsSync(entry) ? entry : null;
}

export function nginxConfig(directory: string, port: number, upstreamPort: number): string {
  const path = join(directory, 'nginx.conf');
  writeFileSync(
    path,
    `daemon off; master_process off; worker_processes 1; pid ${directory}/nginx.pid; error_log ${directory}/nginx.log;
events { worker_connections 4096; }
http {
  access_log off; client_body_buffer_size 64k; client_max_body_size 32m; keepalive_requests 1000000000; keepalive_timeout 600s;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  upstream stub { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://stub; proxy_http_version 1.1; proxy_set_header connection ""; proxy_buffering off; } }
}
`,
  );
  return path;
}
