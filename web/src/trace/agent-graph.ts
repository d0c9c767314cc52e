import { spanTree } from '../../../src/traces/compare/span-tree.ts';
import type { Span } from '../../../src/traces/model.ts';

export type NodeKind = 'start' | 'agent' | 'tool' | 'model' | 'retriever' | 'other';

/** Sums over calls. A call inside another one of the same place is counted, but its time and money are in that one already. */
interface Sums {
  calls: number;
  errors: number;
  durationMs: number;
  /** Of provider calls at or below; those without a price are counted apart. */
  costPicoUsd: bigint;
  unpricedCalls: number;
}

export interface GraphNode extends Sums {
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  /** First span of it; null for the start and for what was folded. */
  readonly spanId: string | null;
  readonly spanIds: Set<string>;
}

export interface GraphEdge extends Sums {
  readonly from: string;
  readonly to: string;
}

export interface AgentGraph {
  /** In the order in which they were first met. */
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Nodes that were folded into one because there are too many to draw. */
  readonly folded: number;
}

export const START_ID = 'start';
const OTHER_ID = 'other';
/** More boxes nobody reads. */
const MAX_NODES = 60;
const NS_PER_MS = 1e6;

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** What a span is in the graph; null = it only stands between others. */
function roleOf({ kind, name, attributes, responseModel, requestModel }: Span): { readonly kind: NodeKind; readonly name: string } | null {
  switch (kind) {
    case 'agent':
      return { kind: 'agent', name: text(attributes['gen_ai.agent.name']) ?? name };
    case 'tool':
      return { kind: 'tool', name: text(attributes['gen_ai.tool.name']) ?? name };
    case 'retriever':
    case 'reranker':
      return { kind: 'retriever', name };
    case 'llm':
    case 'embedding':
      // A client's span around a call that another span counts is the same call seen from outside.
      return attributes['plimsoll.counted_by'] === undefined ? { kind: 'model', name: responseModel ?? requestModel ?? name } : null;
    default:
      return null;
  }
}

function isProviderCall({ kind, attributes }: Span): boolean {
  return (kind === 'llm' || kind === 'embedding' || kind === 'reranker') && attributes['plimsoll.counted_by'] === undefined;
}

interface Money {
  costPicoUsd: bigint;
  unpricedCalls: number;
}

/** Cost at and below each span. */
function moneyBelow(inOrder: readonly Span[], parents: ReadonlyMap<Span, Span>): ReadonlyMap<Span, Money> {
  const money = new Map<Span, Money>(inOrder.map((span) => [span, { costPicoUsd: 0n, unpricedCalls: 0 }]));
  // Parents stand before their children.
  for (const span of inOrder.toReversed()) {
    const own = money.get(span);
    if (!own) continue;
    if (isProviderCall(span)) {
      if (span.costPicoUsd !== null) own.costPicoUsd += BigInt(span.costPicoUsd);
      else if (span.costStatus !== null) own.unpricedCalls += 1;
    }
    const parent = parents.get(span);
    const above = parent && money.get(parent);
    if (!above) continue;
    above.costPicoUsd += own.costPicoUsd;
    above.unpricedCalls += own.unpricedCalls;
  }
  return money;
}

/**
 * Who called whom in a trace: agents, tools, models and retrievers, each name once, with an edge from the nearest of them above. Linear in spans.
 */
export function agentGraph(spans: readonly Span[]): AgentGraph {
  const tree = spanTree(spans);
  const parents = new Map<Span, Span>();
  const inOrder: Span[] = [];
  const waiting = tree.roots.toReversed();
  for (let span = waiting.pop(); span !== undefined; span = waiting.pop()) {
    inOrder.push(span);
    const children = tree.children(span);
    for (const child of children) parents.set(child, span);
    for (let place = children.length - 1; place >= 0; place--) {
      const child = children[place];
      if (child) waiting.push(child);
    }
  }
  const idOf = foldedIds(inOrder);
  const money = moneyBelow(inOrder, parents);
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  /** The nearest node at or above a span, and the nodes and edges that are open there: a chain, so that nothing is copied. */
  const places = new Map<Span, Place>();
  for (const span of inOrder) {
    const parent = parents.get(span);
    const above = (parent && places.get(parent)) ?? null;
    const role = roleOf(span);
    if (role === null) {
      if (above) places.set(span, above);
      continue;
    }
    const id = idOf(role);
    const from = above?.id ?? START_ID;
    const node = nodes.get(id) ?? newNode(id, role, span);
    nodes.set(id, node);
    node.spanIds.add(span.spanId);
    const edgeKey = `${from}\n→\n${id}`;
    const edge = edges.get(edgeKey) ?? { from, to: id, ...noSums() };
    edges.set(edgeKey, edge);
    const below = money.get(span) ?? { costPicoUsd: 0n, unpricedCalls: 0 };
    addCall(node, span, below, above?.open.has(id) ?? false);
    addCall(edge, span, below, above?.open.has(edgeKey) ?? false);
    places.set(span, { id, open: openWith(above, id, edgeKey) });
  }
  if (nodes.size === 0) return { nodes: [], edges: [], folded: 0 };
  const start: GraphNode = { id: START_ID, kind: 'start', name: 'Request', spanId: null, spanIds: new Set(), ...noSums(), calls: 1 };
  const folded = nodes.has(OTHER_ID) ? distinctRoles(inOrder) - (nodes.size - 1) : 0;
  return { nodes: [start, ...nodes.values()], edges: [...edges.values()], folded };
}

interface Place {
  readonly id: string;
  readonly open: ReadonlySet<string>;
}

/** The same set when both are open already, as in a long loop. */
function openWith(above: Place | null, id: string, edgeKey: string): ReadonlySet<string> {
  if (above?.open.has(id) && above.open.has(edgeKey)) return above.open;
  return new Set([...(above?.open ?? []), id, edgeKey]);
}

type Role = NonNullable<ReturnType<typeof roleOf>>;

function plainId({ kind, name }: Role): string {
  return `${kind}\n${name}`;
}

function distinctRoles(spans: readonly Span[]): number {
  return new Set(spans.flatMap((span) => roleOf(span) ?? []).map(plainId)).size;
}

/** Ids of nodes; those that are called least are one when there are too many. */
function foldedIds(spans: readonly Span[]): (role: Role) => string {
  const counts = new Map<string, number>();
  for (const span of spans) {
    const role = roleOf(span);
    if (role !== null) counts.set(plainId(role), (counts.get(plainId(role)) ?? 0) + 1);
  }
  if (counts.size <= MAX_NODES) return plainId;
  const kept = new Set(
    [...counts]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, MAX_NODES - 1)
      .map(([id]) => id),
  );
  return (role) => (kept.has(plainId(role)) ? plainId(role) : OTHER_ID);
}

function noSums(): Sums {
  return { calls: 0, errors: 0, durationMs: 0, costPicoUsd: 0n, unpricedCalls: 0 };
}

function newNode(id: string, role: Role, { spanId }: Span): GraphNode {
  const isOther = id === OTHER_ID;
  return {
    id,
    kind: isOther ? 'other' : role.kind,
    name: isOther ? 'others' : role.name,
    spanId: isOther ? null : spanId,
    spanIds: new Set(),
    ...noSums(),
  };
}

function addCall(sums: Sums, span: Span, below: Money, isInside: boolean): void {
  sums.calls += 1;
  if (span.status === 'error') sums.errors += 1;
  if (isInside) return;
  sums.durationMs += Number(span.durationNs) / NS_PER_MS;
  sums.costPicoUsd += below.costPicoUsd;
  sums.unpricedCalls += below.unpricedCalls;
}
