import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ToolCall } from '../scorer.ts';
import { score, valueGiven, verdictOf } from '../testing.ts';

const close = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);
const call = (name: string, given: ToolCall['arguments'] = {}): ToolCall => ({ name, arguments: given });

describe('valid tool calls', () => {
  const offeredTools = [{ name: 'weather', parameters: { type: 'object', required: ['city'], properties: { city: { type: 'string' } } } }];
  const openai = (given: string, name = 'weather'): string =>
    JSON.stringify([{ id: '1', type: 'function', function: { name, arguments: given } }]);

  it('by promptfoo’s rules', async () => {
    const verdicts = async (output: string): Promise<unknown> => verdictOf('is-valid-openai-tools-call', {}, { output, offeredTools });
    assert.equal(await verdicts(openai('{"city":"Bonn"}')), true);
    assert.equal(await verdicts(openai('{"city":1}')), false);
    assert.equal(await verdicts(openai('{"city":')), false);
    assert.equal(await verdicts(openai('{}', 'other')), false);
    assert.equal(await verdicts('no call'), false);
    assert.equal(await verdicts('{"tool_calls":[]}'), false);
    assert.equal(await verdicts('MCP Tool Result (weather): 20 °C'), true);
    assert.equal(await verdicts('MCP Tool Error (weather): none'), false);
    const output = '{"function_call":{"name":"weather","arguments":"{\\"city\\":\\"Bonn\\"}"}}';
    assert.equal(await verdictOf('is-valid-openai-function-call', {}, { output, offeredTools }), true);
    assert.equal(await verdictOf('is-valid-function-call', {}, { output, offeredTools: [] }), false);
  });

  it('as the run has them; not measured when it is not known what was offered', async () => {
    const toolCalls = [call('weather', { city: 'Bonn' }), call('weather', { city: 'Kiel' })];
    assert.equal(await verdictOf('is-valid-openai-tools-call', {}, { toolCalls, offeredTools }), true);
    assert.equal(await verdictOf('is-valid-openai-function-call', {}, { toolCalls, offeredTools }), false);
    assert.equal(await verdictOf('is-valid-openai-tools-call', {}, { toolCalls }), 'unmeasured');
  });
});

describe('tool-call-f1', () => {
  it('reads the calls of every provider, by name', async () => {
    const OUTPUTS = [
      '{"tool_calls":[{"function":{"name":"a"}},{"name":"b"}]}',
      '[{"function":{"name":"a"}},{"function":{"name":"b"}}]',
      '[{"type":"tool_use","name":"a","input":{}},{"type":"text","text":"x"},{"type":"tool_use","name":"b"}]',
      '[{"functionCall":{"name":"a"}},{"functionCall":{"name":"b"}}]',
      '{"toolCall":{"functionCalls":[{"name":"a"},{"name":"b"}]}}',
      'I call\n{"type":"tool_use","name":"a"}\n\n{"functionCall":{"name":"b"}}\nnow',
    ];
    for (const output of OUTPUTS) assert.equal(await valueGiven('tool-call-f1', { value: ['a', 'b'] }, { output }), 1, output);
    close(await valueGiven('tool-call-f1', { value: 'a, b' }, { toolCalls: [call('a'), call('b'), call('c'), call('c')] }), 0.8);
    assert.equal(await verdictOf('tool-call-f1', { value: 'a' }, { output: 'none' }), false);
    assert.equal(await verdictOf('tool-call-f1', { value: [] }, { output: 'none' }), 'failed');
    const turned = await score('not-tool-call-f1', { value: 'a' }, { toolCalls: [call('b')] });
    assert.ok(turned.state === 'measured' && turned.value === 0 && turned.passed === true);
  });

  it('with arguments: vectors of ragas, docs/…/agents.md', async () => {
    const value = [
      { name: 'uv_index_lookup', args: { location: 'Paris' } },
      { name: 'weather_check', args: { location: 'Paris' } },
    ];
    const toolCalls = [call('weather_check', { location: 'Paris' }), call('uv_index_lookup', { location: 'Paris' })];
    assert.equal(await valueGiven('tool-call-argument-f1', { value }, { toolCalls }), 1);
    // The page shows .67 for this, the formula on it gives 2 · (2/3) / (2/3 + 1).
    close(
      await valueGiven('tool-call-argument-f1', { value }, { toolCalls: [...toolCalls, call('air_quality', { location: 'Paris' })] }),
      0.8,
    );
    assert.equal(await verdictOf('tool-call-argument-f1', { value: [] }, { toolCalls }), 'unmeasured');
  });
});

