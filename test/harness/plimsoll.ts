import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PlimsollOptions {
  /** Text of plimsoll.yaml; the shipped one when absent. */
  readonly config?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Kept when given; else a temporary one that `stop` removes. */
  readonly dataDirectory?: string;
  readonly args?: readonly string[];
}

export interface Plimsoll {
  readonly url: string;
  readonly dataDirectory: string;
  readonly configPath: string;
  readonly adminKey: string;
  readonly virtualKey: string;
  /** What the tree printed so far. */
  readonly output: { stdout: string; stderr: string };
  pids(): Promise<Record<string, number | null>>;
  /** `GET` or another method on the API with the cluster's admin rights. */
  api<T>(path: string, init?: { method?: string; body?: unknown }): Promise<T>;
  advance(ms: number): Promise<void>;
  /** Ends the tree and removes what it left. @returns its exit code */
  stop(): Promise<number | null>;
  /** Ends the supervisor without warning. */
  kill(): void;
  readonly exited: Promise<number | null>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const ADMIN_KEY = 'test-admin-key-0123456789';
export const SIM_CONFIG_FAST = 'sim: { seed: 1, latencyFactor: 0 }\n';

/** Runs a tree that is expected to end by itself. */
export async function runPlimsoll(options: PlimsollOptions = {}): Promise<{ exitCode: number | null; stderr: string; stdout: string }> {
  const started = launch(options);
  const exitCode = await started.exited;
  started.clean();
  return { exitCode, ...started.output };
}

function launch(options: PlimsollOptions): {
  child: ChildProcess;
  dataDirectory: string;
  configPath: string;
  output: { stdout: string; stderr: string };
  exited: Promise<number | null>;
  clean: () => void;
} {
  const temporary = mkdtempSync(join(tmpdir(), 'plimsoll-test-'));
  const dataDirectory = options.dataDirectory ?? join(temporary, 'data');
  const configPath = options.config === undefined ? join(ROOT, 'plimsoll.yaml') : join(temporary, 'plimsoll.yaml');
  if (options.config !== undefined) writeFileSync(configPath, options.config);
  const child = fork(join(ROOT, 'bin', 'plimsoll.mjs'), ['serve', ...(options.args ?? [])], {
    cwd: temporary,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      PLIMSOLL_PORT: '0',
      PLIMSOLL_OTLP_HTTP_PORT: '0',
      PLIMSOLL_OTLP_GRPC_PORT: '0',
      PLIMSOLL_DATA_DIR: dataDirectory,
      PLIMSOLL_CONFIG: configPath,
      PLIMSOLL_ADMIN_KEY: ADMIN_KEY,
      PLIMSOLL_VALIDATE_RESPONSES: '1',
      ...options.variables,
    },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, dataDirectory, configPath, output, exited, clean: () => rmSync(temporary, { recursive: true, force: true }) };
}

/** Starts a whole tree on a random port. @throws Error with the tree's own words when it does not come up */
export async function startPlimsoll(options: PlimsollOptions = {}): Promise<Plimsoll> {
  const { child, dataDirectory, configPath, output, exited, clean } = launch(options);
  const waiting = new Map<number, (message: { pids?: Record<string, number | null> }) => void>();
  let nextId = 1;
  const serving = new Promise<{ port: number }>((resolve, reject) => {
    child.on('message', (message: { type: string; port?: number; id?: number; pids?: Record<string, number | null> }) => {
      if (message.type === 'serving') resolve({ port: message.port ?? 0 });
      if (message.id !== undefined) waiting.get(message.id)?.(message);
    });
    void exited.then((code) => reject(new Error(`plimsoll ended with ${code}:\n${output.stderr}`)));
  });
  const { port } = await serving.catch((error: unknown) => {
    clean();
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  const ask = <T>(message: Record<string, unknown>): Promise<T> => {
    const id = nextId++;
    return new Promise((resolve) => {
      waiting.set(id, (answer) => {
        waiting.delete(id);
        resolve(answer as T);
      });
      child.send({ ...message, id });
    });
  };
  return {
    url,
    dataDirectory,
    configPath,
    output,
    exited,
    adminKey: ADMIN_KEY,
    virtualKey: /plk_[\w-]+/.exec(output.stderr)?.[0] ?? '',
    pids: async () => (await ask<{ pids: Record<string, number | null> }>({ type: 'pids' })).pids,
    advance: async (ms) => void (await ask({ type: 'clock.advance', ms })),
    async api<T>(path: string, init: { method?: string; body?: unknown } = {}): Promise<T> {
      const answer = await fetch(`${url}${path}`, {
        method: init.method ?? 'GET',
        headers: { authorization: `Bearer ${ADMIN_KEY}`, ...(init.body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${answer.status}: ${text}`);
      return (text === '' ? null : JSON.parse(text)) as T;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const code = await exited;
      clean();
      return code;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/**
 * Asks until the answer satisfies; for what happens in other processes.
 * @param timeoutMs when it is given up. A promise in time is `within(ms)`; the rest says nothing about speed
 */
export async function eventually<T>(what: string, ask: () => Promise<T>, isRight: (value: T) => boolean, timeoutMs = 60_000): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await ask();
      last = value;
      if (isRight(value)) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs)
      throw new Error(
        `${what}: not within ${Math.round(timeoutMs)} ms; last: ${last instanceof Error ? last.message : JSON.stringify(last)?.slice(0, 2_000)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
