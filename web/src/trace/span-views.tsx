import { Tabs } from 'radix-ui';
import type { ReactNode } from 'react';
import type { Span } from '../api/schema.ts';
import { AgentGraphView } from './agent-graph-view.tsx';
import { WaterfallView } from './waterfall-view.tsx';

const VIEWS = [
  ['waterfall', 'Waterfall'],
  ['graph', 'Agent graph'],
] as const;
export type SpanView = (typeof VIEWS)[number][0];

interface SpanViewsProps {
  readonly spans: readonly Span[];
  readonly selectedId: string | null;
  readonly view: SpanView;
  readonly onView: (view: SpanView) => void;
  readonly onSelect: (spanId: string) => void;
}

/** The spans of a trace over time, or as who called whom. */
export function SpanViews({ spans, selectedId, view, onView, onSelect }: SpanViewsProps): ReactNode {
  return (
    <Tabs.Root
      value={view}
      onValueChange={(next) => onView(next === 'graph' ? 'graph' : 'waterfall')}
      className={`panel flex min-w-0 flex-col overflow-hidden ${view === 'graph' ? '' : 'xl:sticky xl:top-4'}`}
    >
      <Tabs.List className="flex shrink-0 border-b px-1" aria-label="Spans of the trace">
        {VIEWS.map(([value, name]) => (
          <Tabs.Trigger
            key={value}
            value={value}
            className="h-8 border-b-2 border-transparent px-2 text-ink-2 hover:text-ink focus-visible:-outline-offset-2 data-[state=active]:border-b-accent data-[state=active]:font-semibold data-[state=active]:text-ink"
          >
            {name}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      <Tabs.Content value="waterfall">
        <WaterfallView spans={spans} selectedId={selectedId} onSelect={onSelect} />
      </Tabs.Content>
      <Tabs.Content value="graph">
        <AgentGraphView spans={spans} selectedId={selectedId} onSelect={onSelect} />
      </Tabs.Content>
    </Tabs.Root>
  );
}
