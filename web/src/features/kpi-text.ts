import type { OutcomeRow } from '../api/schema.ts';
import type { State } from '../ui/state-mark.tsx';

export interface Mark {
  readonly state: State;
  readonly word: string;
}

const NAMES: Readonly<Record<string, string>> = { resolved: 'Resolved', converted: 'Converted', task_done: 'Task done' };

export function outcomeName({ name, outcome }: Pick<OutcomeRow, 'name' | 'outcome'>): string {
  return name ?? NAMES[outcome] ?? outcome;
}

/** Where the rate stands against its target, by its interval; null = no target or no rate. */
export function rateMark({ targetRatio, interval }: OutcomeRow): Mark | null {
  if (targetRatio === null || interval === null) return null;
  if (interval[0] >= targetRatio) return { state: 'ok', word: 'on target' };
  return interval[1] < targetRatio ? { state: 'critical', word: 'below target' } : { state: 'neutral', word: 'not enough evidence' };
}

/** The cost is what was spent: it has no interval. Null = no line or no cost. */
export function costMark({ costPerSuccessPicoUsd, maxCostPicoUsd, unpricedCalls }: OutcomeRow): Mark | null {
  if (costPerSuccessPicoUsd === null || maxCostPicoUsd === null) return null;
  if (BigInt(costPerSuccessPicoUsd) > BigInt(maxCostPicoUsd)) return { state: 'critical', word: 'over' };
  return unpricedCalls > 0 ? { state: 'neutral', word: 'within, as far as priced' } : { state: 'ok', word: 'within' };
}
