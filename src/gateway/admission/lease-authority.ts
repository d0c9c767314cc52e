import { extraFor, type LeaseAnswer, type LeaseHolder, type LeaseReport } from './lease-source.ts';
import type { LimitKind } from './limit.ts';
import { SlidingWindow } from './sliding-window.ts';

/** What one gateway has of one limit. */
interface Holding {
  readonly incarnation: string;
  /** Its process ended, or was silent too long. */
  isGone: boolean;
  /** `used` as it was last reported. */
  seen: number;
  /** Windows only. */
  readonly window: SlidingWindow | null;
  held: number;
  spare: number;
  expiresMs: number;
  /** Of a gateway that went away: until then what it held may lie in the window. */
  mayBeUsedUntilMs: number;
  /** Of the entry, when it last spoke. */
  turn: number;
  /** Turn at which it first asked for what it has not got; null = it lacks nothing, or was told that there is nothing. */
  askingSince: number | null;
  /** When it last did. */
  askedMs: number;
}

interface Entry {
  readonly kind: LimitKind;
  /** Totals. */
  used: number;
  /** Grows with every report. */
  turn: number;
  /** By writer. */
  readonly holdings: Map<string, Holding>;
  forgetMs: number;
}

export interface AuthorityAnswer {
  readonly answers: readonly LeaseAnswer[];
  /** Who should speak about what: keys by writer. */
  readonly recalls: ReadonlyMap<string, readonly string[]>;
  /** So long it lends nothing; 0 = it lends. */
  readonly settlingMs: number;
}

export interface LeaseAuthorityOptions {
  /** Without a word for so long a gateway counts as dead; infinite where `leave` tells. */
  readonly leaseMs: number;
  /** So long it only listens after it has heard from nobody: those who come first must not be lent what the others hold. */
  readonly settlingMs: number;
}

const MOST_FORGOTTEN_AT_ONCE = 64;
/** Who has not asked for so long had given up: it begins anew. */
const ASKING_MS = 100;

/**
 * Lends parts of limits to the gateways of one machine. Lives as long as the process that holds it; gateways that come back report what they have
 * used, so that it may begin empty. Time is monotonic.
 *
 * What a gateway held when it went away may have been used: it stays lent, in a total until the gateway is back and has said what it used, in a window
 * until that is over. Its calls in flight have ended.
 */
