import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { completion, type ScriptedUpstream, sendJson, startGateway, startUpstream, type TestGateway, until } from '../testing.ts';
import { isSameAnswer } from './compare-answers.ts';
import { guardForm } from './meaning-guards.ts';
import { advanceStanding, isPlainlyUnsafe, type SemanticStanding, UNMEASURED } from './semantic-standing.ts';
import type { SemanticSettings } from './settings.ts';
import { asker, cachingSnapshot, question } from './testing.ts';

const SAME: [string, string][] = [
  ['How do I reset my password?', 'How can I reset my password'],
  ['What is the refund policy?', "What's the refund policy?"],
  ['Please cancel the order', 'Cancel order, please'],
  ["I can't log in", 'I cannot log in'],
  ['Could you please tell me where my parcel is', 'Where my parcel is'],
  ['How do I track my orders', 'How can I track my order'],
];
const APART: [string, string, string][] = [
  ['numbers', 'Refund within 14 days of the order', 'Refund within 30 days of the order'],
  ['numbers as words', 'Can two people share an account', 'Can three people share an account'],
  ['negation', 'Which plans include support', 'Which plans do not include support'],
  ['names', 'Does it work with Slack', 'Does it work with Teams'],
  ['small names', 'does it work with slack', 'does it work with teams'],
  ['swapped names', 'transfer the domain from ann to bob', 'transfer the domain from bob to ann'],
  ['languages', 'translate the following letter to french', 'translate the following letter to spanish'],
  ['opposites', 'how do I enable the backup', 'how do I disable the backup'],
  ['directions', 'how do I upload a file', 'how do I download a file'],
  ['time', 'open before noon on monday', 'open after noon on monday'],
  ['persons', 'What is my limit', 'What is your limit'],
  ['whose', 'What is my limit', 'What is the limit'],
  ['quotes', 'What does "net 30" mean', 'What does "net 60" mean'],
];

describe('what must be equal before similarity counts', () => {
  for (const [left, right] of SAME)
    it(`${left} = ${right}`, () =>
      assert.equal(guardForm(left, 'lexical').replace(/^\["\w*"/, ''), guardForm(right, 'lexical').replace(/^\["\w*"/, '')));
  for (const [what, left, right] of APART)
    it(`tells ${what} apart`, () => assert.notEqual(guardForm(left, 'lexical'), guardForm(right, 'lexical')));
  it('leaves other words to an embedder that knows meaning, and nothing else', () => {
    assert.equal(guardForm('how do I get my cash back', 'provider'), guardForm('how do I receive my refund', 'provider').replace('x', 'x'));
    for (const [what, left, right] of APART.filter(([name]) => name !== 'small names' && name !== 'swapped names' && name !== 'whose'))
      assert.notEqual(guardForm(left, 'provider'), guardForm(right, 'provider'), what);
    assert.notEqual(guardForm('How do I pay?', 'provider'), guardForm('Wie kann ich hier bezahlen?', 'provider'));
  });
});

describe('comparing answers', () => {
  const answer = (content: unknown) => ({ choices: [{ message: { content } }] });
  it('takes other words for another answer, unless it is told how alike they have to be', () => {
    const long = 'Your refund usually takes 5 days to arrive on your card after we have received the parcel.';
    assert.ok(isSameAnswer(answer('Refunds take 5 days.'), answer('refunds take the  5 days')));
    assert.ok(isSameAnswer(answer('Yes, they take 5 days.'), answer('They take 5 days: yes.')));
    const reworded = long.replace('usually', 'normally');
    assert.ok(!isSameAnswer(answer(long), answer(reworded)));
    assert.ok(isSameAnswer(answer(long), answer(reworded), 0.8));
    for (const other of [long.replace('5', '6'), long.replace('after', 'before'), long.replace('we have', 'we have not'), 'Yes.'])
      assert.ok(!isSameAnswer(answer(long), answer(other), 0.8), other);
    assert.ok(!isSameAnswer(answer(null), answer(null)));
    assert.ok(!isSameAnswer({}, { choices: [] }));
  });
});

describe('standing of a semantic cache', () => {
  const after = (samples: number, falseHits: number, from: SemanticStanding = UNMEASURED) =>
    advanceStanding(from, { samples, falseHits }, 0.02);
  it('is earned by enough comparisons and lost by too many wrong ones', () => {
    assert.equal(after(188, 0).state, 'shadow');
    const live = after(189, 0);
    assert.equal(live.state, 'live');
    assert.match(live.reason, /0 of 189 compared hits were wrong: 0.00 %, 95 % interval 0.00 % to 1.99 %; the bound is 2.00 %/);
    assert.equal(after(1, 1, live).state, 'live');
    assert.equal(after(1, 1, after(1, 1, after(1, 1, after(1, 1, live)))).state, 'off');
    assert.equal(after(49, 49).state, 'shadow', 'few comparisons prove nothing, and nobody is given a wrong answer');
    assert.equal(after(50, 4).state, 'off');
    assert.equal(after(60, 2).state, 'shadow', 'not known yet');
    const off = after(50, 5);
    assert.equal(after(1000, 0, off), off, 'off is final');
    assert.equal(isPlainlyUnsafe({ samples: 5, falseHits: 5 }, 0.02), true);
    assert.equal(isPlainlyUnsafe({ samples: 1, falseHits: 0 }, 0.02), false);
  });

  it('never serves hits whose false share may exceed the bound, however the samples come', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(5)), { maxLength: 30 }), (reports) => {
        let standing = UNMEASURED;
        for (const [samples, falseHits] of reports) {
          const before = standing.state;
          standing = after(samples + falseHits, falseHits, standing);
          if (before === 'off') assert.equal(standing.state, 'off');
          if (standing.state === 'live') assert.ok(standing.falseHits / standing.samples <= 0.02 + 1 / standing.samples);
        }
      }),
    );
  });
});

