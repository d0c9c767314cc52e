import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ANSWER_CLASSIFIER_QUALITY, classifyAnswer } from './answer-class.ts';
import { KNOWN_ANSWERS, type LabelledAnswer, UNSEEN_ANSWERS } from './fixtures/labelled-answers.ts';

function quality(answers: readonly LabelledAnswer[]) {
  const refusals = answers.filter(({ label }) => label === 'refused');
  const others = answers.filter(({ label }) => label !== 'refused');
  const isRefused = ({ text }: LabelledAnswer) => classifyAnswer(text) === 'refused';
  return {
    sensitivity: { found: refusals.filter(isRefused).length, of: refusals.length },
    specificity: { found: others.filter((answer) => !isRefused(answer)).length, of: others.length },
  };
}

describe('classifyAnswer', () => {
  it('is right on what it was written with', () => {
    for (const { text, label } of KNOWN_ANSWERS) assert.equal(classifyAnswer(text), label, text);
  });

  it('is as good on answers that it was not written with as it says', () => {
    const { languages: _, ...stated } = ANSWER_CLASSIFIER_QUALITY;
    const missed = UNSEEN_ANSWERS.filter(({ text, label }) => (classifyAnswer(text) === 'refused') !== (label === 'refused'));
    assert.deepEqual(quality(UNSEEN_ANSWERS), stated, missed.map(({ label, text }) => `${label}: ${text}`).join('\n'));
  });

  it('says nothing of texts without letters or in other scripts', () => {
    for (const text of [
      '',
      '42',
      '…',
      '申し訳ありませんが、お手伝いできません。',
      'Извините, я не могу помочь.',
      'عذراً، لا أستطيع المساعدة',
    ])
      assert.equal(classifyAnswer(text), null, text);
  });

  it('takes any text, and long ones quickly', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => classifyAnswer(text) !== undefined));
    for (const hostile of ["i can't ".repeat(50_000), 'sorry '.repeat(50_000), 'ich kann '.repeat(50_000), "i'm not ".repeat(50_000)]) {
      const started = performance.now();
      classifyAnswer(hostile);
      assert.ok(performance.now() - started < 500);
    }
  });
});
