import type { ReactNode } from 'react';
import { exactUsd, formatUsd } from '../format/money.ts';
import { UNKNOWN } from '../format/number.ts';

export interface Tile {
  readonly name: string;
  readonly value: ReactNode;
  readonly detail?: ReactNode;
}

/** The few numbers that a tab begins with. */
export function Tiles({ tiles }: { tiles: readonly Tile[] }): ReactNode {
  const columns = tiles.length % 4 === 0 ? 'sm:grid-cols-4' : tiles.length % 3 === 0 ? 'sm:grid-cols-3' : 'sm:grid-cols-5';
  return (
    <dl className={`panel grid grid-cols-2 overflow-hidden ${columns}`}>
      {tiles.map(({ name, value, detail }) => (
        <div key={name} className="-mt-px -ml-px min-w-0 border-t border-l px-3.5 py-2.5">
          <dt className="label truncate">{name}</dt>
          <dd className="tabular mt-0.5">
            <span className="text-xl font-semibold tracking-tight whitespace-nowrap">{value}</span>
            <span className="block min-h-[17px] truncate text-xs text-ink-3">{detail}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** An amount for people, exact on hover. Null = there is none. */
export function Usd({ picoUsd, sign = false }: { picoUsd: string | null; sign?: boolean }): ReactNode {
  if (picoUsd === null) return <span className="text-ink-3">{UNKNOWN}</span>;
  const isMore = sign && BigInt(picoUsd) > 0n;
  return (
    <span className={`tabular whitespace-nowrap ${sign && picoUsd === '0' ? 'text-ink-3' : ''}`} data-tip={`$${exactUsd(picoUsd)}`}>
      {isMore ? '+' : ''}
      {formatUsd(picoUsd)}
    </span>
  );
}
