import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ScriptReply } from '../../evals/scorer.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';

export interface ScriptLimits {
  /** From the request until its answer; loading the process is not counted. */
  readonly timeoutMs: number;
  readonly heapMiB: number;
}

/** A process that has not said that it is ready by then never will. */
const START_TIMEOUT_MS = 30_000;
/** More than any answer that the host sends. */
const MAX_LINE_CHARACTERS = 8_000_000;

const Line = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ id: z.number(), state: z.literal('returned'), json: z.string() }),
  z.object({ id: z.number(), state: z.literal('threw'), message: z.string() }),
]);

/**
 * One process that runs scripts, one at a time: no file, network, child process, worker, add-on, WebAssembly or inspector (Node's permission model),
 * no environment, no machine code made at run time, a heap of a fixed size. Whatever a script does in it, it can only end it.
 */
export class ScriptProcess {
  readonly #child: ChildProcess;
  readonly #limits: ScriptLimits;
  #settle: ((reply: ScriptReply) => void) | null = null;
  #timer: NodeJS.Timeout;
  #pending = '';
  #rest = '';
  #errors = '';
  #isReady = false;
  #answered = 0;
  isEnded = false;

  constructor(limits: ScriptLimits) {
    this.#limits = limits;
    this.#child = spawn(
      process.execPath,
      [
        '--permission',
        '--jitless',
        '--disallow-code-generation-from-strings',
        '--experimental-vm-modules',
        '--no-warnings',
        `--max-old-space-size=${limits.heapMiB}`,
        '--input-type=module',
        '--eval',
        readFileSync(new URL('./script-host.mjs', import.meta.url), 'utf8'),
      ],
      { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] },
    );
    this.#timer = setTimeout(() => this.#stop('The process for scripts did not start.'), START_TIMEOUT_MS);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    // A process that is gone says so by its exit.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', ({ message }) => this.#stop(`The process for scripts cannot be started: ${message}`));
    this.#child.on('exit', (_code, signal) => this.#stop(this.#reasonOfExit(signal)));
    this.#hold(false);
  }

  /** Answers so far. */
  get answered(): number {
    return this.#answered;
  }

  /** One at a time. @param line a request for script-host.mjs */
  run(line: string): Promise<ScriptReply> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#hold(true);
      if (this.isEnded) {
        this.#settled({ state: 'stopped', message: 'The process for scripts has ended.' });
        return;
      }
      this.#pending = line;
      if (this.#isReady) this.#send();
    });
  }

  close(): void {
    this.#stop('Closed.');
  }

  #send(): void {
    clearTimeout(this.#timer);
    const { timeoutMs } = this.#limits;
    this.#timer = setTimeout(() => this.#stop(`It ran longer than ${timeoutMs} ms.`), timeoutMs);
    this.#child.stdin?.write(`${this.#pending}\n`);
    this.#pending = '';
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE_CHARACTERS) this.#stop('It wrote without end.');
    for (const line of lines) this.#take(line);
  }

  /** The process may have been taken over by a script: a line that is none of the host's ends it. */
  #take(line: string): void {
    try {
      const answer = Line.parse(parseJsonText(line));
      if ('ready' in answer) {
        this.#isReady = true;
        clearTimeout(this.#timer);
        if (this.#pending !== '') this.#send();
      } else if (answer.state === 'returned') {
        this.#settled({ state: 'returned', value: z.json().parse(parseJsonText(answer.json)) });
      } else this.#settled({ state: 'threw', message: answer.message });
    } catch {
      this.#stop('It wrote what no script returns.');
    }
  }

  #settled(reply: ScriptReply): void {
    clearTimeout(this.#timer);
    this.#hold(false);
    const settle = this.#settle;
    this.#settle = null;
    if (settle === null) return;
    this.#answered++;
    settle(reply);
  }

  #stop(message: string): void {
    if (!this.isEnded) {
      this.isEnded = true;
      this.#child.kill('SIGKILL');
    }
    this.#settled({ state: 'stopped', message });
  }

  #reasonOfExit(signal: string | null): string {
    if (/heap out of memory|invalid array length|Allocation failed/i.test(this.#errors))
      return `It used more than ${this.#limits.heapMiB} MiB.`;
    return `It ended the process that ran it${signal === null ? '' : ` (${signal})`}.`;
  }

  /** A process without work does not keep ours alive. */
  #hold(isBusy: boolean): void {
    const parts = [this.#child, this.#child.stdin, this.#child.stdout, this.#child.stderr] as unknown as { ref(): void; unref(): void }[]; // pipes are sockets
    for (const part of parts) isBusy ? part.ref() : part.unref();
    isBusy ? this.#timer.ref() : this.#timer.unref();
  }
}
