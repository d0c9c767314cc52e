import type { ReactNode } from 'react';
import type { LimitView } from '../api/schema.ts';
import { formatCount, formatPercent, UNKNOWN } from '../format/number.ts';
import { formatAgo, formatDay, formatMinute, type TimeZone } from '../format/time.ts';
import { Badge } from '../ui/badges.tsx';
import { Meter } from '../ui/meter.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { amountText, capacityText, consequenceText, exactAmountText, memberText, meterText, stateWord } from './limit-text.ts';

const none = <span className="text-ink-3">{UNKNOWN}</span>;

function Amount({ view, amount }: { view: LimitView; amount: string | null }): ReactNode {
  if (amount === null) return none;
  return (
    <span data-tip={exactAmountText(view.unit, amount)}>
      {view.isLowerBound && amount !== '0' ? '≥ ' : ''}
      {amountText(view.unit, amount)}
    </span>
  );
}

function LimitMeter({ view }: { view: LimitView }): ReactNode {
  const { state, used, reserved, capacity, alertAtPercent } = view;
  if (used === null || reserved === null || state === 'unmeasured' || state === 'cap') return none;
  return (
    <Meter
      label={meterText(view)}
      usedRatio={Number(used) / Number(capacity)}
      reservedRatio={Number(reserved) / Number(capacity)}
      marks={alertAtPercent.filter((percent) => percent < 100).map((percent) => percent / 100)}
      state={state === 'unused' ? 'within' : state === 'exceeded' && view.onExceed === 'alert' ? 'near' : state}
    />
  );
}

/** Of a window the time at which the newest of what was counted leaves it: until then room comes back bit by bit. */
function Reset({ view }: { view: LimitView }): ReactNode {
  if (view.kind === 'gauge') return <span className="text-ink-3">as calls end</span>;
  if (view.resetAt === null) return view.period === 'run' && view.used !== null ? <span className="text-ink-3">with the run</span> : none;
  return <TimeText at={view.resetAt} format={view.kind === 'window' ? untilText : dayAndMinute} />;
}

const dayAndMinute = (atMs: number, zone: TimeZone): string => `${formatDay(atMs, zone)} ${formatMinute(atMs, zone)}`;

function untilText(atMs: number, _zone: TimeZone): string {
  const nowMs = Date.now();
  return atMs <= nowMs ? 'now' : `in ${formatAgo(nowMs - (atMs - nowMs), nowMs).replace(' ago', '')}`;
}

function Thresholds({ view }: { view: LimitView }): ReactNode {
  const { alertAtPercent, passedPercent } = view;
  if (alertAtPercent.length === 0 || view.used === null) return none;
  const all = `An event is written when ${alertAtPercent.join(', ')} % are spent.`;
  const highest = passedPercent.at(-1);
  return <span data-tip={all}>{highest === undefined ? `none of ${alertAtPercent.length}` : `${highest} %`}</span>;
}

function ownerText({ owner, costOwner }: LimitView): string {
  if (owner === null && costOwner === null) return 'no owner';
  return owner === costOwner || costOwner === null
    ? `${owner}`
    : owner === null
      ? `paid by ${costOwner}`
      : `${owner}, paid by ${costOwner}`;
}

/** What happens to who does not fit, and to how many it did. */
function Consequence({ view }: { view: LimitView }): ReactNode {
  return (
    <span className="block text-xs whitespace-nowrap text-ink-3">
      {consequenceText(view)}
      {view.refused !== null && view.refused > 0 && (
        <span data-tip="Calls that did not fit, of all members of this limit, since the gateways started">
          {' '}
          · {formatCount(view.refused)} in all
        </span>
      )}
    </span>
  );
}

