// biome-ignore-all lint/a11y/useSemanticElements: inside of an SVG there are no HTML elements
import { type KeyboardEvent, type ReactNode, useId, useMemo } from 'react';
import type { Span } from '../api/schema.ts';
import { formatUsd } from '../format/money.ts';
import { formatDuration, formatInteger } from '../format/number.ts';
import { type AgentGraph, agentGraph, type GraphEdge, type GraphNode, type NodeKind, START_ID } from './agent-graph.ts';
import { layoutGraph, NODE_HEIGHT, NODE_WIDTH, type PlacedNode } from './graph-layout.ts';

interface AgentGraphViewProps {
  readonly spans: readonly Span[];
  readonly selectedId: string | null;
  readonly onSelect: (spanId: string) => void;
}

const KIND_WORDS: Readonly<Record<NodeKind, string>> = {
  start: 'start',
  agent: 'agent',
  tool: 'tool',
  model: 'model',
  retriever: 'retriever',
  other: 'folded',
};
const KIND_STROKES: Readonly<Record<NodeKind, string>> = {
  start: 'var(--ink-3)',
  agent: 'var(--accent)',
  tool: 'var(--chart-2)',
  model: 'var(--chart-1)',
  retriever: 'var(--warning)',
  other: 'var(--ink-3)',
};
/** Characters of a name that fit a box. */
const NAME_CHARACTERS = 20;

/** Who called whom, how often, for how long and for how much. */
export function AgentGraphView({ spans, selectedId, onSelect }: AgentGraphViewProps): ReactNode {
  const graph = useMemo(() => agentGraph(spans), [spans]);
  if (graph.nodes.length === 0)
    return (
      <p className="p-5 text-ink-2">
        This trace has no span of an agent, a tool, a model or a retriever. They come from spans with <code>gen_ai.operation.name</code>, or
        from the span kinds of any SDK.
      </p>
    );
  return (
    <>
      <GraphPicture graph={graph} selectedId={selectedId} onSelect={onSelect} />
      <EdgeTable graph={graph} />
    </>
  );
}

function costOf({ costPicoUsd, unpricedCalls }: GraphEdge | GraphNode): string {
  if (costPicoUsd === 0n) return unpricedCalls > 0 ? 'unpriced' : '';
  return `${unpricedCalls > 0 ? '≥ ' : ''}${formatUsd(costPicoUsd.toString())}`;
}

function callsOf({ calls, errors }: GraphEdge | GraphNode): string {
  return `${formatInteger(calls)} ${calls === 1 ? 'call' : 'calls'}${errors > 0 ? `, ${formatInteger(errors)} failed` : ''}`;
}

function describe(node: GraphNode): string {
  const cost = costOf(node);
  return `${node.name}, ${KIND_WORDS[node.kind]}, ${callsOf(node)}, ${formatDuration(node.durationMs)}${cost === '' ? '' : `, ${cost}`}`;
}

function GraphPicture({ graph, selectedId, onSelect }: { graph: AgentGraph } & Omit<AgentGraphViewProps, 'spans'>): ReactNode {
  const id = useId();
  const layout = useMemo(() => layoutGraph(graph), [graph]);
  const sums = new Map(graph.edges.map((edge) => [`${edge.from}\n→\n${edge.to}`, edge]));
  const summary = `${graph.nodes.length - 1} nodes and ${graph.edges.length} edges; the table below has the same numbers.`;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className="scroll-x max-h-[560px] overflow-y-auto bg-sunken" tabIndex={0} aria-label="Agent graph">
      <svg
        width={layout.width}
        height={layout.height}
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        className="mx-auto block text-ink"
        role="group"
        aria-labelledby={`${id}-title ${id}-summary`}
      >
        <title id={`${id}-title`}>Agent graph</title>
        <desc id={`${id}-summary`}>{summary}</desc>
        <defs>
          <marker id={`${id}-arrow`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M0 0.8 7.4 4 0 7.2Z" fill="var(--ink-3)" />
          </marker>
        </defs>
        {layout.edges.map(({ from, to, path }) => {
          const failed = (sums.get(`${from}\n→\n${to}`)?.errors ?? 0) > 0;
          return (
            <path
              key={`${from}\n${to}`}
              d={path}
              fill="none"
              stroke={failed ? 'var(--critical)' : 'var(--ink-3)'}
              strokeWidth="1.3"
              markerEnd={`url(#${id}-arrow)`}
            />
          );
        })}
        {layout.edges.map(({ from, to, labelX, labelY }) => {
          const edge = sums.get(`${from}\n→\n${to}`);
          return (
            edge && (
              <text
                key={`${from}\n${to}`}
                x={labelX}
                y={labelY}
                textAnchor="middle"
                fontSize="11"
                fill="var(--ink-2)"
                stroke="var(--sunken)"
                strokeWidth="4"
                paintOrder="stroke"
              >
                {`×${formatInteger(edge.calls)} · ${formatDuration(edge.durationMs)}`}
              </text>
            )
          );
        })}
        {graph.nodes.map((node) => {
          const place = layout.nodes.get(node.id);
          return (
            place && (
              <NodeBox
                key={node.id}
                node={node}
                place={place}
                isSelected={selectedId !== null && node.spanIds.has(selectedId)}
                onSelect={onSelect}
              />
            )
          );
        })}
      </svg>
    </section>
  );
}

