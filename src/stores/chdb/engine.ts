import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Session } from 'chdb';
import { PlimsollError } from '../../kernel/errors.ts';
import { repairDeduplication } from './deduplication-repair.ts';
import { Lane, type LaneConnection } from './lane.ts';
import { startServer } from './server.ts';

export interface EngineLimits {
  /** Ceiling for the engine's own allocations in this process (bytes). */
  readonly maxServerMemoryBytes: number;
  readonly markCacheBytes: number;
  /** Ceiling for one query (bytes). */
  readonly maxQueryMemoryBytes: number;
  /** Longest run of one query by lane (seconds); a caller may ask for less, never for more. */
  readonly maxExecutionSeconds: { readonly dashboard: number; readonly adhoc: number; readonly console: number; readonly ingest: number };
  /** Ceiling for one query of the SQL console (bytes): what people try out must not take the dashboards' memory. */
  readonly maxConsoleMemoryBytes: number;
  /** Calls that may wait for a connection, per lane. */
  readonly maxWaiting: number;
  readonly maxBodyBytes: number;
  /** All bodies together that wait for a connection (bytes). */
  readonly maxHeldBodyBytes: number;
  /** A reader that takes nothing for so long is cut off (ms). */
  readonly stalledReaderMs: number;
}

export const DEFAULT_ENGINE_LIMITS: EngineLimits = Object.freeze({
  maxServerMemoryBytes: 2_000_000_000,
  markCacheBytes: 128 * 1024 * 1024,
  maxQueryMemoryBytes: 1_200_000_000,
  maxExecutionSeconds: { dashboard: 15, adhoc: 30, console: 60, ingest: 60 },
  maxConsoleMemoryBytes: 400_000_000,
  maxWaiting: 64,
  maxBodyBytes: 128 * 1024 * 1024,
  maxHeldBodyBytes: 256 * 1024 * 1024,
  stalledReaderMs: 30_000,
});

export interface EngineHealth {
  readonly isHealthy: boolean;
  /** Why not, else null. */
  readonly problem: string | null;
  readonly latencyMs: number;
  readonly waiting: Readonly<Record<string, number>>;
  readonly rssBytes: number;
}

export interface Engine {
  readonly port: number;
  /** `SELECT 1` must answer 1: an engine whose directory was closed under it answers empty strings without an error. */
  health(): Promise<EngineHealth>;
  /** Stops listening, stops running queries, waits for them, closes the connections. */
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly dataDir: string;
  /** Secret that each call must carry. */
  readonly token: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly limits?: Partial<EngineLimits>;
}

export interface Lanes {
  readonly ingest: Lane;
  readonly dashboard: Lane;
  readonly adhoc: Lane;
  /** Statements of people: read only by force, one at a time, on one thread. */
  readonly console: Lane;
  /** Health checks and KILL QUERY: never behind anybody's query. */
  readonly control: Lane;
}

const HEALTH_TIMEOUT_MS = 5_000;
const REPAIR_TIMEOUT_MS = 60_000;

/**
 * Opens chDB on a directory and serves ClickHouse's HTTP interface on 127.0.0.1. One engine per process and per directory.
 * Each connection may hold one libuv thread: start the process with `UV_THREADPOOL_SIZE` of at least 8.
 * @throws PlimsollError `unsupported_platform` when chDB has no build for this machine; `data_dir_unusable` when another process holds the
 *   directory or it cannot be written; `port_in_use`
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const limits: EngineLimits = { ...DEFAULT_ENGINE_LIMITS, ...options.limits };
  const chdb = await importChdb();
  const sessions: Session[] = [];
  const open = (): LaneConnection => {
    const session = openSession(chdb, options.dataDir, limits);
    sessions.push(session);
    return { session, database: 'default' };
  };
  const closeSessions = async () => {
    for (const session of sessions) session.close();
    await chdb.drainPending();
  };
  try {
    const lane = (name: string, connections: number) => new Lane(name, Array.from({ length: connections }, open), limits.maxWaiting);
    const lanes: Lanes = {
      ingest: lane('ingest', 1),
      dashboard: lane('dashboard', 2),
      adhoc: lane('adhoc', 1),
      console: lane('console', 1),
      control: lane('control', 1),
    };
    await lanes.ingest.run(AbortSignal.timeout(REPAIR_TIMEOUT_MS), ({ session }) => repairDeduplication(session));
    const health = () => checkHealth(lanes);
    const first = await health();
    if (!first.isHealthy) throw new PlimsollError('store_unavailable', `The engine opened but is not usable: ${first.problem}`);
    const spoolDirectory = emptySpool(options.dataDir);
    const server = await startServer({ lanes, limits, token: options.token, port: options.port, health, spoolDirectory });
    return {
      port: server.port,
      health,
      async close() {
        await server.close();
        await Promise.all(Object.values(lanes).map((each: Lane) => each.drained()));
        await closeSessions();
      },
    };
  } catch (error) {
    await closeSessions();
    throw error;
  }
}

async function importChdb(): Promise<typeof import('chdb')> {
  try {
    const loaded = await import('chdb');
    return loaded;
  } catch (cause) {
    throw new PlimsollError('unsupported_platform', `The embedded engine (chDB) cannot be loaded on ${process.platform} ${process.arch}.`, {
      details: { platform: process.platform, architecture: process.arch },
      cause,
    });
  }
}

function openSession(chdb: typeof import('chdb'), dataDir: string, limits: EngineLimits): Session {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return new chdb.Session(dataDir, {
      connectionArgs: [`--max_server_memory_usage=${limits.maxServerMemoryBytes}`, `--mark_cache_size=${limits.markCacheBytes}`],
    });
  } catch (cause) {
    const holder = lockHolder(dataDir);
    const reason = cause instanceof Error ? cause.message.slice(0, 300) : String(cause);
    throw new PlimsollError(
      'data_dir_unusable',
      holder === null ? `The engine cannot open ${dataDir}: ${reason}` : `${dataDir} is in use by another engine process (pid ${holder}).`,
      { details: { dataDir, holder }, cause },
    );
  }
}

/** Without what a process that was killed left in it. */
function emptySpool(dataDir: string): string {
  const path = resolve(dataDir, 'spool');
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/** chDB says only that it could not connect; the living process that its lock file names is the reason. */
function lockHolder(dataDir: string): number | null {
  try {
    const pid = Number(/^PID: (\d+)/m.exec(readFileSync(join(dataDir, 'status'), 'utf8'))?.[1]);
    if (!(pid > 0) || pid === process.pid) return null;
    process.kill(pid, 0); // throws when there is no such process
    return pid;
  } catch {
    return null;
  }
}

async function checkHealth(lanes: Lanes): Promise<EngineHealth> {
  const startedMs = performance.now();
  const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
  let problem: string | null = null;
  try {
    await lanes.control.run(signal, async ({ session }) => {
      const answer = await session.queryAsync('SELECT 1', { format: 'TabSeparated', signal });
      if (answer.text().trim() !== '1') problem = `SELECT 1 answered ${JSON.stringify(answer.text().slice(0, 40))}`;
    });
  } catch (error) {
    problem = error instanceof Error ? error.message.slice(0, 300) : String(error);
  }
  const waiting = Object.fromEntries(Object.entries(lanes).map(([name, lane]: [string, Lane]) => [name, lane.waiting]));
  return { isHealthy: problem === null, problem, latencyMs: performance.now() - startedMs, waiting, rssBytes: process.memoryUsage.rss() };
}
