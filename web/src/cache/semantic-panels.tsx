import type { ReactNode } from 'react';
import type { CacheFeature } from '../api/schema.ts';
import { formatInteger, formatPercent } from '../format/number.ts';
import { Prose } from '../ui/prose.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { cacheWord, checkText } from './cache-text.ts';

/** Where each semantic cache stands: how often it was wrong, against which bound, and what allowed it. */
export function SemanticPanels({ features }: { features: readonly CacheFeature[] }): ReactNode {
  const concerned = features.filter(({ semantic, check }) => semantic !== null || check !== null);
  if (concerned.length === 0) return null;
  return (
    <section aria-labelledby="semantic" className="flex flex-col gap-1">
      <h2 id="semantic" className="text-base font-semibold">
        Similar questions
      </h2>
      <ul className="panel divide-y">
        {concerned.map((feature) => (
          <li key={feature.feature} className="flex flex-wrap items-start gap-x-8 gap-y-2 px-4 py-2.5">
            <div className="mr-auto min-w-0 max-w-2xl">
              <h3 className="flex flex-wrap items-baseline gap-x-3">
                <span className="font-semibold">{feature.feature}</span>
                <StateMark {...cacheWord(feature)} />
              </h3>
              {feature.semantic !== null && (
                <p className="text-ink-2">
                  <Prose text={feature.semantic.reason} />
                </p>
              )}
              <Check feature={feature} />
            </div>
            {feature.semantic !== null && <Standing semantic={feature.semantic} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Check({ feature: { feature, check } }: { feature: CacheFeature }): ReactNode {
  if (check === null)
    return (
      <p className="text-xs text-ink-3">
        No check was made. Run <code className="font-mono">plimsoll cache check {feature} --pairs FILE.jsonl</code>
      </p>
    );
  return (
    <p className="text-xs text-ink-3">
      Check of <TimeText at={check.at} />: <span data-tip={check.reason}>{checkText(check)}</span>, compared by {check.embedder}, bound{' '}
      {formatPercent(check.maxFalseHitRatio)}
    </p>
  );
}

function Standing({ semantic }: { semantic: NonNullable<CacheFeature['semantic']> }): ReactNode {
  const { samples, falseHits, falseHitRatio, falseHitInterval, maxFalseHitRatio, threshold, questions } = semantic;
  const [low, high] = falseHitInterval ?? [];
  return (
    <dl className="tabular grid w-full grid-cols-3 gap-x-4 gap-y-2 sm:flex sm:w-auto sm:gap-x-6">
      <Fact name="False hits">
        {falseHitRatio === null ? (
          <span className="text-ink-3">unmeasured</span>
        ) : (
          <>
            {formatPercent(falseHitRatio)}
            <span className="block text-xs text-ink-3">
              {typeof low === 'number' && typeof high === 'number' && `${formatPercent(low)} to ${formatPercent(high)}, `}
              {formatInteger(falseHits)} of n = {formatInteger(samples)}
            </span>
          </>
        )}
      </Fact>
      <Fact name="Off above">{formatPercent(maxFalseHitRatio)}</Fact>
      <Fact name="Threshold">{threshold}</Fact>
      <Fact name="Questions">{formatInteger(questions)}</Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt className="label">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
