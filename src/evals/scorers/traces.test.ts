import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cpuTimer } from '../../kernel/testing.ts';
import type { JsonValue, TracedSpan } from '../scorer.ts';
import { verdictOf } from '../testing.ts';
import { matchesGlob } from '../trajectory.ts';

function span(name: string, parts: Partial<TracedSpan> = {}): TracedSpan {
  return {
    spanId: name,
    parentSpanId: null,
    name,
    operation: null,
    toolName: null,
    toolArguments: null,
    startMs: 0,
    durationMs: 10,
    isError: false,
    ...parts,
  };
}
const tool = (toolName: string, startMs: number, toolArguments: JsonValue = {}): TracedSpan =>
  span(`execute_tool ${toolName}`, { toolName, startMs, toolArguments });

const spans = [
  span('chat', { durationMs: 400, startMs: 0 }),
  tool('book', 30, { hotel: 'Adler', nights: 2, at: '2026-01-01', page: 1 }),
  tool('search_hotels', 10, { city: 'Bonn' }),
  tool('shell', 40, { cmd: ['ls', '-l'] }),
  tool('search_hotels', 20, { city: 'Kiel', extra: [1, { a: 2 }] }),
  span('reasoning step', { startMs: 50, isError: true }),
];

describe('trajectory', () => {
  const CASES: [type: string, value: unknown, passed: boolean | string][] = [
    ['tool-used', 'book', true],
    ['tool-used', 'BOOK', true],
    ['tool-used', 'search_*', true],
    ['tool-used', 'shell', false],
    ['tool-used', ['book', 'search_hotels'], true],
    ['tool-used', ['book', 'pay'], false],
    ['not-tool-used', ['book', 'pay'], false],
    ['not-tool-used', ['pay', 'cancel'], true],
    ['tool-used', { name: 'search_hotels', min: 2 }, true],
    ['tool-used', { name: 'search_hotels', max: 1 }, false],
    ['not-tool-used', { name: 'search_hotels', max: 1 }, true],
    ['tool-used', { min: 2 }, 'failed'],
    ['tool-used', [], 'failed'],
    ['tool-sequence', ['search_hotels', 'book'], true],
    ['tool-sequence', ['book', 'search_hotels'], false],
    ['not-tool-sequence', ['book', 'search_hotels'], true],
    ['tool-sequence', { mode: 'exact', steps: ['search_hotels', { name: 'search_hotels' }, 'book'] }, true],
    ['tool-sequence', { mode: 'exact', steps: ['search_hotels', 'book'] }, false],
    ['tool-sequence', { steps: [] }, 'failed'],
    ['tool-args-match', { name: 'book', args: { nights: 2 } }, true],
    ['tool-args-match', { name: 'book', args: { nights: 3 } }, false],
    ['tool-args-match', { name: 'search_hotels', args: { city: 'Kiel', extra: [1, { a: 2 }] } }, true],
    ['tool-args-match', { name: 'search_hotels', args: { city: 'Kiel', extra: [1] } }, false],
    ['tool-args-match', { name: 'search_hotels', args: { city: 'Bonn' }, mode: 'exact' }, true],
    ['tool-args-match', { name: 'book', args: { hotel: 'Adler', nights: 2 }, mode: 'exact' }, false],
    ['tool-args-match', { name: 'book', args: { hotel: 'Adler', nights: 2 }, mode: 'exact', ignore: 'a*', defaults: { page: 1 } }, true],
    ['tool-args-match', { name: 'book' }, 'failed'],
    ['step-count', { type: 'tool', min: 3, max: 3 }, true],
    ['step-count', { type: 'command', pattern: 'ls*', min: 1 }, true],
    ['step-count', { type: ['reasoning', 'command'], min: 2 }, true],
    ['step-count', { max: 5 }, false],
    ['step-count', {}, 'failed'],
  ];
  for (const [type, value, expected] of CASES) {
    const name = type.startsWith('not-') ? `not-trajectory:${type.slice(4)}` : `trajectory:${type}`;
    it(`${name} ${JSON.stringify(value)}: ${expected}`, async () => assert.equal(await verdictOf(name, { value }, { spans }), expected));
  }

  it('is not measured without a trace', async () => {
    assert.equal(await verdictOf('trajectory:tool-used', { value: 'book' }), 'unmeasured');
    assert.equal(await verdictOf('not-trajectory:tool-used', { value: 'book' }), 'unmeasured');
  });
});

describe('spans of a trace', () => {
  const CASES: [type: string, value: unknown, passed: boolean | string][] = [
    ['trace-span-count', { pattern: 'execute_tool *', min: 4, max: 4 }, true],
    ['trace-span-count', { pattern: 'chat', max: 0 }, false],
    ['trace-span-duration', { max: 399 }, false],
    ['trace-span-duration', { max: 400 }, true],
    ['trace-span-duration', { max: 10, percentile: 83 }, true],
    ['trace-span-duration', { max: 10, percentile: 84 }, false],
    ['trace-span-duration', { max: 1, pattern: 'none' }, true],
    ['trace-error-spans', undefined, false],
    ['trace-error-spans', 1, true],
    ['trace-error-spans', { max_percentage: 17 }, true],
    ['trace-error-spans', { max_percentage: 16 }, false],
    ['trace-error-spans', { max_count: 0, pattern: 'chat' }, true],
  ];
  for (const [type, value, expected] of CASES)
    it(`${type} ${JSON.stringify(value)}: ${expected}`, async () =>
      assert.equal(await verdictOf(type, value === undefined ? {} : { value }, { spans }), expected));
});

it('skill-used reads the tool Skill', async () => {
  const skills = [
    tool('Skill', 1, { skill: 'pdf' }),
    tool('Skill', 2, { command: 'review-code' }),
    span('x', { toolName: 'Skill', toolArguments: { skill: 'bad' }, isError: true }),
  ];
  const verdicts = (value: unknown, type = 'skill-used'): Promise<unknown> => verdictOf(type, { value }, { spans: skills });
  assert.equal(await verdicts('pdf'), true);
  assert.equal(await verdicts(['pdf', 'bad']), false);
  assert.equal(await verdicts({ pattern: 'review-*', max: 1 }), true);
  assert.equal(await verdicts({ name: 'pdf', max: 0 }), false);
  assert.equal(await verdicts('bad', 'not-skill-used'), true);
  assert.equal(await verdicts(['bad', 'pdf'], 'not-skill-used'), false);
  assert.equal(await verdicts({ name: 'pdf', min: 1 }, 'not-skill-used'), 'failed');
  assert.equal(await verdictOf('skill-used', { value: 'pdf' }), 'unmeasured');
});

it('patterns take no long time', () => {
  const timer = cpuTimer();
  assert.equal(matchesGlob('a'.repeat(20_000), '*a*a*a*a*b'), false);
  assert.ok(timer() < 2000);
});
