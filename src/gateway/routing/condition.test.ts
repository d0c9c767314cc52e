import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileCondition, type RouteFacts } from './condition.ts';
import type { RouteCondition } from './policy.ts';

function facts(overrides: Partial<RouteFacts> = {}): RouteFacts {
  return {
    tags: {},
    feature: 'support',
    team: null,
    estimatedInputTokens: 100,
    isStream: false,
    nowMs: Date.parse('2026-03-02T08:30:00Z'), // a Monday
    language: () => 'en',
    parameter: () => null,
    hasTools: () => false,
    ...overrides,
  };
}

function holds(condition: RouteCondition, overrides: Partial<RouteFacts> = {}): boolean {
  return compileCondition(condition)(facts(overrides));
}

describe('conditions', () => {
  it('tags: one of the values, and only own members', () => {
    const condition = { tags: { plan: ['gold', 'silver'], region: ['eu'] } };
    assert.equal(holds(condition, { tags: { plan: 'silver', region: 'eu' } }), true);
    assert.equal(holds(condition, { tags: { plan: 'silver' } }), false);
    assert.equal(holds(condition, { tags: { plan: 'bronze', region: 'eu' } }), false);
    assert.equal(holds({ tags: { constructor: ['x'] } }), false);
  });

  it('features, teams, tokens, streams, tools, language', () => {
    assert.equal(holds({ features: ['support'] }), true);
    assert.equal(holds({ features: ['billing'] }), false);
    assert.equal(holds({ teams: ['a'] }), false);
    assert.equal(holds({ teams: ['a'] }, { team: 'a' }), true);
    assert.equal(holds({ inputTokens: { min: 100, max: 100 } }), true);
    assert.equal(holds({ inputTokens: { min: 101 } }), false);
    assert.equal(holds({ isStream: true }), false);
    assert.equal(holds({ hasTools: true }, { hasTools: () => true }), true);
    assert.equal(holds({ languages: ['de', 'fr'] }, { language: () => 'fr' }), true);
    assert.equal(holds({ languages: ['de'] }, { language: () => '' }), false);
  });

  it('parameters: a request that does not name one is in no range', () => {
    const condition = { parameters: { temperature: { max: 0.2 } } };
    assert.equal(holds(condition), false);
    assert.equal(holds(condition, { parameter: (name) => (name === 'temperature' ? 0 : null) }), true);
    assert.equal(holds(condition, { parameter: () => 0.3 }), false);
  });

  it('time of day in a zone, past midnight, on days', () => {
    const office = { time: { zone: 'Europe/Berlin', from: '09:00', to: '17:00' } };
    assert.equal(holds(office), true, '08:30 UTC is 09:30 in Berlin');
    assert.equal(holds(office, { nowMs: Date.parse('2026-03-02T07:59:00Z') }), false);
    assert.equal(holds(office, { nowMs: Date.parse('2026-03-02T16:00:00Z') }), false, 'the end is exclusive');
    assert.equal(holds(office, { nowMs: Date.parse('2026-07-06T07:00:00Z') }), true, 'summer time');
    const night = { time: { zone: 'UTC', from: '22:00', to: '06:00' } };
    assert.equal(holds(night, { nowMs: Date.parse('2026-03-02T23:00:00Z') }), true);
    assert.equal(holds(night, { nowMs: Date.parse('2026-03-02T05:59:00Z') }), true);
    assert.equal(holds(night), false);
    assert.equal(holds({ time: { zone: 'UTC', days: ['mon'] } }), true);
    assert.equal(holds({ time: { zone: 'UTC', days: ['sat', 'sun'] } }), false);
    assert.equal(holds({ time: { zone: 'Pacific/Auckland', days: ['sun'] } }, { nowMs: Date.parse('2026-03-01T10:00:00Z') }), true);
  });

  it('everything given must hold, and costly facts are asked for last', () => {
    const condition = { features: ['billing'], languages: ['en'] };
    const language = (): string => {
      throw new Error('asked for the language although the feature already decided');
    };
    assert.equal(holds(condition, { language }), false);
  });
});
