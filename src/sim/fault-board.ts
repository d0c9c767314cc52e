import { PlimsollError } from '../kernel/errors.ts';
import { FAULTS, type Fault, parseFaults } from './faults.ts';
import type { ListenerState } from './listeners.ts';

/** Failures that may hit any request of some models. */
export interface FaultRule {
  readonly faults: readonly Fault[];
  /** Only these models; null = all. */
  readonly models: readonly string[] | null;
  /** Share of the requests that are hit (fraction). */
  readonly rate: number;
  /** Decides which requests are hit; null = the seed of the simulation. */
  readonly seed: number | null;
}

/** A failure as the configuration writes it. */
export interface ConfiguredFault {
  readonly fault: string;
  readonly rate: number;
  readonly seed?: number | undefined;
  readonly models?: readonly string[] | undefined;
}

export function ruleOf({ fault, rate, seed, models }: ConfiguredFault): FaultRule {
  return { faults: parseFaults(fault), rate, seed: seed ?? null, models: models ?? null };
}

/** A rule that is switched on for a time. */
export interface FaultSwitch extends FaultRule {
  readonly id: string;
  readonly text: string;
  /** Epoch milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface FaultSwitchRequest {
  /** E.g. `error:503` or `slow_first_byte=2000,no_usage`. */
  readonly fault: string;
  readonly models: readonly string[] | null;
  readonly rate: number;
  readonly seed: number | null;
  readonly delayMs: number;
  readonly durationMs: number;
}

const MOST_SWITCHES = 1_000;

/** Faults that are switched on at run time: outages with a beginning and an end. */
export class FaultBoard {
  #switches: readonly FaultSwitch[] = [];
  #created = 0;

  /** @throws PlimsollError `invalid_argument` when the fault is not understood, or a fault of the listener is asked for together with others */
  add(request: FaultSwitchRequest, nowMs: number): FaultSwitch {
    const faults = parseFaults(request.fault);
    const [first] = faults;
    if (first === undefined) throw new PlimsollError('invalid_argument', 'No fault is named');
    const isListener = faults.some((fault) => FAULTS[fault.name].reach === 'listener');
    if (isListener && (faults.length > 1 || request.models !== null || request.rate < 1))
      throw new PlimsollError(
        'invalid_argument',
        `"${request.fault}" hits the whole listener: it takes no models, no rate and no other fault`,
      );
    this.#switches = this.list(nowMs);
    if (this.#switches.length >= MOST_SWITCHES)
      throw new PlimsollError('invalid_argument', `${MOST_SWITCHES} faults are switched on already`);
    const added: FaultSwitch = {
      id: `fault-${++this.#created}`,
      text: request.fault,
      faults,
      models: request.models,
      rate: request.rate,
      seed: request.seed,
      fromMs: nowMs + request.delayMs,
      untilMs: nowMs + request.delayMs + request.durationMs,
    };
    this.#switches = [...this.#switches, added];
    return added;
  }

  /** Those that are on now or will be. */
  list(nowMs: number): readonly FaultSwitch[] {
    return this.#switches.filter(({ untilMs }) => untilMs > nowMs);
  }

  /** Rules for a request that arrives now. Faults of the listener are not among them: they hit before there is a request. */
  active(nowMs: number): readonly FaultSwitch[] {
    if (this.#switches.length === 0) return [];
    return this.#switches.filter(
      ({ fromMs, untilMs, faults }) =>
        fromMs <= nowMs && nowMs < untilMs && faults.every((fault) => FAULTS[fault.name].reach === 'request'),
    );
  }

  /** What the listener is to do now, and when that changes (epoch milliseconds; null = never). The fault added last decides. */
  listenerState(nowMs: number): { readonly state: ListenerState; readonly changesAtMs: number | null } {
    let state: ListenerState = 'serving';
    let changesAtMs: number | null = null;
    for (const { faults, fromMs, untilMs } of this.list(nowMs)) {
      const name = faults[0]?.name;
      if (name !== 'connect_refused' && name !== 'accept_reset') continue;
      const isOn = fromMs <= nowMs;
      if (isOn) state = name === 'connect_refused' ? 'refusing' : 'resetting';
      changesAtMs = Math.min(changesAtMs ?? Number.POSITIVE_INFINITY, isOn ? untilMs : fromMs);
    }
    return { state, changesAtMs };
  }

  /** Switches one off, or all. @returns how many there were */
  remove(id: string | null): number {
    const before = this.#switches.length;
    this.#switches = id === null ? [] : this.#switches.filter((entry) => entry.id !== id);
    return before - this.#switches.length;
  }
}
