import { type ReactNode, useId } from 'react';
import { DIMENSIONS, type Dimension, type Gauge, type Gauges, type Standing } from './gauge.ts';
import { type State, StateMark } from './state-mark.tsx';

const NAMES: Readonly<Record<Dimension, string>> = { latency: 'Latency', errors: 'Errors', cost: 'Cost', quality: 'Quality' };
export const STANDING_WORDS: Readonly<Record<Standing, { readonly state: State; readonly word: string }>> = {
  within: { state: 'ok', word: 'within the line' },
  near: { state: 'warning', word: 'close to the line' },
  beyond: { state: 'critical', word: 'beyond the line' },
  unclear: { state: 'neutral', word: 'not enough evidence' },
};
const FILLS: Readonly<Record<Standing, string>> = {
  within: 'text-ok',
  near: 'text-warning',
  beyond: 'text-critical',
  unclear: 'text-ink-3',
};

function gaugeText(gauge: Gauge): string {
  if (gauge.kind === 'unmeasured') return `unmeasured: ${gauge.reason}`;
  const value = `${gauge.value} ${gauge.what}`;
  return gauge.kind === 'noLine' ? `${value}, no load line set` : `${value}, ${STANDING_WORDS[gauge.standing].word} (${gauge.line})`;
}

const HULL = 'M1.5 1v15c0 5 2.5 7.6 5.5 9 3-1.4 5.5-4 5.5-9V1';
/** Heights in the drawing: of the load line, and of the keel. */
const LINE_Y = 9;
const KEEL_Y = 25;

/** How high the water stands: at the line when all that it allows is used, over the deck at one and a half times that. */
function waterY(load: number): number {
  return Math.max(1, KEEL_Y - (KEEL_Y - LINE_Y) * Math.min(load, 1.5));
}

/** The hull of one gauge. Dashed and ◇ = unmeasured; an open disc = no line; else the water against the line that is drawn across. */
function Hull({ gauge, className }: { gauge: Gauge; className: string }): ReactNode {
  const clip = useId();
  const outline = gauge.kind === 'unmeasured' ? 'text-ink-3' : 'text-ink-2';
  const top = gauge.kind === 'line' ? waterY(gauge.load) : 0;
  return (
    <svg viewBox="-1 0 16 26" className={`${className} ${outline}`} fill="none" stroke="currentColor" aria-hidden="true">
      {gauge.kind === 'line' && (
        <g className={FILLS[gauge.standing]}>
          <clipPath id={clip}>
            <path d={`${HULL}z`} />
          </clipPath>
          <rect
            x="1.5"
            y={top}
            width="11"
            height={KEEL_Y - top + 1}
            clipPath={`url(#${clip})`}
            fill="currentColor"
            stroke="none"
            opacity={gauge.standing === 'unclear' ? 0.35 : 0.75}
          />
        </g>
      )}
      <path
        d={HULL}
        strokeWidth="1.2"
        strokeLinecap="round"
        {...(gauge.kind === 'unmeasured' ? { strokeDasharray: '1.5 2.6', opacity: 0.8 } : {})}
      />
      {gauge.kind === 'unmeasured' && <path d="M7 8 10 11 7 14 4 11Z" strokeWidth="1.2" />}
      {gauge.kind === 'noLine' && <circle cx="7" cy="11" r="2.5" strokeWidth="1.3" />}
      {gauge.kind === 'line' && <path d={`M-.6 ${LINE_Y}h15.2`} strokeWidth="1.6" className="text-ink" />}
    </svg>
  );
}

/** Letters over a column of load-line glyphs. */
export function LoadLineHeader(): ReactNode {
  return (
    <span className="inline-flex" role="img" aria-label="Load lines: latency, errors, cost, quality">
      {DIMENSIONS.map((dimension) => (
        <span key={dimension} className="w-6 text-center" data-tip={NAMES[dimension]} aria-hidden="true">
          {NAMES[dimension][0]}
        </span>
      ))}
    </span>
  );
}

/** Four gauges in the width of a table cell. */
export function LoadLineGlyph({ gauges }: { gauges: Gauges | null }): ReactNode {
  if (gauges === null) return <span className="text-ink-3">–</span>;
  const label = DIMENSIONS.map((dimension) => `${NAMES[dimension]}: ${gaugeText(gauges[dimension])}`).join('; ');
  return (
    <span className="relative z-1 inline-flex align-middle" role="img" aria-label={label}>
      {DIMENSIONS.map((dimension) => (
        <span key={dimension} className="flex w-6 justify-center" data-tip={`${NAMES[dimension]}: ${gaugeText(gauges[dimension])}`}>
          <Hull gauge={gauges[dimension]} className="h-6.5 w-4" />
        </span>
      ))}
    </span>
  );
}

/** Four gauges with their words, for a feature's own page. */
export function LoadLinePanel({ gauges }: { gauges: Gauges }): ReactNode {
  return (
    <ul className="panel grid grid-cols-1 sm:grid-cols-2 xl:grid-cols-4" aria-label="Load lines">
      {DIMENSIONS.map((dimension) => {
        const gauge = gauges[dimension];
        return (
          <li key={dimension} className="-mt-px flex items-center gap-3.5 border-t px-4 py-3.5 xl:not-first:border-l">
            <Hull gauge={gauge} className="h-13 w-8 shrink-0" />
            <div className="min-w-0">
              <div className="label">{NAMES[dimension]}</div>
              <GaugeWords gauge={gauge} />
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function GaugeWords({ gauge }: { gauge: Gauge }): ReactNode {
  if (gauge.kind === 'unmeasured')
    return (
      <>
        <div className="text-base font-medium text-ink-2">unmeasured</div>
        <div className="text-xs text-ink-3">{gauge.reason}</div>
      </>
    );
  return (
    <>
      <div className="tabular text-base font-medium">
        {gauge.value} <span className="text-xs font-normal text-ink-3">{gauge.what}</span>
      </div>
      {gauge.kind === 'noLine' ? (
        <div className="text-xs text-ink-3">no load line set</div>
      ) : (
        <div className="text-xs">
          <StateMark {...STANDING_WORDS[gauge.standing]} /> <span className="text-ink-3">{gauge.line}</span>
        </div>
      )}
    </>
  );
}
