import type { LimitView } from '../api/schema.ts';
import { exactUsd, formatUsd } from '../format/money.ts';
import { formatCount, formatInteger, UNKNOWN } from '../format/number.ts';
import type { State } from '../ui/state-mark.tsx';

const UNITS: Readonly<Record<LimitView['unit'], readonly [one: string, several: string]>> = {
  requests: ['request', 'requests'],
  tokens: ['token', 'tokens'],
  concurrency: ['call in flight', 'calls in flight'],
  usd: ['', ''],
  steps: ['step', 'steps'],
  input_tokens: ['input token', 'input tokens'],
  output_tokens: ['output token', 'output tokens'],
};

/** An amount without its unit, money with its sign: `$4.20`, `1,200`. Null = not known. */
export function amountText(unit: LimitView['unit'], amount: string | null): string {
  if (amount === null) return UNKNOWN;
  return unit === 'usd' ? formatUsd(amount) : formatCount(Number(amount));
}

/** The same to the last digit. */
export function exactAmountText(unit: LimitView['unit'], amount: string | null): string {
  if (amount === null) return UNKNOWN;
  return unit === 'usd'
    ? `$${exactUsd(amount).replace(/\.\d$/, '$&0')}`
    : `${formatInteger(Number(amount))} ${UNITS[unit][amount === '1' ? 0 : 1]}`;
}

/** What is allowed: `1,200 tokens per minute`, `$50 per day`, `8 calls in flight`, `4,000 input tokens in one request`. */
export function capacityText({ unit, capacity, period, kind }: Pick<LimitView, 'unit' | 'capacity' | 'period' | 'kind'>): string {
  const amount = exactAmountText(unit, capacity);
  if (kind === 'request') return `${amount} in one request`;
  return period === null ? amount : `${amount} per ${period}`;
}

/** Whose limit it is: `team support`, `each user`, `everybody`. */
export function memberText({ scope, name }: Pick<LimitView, 'scope' | 'name'>): string {
  return scope === 'global' ? 'everybody' : (name ?? `each ${scope}`);
}

export interface LimitStateWord {
  readonly state: State;
  readonly word: string;
}

export function stateWord({ state, onExceed, kind }: Pick<LimitView, 'state' | 'onExceed' | 'kind'>): LimitStateWord {
  switch (state) {
    case 'exceeded':
      return onExceed === 'alert'
        ? { state: 'warning', word: 'exceeded' }
        : { state: 'critical', word: kind === 'gauge' ? 'full' : 'used up' };
    case 'near':
      return { state: 'warning', word: 'near' };
    case 'within':
      return { state: 'ok', word: 'within' };
    case 'unused':
      return { state: 'neutral', word: 'unused' };
    case 'unmeasured':
      return { state: 'unmeasured', word: 'unmeasured' };
    case 'cap':
      return { state: 'neutral', word: 'per request' };
    default:
      return state satisfies never;
  }
}

const CONSEQUENCES: Readonly<Record<LimitView['onExceed'], string>> = {
  reject: 'then refused',
  downgrade: 'then downgraded',
  queue: 'then queued',
  alert: 'only alerts',
};

/** What happens to a call that does not fit. */
export function consequenceText({
  onExceed,
  downgradeTo,
  isLoopBreaker,
}: Pick<LimitView, 'onExceed' | 'downgradeTo' | 'isLoopBreaker'>): string {
  if (isLoopBreaker) return 'then the run is stopped';
  return downgradeTo === null ? CONSEQUENCES[onExceed] : `then to ${downgradeTo}`;
}

/** One sentence for who cannot see the bar. */
export function meterText(view: LimitView): string {
  const { unit } = view;
  const more = view.isLowerBound ? 'at least ' : '';
  return `${more}${exactAmountText(unit, view.used)} used, ${exactAmountText(unit, view.reserved)} held by calls in flight, ${exactAmountText(unit, view.remaining)} left of ${capacityText(view)}`;
}
