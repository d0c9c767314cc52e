import type { ReactNode } from 'react';
import type { SessionSummary, UserSummary } from '../api/schema.ts';
import { formatCount, formatInteger } from '../format/number.ts';
import { formatMoment } from '../format/time.ts';
import { CostSum } from '../ui/cost.tsx';
import { TimeText } from '../ui/time-text.tsx';

/** The numbers of one session or user. */
export function UsageTotals({ of, children }: { of: SessionSummary | UserSummary; children?: ReactNode }): ReactNode {
  return (
    <dl className="panel flex flex-wrap gap-x-8 gap-y-3 px-4 py-3">
      <Total name="Requests">{formatInteger(of.requests)}</Total>
      <Total name="Errors">
        <span className={of.errors > 0 ? 'text-critical' : ''}>{formatInteger(of.errors)}</span>
      </Total>
      {children}
      <Total name="Tokens in → out">
        {formatCount(of.inputTokens)} → {formatCount(of.outputTokens)}
      </Total>
      <Total name="Cost">
        <CostSum sum={of} />
      </Total>
      <Total name="First">
        <TimeText at={of.firstAt} format={formatMoment} />
      </Total>
      <Total name="Last">
        <TimeText at={of.lastAt} format={formatMoment} />
      </Total>
      <Total name="Features">{of.features.join(', ')}</Total>
    </dl>
  );
}

export function Total({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div className="min-w-0">
      <dt className="label">{name}</dt>
      <dd className="tabular max-w-72 truncate font-medium">{children}</dd>
    </div>
  );
}