interface NodeBoxProps {
  readonly node: GraphNode;
  readonly place: PlacedNode;
  readonly isSelected: boolean;
  readonly onSelect: (spanId: string) => void;
}

function NodeBox({ node, place, isSelected, onSelect }: NodeBoxProps): ReactNode {
  const { spanId, kind, name } = node;
  const select = (): void => {
    if (spanId !== null) onSelect(spanId);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    select();
  };
  const shape = (
    <>
      <title>{describe(node)}</title>
      <rect
        width={NODE_WIDTH}
        height={NODE_HEIGHT}
        rx={kind === 'agent' || kind === 'start' ? 12 : 4}
        fill={isSelected ? 'var(--accent-soft)' : 'var(--surface)'}
        stroke={KIND_STROKES[kind]}
        strokeWidth={isSelected ? 2.5 : 1.5}
        strokeDasharray={kind === 'start' || kind === 'other' ? '4 3' : undefined}
      />
      <text x="11" y="19" fontSize="13" fontWeight="600" fill="var(--ink)">
        {shorten(name)}
      </text>
      <text x="11" y="36" fontSize="11" fill="var(--ink-2)">
        {kind === 'start'
          ? 'where the trace begins'
          : [KIND_WORDS[kind], node.errors > 0 ? `${node.errors} failed` : '', costOf(node)].filter((part) => part !== '').join(' · ')}
      </text>
    </>
  );
  const transform = `translate(${place.x} ${place.y})`;
  if (spanId === null) return <g transform={transform}>{shape}</g>;
  return (
    <g
      transform={transform}
      role="button"
      tabIndex={0}
      data-row
      aria-pressed={isSelected}
      aria-label={describe(node)}
      className="cursor-pointer focus-visible:outline-2 focus-visible:outline-accent"
      onClick={select}
      onKeyDown={onKeyDown}
    >
      {shape}
    </g>
  );
}

function shorten(name: string): string {
  const characters = [...name];
  return characters.length <= NAME_CHARACTERS ? name : `${characters.slice(0, NAME_CHARACTERS - 1).join('')}…`;
}

const HEADERS = ['From', 'To', 'Calls', 'Failed', 'Duration', 'Cost at or below'] as const;

function EdgeTable({ graph: { nodes, edges, folded } }: { graph: AgentGraph }): ReactNode {
  const names = new Map(nodes.map((node) => [node.id, node]));
  const nameOf = (id: string): string => (id === START_ID ? 'Request' : (names.get(id)?.name ?? ''));
  return (
    <details className="border-t px-3 py-1.5">
      <summary className="text-xs text-ink-2">
        Show as table{folded > 0 && `; ${formatInteger(folded)} names that are called least are drawn as one`}
      </summary>
      <div className="scroll-x mt-1.5">
        <table className="tabular w-full text-xs">
          <caption className="sr-only">Who called whom</caption>
          <thead className="text-ink-3">
            <tr>
              {HEADERS.map((header, place) => (
                <th key={header} scope="col" className={`border-b py-1 pr-4 whitespace-nowrap ${place < 2 ? 'text-left' : 'text-right'}`}>
                  {header}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {edges.map((edge) => (
              <tr key={`${edge.from}\n${edge.to}`}>
                <td className="py-0.5 pr-4">{nameOf(edge.from)}</td>
                <td className="py-0.5 pr-4">{nameOf(edge.to)}</td>
                <td className="py-0.5 pr-4 text-right">{formatInteger(edge.calls)}</td>
                <td className="py-0.5 pr-4 text-right">{formatInteger(edge.errors)}</td>
                <td className="py-0.5 pr-4 text-right whitespace-nowrap">{formatDuration(edge.durationMs)}</td>
                <td className="py-0.5 pr-4 text-right whitespace-nowrap">{costOf(edge) || '$0'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
