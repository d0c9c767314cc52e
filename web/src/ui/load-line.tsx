import type { ReactNode } from 'react';

export const DIMENSIONS = ['quality', 'latency', 'cost', 'safety'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Where a feature stands in one dimension. A measured value without an SLO or budget has nothing to be compared with. */
export type Gauge =
  | { readonly kind: 'unmeasured'; readonly reason: string }
  | { readonly kind: 'noLine'; readonly value: string; readonly what: string };
export type Gauges = Readonly<Record<Dimension, Gauge>>;

const NAMES: Readonly<Record<Dimension, string>> = { quality: 'Quality', latency: 'Latency', cost: 'Cost', safety: 'Safety' };

function gaugeText(gauge: Gauge): string {
  return gauge.kind === 'unmeasured' ? 'unmeasured' : `${gauge.value} ${gauge.what}, no load line set`;
}

/** The hull of one gauge. Dashed and ◇ = unmeasured; solid with an open disc = measured, but no line to stand against. */
function Hull({ gauge, className }: { gauge: Gauge; className: string }): ReactNode {
  const isMeasured = gauge.kind === 'noLine';
  return (
    <svg
      viewBox="0 0 14 26"
      className={`${className} ${isMeasured ? 'text-ink-2' : 'text-ink-3'}`}
      fill="none"
      stroke="currentColor"
      aria-hidden="true"
    >
      <path
        d="M1.5 1v15c0 5 2.5 7.6 5.5 9 3-1.4 5.5-4 5.5-9V1"
        strokeWidth="1.2"
        strokeLinecap="round"
        {...(isMeasured ? {} : { strokeDasharray: '1.5 2.6', opacity: 0.8 })}
      />
      {isMeasured ? <circle cx="7" cy="11" r="2.5" strokeWidth="1.3" /> : <path d="M7 8 10 11 7 14 4 11Z" strokeWidth="1.2" />}
    </svg>
  );
}

/** Letters over a column of load-line glyphs. */
export function LoadLineHeader(): ReactNode {
  return (
    <span className="inline-flex" role="img" aria-label="Load line: quality, latency, cost, safety">
      {DIMENSIONS.map((dimension) => (
        <span key={dimension} className="w-5 text-center" data-tip={NAMES[dimension]} aria-hidden="true">
          {NAMES[dimension][0]}
        </span>
      ))}
    </span>
  );
}

/** Four gauges in the width of a table cell. */
export function LoadLineGlyph({ gauges }: { gauges: Gauges }): ReactNode {
  const label = DIMENSIONS.map((dimension) => `${NAMES[dimension]}: ${gaugeText(gauges[dimension])}`).join('; ');
  return (
    <span className="relative z-1 inline-flex align-middle" role="img" aria-label={label}>
      {DIMENSIONS.map((dimension) => (
        <span key={dimension} className="flex w-5 justify-center" data-tip={`${NAMES[dimension]}: ${gaugeText(gauges[dimension])}`}>
          <Hull gauge={gauges[dimension]} className="h-6 w-[13px]" />
        </span>
      ))}
    </span>
  );
}

/** Four gauges with their words, for a feature's own page. */
export function LoadLinePanel({ gauges }: { gauges: Gauges }): ReactNode {
  return (
    <ul className="panel grid grid-cols-1 sm:grid-cols-2 xl:grid-cols-4" aria-label="Load line">
      {DIMENSIONS.map((dimension) => {
        const gauge = gauges[dimension];
        return (
          <li key={dimension} className="-mt-px flex items-center gap-3.5 border-t px-4 py-3.5 xl:not-first:border-l">
            <Hull gauge={gauge} className="h-13 w-7 shrink-0" />
            <div className="min-w-0">
              <div className="label">{NAMES[dimension]}</div>
              {gauge.kind === 'unmeasured' ? (
                <>
                  <div className="text-base font-medium text-ink-2">unmeasured</div>
                  <div className="text-xs text-ink-3">{gauge.reason}</div>
                </>
              ) : (
                <>
                  <div className="tabular text-base font-medium">
                    {gauge.value} <span className="text-xs font-normal text-ink-3">{gauge.what}</span>
                  </div>
                  <div className="text-xs text-ink-3">no load line set</div>
                </>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
