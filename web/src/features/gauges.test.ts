import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadLine } from '../api/schema.ts';
import { gaugesOf, intervalText, lineText, lineValue, standingOf } from './gauges.ts';

function line(changes: Partial<LoadLine>): LoadLine {
  return {
    id: 'error_rate',
    dimension: 'errors',
    title: 'Errors',
    unit: 'share',
    sense: 'at_most',
    line: 0.02,
    value: 0.01,
    interval: [0.005, 0.015],
    count: 1_000,
    countOf: 'finished calls',
    verdict: 'within',
    load: 0.5,
    reason: null,
    note: null,
    ...changes,
  };
}

const slow = line({
  id: 'duration_p99',
  dimension: 'latency',
  title: 'Whole answer, P99',
  unit: 'ms',
  line: 10_000,
  value: 12_000,
  interval: [11_000, 13_000],
  verdict: 'beyond',
  load: 1.2,
});
const quick = line({
  id: 'ttft_p95',
  dimension: 'latency',
  title: 'First token, P95',
  unit: 'ms',
  line: 800,
  value: 700,
  interval: null,
  verdict: 'unclear',
  load: 0.875,
});

describe('gauges of a feature', () => {
  it('show the worst line of a dimension, whatever its load', () => {
    assert.deepEqual(gaugesOf([quick, slow]).latency, {
      kind: 'line',
      value: '12.0 s',
      what: 'Whole answer, P99',
      line: 'at most 10.0 s',
      standing: 'beyond',
      load: 1.2,
    });
    const { errors } = gaugesOf([line({ load: 0.5 }), line({ load: 0.9, title: 'Closer' })]);
    assert.equal(errors.kind === 'line' && `${errors.what} ${errors.standing}`, 'Closer near');
    // One that is known to be fine is better news than one of which too little is known.
    const { latency } = gaugesOf([quick, line({ dimension: 'latency' })]);
    assert.equal(latency.kind === 'line' && latency.standing, 'unclear');
  });

  it('show values without a line as such, and what is not known as unmeasured, never as zero', () => {
    const cost = line({ dimension: 'cost', title: 'Cost per call', unit: 'usd', line: null, value: 0.002, verdict: 'no_line', load: null });
    assert.deepEqual(gaugesOf([cost]).cost, { kind: 'noLine', value: '$0.002', what: 'Cost per call' });
    const nothing = line({ value: null, interval: null, count: 0, verdict: 'unmeasured', load: null, reason: 'no calls in this range' });
    assert.deepEqual(gaugesOf([nothing]).errors, { kind: 'unmeasured', reason: 'no calls in this range' });
    for (const gauge of Object.values(gaugesOf([]))) assert.equal(gauge.kind, 'unmeasured');
    // A measured one stands before those that are not.
    const quality = gaugesOf([line({ ...nothing, dimension: 'quality' }), line({ dimension: 'quality', title: 'Refusals' })]).quality;
    assert.equal(quality.kind === 'line' && quality.what, 'Refusals');
  });

  it('put values, lines and intervals into words of their unit', () => {
    assert.deepEqual([lineValue(slow, 640), lineText(slow), intervalText(slow)], ['640 ms', 'at most 10.0 s', '11.0 s – 13.0 s']);
    const stars = line({ unit: 'stars', sense: 'at_least', line: 4.2, interval: [4.1, 4.96] });
    assert.deepEqual([lineValue(stars, 4.5), lineText(stars), intervalText(stars)], ['4.50 of 5', 'at least 4.20 of 5', '4.10–4.96']);
    assert.equal(intervalText(line({ interval: null })), null);
    assert.equal(intervalText(line({ unit: 'usd', interval: [-0.001, 0.02] })), '$0 – $0.02');
    assert.equal(lineText(line({ line: null })), null);
    assert.equal(standingOf(line({ load: 0.79 })), 'within');
    assert.equal(standingOf(line({ load: 0.8 })), 'near');
  });
});
