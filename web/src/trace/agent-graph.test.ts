import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Span } from '../../../src/traces/model.ts';
import { type AgentGraph, agentGraph, START_ID } from './agent-graph.ts';
import { layoutGraph } from './graph-layout.ts';

/** Only the fields that the graph reads. */
function span(spanId: string, parentSpanId: string | null, kind: Span['kind'], name: string, changes: Partial<Span> = {}): Span {
  return {
    spanId,
    parentSpanId,
    kind,
    name,
    startedAtNs: '1',
    durationNs: '1000000',
    status: 'ok',
    attributes: {},
    responseModel: null,
    requestModel: null,
    costPicoUsd: null,
    costStatus: null,
    ...changes,
  } as Span;
}
const llm = (id: string, parent: string | null, costPicoUsd: string | null, changes: Partial<Span> = {}): Span =>
  span(id, parent, 'llm', 'chat', {
    responseModel: 'm',
    costPicoUsd,
    costStatus: costPicoUsd === null ? 'unpriced' : 'priced',
    ...changes,
  });
const edgesOf = ({ nodes, edges }: AgentGraph): unknown[] => {
  const nameOf = (id: string) => nodes.find((node) => node.id === id)?.name;
  return edges.map(({ from, to, calls, costPicoUsd, durationMs }) => [nameOf(from), nameOf(to), calls, costPicoUsd, durationMs]);
};

describe('agent graph', () => {
  it('merges what has one name and adds up calls, time and money', () => {
    const graph = agentGraph([
      span('a', null, 'agent', 'planner', { durationNs: '9000000' }),
      span('step', 'a', 'chain', 'step'),
      llm('1', 'step', '10'),
      llm('2', 'a', '5', { status: 'error' }),
      span('t', 'a', 'tool', 'execute', { attributes: { 'gen_ai.tool.name': 'search' } }),
      llm('3', 't', null),
    ]);
    assert.deepEqual(edgesOf(graph), [
      ['Request', 'planner', 1, 15n, 9],
      ['planner', 'm', 2, 15n, 2],
      ['planner', 'search', 1, 0n, 1],
      ['search', 'm', 1, 0n, 1],
    ]);
    const model = graph.nodes.find(({ name }) => name === 'm');
    assert.deepEqual([model?.calls, model?.errors, model?.unpricedCalls, model?.costPicoUsd], [3, 1, 1, 15n]);
  });

  it('shows loops, and counts time and money of what calls itself once', () => {
    const graph = agentGraph([
      span('1', null, 'agent', 'a'),
      span('2', '1', 'agent', 'a'),
      span('3', '2', 'agent', 'a'),
      llm('4', '3', '7'),
    ]);
    assert.deepEqual(edgesOf(graph), [
      ['Request', 'a', 1, 7n, 1],
      ['a', 'a', 2, 7n, 1],
      ['a', 'm', 1, 7n, 1],
    ]);
    const handOff = agentGraph([span('1', null, 'agent', 'a'), span('2', '1', 'agent', 'b'), span('3', '2', 'agent', 'a')]);
    assert.deepEqual(
      edgesOf(handOff).map((edge) => (edge as unknown[]).slice(0, 3)),
      [
        ['Request', 'a', 1],
        ['a', 'b', 1],
        ['b', 'a', 1],
      ],
    );
  });

  it('takes the call of a client and that of the gateway inside of it for one', () => {
    const graph = agentGraph([
      llm('1', null, '5', { attributes: { 'plimsoll.counted_by': '3' } }),
      span('2', '1', 'gateway', 'chat'),
      llm('3', '2', '5'),
    ]);
    assert.deepEqual(edgesOf(graph), [['Request', 'm', 1, 5n, 1]]);
  });

  it('is empty without such spans', () => {
    assert.deepEqual(agentGraph([span('1', null, 'chain', 'x')]), { nodes: [], edges: [], folded: 0 });
    assert.deepEqual(agentGraph([]).nodes, []);
  });

  it('folds what is called least when there is too much to draw', () => {
    const graph = agentGraph(Array.from({ length: 200 }, (_, place) => span(`${place}`, null, 'tool', `tool ${place % 150}`)));
    assert.equal(graph.nodes.length, 61);
    assert.equal(graph.folded, 91);
    assert.equal(
      graph.edges.reduce((sum, { calls }) => sum + calls, 0),
      200,
    );
  });

  it('has each call on one edge and places every node, whatever the tree', () => {
    const spans = fc
      .array(
        fc.tuple(
          fc.integer({ min: -1, max: 19 }),
          fc.constantFrom('agent', 'tool', 'llm', 'chain', 'retriever'),
          fc.constantFrom('a', 'b', 'c'),
        ),
        {
          maxLength: 20,
        },
      )
      .map((list) =>
        list.map(([parent, kind, name], place) =>
          span(`${place}`, parent < 0 ? null : `${parent}`, kind as Span['kind'], name, { costPicoUsd: '1' }),
        ),
      );
    fc.assert(
      fc.property(spans, (given) => {
        const graph = agentGraph(given);
        const counted = given.filter(({ kind }) => kind !== 'chain').length;
        assert.equal(
          graph.edges.reduce((sum, { calls }) => sum + calls, 0),
          counted,
        );
        const money = graph.edges.filter(({ from }) => from === START_ID).reduce((sum, { costPicoUsd }) => sum + costPicoUsd, 0n);
        assert.equal(money, BigInt(given.filter(({ kind }) => kind === 'llm').length), 'all money goes out from the start');
        const layout = layoutGraph(graph);
        assert.equal(layout.nodes.size, graph.nodes.length);
        assert.equal(layout.edges.length, graph.edges.length);
        const places = [...layout.nodes.values()].map(({ x, y }) => `${x}/${y}`);
        assert.equal(new Set(places).size, places.length, 'no two in one place');
      }),
      { numRuns: 300 },
    );
  });

  it('takes 10 000 spans, deep or wide, in less than a second', () => {
    const deep = Array.from({ length: 10_000 }, (_, place) =>
      span(`${place}`, place === 0 ? null : `${place - 1}`, place % 2 ? 'agent' : 'tool', `n${place % 30}`),
    );
    const wide = Array.from({ length: 10_000 }, (_, place) => llm(`${place}`, place === 0 ? null : '0', '1'));
    const started = performance.now();
    for (const spans of [deep, wide]) layoutGraph(agentGraph(spans));
    assert.ok(performance.now() - started < 2_000);
  });
});
