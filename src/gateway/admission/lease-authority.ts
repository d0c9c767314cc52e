import { extraFor, LEASE_MS, type LeaseAnswer, type LeaseHolder, type LeaseReport } from './lease-source.ts';
import type { LimitKind } from './limit.ts';
import { SlidingWindow } from './sliding-window.ts';

interface Holding {
  incarnation: string;
  /** Its process ended, or was silent too long. */
  isGone: boolean;
  /** `used` as it was last reported. */
  seen: number;
  held: number;
  spare: number;
  expiresMs: number;
}

interface Entry {
  readonly kind: LimitKind;
  /** Totals. */
  used: number;
  readonly window: SlidingWindow | null;
  /** By writer. */
  readonly holdings: Map<string, Holding>;
  /** What totals had lent to gateways that went away: perhaps used. Theirs again when they come back and say what they used. */
  readonly orphaned: Map<string, number>;
  forgetMs: number;
}

export interface AuthorityAnswer {
  readonly answers: readonly LeaseAnswer[];
  /** Who should return what: keys by writer. */
  readonly recalls: ReadonlyMap<string, readonly string[]>;
}

const MOST_FORGOTTEN_AT_ONCE = 64;

/**
 * Lends parts of limits to the gateways of one machine. Lives as long as the process that holds it; gateways that come back report what they have
 * used, so that it may begin empty. Time is monotonic.
 */
export class LeaseAuthority {
  readonly #entries = new Map<string, Entry>();

  exchange({ writer, incarnation }: LeaseHolder, reports: readonly LeaseReport[], nowMs: number): AuthorityAnswer {
    const recalls = new Map<string, string[]>();
    const answers = reports.map((report) => {
      const entry = this.#entry(report, nowMs);
      this.#expire(entry, nowMs);
      this.#take(entry, report, writer, incarnation, nowMs);
      return this.#answer(entry, report, writer, nowMs, recalls);
    });
    this.#forgetSome(nowMs);
    return { answers, recalls };
  }

  /** The process of a writer has ended: nothing that it held is held any more. */
  leave(writer: string, nowMs: number): void {
    for (const entry of this.#entries.values()) {
      const holding = entry.holdings.get(writer);
      if (holding !== undefined && !holding.isGone) this.#end(entry, writer, holding, nowMs);
    }
  }

  #entry({ key, kind, windowMs, keepMs }: LeaseReport, nowMs: number): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = {
        kind,
        used: 0,
        window: windowMs === null ? null : new SlidingWindow(windowMs),
        holdings: new Map(),
        orphaned: new Map(),
        forgetMs: 0,
      };
      this.#entries.set(key, entry);
    }
    entry.forgetMs = Math.max(entry.forgetMs, nowMs + keepMs);
    return entry;
  }

  #expire(entry: Entry, nowMs: number): void {
    for (const [writer, holding] of entry.holdings)
      if (!holding.isGone && nowMs >= holding.expiresMs) this.#end(entry, writer, holding, nowMs);
  }

  /** What it may have used without saying so counts as used: in the window from now on, in a total until it comes back. */
  #end(entry: Entry, writer: string, holding: Holding, nowMs: number): void {
    const { held } = holding;
    holding.held = 0;
    holding.spare = 0;
    holding.isGone = true;
    if (held <= 0) return;
    if (entry.kind === 'window') entry.window?.add(nowMs, held);
    else if (entry.kind === 'total') entry.orphaned.set(writer, held);
  }

  #take(entry: Entry, report: LeaseReport, writer: string, incarnation: string, nowMs: number): void {
    let holding = entry.holdings.get(writer);
    if (holding === undefined) {
      holding = { incarnation, isGone: false, seen: 0, held: 0, spare: 0, expiresMs: 0 };
      entry.holdings.set(writer, holding);
      const entries = (report.restored ?? []).filter(([ageMs]) => ageMs < (report.windowMs ?? 0));
      for (const [ageMs, amount] of entries) entry.window?.add(nowMs - ageMs, amount);
    } else if (holding.incarnation !== incarnation) {
      if (!holding.isGone) this.#end(entry, writer, holding, nowMs);
      holding.incarnation = incarnation;
      if (entry.window !== null) holding.seen = 0;
    }
    const delta = report.used - holding.seen;
    if (entry.window !== null) {
      if (delta > 0) entry.window.add(nowMs, delta);
      else entry.window.giveBack(-delta);
      holding.seen = report.used;
    } else if (report.kind === 'total') {
      entry.orphaned.delete(writer);
      // A gateway that has lost its journal does not take back what it said.
      if (delta > 0) {
        entry.used += delta;
        holding.seen = report.used;
      }
    }
    holding.isGone = false;
    holding.held = report.held;
    holding.spare = report.spare;
    holding.expiresMs = nowMs + LEASE_MS;
  }

  #answer(entry: Entry, report: LeaseReport, writer: string, nowMs: number, recalls: Map<string, string[]>): LeaseAnswer {
    const { key, capacity, want, least } = report;
    let lent = 0;
    let spareOfOthers = 0;
    let holders = 0;
    for (const [name, { held, spare, isGone }] of entry.holdings) {
      lent += held;
      if (name !== writer) spareOfOthers += spare;
      if (!isGone) holders++;
    }
    for (const held of entry.orphaned.values()) lent += held;
    const used = entry.window === null ? entry.used : entry.window.sum(nowMs);
    const free = capacity - used - lent;
    const granted = want <= 0 || free < least ? 0 : free >= want ? want + extraFor(free, want, holders) : free;
    const holding = entry.holdings.get(writer);
    if (holding !== undefined) holding.held += granted;
    const isContended = want > 0 && granted < least && free + spareOfOthers >= least;
    if (isContended) {
      for (const [name, { spare }] of entry.holdings) {
        if (name === writer || spare <= 0) continue;
        const keys = recalls.get(name);
        if (keys === undefined) recalls.set(name, [key]);
        else keys.push(key);
      }
    }
    return { key, granted, isContended, used, free: Math.max(0, free - granted) };
  }

  /** Looks at the first few; those that are still needed go to the end. */
  #forgetSome(nowMs: number): void {
    let looked = 0;
    for (const [key, entry] of this.#entries) {
      if (looked++ === MOST_FORGOTTEN_AT_ONCE) return;
      this.#entries.delete(key);
      const isHeld = [...entry.holdings.values()].some(({ held }) => held > 0);
      if (isHeld || nowMs < entry.forgetMs) this.#entries.set(key, entry);
    }
  }
}
