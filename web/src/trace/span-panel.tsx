import { Tabs } from 'radix-ui';
import { type ReactNode, useState } from 'react';
import type { Span } from '../api/schema.ts';
import { formatDuration } from '../format/number.ts';
import { Badge } from '../ui/badges.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { Prose } from '../ui/prose.tsx';
import { ScrollText } from '../ui/scroll-text.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { CostBreakdown } from './cost-breakdown.tsx';
import { deletionText } from './deletion-text.ts';
import { errorFix } from './error-fix.ts';
import { Conversation } from './messages.tsx';
import { prettyPayload } from './payload.ts';
import { isUnfinished, spanDuration, spanStatus } from './span-status.ts';

const TABS = [
  ['conversation', 'Conversation'],
  ['cost', 'Tokens and cost'],
  ['attributes', 'Attributes'],
  ['raw', 'Raw'],
] as const;

interface SpanPanelProps {
  readonly span: Span;
  readonly spans: readonly Span[];
}

export function SpanPanel({ span, spans }: SpanPanelProps): ReactNode {
  const { state, word } = spanStatus(span);
  return (
    <section className="panel flex min-w-0 flex-col" aria-label={`Span ${span.name}`}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-3">
        <h2 className="min-w-0 truncate text-base font-semibold">{span.name}</h2>
        <StateMark state={state} word={word} />
        <Badge>{span.kind}</Badge>
        <Scores scores={span.attributes['plimsoll.scores']} />
        <span className="tabular ml-auto text-xs text-ink-3">
          {spanDuration(span)}
          {span.ttftMs !== null && <span data-tip="Time to first token"> · first token {formatDuration(span.ttftMs)}</span>}
        </span>
      </div>
      {span.status === 'error' && <SpanError span={span} />}
      {isUnfinished(span) && <p className="px-4 pt-2 text-ink-2">{span.statusMessage}</p>}
      <Tabs.Root defaultValue="conversation" className="flex min-w-0 flex-col">
        <Tabs.List className="scroll-x mt-2 flex shrink-0 border-b px-2" aria-label="Parts of the span">
          {TABS.map(([value, name]) => (
            <Tabs.Trigger
              key={value}
              value={value}
              className="h-8 shrink-0 border-b-2 border-transparent px-2 text-ink-2 hover:text-ink focus-visible:-outline-offset-2 data-[state=active]:border-b-accent data-[state=active]:font-semibold data-[state=active]:text-ink"
            >
              {name}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value="conversation" className="min-w-0 px-4 py-3">
          <Conversation key={span.spanId} span={span} />
        </Tabs.Content>
        <Tabs.Content value="cost" className="min-w-0 px-4 py-3">
          <CostBreakdown span={span} spans={spans} />
        </Tabs.Content>
        <Tabs.Content value="attributes" className="min-w-0 px-4 py-3">
          <Attributes span={span} />
        </Tabs.Content>
        <Tabs.Content value="raw" className="flex min-w-0 flex-col gap-4 px-4 py-3">
          <Raw title="Input" text={span.input} absent={absentText(span)} />
          <Raw title="Output" text={span.output} absent={absentText(span)} />
        </Tabs.Content>
      </Tabs.Root>
    </section>
  );
}

/** Judgements that came with a client's span. */
function Scores({ scores }: { scores: unknown }): ReactNode {
  if (!Array.isArray(scores)) return null;
  const shown = scores as readonly { name: string; value: number | null; label: string | null; explanation: string | null }[]; // written by the intake
  return shown.map(({ name, value, label, explanation }) => (
    <Badge key={name} tip={explanation?.slice(0, 300) ?? 'A score that was sent with the span'}>
      {name} {value ?? label ?? ''}
    </Badge>
  ));
}

function SpanError({ span }: { span: Span }): ReactNode {
  const fix = errorFix(span.errorType);
  return (
    <div className="mx-4 mt-3 rounded-md bg-critical-soft px-3 py-2" role="note">
      <p className="[overflow-wrap:anywhere]">
        {span.errorType !== null && <code className="mr-2 font-mono text-xs font-semibold text-critical">{span.errorType}</code>}
        {span.statusMessage || 'The provider gave no message.'}
      </p>
      {fix !== null && (
        <p className="mt-1 text-ink-2">
          <Prose text={fix} />
        </p>
      )}
    </div>
  );
}

function Attributes({ span }: { span: Span }): ReactNode {
  const own: readonly (readonly [string, unknown])[] = [
    ['span id', span.spanId],
    ['parent span id', span.parentSpanId],
    ['provider', span.provider],
    ['request model', span.requestModel],
    ['response model', span.responseModel],
    ['finish reasons', span.finishReasons.length > 0 ? span.finishReasons.join(', ') : null],
    ['price id', span.priceId],
  ];
  const rows = [...own.filter(([, value]) => value !== null), ...Object.entries(span.attributes).toSorted(([a], [b]) => (a < b ? -1 : 1))];
  return (
    <div className="scroll-x">
      <table className="w-full text-xs">
        <caption className="sr-only">Attributes of the span</caption>
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th scope="row" className="border-b py-1 pr-4 text-left align-top font-mono font-normal whitespace-nowrap text-ink-2">
                {name}
              </th>
              <td className="border-b py-1 align-top font-mono [overflow-wrap:anywhere]">
                {typeof value === 'string' ? value : JSON.stringify(value)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Characters that are laid out at once. */
const RAW_STEP = 100_000;

function absentText({ textsDeleted }: Span): string {
  return textsDeleted === null ? 'not recorded' : deletionText(textsDeleted);
}

function Raw({ title, text, absent }: { title: string; text: string | null; absent: string }): ReactNode {
  const [shown, setShown] = useState(RAW_STEP);
  if (text === null)
    return (
      <p className="text-ink-3">
        {title}: {absent}
      </p>
    );
  const pretty = prettyPayload(text);
  return (
    <section aria-label={`${title}, raw`} className="min-w-0">
      <div className="mb-1 flex items-center justify-between text-xs font-semibold text-ink-3">
        {title}
        <CopyButton text={text} label="Copy as recorded" isQuiet />
      </div>
      <ScrollText text={pretty.slice(0, shown)} className="max-h-[480px] rounded-md border" />
      {pretty.length > shown && (
        <button type="button" className="button button-small mt-1.5" onClick={() => setShown(shown + 10 * RAW_STEP)}>
          Show more
        </button>
      )}
    </section>
  );
}
