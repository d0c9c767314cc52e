import { type Clock, FakeClock, systemClock } from '../kernel/clock.ts';
import { toPlimsollError } from '../kernel/errors.ts';
import { DataDirectory } from './data-directory.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { type ChildRole, exitCodeOf, type FromChild, type ToChild } from './process-messages.ts';

/** What every child of the supervisor gets. */
export interface ChildContext {
  readonly environment: Environment;
  /** Time of the domain: records, expiry, schedules, simulated latencies. Tests may move it; retries, polls and disk pacing use the system clock. */
  readonly clock: Clock;
  send(message: FromChild): void;
  /** One JSON line on stderr: what an operator reads. */
  log(level: 'info' | 'warn' | 'error', event: string, fields?: Readonly<Record<string, unknown>>): void;
  onMessage(handler: (message: ToChild, handle: unknown) => void): void;
}

export interface RunningChild {
  /** Ends gracefully: finishes what is in flight, within the deadline. */
  shutdown(): Promise<void>;
}

/**
 * Entry of a child process: title, clock, clean end. A child whose supervisor is gone drains and exits.
 * @param start resolves when the child serves; what it throws ends the process with the exit code of the error
 */
export function runChild(role: ChildRole, start: (context: ChildContext) => Promise<RunningChild>): void {
  process.title = `plimsoll: ${role}`;
  const environment = readEnvironment(process.env);
  new DataDirectory(environment.dataDirectory).register(role);
  const clock: Clock = environment.fakeClockMs === null ? systemClock : new FakeClock(environment.fakeClockMs);
  const handlers: ((message: ToChild, handle: unknown) => void)[] = [];
  let running: RunningChild | null = null;
  let isEnding = false;
  const context: ChildContext = {
    environment,
    clock,
    send: (message) => {
      // A supervisor that is gone is told by `disconnect`; a message that no longer reaches it must not end this process before its calls.
      if (process.connected) process.send?.(message, undefined, undefined, () => {});
    },
    log: (level, event, fields = {}) => {
      process.stderr.write(`${JSON.stringify({ ts: new Date(clock.nowMs()).toISOString(), level, process: role, event, ...fields })}\n`);
    },
    onMessage: (handler) => void handlers.push(handler),
  };
  const end = (reason: string): void => {
    if (isEnding) return;
    isEnding = true;
    if (reason !== 'shutdown') context.log('info', 'stopping', { reason });
    const finished = running === null ? Promise.resolve() : running.shutdown();
    finished.then(
      () => process.exit(0),
      (error: unknown) => {
        context.log('error', 'shutdown_failed', { message: toPlimsollError(error).message });
        process.exit(1);
      },
    );
  };
  process.on('message', (message: ToChild, handle: unknown) => {
    if (message.type === 'shutdown') end('shutdown');
    else if (message.type === 'clock.advance')
      void advance(clock, message.ms).then(() => context.send({ type: 'clock.advanced', id: message.id }));
    else for (const handler of handlers) handler(message, handle);
  });
  process.on('disconnect', () => end('the supervisor is gone'));
  // The terminal sends Ctrl-C to the whole group: the supervisor decides the order of the end.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGHUP', () => {});
  process.on('uncaughtException', (error) => {
    context.log('error', 'crashed', { message: error.message, stack: error.stack });
    process.exit(1);
  });
  start(context).then(
    (child) => {
      running = child;
      context.send({ type: 'ready' });
    },
    (thrown: unknown) => {
      const error = toPlimsollError(thrown);
      const cause = error.code === 'internal' && error.cause instanceof Error ? `${error.message} ${error.cause.stack}` : error.message;
      context.send({ type: 'failed', code: error.code, message: cause, fix: error.fix });
      process.exitCode = exitCodeOf(error.code);
      setImmediate(() => process.exit());
    },
  );
}

async function advance(clock: Clock, ms: number): Promise<void> {
  if (clock instanceof FakeClock) await clock.advance(ms);
}
