import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { CacheFeature } from '../api/schema.ts';
import { exactUsd } from '../format/money.ts';
import { formatCount, formatInteger, formatPercent, formatPercentInterval, UNKNOWN } from '../format/number.ts';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { cacheWord, formatBytes, savedText } from './cache-text.ts';

const none = <span className="text-ink-3">{UNKNOWN}</span>;

interface RateProps {
  readonly hits: number;
  readonly calls: number;
  readonly ratio: number | null;
  readonly interval: readonly [number, number] | readonly unknown[] | null;
}

/** The generator of the API's types knows no tuples. */
function asInterval(interval: RateProps['interval']): readonly [number, number] | null {
  const [low, high] = interval ?? [];
  return typeof low === 'number' && typeof high === 'number' ? [low, high] : null;
}

/** A rate with its interval below it and the counts on hover. */
function Rate({ hits, calls, ratio, interval }: RateProps): ReactNode {
  if (ratio === null) return <span className="text-ink-3">unmeasured</span>;
  return (
    <span className="block py-1" data-tip={`${formatInteger(hits)} of ${formatInteger(calls)} calls`}>
      {formatPercent(ratio)}
      <span className="block text-xs text-ink-3">{formatPercentInterval(asInterval(interval))}</span>
    </span>
  );
}

function Saved({ feature }: { feature: CacheFeature }): ReactNode {
  const { text, isUnknown } = savedText(feature, feature.hits + feature.nearHits + feature.semanticHits);
  const more = feature.unpricedHits > 0 ? `; ${formatInteger(feature.unpricedHits)} hits have no price` : '';
  return (
    <span className={isUnknown ? 'text-ink-3 italic' : ''} data-tip={`$${exactUsd(feature.savedPicoUsd)}${more}`}>
      {text}
    </span>
  );
}

function columnsOf(purge: (feature: string) => void): readonly Column<CacheFeature>[] {
  return [
    {
      key: 'feature',
      header: 'Feature',
      className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
      cell: ({ feature }) => (
        <Link to="/features/$name" params={{ name: feature }} className="font-medium whitespace-nowrap hover:underline" data-row>
          {feature}
        </Link>
      ),
    },
    { key: 'state', header: 'Cache', cell: (feature) => <StateMark {...cacheWord(feature)} /> },
    {
      key: 'calls',
      header: 'Asked',
      isNumeric: true,
      tip: 'Calls that asked the cache: hits and misses',
      cell: ({ calls }) => formatCount(calls),
    },
    {
      key: 'rate',
      header: 'Hit rate',
      isNumeric: true,
      cell: (each) => (
        <Rate hits={each.hits + each.nearHits + each.semanticHits} calls={each.calls} ratio={each.hitRatio} interval={each.hitInterval} />
      ),
    },
    {
      key: 'exact',
      header: 'Exact',
      isNumeric: true,
      tip: 'Equal requests, and answers shared while the first was on its way',
      cell: ({ kinds, calls }) => <Rate {...kinds.exact} calls={calls} />,
    },
    {
      key: 'near',
      header: 'Near',
      isNumeric: true,
      tip: 'Another case, other white space or punctuation',
      cell: ({ kinds, calls, mode }) => (mode === 'exact' && kinds.near.hits === 0 ? none : <Rate {...kinds.near} calls={calls} />),
    },
    {
      key: 'semantic',
      header: 'Semantic',
      isNumeric: true,
      tip: 'Similar questions',
      cell: ({ kinds, calls, mode }) =>
        mode !== 'semantic' && kinds.semantic.hits === 0 ? none : <Rate {...kinds.semantic} calls={calls} />,
    },
    {
      key: 'bypasses',
      header: 'Bypassed',
      isNumeric: true,
      tip: 'Calls that the cache was not for; in no rate',
      cell: ({ bypasses }) => formatCount(bypasses),
    },
    { key: 'saved', header: 'Saved', isNumeric: true, cell: (feature) => <Saved feature={feature} /> },
    {
      key: 'tokens',
      header: 'Tokens saved',
      isNumeric: true,
      cell: ({ savedInputTokens, savedOutputTokens }) => (
        <span data-tip={`${formatInteger(savedInputTokens)} input, ${formatInteger(savedOutputTokens)} output`}>
          {formatCount(savedInputTokens + savedOutputTokens)}
        </span>
      ),
    },
    {
      key: 'entries',
      header: 'Kept',
      isNumeric: true,
      tip: 'Answers that gateways keep now',
      cell: ({ entries }) => (entries === null ? none : formatCount(entries)),
    },
    { key: 'bytes', header: 'Held', isNumeric: true, cell: ({ bytes }) => (bytes === null ? none : formatBytes(bytes)) },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      isNumeric: true,
      cell: ({ feature, mode }) =>
        mode !== 'off' && (
          <button type="button" className="button button-small" onClick={() => purge(feature)}>
            Purge<span className="sr-only"> {feature}</span>
          </button>
        ),
    },
  ];
}

export function CacheTable({ features, purge }: { features: readonly CacheFeature[]; purge: (feature: string) => void }): ReactNode {
  return <Table caption="Caches" rows={features} columns={columnsOf(purge)} rowKey={({ feature }) => feature} empty="" minWidth={1100} />;
}
