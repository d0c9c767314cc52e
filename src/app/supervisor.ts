import { type Clock, FakeClock, systemClock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { firstStartBanner, readyBanner } from './banner.ts';
import { DataDirectory } from './data-directory.ts';
import type { Environment } from './environment.ts';
import { LeaseDesk } from './lease-desk.ts';
import { bindPort, type ListenHandle, reserveLoopbackPort } from './listen-handle.ts';
import { EXIT, type FromChild, type Topology } from './process-messages.ts';
import { SupervisedChild } from './supervised-child.ts';

export type ServeRole = 'all' | 'gateway' | 'control';

const DRAIN_MS = 30_000;

/**
 * Runs the process tree until it is told to stop.
 * @returns the exit code
 */
export async function supervise(environment: Environment, role: ServeRole): Promise<number> {
  const data = new DataDirectory(environment.dataDirectory);
  data.prepare();
  const unlock = data.lock();
  try {
    await earlierChildrenGone(data);
    return await new Supervisor(environment, role, data).run();
  } finally {
    unlock();
  }
}

/**
 * A supervisor that was killed leaves children that finish their answers. Until they are gone their open calls look like those of a crash,
 * and settling them here would count them twice.
 */
async function earlierChildrenGone(data: DataDirectory): Promise<void> {
  const endMs = systemClock.monotonicMs() + DRAIN_MS + 5_000;
  for (let isSaid = false; ; isSaid = true) {
    const alive = data.registered();
    if (alive.length === 0) return;
    const names = alive.map(({ role, pid }) => `${role} ${pid}`).join(', ');
    if (systemClock.monotonicMs() > endMs)
      throw new PlimsollError('data_dir_unusable', `Processes of an earlier run still work on ${data.root}: ${names}`, {
        details: { directory: data.root, processes: alive },
      });
    if (!isSaid) process.stderr.write(`plimsoll: waiting for an earlier run to finish its answers (${names})\n`);
    await systemClock.sleep(100);
  }
}

class Supervisor {
  readonly #environment: Environment;
  readonly #role: ServeRole;
  readonly #data: DataDirectory;
  readonly #gateways: SupervisedChild[] = [];
  /** Of gateway workers, also of those that drain. */
  readonly #writers = new Map<SupervisedChild, string>();
  #control: SupervisedChild | null = null;
  #engine: SupervisedChild | null = null;
  #sim: SupervisedChild | null = null;
  #simConfig = '';
  #reserved: Record<'control' | 'engine' | 'sim', ListenHandle> | null = null;
  #resolveEnd: (exitCode: number) => void = () => {};
  readonly #end: Promise<number>;
  #isEnding = false;
  #nextId = 1;
  readonly #clock: Clock;
  /** Limits that the gateway workers keep together. */
  readonly #leases: LeaseDesk;
  readonly #pending = new Map<number, (message: FromChild) => void>();

  constructor(environment: Environment, role: ServeRole, data: DataDirectory) {
    this.#environment = environment;
    this.#role = role;
    this.#data = data;
    this.#clock = environment.fakeClockMs === null ? systemClock : new FakeClock(environment.fakeClockMs);
    this.#leases = new LeaseDesk(this.#clock, data.gatewayWriters(this.#writerPrefix()));
    this.#end = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
  }

  async run(): Promise<number> {
    process.title = 'plimsoll: supervisor';
    const started = performance.now();
    const isGateway = this.#role !== 'control';
    const isControl = this.#role !== 'gateway';
    if (isGateway && !isControl && !this.#environment.controlUrl)
      throw new PlimsollError('config_invalid', '--role gateway needs PLIMSOLL_CONTROL_URL, the address of the control plane');
    const socket = await bindPort(this.#environment.host, this.#environment.port);
    // Held for as long as the supervisor lives.
    this.#reserved = { control: reserveLoopbackPort(), engine: reserveLoopbackPort(), sim: reserveLoopbackPort() };
    const { control, engine, sim } = this.#reserved;
    const controlUrl = isControl ? `http://127.0.0.1:${control.port}` : (this.#environment.controlUrl ?? '');
    const common: Record<string, string> = {
      PLIMSOLL_INTERNAL_CONTROL_PORT: `${control.port}`,
      PLIMSOLL_INTERNAL_ENGINE_PORT: `${engine.port}`,
      PLIMSOLL_INTERNAL_ENGINE_TOKEN: this.#data.secret('engine-token'),
      PLIMSOLL_INTERNAL_SIM_PORT: `${sim.port}`,
      PLIMSOLL_INTERNAL_ROLE: this.#role,
      // Compiled code is kept: a child that was killed is back sooner.
      NODE_COMPILE_CACHE: this.#data.compileCache,
    };
    const clusterKey = this.#environment.clusterKey ?? this.#data.secret('cluster-key');
    const gatewayUrl = isGateway ? { PLIMSOLL_GATEWAY_URL: loopbackUrl(this.#environment.host, socket.port) } : {};
    const variables = { ...common, ...gatewayUrl, PLIMSOLL_CLUSTER_KEY: clusterKey, PLIMSOLL_CONTROL_URL: controlUrl };
    this.#installSignals();
    if (isControl && this.#environment.clickhouseUrl === null) {
      this.#engine = this.#child('engine', { ...common, UV_THREADPOOL_SIZE: '16' });
      this.#engine.start();
    }
    if (isControl) {
      this.#control = this.#child('control', variables, this.#role === 'control' ? socket.handle : undefined);
      this.#control.start();
    }
    if (isGateway) this.#setWorkers(1, variables, socket.handle);
    this.#onTopology = (topology) => {
      if (isGateway) this.#setWorkers(topology.workers, variables, socket.handle);
      if (isControl) this.#setSim(topology, common);
    };
    void this.#whenReady().then(() => {
      const url = `http://${this.#environment.host.includes(':') ? `[${this.#environment.host}]` : this.#environment.host}:${socket.port}`;
      process.stderr.write(readyBanner({ url, role: this.#role, elapsedMs: performance.now() - started }));
      if (this.#firstStart) process.stderr.write(firstStartBanner({ url, ...this.#firstStart }));
      process.send?.({ type: 'serving', port: socket.port, pids: this.#pids() });
    });
    const exitCode = await this.#end;
    await this.#stopAll();
    return exitCode;
  }

  /** Gateways and control serve, and so do the simulated providers when there are any. */
  async #whenReady(): Promise<void> {
    await Promise.all([this.#control?.ready, ...this.#gateways.map((child) => child.ready)]);
    await this.#simStarted;
    await this.#sim?.ready;
  }

  #simStarted: Promise<void> = Promise.resolve();
  #onTopology: (topology: Topology) => void = () => {};
  #firstStart: { adminKey: string; virtualKey: string | null } | null = null;

  #pids(): Record<string, number | null> {
    return {
      supervisor: process.pid,
      control: this.#control?.pid ?? null,
      engine: this.#engine?.pid ?? null,
      sim: this.#sim?.pid ?? null,
      ...Object.fromEntries(this.#gateways.map((child, index) => [`gateway-${index + 1}`, child.pid])),
    };
  }

  #child(
    role: SupervisedChild['role'],
    variables: Readonly<Record<string, string>>,
    handle?: unknown,
    onEnded: () => void = () => {},
  ): SupervisedChild {
    return new SupervisedChild({
      role,
      variables,
      ...(handle === undefined ? {} : { handle }),
      log: (event, fields) => this.#log(event, fields),
      onMessage: (message, child) => this.#onMessage(message, child),
      onEnded,
      onStartFailure: (code) => this.#finish(code),
      mayRestart: () => !this.#isEnding,
    });
  }

  /** Journals of many machines meet at one control: there a writer's name must be unique. */
  #writerPrefix(): string {
    return this.#role === 'gateway' ? `${this.#data.instanceName()}-gateway-` : 'gateway-';
  }

  #setWorkers(count: number, variables: Readonly<Record<string, string>>, handle: unknown): void {
    while (this.#gateways.length < count) {
      const writer = `${this.#writerPrefix()}${this.#gateways.length + 1}`;
      const child = this.#child('gateway', { ...variables, PLIMSOLL_INTERNAL_WRITER: writer }, handle, () =>
        this.#leases.workerEnded(writer),
      );
      this.#gateways.push(child);
      this.#writers.set(child, writer);
      child.start();
    }
    while (this.#gateways.length > count) {
      const child = this.#gateways.pop();
      void child?.stop(DRAIN_MS).then(() => this.#writers.delete(child));
    }
  }

  #setSim(topology: Topology, variables: Readonly<Record<string, string>>): void {
    const config = JSON.stringify(topology.sim);
    if (config === this.#simConfig) return;
    this.#simConfig = config;
    const old = this.#sim;
    this.#sim = topology.sim === null ? null : this.#child('sim', { ...variables, PLIMSOLL_INTERNAL_SIM: config });
    // The new one takes the same port: the old one must be gone first.
    this.#simStarted = (old?.stop(2_000) ?? Promise.resolve()).then(() => this.#sim?.start());
  }

  #onMessage(message: FromChild, child: SupervisedChild): void {
    switch (message.type) {
      case 'ready':
        return;
      case 'failed':
        process.stderr.write(`\nplimsoll ${child.role}: ${message.message}\n  → ${message.fix}\n`);
        return;
      case 'topology':
        this.#onTopology(message.topology);
        return;
      case 'firstStart':
        this.#firstStart = message;
        return;
      case 'clock.advanced':
      case 'metrics.answer':
        this.#pending.get(message.id)?.(message);
        this.#pending.delete(message.id);
        return;
      case 'metrics.collect':
        void this.#collectMetrics(message.id, child);
        return;
      case 'lease.exchange':
        this.#leases.answer(message, { writer: this.#writers.get(child) ?? '', send: (reply) => child.send(reply) });
        return;
      default:
        message satisfies never;
    }
  }

  /** Prometheus texts of the other gateway workers, for the one that was asked. */
  async #collectMetrics(id: number, asker: SupervisedChild): Promise<void> {
    const texts = await Promise.all(
      this.#gateways
        .filter((child) => child !== asker && child.pid !== null)
        .map((child) =>
          this.#ask(child, (requestId) => ({ type: 'metrics.request', id: requestId }), 1_000).then((answer) =>
            answer?.type === 'metrics.answer' ? answer.text : '',
          ),
        ),
    );
    asker.send({ type: 'metrics.others', id, texts });
  }

  #ask(
    child: SupervisedChild,
    message: (id: number) => Parameters<SupervisedChild['send']>[0],
    timeoutMs: number,
  ): Promise<FromChild | null> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        resolve(null);
      }, timeoutMs);
      this.#pending.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      child.send(message(id));
    });
  }

  #installSignals(): void {
    const stop = (signal: string): void => {
      if (this.#isEnding) {
        this.#log('killed', { signal });
        process.exit(EXIT.failed);
      }
      process.stderr.write(`\nplimsoll: stopping; answers in flight have ${DRAIN_MS / 1000} s (press Ctrl-C again to kill)\n`);
      this.#finish(EXIT.ok);
    };
    process.on('SIGINT', () => stop('SIGINT'));
    process.on('SIGTERM', () => stop('SIGTERM'));
    process.on('SIGHUP', () => this.#control?.send({ type: 'reload' }));
    process.on('disconnect', () => this.#finish(EXIT.ok));
    // A test harness that forked us moves the fake clock of the whole tree.
    process.on('message', (message: { type?: string; ms?: number; id?: number }) => {
      if (message.type === 'clock.advance')
        void this.#advanceClocks(message.ms ?? 0).then(() => process.send?.({ type: 'clock.advanced', id: message.id }));
      if (message.type === 'pids') process.send?.({ type: 'pids', id: message.id, pids: this.#pids() });
    });
  }

  async #advanceClocks(ms: number): Promise<void> {
    if (this.#clock instanceof FakeClock) await this.#clock.advance(ms);
    const children = [this.#control, this.#sim, ...this.#gateways].filter((child) => child !== null && child.pid !== null);
    await Promise.all(children.map((child) => this.#ask(child as SupervisedChild, (id) => ({ type: 'clock.advance', ms, id }), 60_000)));
  }

  #finish(exitCode: number): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#resolveEnd(exitCode);
  }

  /** Gateways first, so that control still takes their last records; the engine last. */
  async #stopAll(): Promise<void> {
    await Promise.all(this.#gateways.map((child) => child.stop(DRAIN_MS)));
    await Promise.all([this.#sim?.stop(2_000), this.#control?.stop(10_000)]);
    await this.#engine?.stop(10_000);
  }

  #log(event: string, fields: Readonly<Record<string, unknown>>): void {
    process.stderr.write(`${JSON.stringify({ ts: new Date().toISOString(), level: 'warn', process: 'supervisor', event, ...fields })}\n`);
  }
}

/** Where a process of this machine finds what listens on `host`. */
function loopbackUrl(host: string, port: number): string {
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${local.includes(':') ? `[${local}]` : local}:${port}`;
}
