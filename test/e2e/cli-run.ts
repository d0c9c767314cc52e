import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/plimsoll.mjs', import.meta.url));

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Stdout as the one JSON document that `--json` promises. */
  json<T>(): T;
}

/** Runs one command line as a user would, without a terminal. */
export function cli(words: readonly string[], options: { cwd: string; variables?: Readonly<Record<string, string>> }): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...words], {
      cwd: options.cwd,
      env: { ...process.env, NODE_OPTIONS: '', ...options.variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr, json: <T>() => JSON.parse(stdout) as T }));
  });
}