describe('semantic cache', () => {
  let upstream: ScriptedUpstream;
  let running: TestGateway;
  let answers: (text: string) => string;
  const ask = asker(() => running.baseUrl);
  const semantic = (changes: Partial<SemanticSettings> = {}): SemanticSettings => ({
    embedder: 'lexical',
    threshold: 0.8,
    maxFalseHitRatio: 0.02,
    shadowRatio: 0.000001,
    sameAnswerSimilarity: 1,
    maxEntries: 1000,
    state: 'live',
    checkId: 'check-1',
    ...changes,
  });
  const use = (changes: Partial<SemanticSettings> = {}): void => {
    running.snapshot = cachingSnapshot(upstream.baseUrl, { mode: 'semantic', semantic: semantic(changes) });
  };
  const outcome = async (text: string, rest: Record<string, unknown> = {}) => {
    const answer = await ask(question(text, rest));
    await until(() => running.gateway.stats.activeCalls === 0, 'the call is over');
    return answer.headers.get('x-plimsoll-cache');
  };
  beforeEach(async () => {
    answers = () => 'It takes 5 days.';
    upstream = await startUpstream(({ json }, response) =>
      sendJson(response, completion(answers(String((json.messages as { content: string }[]).at(-1)?.content)))),
    );
    running = await startGateway(null);
    use();
  });
  afterEach(async () => {
    await running.close();
    await upstream.close();
  });

  it('gives the answer to a similar question under equal circumstances, and says how similar', async () => {
    assert.equal(await outcome('How do I reset my password today?'), 'miss');
    assert.equal(await outcome('How can I reset my password today?'), 'semantic-hit');
    const settled = running.journal.settled[1];
    assert.ok((settled?.cache?.similarity ?? 0) > 0.8);
    assert.equal(settled?.costStatus, 'cached_zero');
    assert.equal(await outcome('How can I reset my password today?', { seed: 3 }), 'miss');
    assert.equal(await outcome('How can I reset my username today?'), 'miss');
    assert.equal(await outcome('How can I not reset my password today?'), 'miss');
  });

  it('in shadow asks the model all the same and counts what a hit would have said', async () => {
    use({ state: 'shadow' });
    await outcome('How do I reset my password today?');
    assert.equal(await outcome('How can I reset my password today?'), 'miss');
    assert.equal(upstream.requests.length, 2);
    answers = () => 'It takes 6 days.';
    assert.equal(await outcome('How could I reset my password today?'), 'miss');
    assert.match(running.gateway.metrics(), /plimsoll_cache_shadow_total\{feature="support",verdict="same"\} 1/);
    assert.match(running.gateway.metrics(), /plimsoll_cache_shadow_total\{feature="support",verdict="different"\} 1/);
    assert.deepEqual(running.gateway.cacheReport().shadow, [{ feature: 'support', checkId: 'check-1', samples: 2, falseHits: 1 }]);
    assert.deepEqual(running.gateway.cacheReport().shadow, []);
  });

  it('goes on asking the model for a share of its hits, and stops by itself when they are plainly wrong', async () => {
    use({ shadowRatio: 1 });
    let count = 0;
    answers = () => `The number is ${++count}.`;
    const intro = ['How do I', 'How can I', 'How could I', 'How do we', 'How can we', 'How could we'];
    for (const words of intro) assert.equal(await outcome(`${words} reset my password today`), 'miss');
    assert.equal(upstream.requests.length, 6);
    use({ shadowRatio: 0.000001 });
    assert.equal(await outcome('How do you reset my password today'), 'miss', 'hits are off in this gateway, without waiting for control');
    use({ shadowRatio: 0.000001, checkId: 'check-2' });
    assert.equal(await outcome('How do you reset my password yesterday'), 'miss');
    assert.equal(await outcome('How can you reset my password yesterday'), 'semantic-hit', 'another check begins anew');
  });

  it('is no more than near while it is off', async () => {
    use({ state: 'off' });
    await outcome('How do I reset my password today?');
    assert.equal(await outcome('how do I reset my password today'), 'near-hit');
    assert.equal(await outcome('How can I reset my password today?'), 'miss');
  });
});