describe('tool-call-accuracy: ragas', () => {
  const value = [
    { name: 'weather_check', args: { location: 'New York' } },
    { name: 'temperature_conversion', args: { temperature_fahrenheit: 75 } },
  ];
  const first = call('weather_check', { location: 'New York' });
  const second = call('temperature_conversion', { temperature_fahrenheit: 75 });
  it('is 1 for the calls of its page, and 0 in another order', async () => {
    assert.equal(await valueGiven('tool-call-accuracy', { value }, { toolCalls: [first, second] }), 1);
    assert.equal(await valueGiven('tool-call-accuracy', { value }, { toolCalls: [second, first] }), 0);
    assert.equal(await valueGiven('tool-call-accuracy', { value, strictOrder: false }, { toolCalls: [second, first] }), 1);
    assert.equal(await valueGiven('tool-call-accuracy', { value }, { toolCalls: [first] }), 0);
  });
  it('gives credit for arguments', async () => {
    const toolCalls = [first, call('temperature_conversion', { temperature_fahrenheit: 76 })];
    assert.equal(await valueGiven('tool-call-accuracy', { value }, { toolCalls }), 0.5);
    assert.equal(await valueGiven('tool-call-accuracy', { value: [] }), 1);
    assert.equal(await valueGiven('tool-call-accuracy', { value: [] }, { toolCalls }), 0);
  });
});

describe('retrieved contexts', () => {
  it('by id: vector of ragas, ids 1 2 3 against 1 4 5 6', async () => {
    const ids = { contextIds: ['1', '2', '3'], referenceContextIds: ['1', '4', '5', '6'] };
    assert.equal(await valueGiven('context-recall:id', {}, ids), 0.25);
    close(await valueGiven('context-precision:id', {}, ids), 1 / 3);
    assert.equal(await verdictOf('context-recall:id', { threshold: 0.5 }, ids), false);
  });

  it('by text: vectors of ragas', async () => {
    const contexts = ['Paris is the capital of France.'];
    const referenceContexts = [...contexts, 'The Eiffel Tower is one of the most famous landmarks in Paris.'];
    assert.equal(await valueGiven('context-recall:text', {}, { contexts, referenceContexts }), 0.5);
    // Average precision of [1, 0], [0, 1] and [1, 0, 1, 0, 1].
    const [good, bad] = ['Paris is the capital of France.', 'xyz'];
    const precision = (retrieved: string[]): Promise<number> =>
      valueGiven('context-precision:text', {}, { contexts: retrieved, referenceContexts });
    close(await precision([good, bad]), 0.9999999999);
    close(await precision([bad, good]), 0.49999999995);
    close(await precision([good, bad, good, bad, good]), 0.7555555555);
  });

  it('is not measured where there is nothing to tell', async () => {
    assert.equal(await verdictOf('context-recall:id', {}, { contextIds: ['1'] }), 'unmeasured');
    assert.equal(await verdictOf('context-recall:id', {}, { contextIds: ['1'], referenceContextIds: [] }), 'unmeasured');
    assert.equal(await verdictOf('context-recall:text', {}, { referenceContexts: ['a'] }), 'unmeasured');
    assert.equal(await verdictOf('context-precision:id', {}, { contextIds: [], referenceContextIds: ['1'] }), 'unmeasured');
    assert.equal(await valueGiven('context-recall:id', {}, { contextIds: [], referenceContextIds: ['1'] }), 0);
  });
});

describe('guardrails', () => {
  it('passes what was not flagged', async () => {
    const flagged = { isFlagged: true, stage: 'input', reason: null } as const;
    assert.equal(await verdictOf('guardrails', {}, { guardrails: flagged }), false);
    assert.equal(await verdictOf('not-guardrails', {}, { guardrails: flagged }), true);
    assert.equal(await verdictOf('guardrails', {}, { guardrails: { isFlagged: false, stage: null, reason: null } }), true);
    assert.equal(await verdictOf('guardrails', {}), 'unmeasured');
    assert.equal(await verdictOf('not-guardrails', {}), 'unmeasured');
  });
});
