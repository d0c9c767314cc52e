import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { CostAnomaly, CostAnomalyList } from '../api/schema.ts';
import { formatUsd } from '../format/money.ts';
import { formatInteger, formatPercent } from '../format/number.ts';
import { formatDay, formatMinute, type TimeZone } from '../format/time.ts';
import { Choice } from '../ui/choice.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { AnomalyDialog } from './anomaly-dialog.tsx';
import type { TabProps } from './controls.tsx';
import { anomaliesQuery } from './cost-queries.ts';
import { Usd } from './tiles.tsx';
import { EFFECTS } from './waterfall.ts';

const dayAndMinute = (atMs: number, zone: TimeZone): string => `${formatDay(atMs, zone)} ${formatMinute(atMs, zone)}`;

export function AnomaliesTab({ search, change, refetchInterval }: TabProps): ReactNode {
  const anomalies = useQuery({ ...anomaliesQuery(search.state), refetchInterval });
  const [handling, setHandling] = useState<CostAnomaly | null>(null);
  const { state: _state, ...rest } = search;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Choice
          label="State"
          value={search.state}
          options={[
            ['open', 'open'],
            ['ended', 'ended'],
          ]}
          onChange={(state) => change(state === 'open' || state === 'ended' ? { ...rest, state } : rest)}
        />
      </div>
      <QueryState query={anomalies} skeleton={<SkeletonRows count={4} height={90} />}>
        {(list) => <Anomalies list={list} handle={setHandling} />}
      </QueryState>
      {handling !== null && <AnomalyDialog anomaly={handling} onClose={() => setHandling(null)} />}
    </>
  );
}

function Anomalies({ list, handle }: { list: CostAnomalyList; handle: (anomaly: CostAnomaly) => void }): ReactNode {
  return (
    <div className="flex flex-col gap-3">
      {list.anomalies.length === 0 ? (
        <p className="panel px-3 py-6 text-center text-ink-3">
          {list.watch.checkedTo === null ? 'Unmeasured: nothing was judged yet.' : 'No cost was too high by what is usual.'}
        </p>
      ) : (
        <ul className="panel divide-y" aria-label="Anomalies">
          {list.anomalies.map((anomaly) => (
            <AnomalyItem key={anomaly.id} anomaly={anomaly} handle={handle} />
          ))}
        </ul>
      )}
      <Watch list={list} />
    </div>
  );
}

function stateOf({ endedAt, handling }: CostAnomaly): ReactNode {
  if (handling?.kind === 'expected') return <StateMark state="neutral" word="expected" />;
  if (endedAt !== null) return <StateMark state="neutral" word="ended" />;
  return <StateMark state="warning" word={handling === null ? 'open' : 'acknowledged'} />;
}

function AnomalyItem({ anomaly, handle }: { anomaly: CostAnomaly; handle: (anomaly: CostAnomaly) => void }): ReactNode {
  const { dimension, key, detector, from, to, observedPicoUsd, expectedPicoUsd, excessPicoUsd, score, handling } = anomaly;
  const times = Number((BigInt(observedPicoUsd) * 10n) / (BigInt(expectedPicoUsd) || 1n)) / 10;
  return (
    <li className="flex flex-col gap-2 px-3.5 py-3">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <span className="text-base font-semibold">
          <span className="font-normal text-ink-3">{dimension}</span> {key ?? '(none)'}
        </span>
        {stateOf(anomaly)}
        <span className="text-ink-2">
          {detector === 'spike' ? 'spike' : 'slow rise'}, <TimeText at={from} format={dayAndMinute} /> –{' '}
          <TimeText at={to} format={dayAndMinute} />
        </span>
        <span className="ml-auto flex gap-2">
          {dimension === 'feature' && key !== null && (
            <Link to="/traces" search={{ from, to, feature: key }} className="button button-small">
              Traces
            </Link>
          )}
          <button type="button" className="button button-small" data-row onClick={() => handle(anomaly)}>
            {handling === null ? 'Acknowledge…' : 'Change…'}
          </button>
        </span>
      </div>
      <p className="tabular">
        <span className="font-semibold">
          <Usd picoUsd={observedPicoUsd} />
        </span>{' '}
        where <Usd picoUsd={expectedPicoUsd} /> is usual: {times >= 1.05 ? `${times} ×, ` : ''}
        <Usd picoUsd={excessPicoUsd} sign />{' '}
        <span
          className="text-ink-3"
          data-tip={
            detector === 'spike'
              ? 'Deviations from what is usual; 4 is passed by chance once in 30,000 hours'
              : 'Evidence of the cumulative sum; the alarm is at 6'
          }
        >
          (score {score.toFixed(1)})
        </span>
      </p>
      <Causes anomaly={anomaly} />
      {handling !== null && (
        <p className="text-xs text-ink-2">
          {handling.kind === 'expected' ? 'Expected' : 'Acknowledged'} by {handling.by}, <TimeText at={handling.at} format={dayAndMinute} />
          : {handling.reason}
          {handling.mutedUntil !== null && (
            <>
              {' '}
              Muted until <TimeText at={handling.mutedUntil} format={dayAndMinute} />.
            </>
          )}
        </p>
      )}
    </li>
  );
}

const EFFECT_WORDS = new Map<string, string>(EFFECTS.map(([key, name]) => [key, name]));

function Causes({ anomaly }: { anomaly: CostAnomaly }): ReactNode {
  const { causes } = anomaly;
  if (causes === null) return <p className="text-xs text-ink-3">Causes: unmeasured, the ledger could not be read when it was found.</p>;
  const difference = BigInt(causes.differencePicoUsd);
  return (
    <ol className="flex flex-col gap-0.5 text-xs" aria-label="Causes, the largest first">
      {causes.ranked.slice(0, 5).map((cause, place) => {
        const share = difference > 0n ? Number((BigInt(cause.picoUsd) * 1000n) / difference) / 1000 : null;
        return (
          <li key={`${cause.effect} ${cause.model} ${cause.keyId} ${cause.feature}`} className="flex flex-wrap gap-x-2">
            <span className="tabular w-20 text-right">
              <Usd picoUsd={cause.picoUsd} sign />
            </span>
            <span className="font-medium">{EFFECT_WORDS.get(cause.effect) ?? cause.effect}</span>
            <span className="text-ink-2">
              {cause.model} for {cause.feature}, key {cause.keyId.slice(0, 24)}
              {place === 0 &&
                share !== null &&
                ` · ${formatPercent(share)} of the difference to the week before (${formatUsd(causes.differencePicoUsd)})`}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function Watch({ list }: { list: CostAnomalyList }): ReactNode {
  const { checkedTo, watched, learning, minimumUsd } = list.watch;
  return (
    <p className="text-xs text-ink-3">
      {checkedTo === null ? (
        'No hour was judged yet; the first look is seven minutes past the hour. '
      ) : (
        <>
          Judged up to <TimeText at={checkedTo} format={dayAndMinute} />: {formatInteger(watched)} features, teams and models, each hour
          against the same hour of the week, and days against the weeks before.{' '}
        </>
      )}
      {learning.length > 0 &&
        `${formatInteger(learning.length)} ${learning.length === 1 ? 'needs' : 'need'} two weeks of history first: ${learning
          .slice(0, 4)
          .map(({ key }) => key ?? '(none)')
          .join(', ')}${learning.length > 4 ? ' …' : ''}. `}
      An excess below ${minimumUsd} is left out (costs.anomalies.minimumUsd).
    </p>
  );
}