function Who({ view }: { view: LimitView }): ReactNode {
  return (
    <span className="block max-w-56 truncate" data-tip={view.id}>
      <span className="text-ink-3">{view.scope === 'global' ? '' : `${view.scope} `}</span>
      <span className="font-medium">{memberText(view)}</span>
      {view.feature !== null && <span className="text-ink-3"> in {view.feature}</span>}
      {view.isLoopBreaker && (
        <>
          {' '}
          <Badge tip="Made from loopBreaker of the feature: an agent that runs in circles is stopped.">loop breaker</Badge>
        </>
      )}
      <span className="block truncate text-xs text-ink-3" data-tip="Owner and cost owner">
        {ownerText(view)}
      </span>
    </span>
  );
}

const COLUMNS: readonly Column<LimitView>[] = [
  { key: 'who', header: 'For', className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover', cell: (view) => <Who view={view} /> },
  {
    key: 'state',
    header: 'State',
    cell: (view) => <StateMark {...stateWord(view)} />,
  },
  {
    key: 'capacity',
    header: 'Limit',
    cell: (view) => (
      <span className="block py-1 whitespace-nowrap">
        {capacityText(view)}
        <Consequence view={view} />
      </span>
    ),
  },
  {
    key: 'meter',
    header: 'Used and held',
    className: 'w-56',
    cell: (view) => (
      <span className="flex items-center gap-2.5">
        <LimitMeter view={view} />
        {view.usedRatio !== null && <span className="tabular w-14 shrink-0 text-right">{formatPercent(view.usedRatio)}</span>}
      </span>
    ),
  },
  { key: 'used', header: 'Used', isNumeric: true, cell: (view) => <Amount view={view} amount={view.used} /> },
  {
    key: 'reserved',
    header: 'Held',
    isNumeric: true,
    tip: 'By calls in flight, by their estimate',
    cell: (view) => <Amount view={view} amount={view.reserved} />,
  },
  {
    key: 'remaining',
    header: 'Left',
    isNumeric: true,
    cell: (view) => (view.remaining === null ? none : amountText(view.unit, view.remaining)),
  },
  { key: 'reset', header: 'Empty again', tip: 'When nothing is used any more, if nothing more is', cell: (view) => <Reset view={view} /> },
  {
    key: 'thresholds',
    header: 'Passed',
    isNumeric: true,
    tip: 'Highest of the shares to be told of that is spent',
    cell: (view) => <Thresholds view={view} />,
  },
];

const keyOf = (view: LimitView): string => `${view.id}\n${view.name ?? ''}`;

export function LimitTable({ limits }: { limits: readonly LimitView[] }): ReactNode {
  return <Table caption="Limits" rows={limits} columns={COLUMNS} rowKey={keyOf} empty="" minWidth={1100} />;
}

/** The same lines for a phone. */
export function LimitCards({ limits }: { limits: readonly LimitView[] }): ReactNode {
  return (
    <ul className="panel divide-y" aria-label="Limits">
      {limits.map((view) => (
        <li key={keyOf(view)} className="flex flex-col gap-1.5 px-3 py-2.5">
          <div className="flex items-baseline justify-between gap-2">
            <Who view={view} />
            <StateMark {...stateWord(view)} />
          </div>
          <div className="flex items-baseline justify-between gap-2 text-xs text-ink-2">
            <span>{capacityText(view)}</span>
            <Consequence view={view} />
          </div>
          {view.used !== null && (
            <>
              <LimitMeter view={view} />
              <dl className="tabular grid grid-cols-[1fr_1fr_1fr_auto] gap-2 text-xs">
                <Fact name="Used">
                  <Amount view={view} amount={view.used} />
                </Fact>
                <Fact name="Held">
                  <Amount view={view} amount={view.reserved} />
                </Fact>
                <Fact name="Left">{amountText(view.unit, view.remaining)}</Fact>
                <Fact name="Empty again">
                  <Reset view={view} />
                </Fact>
              </dl>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div className="min-w-0">
      <dt className="text-ink-3">{name}</dt>
      <dd className="truncate">{children}</dd>
    </div>
  );
}
