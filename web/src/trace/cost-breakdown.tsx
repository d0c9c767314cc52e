import type { ReactNode } from 'react';
import type { Span } from '../api/schema.ts';
import { formatUsd } from '../format/money.ts';
import { formatInteger } from '../format/number.ts';
import { STATUS_WORDS } from '../traces/status-word.ts';
import { Cost } from '../ui/cost.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { perMillion, totalTokens, usageLines } from './usage-lines.ts';

interface CostBreakdownProps {
  readonly span: Span;
  readonly spans: readonly Span[];
}

/** Provider calls at or below a span, in order. */
function attemptsOf(span: Span, spans: readonly Span[]): readonly Span[] {
  const inside = new Set([span.spanId]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const each of spans)
      if (each.parentSpanId !== null && inside.has(each.parentSpanId) && !inside.has(each.spanId)) {
        inside.add(each.spanId);
        grown = true;
      }
  }
  return spans
    .filter((each) => inside.has(each.spanId) && isProviderCall(each))
    .toSorted((a, b) => Number(BigInt(a.startedAtNs) - BigInt(b.startedAtNs)));
}

/** A client's span around a call that another span counts is no second call. */
function isProviderCall(span: Span): boolean {
  return (
    (span.kind === 'llm' || span.kind === 'embedding' || span.kind === 'reranker') && span.attributes['plimsoll.counted_by'] === undefined
  );
}

export function CostBreakdown({ span, spans }: CostBreakdownProps): ReactNode {
  const attempts = attemptsOf(span, spans);
  if (attempts.length === 0) return <p className="py-2 text-ink-2">This span called no model: it used no tokens and cost nothing.</p>;
  return (
    <div className="flex flex-col gap-5">
      {attempts.map((attempt, index) => (
        <Attempt key={attempt.spanId} attempt={attempt} title={attempts.length > 1 ? `Attempt ${index + 1}` : 'Provider call'} />
      ))}
      {attempts.length > 1 && span.costStatus !== null && (
        <div className="flex items-baseline justify-between border-t pt-2 font-semibold">
          <span>Sum of all attempts</span>
          <Cost picoUsd={span.costPicoUsd} status={span.costStatus} />
        </div>
      )}
    </div>
  );
}

function Attempt({ attempt, title }: { attempt: Span; title: string }): ReactNode {
  const lines = usageLines(attempt);
  const hasPrices = lines.some((line) => line.picoUsdPerToken !== null);
  const { state, word } = STATUS_WORDS[attempt.status];
  const totals = attempt.usage && totalTokens(attempt.usage);
  return (
    <section aria-label={title} className="min-w-0">
      <h3 className="mb-1 flex flex-wrap items-center gap-x-3">
        <span className="font-semibold">{title}</span>
        <span className="text-ink-2">
          {attempt.responseModel ?? attempt.requestModel} · {attempt.provider}
        </span>
        <StateMark state={state} word={attempt.errorType ?? word} />
      </h3>
      <div className="scroll-x">
        <table className="tabular w-full">
          <caption className="sr-only">Tokens and cost of {title}</caption>
          <thead className="text-xs text-ink-3">
            <tr>
              <th scope="col" className="border-b py-1 text-left">
                Token class
              </th>
              <th scope="col" className="border-b py-1 pl-4 text-right">
                Tokens
              </th>
              {hasPrices && (
                <th scope="col" className="border-b py-1 pl-4 text-right">
                  $ per million
                </th>
              )}
              <th scope="col" className="border-b py-1 pl-4 text-right">
                Cost
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.usageClass}>
                <td className="py-1">{line.label}</td>
                <td className="py-1 pl-4 text-right">{formatInteger(line.tokens)}</td>
                {hasPrices && (
                  <td className="py-1 pl-4 text-right text-ink-2">
                    {line.picoUsdPerToken === null ? <i className="text-ink-3">unpriced</i> : formatUsd(perMillion(line.picoUsdPerToken))}
                  </td>
                )}
                <td className="py-1 pl-4 text-right">
                  {line.costPicoUsd === null ? '' : <Cost picoUsd={line.costPicoUsd} status="priced" />}
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr className="font-medium">
              <td className="border-t py-1">
                {totals ? 'All' : <span className="font-normal text-ink-3">Token usage is not known</span>}
                {attempt.usageSource === 'estimated' && <span className="ml-2 font-normal text-ink-3">estimated</span>}
              </td>
              <td className="border-t py-1 pl-4 text-right whitespace-nowrap">
                {totals && `${formatInteger(totals.input)} in · ${formatInteger(totals.output)} out`}
              </td>
              {hasPrices && <td className="border-t" />}
              <td className="border-t py-1 pl-4 text-right">
                <Cost picoUsd={attempt.costPicoUsd} status={attempt.costStatus} />
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
      {attempt.priceId !== null && (
        <p className="mt-1 text-xs text-ink-3">
          Price <code className="font-mono">{attempt.priceId}</code>
        </p>
      )}
    </section>
  );
}