export class LeaseAuthority {
  readonly #options: LeaseAuthorityOptions;
  readonly #entries = new Map<string, Entry>();
  /** By writer, the process that has reported all that it and those before it have used. */
  readonly #complete = new Map<string, string>();
  #heardMs = Number.NEGATIVE_INFINITY;
  #lendsFromMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeaseAuthorityOptions) {
    this.#options = options;
  }

  /** Until then it only listens. */
  lendFrom(ms: number): void {
    this.#lendsFromMs = ms;
  }

  exchange({ writer, incarnation }: LeaseHolder, reports: readonly LeaseReport[], isComplete: boolean, nowMs: number): AuthorityAnswer {
    const { leaseMs, settlingMs } = this.#options;
    if (nowMs - this.#heardMs > leaseMs / 2) this.lendFrom(nowMs + settlingMs);
    this.#heardMs = nowMs;
    const recalls = new Map<string, string[]>();
    // Until all of it is heard nothing of an earlier process is given up.
    if (isComplete) this.#complete.delete(writer);
    const answers = reports.map((report) => {
      const entry = this.#entry(report, nowMs);
      for (const [name, holding] of entry.holdings) if (nowMs >= holding.expiresMs) this.#end(entry, name, nowMs);
      const holding = this.#take(entry, report, writer, incarnation, nowMs);
      return holding === null ? forgotten(report) : this.#answer(entry, holding, report, nowMs, recalls);
    });
    if (isComplete) this.#complete.set(writer, incarnation);
    this.#forgetSome(nowMs);
    return { answers, recalls, settlingMs: Math.max(0, this.#lendsFromMs - nowMs) };
  }

  /** The process of a writer has ended. */
  leave(writer: string, nowMs: number): void {
    for (const entry of this.#entries.values()) this.#end(entry, writer, nowMs);
  }

  #entry({ key, kind, keepMs }: LeaseReport, nowMs: number): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { kind, used: 0, turn: 0, holdings: new Map(), forgetMs: 0 };
      this.#entries.set(key, entry);
    }
    entry.forgetMs = Math.max(entry.forgetMs, nowMs + keepMs);
    return entry;
  }

  #end(entry: Entry, writer: string, nowMs: number): void {
    const holding = entry.holdings.get(writer);
    if (holding === undefined || holding.isGone) return;
    holding.isGone = true;
    holding.spare = 0;
    holding.askingSince = null;
    if (entry.kind === 'gauge') holding.held = 0;
    if (holding.window !== null) holding.mayBeUsedUntilMs = nowMs + holding.window.windowMs;
  }

  /** @returns null when the gateway has to tell its window first */
  #take(entry: Entry, report: LeaseReport, writer: string, incarnation: string, nowMs: number): Holding | null {
    const known = entry.holdings.get(writer);
    let holding = known;
    if (holding === undefined || holding.incarnation !== incarnation) {
      const { windowMs, restored } = report;
      if (windowMs !== null && restored === undefined && report.inWindow > 0) return null;
      const window = windowMs === null ? null : new SlidingWindow(windowMs);
      for (const [ageMs, amount] of restored ?? []) if (ageMs < (windowMs ?? 0)) window?.add(nowMs - ageMs, amount);
      holding = {
        incarnation,
        isGone: false,
        seen: window === null ? (known?.seen ?? 0) : report.used,
        window,
        held: 0,
        spare: 0,
        expiresMs: 0,
        mayBeUsedUntilMs: 0,
        turn: 0,
        askingSince: null,
        askedMs: 0,
      };
      entry.holdings.set(writer, holding);
    }
    const delta = report.used - holding.seen;
    const { window } = holding;
    if (window !== null) {
      if (delta > 0) window.add(nowMs, delta);
      else window.giveBack(-delta);
      const missing = report.inWindow - window.sum(nowMs);
      if (missing > 0) window.add(nowMs, missing);
      holding.seen = report.used;
    } else if (report.kind === 'total' && delta > 0) {
      // A gateway that has lost its journal does not take back what it said.
      entry.used += delta;
      holding.seen = report.used;
    }
    holding.isGone = false;
    holding.held = report.held;
    holding.spare = report.spare;
    holding.expiresMs = nowMs + this.#options.leaseMs;
    holding.turn = ++entry.turn;
    return holding;
  }

  /** What is lent to a writer, or was and may have been used. */
  #lentTo(writer: string, { held, incarnation, isGone, window, mayBeUsedUntilMs }: Holding, nowMs: number): number {
    const complete = this.#complete.get(writer);
    // Its next process has told all that was used, and of this nothing.
    if (complete !== undefined && complete !== incarnation) return 0;
    return isGone && window !== null && nowMs >= mayBeUsedUntilMs ? 0 : held;
  }

  #answer(entry: Entry, own: Holding, report: LeaseReport, nowMs: number, recalls: Map<string, string[]>): LeaseAnswer {
    const { key, capacity, want, least } = report;
    let { used } = entry;
    let lent = 0;
    let inFlight = 0;
    let holders = 0;
    for (const [name, holding] of entry.holdings) {
      lent += this.#lentTo(name, holding, nowMs);
      used += holding.window?.sum(nowMs) ?? 0;
      inFlight += holding.held - holding.spare;
      if (!holding.isGone) holders++;
    }
    const free = capacity - used - lent;
    const isSettling = nowMs < this.#lendsFromMs;
    const granted = want <= 0 || free < least || isSettling ? 0 : free >= want ? want + extraFor(free, report, holders) : free;
    own.held += granted;
    own.spare += granted;
    const isShort = want > 0 && granted < least;
    const isAsking = own.askingSince !== null && nowMs - own.askedMs < ASKING_MS;
    const since = isAsking ? (own.askingSince ?? own.turn) : own.turn;
    const isContended = isShort && (isSettling || this.#recall(entry, own, since, key, least - free, recalls));
    own.askingSince = isContended ? since : null;
    own.askedMs = nowMs;
    return {
      key,
      granted,
      isContended,
      used: entry.kind === 'gauge' ? inFlight : used,
      free: Math.max(0, free - granted),
      isForgotten: false,
    };
  }

  /**
   * Who has spoken since this gateway began to ask has said what it can spare; who has not may hold for calls that are over by now.
   * @returns false when all of them together could not give it
   */
  #recall(entry: Entry, own: Holding, since: number, key: string, missing: number, recalls: Map<string, string[]>): boolean {
    const able = [...entry.holdings].filter(
      ([, other]) => other !== own && !other.isGone && (other.turn > since ? other.spare : other.held) > 0,
    );
    const most = able.reduce((sum, [, other]) => sum + (other.turn > since ? other.spare : other.held), 0);
    if (most < missing) return false;
    for (const [name] of able) recalls.set(name, [...(recalls.get(name) ?? []), key]);
    return true;
  }

  /** Looks at the first few; those that are still needed go to the end. */
  #forgetSome(nowMs: number): void {
    let looked = 0;
    for (const [key, entry] of this.#entries) {
      if (looked++ === MOST_FORGOTTEN_AT_ONCE) return;
      this.#entries.delete(key);
      const isHeld = [...entry.holdings].some(([writer, holding]) => this.#lentTo(writer, holding, nowMs) > 0);
      if (isHeld || nowMs < entry.forgetMs) this.#entries.set(key, entry);
    }
  }
}

function forgotten({ key, want }: LeaseReport): LeaseAnswer {
  return { key, granted: 0, isContended: want > 0, used: 0, free: 0, isForgotten: true };
}
