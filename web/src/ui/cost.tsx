import type { ReactNode } from 'react';
import type { CostStatus } from '../api/schema.ts';
import { costSumText, costText } from '../format/money.ts';

/** Cost of one call or span. */
export function Cost({ picoUsd, status }: { picoUsd: string | null; status: CostStatus | null }): ReactNode {
  const cost = costText(picoUsd, status);
  return (
    <span data-tip={cost.explanation} className={`tabular whitespace-nowrap ${cost.isUnpriced ? 'text-ink-3 italic' : ''}`}>
      {cost.text}
    </span>
  );
}

/** Cost of a set of calls. */
export function CostSum({ sum }: { sum: Parameters<typeof costSumText>[0] }): ReactNode {
  const cost = costSumText(sum);
  return (
    <span data-tip={cost.explanation} className={`tabular whitespace-nowrap ${cost.isUnpriced ? 'text-ink-3 italic' : ''}`}>
      {cost.text}
    </span>
  );
}
