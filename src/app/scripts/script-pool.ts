import { stripTypeScriptTypes } from 'node:module';
import type { ScriptReply, ScriptRequest, ScriptRunner } from '../../evals/scorer.ts';
import { type ScriptLimits, ScriptProcess } from './script-process.ts';

const MAX_SOURCE_CHARACTERS = 1_000_000;
const MAX_INPUT_CHARACTERS = 32_000_000;
/** A process is replaced after this many answers, with whatever scripts have left in it. */
const ANSWERS_PER_PROCESS = 2000;

/**
 * Runs code of suites in processes that can reach nothing. They start when needed; one that hangs, ends or fills its memory is replaced.
 * Scripts of one pool could, with effort, disturb each other's answers: a pool belongs to one suite's run and is closed after it.
 */
export class ScriptPool implements ScriptRunner {
  readonly #limits: ScriptLimits;
  readonly #size: number;
  readonly #idle: ScriptProcess[] = [];
  readonly #waiting: ((process: ScriptProcess) => void)[] = [];
  readonly #all = new Set<ScriptProcess>();
  #requests = 0;

  constructor({ size = 2, timeoutMs = 5000, heapMiB = 64 }: { size?: number } & Partial<ScriptLimits> = {}) {
    this.#size = size;
    this.#limits = { timeoutMs, heapMiB };
  }

  async run(request: ScriptRequest): Promise<ScriptReply> {
    const line = this.#encode(request);
    if (typeof line !== 'string') return line;
    for (let attempt = 0; ; attempt++) {
      const process = await this.#take();
      const isFresh = process.answered === 0;
      const reply = await process.run(line);
      this.#giveBack(process);
      // What an earlier script left running is not this one's fault.
      if (reply.state !== 'stopped' || isFresh || attempt > 0) return reply;
    }
  }

  /** Ends all processes; scripts that are running get `stopped`. */
  close(): void {
    for (const process of this.#all) process.close();
    this.#all.clear();
    this.#idle.length = 0;
  }

  #encode({ kind, source, exportName, output, context }: ScriptRequest): string | ScriptReply {
    if (source.length > MAX_SOURCE_CHARACTERS)
      return { state: 'threw', message: `The source has more than ${MAX_SOURCE_CHARACTERS} characters.` };
    const input = JSON.stringify({ output, context });
    if (input.length > MAX_INPUT_CHARACTERS)
      return { state: 'threw', message: `Output and context have more than ${MAX_INPUT_CHARACTERS} characters.` };
    try {
      // Types become blanks; nothing is run. The process itself has no compiler.
      const plain = kind === 'module' ? stripTypeScriptTypes(source) : source;
      return JSON.stringify({ id: ++this.#requests, script: { kind, source: plain, exportName }, input });
    } catch (thrown) {
      return { state: 'threw', message: (thrown as Error).message.slice(0, 500) };
    }
  }

  async #take(): Promise<ScriptProcess> {
    for (let process = this.#idle.pop(); process !== undefined; process = this.#idle.pop()) if (!process.isEnded) return process;
    if (this.#all.size < this.#size) return this.#start();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #start(): ScriptProcess {
    const process = new ScriptProcess(this.#limits);
    this.#all.add(process);
    return process;
  }

  #giveBack(process: ScriptProcess): void {
    if (process.answered >= ANSWERS_PER_PROCESS) process.close();
    if (process.isEnded) this.#all.delete(process);
    const next = this.#waiting.shift();
    if (next !== undefined) next(process.isEnded ? this.#start() : process);
    else if (!process.isEnded) this.#idle.push(process);
  }
}
