import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeFlagsOf } from './node-flags.ts';
import type { ChildRole, FromChild, ToChild } from './process-messages.ts';

export interface SupervisedChildOptions {
  readonly role: ChildRole;
  readonly variables: Readonly<Record<string, string>>;
  /** Sent as soon as the child runs; gateways get the listening socket this way. */
  readonly handle?: unknown;
  readonly onMessage: (message: FromChild, child: SupervisedChild) => void;
  /** The child ended before it was ever ready. */
  readonly onStartFailure: (exitCode: number) => void;
  /** A process of it has ended, for whatever reason. */
  readonly onEnded: () => void;
  /** False while the whole tree ends: a signal to the process group ends children before they are told. */
  readonly mayRestart: () => boolean;
  readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

const RESTART_DELAYS_MS = [0, 0, 100, 250, 500, 1_000, 2_000, 5_000];
/** A child that served this long has proven itself: the next crash restarts at once again. */
const HEALTHY_MS = 1_000;

/** Nothing that a provider or a database is opened with: those two answer to this tree alone and need no secret of it. */
const PLAIN_VARIABLES = /^(PATH|HOME|TMPDIR|LANG|LC_.*|TZ|NODE_.*|UV_.*|PLIMSOLL_DATA_DIR|PLIMSOLL_FAKE_CLOCK)$/;

function inherited(role: ChildRole): NodeJS.ProcessEnv {
  if (role === 'gateway' || role === 'control') return process.env;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => PLAIN_VARIABLES.test(name)));
}

/** One child that is started again whenever it ends, until told to stop. */
export class SupervisedChild {
  readonly role: ChildRole;
  readonly #options: SupervisedChildOptions;
  #process: ChildProcess | null = null;
  #isStopping = false;
  #wasReady = false;
  #restarts = 0;
  #readyAt: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #exited: Promise<void> = Promise.resolve();
  #resolveReady: () => void = () => {};
  /** Resolves when the child was ready for the first time. */
  readonly ready: Promise<void>;

  constructor(options: SupervisedChildOptions) {
    this.role = options.role;
    this.#options = options;
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  start(): void {
    this.#readyAt = null;
    const child = fork(fileURLToPath(new URL(`./${this.role}-main.ts`, import.meta.url)), [], {
      env: { ...inherited(this.role), ...this.#options.variables, PLIMSOLL_INTERNAL_IS_RESTART: this.#wasReady ? '1' : '0' },
      execArgv: [...process.execArgv, ...nodeFlagsOf(this.role)],
      serialization: 'json',
    });
    this.#process = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#process = null;
        resolve();
        this.#options.onEnded();
        this.#onExit(code, signal);
      });
    });
    child.on('error', (error) => this.#options.log('child_error', { role: this.role, message: error.message }));
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') {
        this.#wasReady = true;
        this.#readyAt = performance.now();
        this.#resolveReady();
      }
      this.#options.onMessage(message, this);
    });
    if (this.#options.handle !== undefined) child.send({ type: 'listen' } satisfies ToChild, this.#options.handle as never);
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#isStopping || !this.#options.mayRestart()) return;
    if (!this.#wasReady && code !== null && code !== 0) {
      this.#options.onStartFailure(code);
      return;
    }
    if (this.#readyAt !== null && performance.now() - this.#readyAt > HEALTHY_MS) this.#restarts = 0;
    const delayMs = RESTART_DELAYS_MS[Math.min(this.#restarts, RESTART_DELAYS_MS.length - 1)] ?? 0;
    this.#restarts += 1;
    this.#options.log('child_restart', { role: this.role, exitCode: code, signal, delayMs });
    this.#timer = setTimeout(() => {
      if (this.#options.mayRestart()) this.start();
    }, delayMs);
  }

  send(message: ToChild): void {
    if (this.#process?.connected)
      this.#process.send(message, (error) => error && this.#options.log('send_failed', { role: this.role, message: error.message }));
  }

  /** Asks the child to end; kills it after the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    const child = this.#process;
    if (child === null) return;
    this.send({ type: 'shutdown' });
    const kill = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    await this.#exited;
    clearTimeout(kill);
  }
}
