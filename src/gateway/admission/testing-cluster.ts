/** What the tests of shared limits share: gateways on one clock that borrow from one authority. */
import { borrowFor } from './borrow.ts';
import { LeaseAuthority } from './lease-authority.ts';
import { LeaseBroker } from './lease-broker.ts';
import type { LeaseReport, LeaseSource } from './lease-source.ts';
import { Refusal } from './refusal.ts';
import type { Reservation } from './reservation.ts';
import { JumpingClock, TEST_START_MS, type TestAdmission, testAdmission } from './testing.ts';

const LEASE_MS = 3_000;
const SETTLING_MS = 2_000;

export interface ClusterGateway extends TestAdmission {
  readonly broker: LeaseBroker;
  readonly states: boolean[];
}

export interface ClusterOptions {
  readonly size: number;
  readonly limits: readonly Record<string, unknown>[];
  /** Divides limits while the authority is away. */
  readonly replicas?: number | null;
  /** The authority hears of a process's end at once; else it finds out by its silence. */
  readonly seesEnds?: boolean;
}

/** An exchange takes a millisecond each way. */
export class Cluster {
  readonly clock = new JumpingClock(TEST_START_MS);
  readonly gateways: ClusterGateway[] = [];
  exchanges = 0;
  isAway = false;
  readonly #options: ClusterOptions;
  #authority: LeaseAuthority;
  #sourceId = 1;
  #processes = 0;
  /** By writer, its process that lives. */
  readonly #current = new Map<string, string>();
  readonly #listeners = new Map<string, (keys: readonly string[]) => void>();

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#authority = this.#newAuthority();
    for (let index = 0; index < options.size; index++) this.gateways.push(this.#start(index));
  }

  #newAuthority(): LeaseAuthority {
    // One that sees processes end begins with all of them.
    return new LeaseAuthority(
      this.#options.seesEnds === true
        ? { leaseMs: Number.POSITIVE_INFINITY, settlingMs: 0 }
        : { leaseMs: LEASE_MS, settlingMs: SETTLING_MS },
    );
  }

  #start(index: number, before?: TestAdmission): ClusterGateway {
    const { limits, replicas = null } = this.#options;
    const test = testAdmission(limits, TEST_START_MS, this.clock, before?.admission.history());
    const states: boolean[] = [];
    const broker = new LeaseBroker({
      source: this.#source(index),
      clock: this.clock,
      active: test.admission.activeCounters,
      counters: () => test.admission.counters(),
      onReached: (counter) => test.admission.reportReached(counter),
      onState: (isReachable) => void states.push(isReachable),
    });
    test.admission.share({ borrow: (shortages) => broker.obtain(shortages), isReachable: () => broker.isReachable, replicas });
    return { ...test, broker, states };
  }

  #source(index: number): LeaseSource {
    const writer = `gateway-${index + 1}`;
    const incarnation = `process-${++this.#processes}`;
    const isCurrent = (): boolean => this.#current.get(writer) === incarnation;
    this.#current.set(writer, incarnation);
    return {
      leaseMs: this.#options.seesEnds === true ? Number.POSITIVE_INFINITY : LEASE_MS,
      exchange: async (reports: readonly LeaseReport[], isComplete: boolean) => {
        this.exchanges++;
        await this.clock.sleep(1);
        // A process that has ended says nothing and hears nothing.
        if (!isCurrent()) return new Promise(() => {});
        if (this.isAway) throw new Error('away');
        const nowMs = this.clock.monotonicMs();
        const { answers, recalls, settlingMs } = this.#authority.exchange({ writer, incarnation }, reports, isComplete, nowMs);
        for (const [name, keys] of recalls) this.clock.setTimer(1, () => this.#listeners.get(name)?.(keys));
        const sourceId = `${this.#sourceId}`;
        await this.clock.sleep(1);
        return { answers, sourceId, settlingMs };
      },
      onRecall: (listener) => void this.#listeners.set(writer, listener),
      close: async () => {},
    };
  }

  /** A process ends without a word, its calls booked already as its journal has them; the next process of its gateway begins with its books. */
  crash(index: number): void {
    const dead = this.gateways[index];
    if (this.#options.seesEnds === true) this.#authority.leave(`gateway-${index + 1}`, this.clock.monotonicMs());
    this.gateways[index] = this.#start(index, dead);
  }

  /** The authority is started again and knows nothing. */
  loseMemory(): void {
    this.#authority = this.#newAuthority();
    this.#sourceId++;
  }

  /** Moves the clock until the work is done. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    void work
      .catch(() => {})
      .finally(() => {
        isDone = true;
      });
    for (let turns = 0; !isDone && turns < 20_000; turns++) await this.clock.advance(1);
    return work;
  }

  /** One call, as `stages/admit.ts` lets it in. */
  enter(index: number, overrides: Parameters<TestAdmission['request']>[0] = {}): Promise<Reservation | Refusal> {
    const { admission, request } = this.gateways[index] as ClusterGateway;
    const attempt = (): Reservation | Refusal => admission.reserve(request(overrides));
    const outcome = attempt();
    return this.finish(outcome instanceof Refusal ? borrowFor(outcome, attempt, admission) : Promise.resolve(outcome));
  }

  async close(): Promise<void> {
    await this.finish(Promise.all(this.gateways.map(({ broker }) => broker.close())));
  }
}
