import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { amountText, capacityText, consequenceText, exactAmountText, memberText, stateWord } from './limit-text.ts';
import { parseLimitsSearch } from './limits-search.ts';

describe('limits in words', () => {
  it('name amounts with their unit, and never an unknown one as zero', () => {
    assert.equal(amountText('usd', '4200000000000'), '$4.20');
    assert.equal(amountText('tokens', '1250000'), '1.25M');
    assert.equal(exactAmountText('tokens', '1250000'), '1,250,000 tokens');
    assert.equal(exactAmountText('requests', '1'), '1 request');
    assert.equal(exactAmountText('usd', '4200000000000'), '$4.20');
    assert.equal(exactAmountText('usd', '4200000000001'), '$4.200000000001');
    assert.equal(amountText('usd', null), '–');
    assert.equal(exactAmountText('steps', null), '–');
  });

  it('say what is allowed, for whom, and what happens then', () => {
    assert.equal(capacityText({ unit: 'tokens', capacity: '1200', period: 'minute', kind: 'window' }), '1,200 tokens per minute');
    assert.equal(capacityText({ unit: 'usd', capacity: '50000000000000', period: 'day', kind: 'total' }), '$50 per day');
    assert.equal(capacityText({ unit: 'concurrency', capacity: '8', period: null, kind: 'gauge' }), '8 calls in flight');
    assert.equal(
      capacityText({ unit: 'input_tokens', capacity: '4000', period: null, kind: 'request' }),
      '4,000 input tokens in one request',
    );
    assert.equal(memberText({ scope: 'user', name: null }), 'each user');
    assert.equal(memberText({ scope: 'team', name: 'support' }), 'support');
    assert.equal(memberText({ scope: 'global', name: null }), 'everybody');
    assert.equal(consequenceText({ onExceed: 'downgrade', downgradeTo: 'cheap', isLoopBreaker: false }), 'then to cheap');
    assert.equal(consequenceText({ onExceed: 'reject', downgradeTo: null, isLoopBreaker: true }), 'then the run is stopped');
  });

  it('do not cry for a limit that only alerts', () => {
    assert.deepEqual(stateWord({ state: 'exceeded', onExceed: 'alert', kind: 'window' }), { state: 'warning', word: 'exceeded' });
    assert.equal(stateWord({ state: 'exceeded', onExceed: 'reject', kind: 'gauge' }).word, 'full');
  });

  it('keep the address to what the page knows', () => {
    assert.deepEqual(parseLimitsSearch({ scope: 'team', q: ' a ', lines: '300', view: 'events', other: 1 }), {
      view: 'events',
      scope: 'team',
      q: 'a',
      lines: 300,
    });
    assert.deepEqual(parseLimitsSearch({ scope: 'nobody', q: '', lines: '-3', view: 'x' }), {});
  });
});
