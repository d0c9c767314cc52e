/** What the tests of admission share: limits from the text of a configuration, a caller, and attempts as the pipeline records them. */
import { FakeClock } from '../../kernel/clock.ts';
import { NO_USAGE } from '../../models/usage.ts';
import type { CallAttempt } from '../../traces/call-record.ts';
import { limitsConfig } from '../limits-config.ts';
import { Admission, type AdmissionRequest } from './admission.ts';
import { rulesOf } from './config-rules.ts';
import type { AdmissionHistory } from './history.ts';
import type { FixedCaller } from './limit-book.ts';
import type { LimitRule } from './limit-rule.ts';
import { Refusal } from './refusal.ts';
import type { Reservation } from './reservation.ts';

export const TEST_START_MS = Date.UTC(2026, 9, 14, 10, 0, 0);

export const CALLER: FixedCaller = { organisationId: 'default', keyId: 'key-1', keyName: 'web', team: 'support', feature: 'chat' };

/** `limits:` as somebody writes it. */
export function rules(limits: readonly Record<string, unknown>[]): LimitRule[] {
  return rulesOf(limitsConfig.parse(limits), { chat: { owner: 'chat-team', costOwner: 'finance@example.com' } });
}

/** A fake clock whose wall can be set apart from its monotonic side. */
export class JumpingClock extends FakeClock {
  wallOffsetMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.wallOffsetMs;
  }
}

export interface TestAdmission {
  readonly admission: Admission;
  readonly clock: JumpingClock;
  /** Shares of budgets that were reported: `limit member percent`. */
  readonly reached: string[];
  request(overrides?: Partial<AdmissionRequest>, caller?: FixedCaller): AdmissionRequest;
}

export function testAdmission(
  limits: readonly Record<string, unknown>[],
  startMs = TEST_START_MS,
  clock = new JumpingClock(startMs),
  history?: AdmissionHistory,
): TestAdmission {
  const reached: string[] = [];
  const admission = new Admission({
    clock,
    onReached: (counter, percents) => {
      for (const percent of percents) reached.push(`${counter.limit.id} ${counter.member} ${percent}`);
    },
    onExceeded: (counter) => void reached.push(`${counter.limit.id} ${counter.member} exceeded`),
  });
  // As it is read back from a journal.
  if (history !== undefined) admission.continue(JSON.parse(JSON.stringify(history)) as AdmissionHistory);
  admission.adopt(rules(limits));
  return {
    admission,
    clock,
    reached,
    request: (overrides = {}, caller = CALLER) => ({
      limits: admission.applicable(caller),
      tokens: 0,
      nanoUsd: 0,
      user: null,
      customer: null,
      session: null,
      isDowngraded: false,
      isInternal: false,
      ...overrides,
    }),
  };
}

export function mustReserve(outcome: Reservation | Refusal): Reservation {
  if (outcome instanceof Refusal) throw outcome.error();
  return outcome;
}

/** An attempt that a provider answered. */
export function attemptWith(tokens: number, costPicoUsd: bigint | null): CallAttempt {
  return {
    spanId: 'b7ad6b7169203332',
    model: 'small',
    provider: 'upstream',
    providerKind: 'openai',
    requestModel: 'small-1',
    responseModel: 'small-1',
    responseId: null,
    startOffsetMs: 0,
    durationMs: 1,
    ttftMs: null,
    status: 'ok',
    httpStatus: 200,
    errorType: null,
    errorMessage: null,
    finishReasons: ['stop'],
    usage: { ...NO_USAGE, outputTextTokens: tokens },
    usageSource: 'reported',
    providerUsage: null,
    costPicoUsd: costPicoUsd?.toString() ?? null,
    costStatus: costPicoUsd === null ? 'unpriced' : 'priced',
    priceId: null,
  };
}
