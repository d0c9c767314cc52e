import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode } from 'react';
import type { RoutingDecision } from '../api/schema.ts';
import { exactUsd, formatUsd } from '../format/money.ts';
import { UNKNOWN } from '../format/number.ts';
import { STATUS_WORDS } from '../traces/status-word.ts';
import { StateMark, StateShape } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { attemptText } from './route-text.ts';

const STATES = { ok: 'ok', error: 'critical', aborted: 'neutral' } as const;

/** Who was asked, in order, and how each did. */
function Path({ attempts }: Pick<RoutingDecision, 'attempts'>): ReactNode {
  if (attempts.length === 0) return <span className="text-ink-3">nobody was asked</span>;
  return (
    <span className="flex flex-wrap items-center gap-x-1.5">
      {attempts.map((attempt, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: attempts of one call have no other identity, and never change
        <Fragment key={index}>
          {index > 0 && <span className="text-ink-3">→</span>}
          <span
            className={`inline-flex items-center gap-1 whitespace-nowrap ${attempt.purpose === null ? '' : 'text-ink-3'}`}
            data-tip={attempt.errorType ?? undefined}
          >
            <StateShape state={STATES[attempt.status]} label={STATUS_WORDS[attempt.status].word} />
            {attemptText(attempt)}
          </span>
        </Fragment>
      ))}
    </span>
  );
}

function Saved({ decision }: { decision: RoutingDecision }): ReactNode {
  const { savedPicoUsd, counterfactualModel } = decision;
  if (savedPicoUsd === null) return <span className="text-ink-3">{UNKNOWN}</span>;
  return (
    <span
      data-tip={`Estimate: $${exactUsd(savedPicoUsd)} against ${counterfactualModel ?? 'the model that would have been asked'} for the same tokens`}
    >
      ≈ {formatUsd(savedPicoUsd)}
    </span>
  );
}

const COLUMNS: readonly Column<RoutingDecision>[] = [
  {
    key: 'at',
    header: 'When',
    className: 'w-36',
    cell: (decision) => (
      <Link to="/traces/$traceId" params={{ traceId: decision.traceId }} className="stretched" data-row>
        <TimeText at={decision.at} />
      </Link>
    ),
  },
  { key: 'attempts', header: 'Asked', cell: (decision) => <Path attempts={decision.attempts} /> },
  {
    key: 'reason',
    header: 'Decision',
    cell: ({ reason }) =>
      reason === null ? <span className="text-ink-3">in order</span> : <span className="block min-w-40 text-ink-2">{reason}</span>,
  },
  { key: 'route', header: 'Route', cell: ({ route }) => <span className="font-medium whitespace-nowrap">{route}</span> },
  { key: 'feature', header: 'Feature', cell: ({ feature }) => <span className="whitespace-nowrap">{feature}</span> },
  { key: 'status', header: 'Status', cell: ({ status }) => <StateMark {...STATUS_WORDS[status]} /> },
  { key: 'saved', header: 'Saved, estimate', isNumeric: true, cell: (decision) => <Saved decision={decision} /> },
];

/** Calls for which there was something to decide, or for which more than one attempt was made; each leads to its trace. */
export function DecisionTable({ decisions }: { decisions: readonly RoutingDecision[] }): ReactNode {
  return (
    <Table
      caption="Newest decisions"
      rows={decisions}
      columns={COLUMNS}
      rowKey={({ traceId, at }) => `${traceId} ${at}`}
      empty="No route had anything to decide in this range: every call went to the first target, and it answered. Make a call, or choose a longer range."
      minWidth={1000}
    />
  );
}
