import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CompiledTarget } from '../compiled-snapshot.ts';
import { type ChoiceInputs, chooseTargets, counterfactual, type Difficulty, describeChoice } from './choose-targets.ts';
import type { Candidate } from './compiled-route.ts';
import { disabledTiers } from './compiled-route.ts';
import type { Tier } from './policy.ts';

function candidate(model: string, position: number, tier: Tier | null = null): Candidate {
  return { target: { model } as CompiledTarget, position, weight: 1, tier, when: null }; // strategies read nothing else of a target
}

const TIERED = [candidate('small', 1, 'simple'), candidate('middle', 2, 'medium'), candidate('large', 3, 'complex')];
const INPUTS: ChoiceInputs = {
  random: () => 0,
  costOf: () => null,
  latencyOf: () => 0,
  stickyHash: null,
  difficulty: null,
  disabledTiers: undefined,
};
function judged(tier: Tier, confidence = 0.9, isUndecided = false): Difficulty {
  return { tier, confidence, probabilities: { simple: 0, medium: 0, complex: 0, [tier]: confidence }, isUndecided };
}
const models = (list: readonly Candidate[]): string[] => list.map(({ target }) => target.model);

describe('complexity', () => {
  it('asks the tier first, then better ones, then weaker ones', () => {
    const order = (tier: Tier): string[] => models(chooseTargets('complexity', TIERED, { ...INPUTS, difficulty: judged(tier) }).ordered);
    assert.deepEqual(order('simple'), ['small', 'middle', 'large']);
    assert.deepEqual(order('medium'), ['middle', 'large', 'small']);
    assert.deepEqual(order('complex'), ['large', 'middle', 'small']);
  });

  it('undecided, or not readable, is medium', () => {
    const unknown = chooseTargets('complexity', TIERED, INPUTS);
    assert.equal(unknown.tier, 'medium');
    assert.equal(unknown.reason, 'complexity medium undecided');
    assert.equal(
      chooseTargets('complexity', TIERED, { ...INPUTS, difficulty: judged('medium', 0.4, true) }).reason,
      'complexity medium undecided',
    );
  });

  it('a tier below the quality floor of the feature is passed over, upwards', () => {
    const floors = disabledTiers([
      { feature: 'support', minimum: 0.8, scores: { simple: 0.7, medium: 0.85 } },
      { feature: 'legal', minimum: 0.95, scores: { simple: 0.7, medium: 0.9, complex: 0.2 } },
      { feature: 'free', minimum: 0.5, scores: {} },
    ]);
    const choose = (feature: string) =>
      chooseTargets('complexity', TIERED, { ...INPUTS, difficulty: judged('simple'), disabledTiers: floors.get(feature) });
    assert.equal(choose('support').tier, 'medium');
    assert.equal(choose('support').reason, 'complexity medium 0.90; simple is below the quality floor');
    assert.equal(choose('legal').tier, 'complex', 'the highest tier always stays');
    assert.equal(choose('free').tier, 'simple', 'unmeasured is not bad');
  });

  it('is compared with the model of the highest tier, every other strategy with the first target', () => {
    assert.equal(counterfactual('complexity', TIERED)?.target.model, 'large');
    assert.equal(counterfactual('cost', TIERED)?.target.model, 'small');
  });
});

describe('a decision', () => {
  it('says who was left out, and what would have been asked', () => {
    const choice = chooseTargets('cost', TIERED.slice(1), { ...INPUTS, costOf: ({ position }) => BigInt(10 - position) });
    const described = describeChoice('cost', choice, TIERED, TIERED.slice(0, 1), null);
    assert.deepEqual(described, {
      strategy: 'cost',
      reason: 'cost; without small (unhealthy)',
      tier: null,
      probabilities: null,
      candidates: ['large', 'middle'],
      counterfactualModel: 'small',
      estimatedSavingPicoUsd: null,
    });
  });

  it('names the rule that held', () => {
    const rule = { ...candidate('vip', 2), when: () => true };
    assert.equal(chooseTargets('condition', [rule, candidate('rest', 3)], INPUTS).reason, 'condition 2');
    assert.equal(chooseTargets('condition', [candidate('rest', 3)], INPUTS).reasonClass, 'condition:none');
  });

  it('sticky without anything that sticks goes by weight', () => {
    assert.equal(chooseTargets('sticky', TIERED, INPUTS).reasonClass, 'sticky:none');
    const hashed = chooseTargets('sticky', TIERED, { ...INPUTS, stickyHash: ({ position }) => position / 4 });
    assert.deepEqual(models(hashed.ordered), ['large', 'middle', 'small']);
  });
});
