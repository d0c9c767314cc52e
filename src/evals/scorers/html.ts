import { z } from 'zod';
import { containsHtml, htmlMistake } from '../markup/html.ts';
import { failed, verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';

const MAX_CHARACTERS = 1_000_000;

export default [
  defineScorer({
    names: ['is-html'],
    summary: 'The whole output is HTML: elements that HTML knows, and no text beside them unless a body is written around it.',
    source:
      'promptfoo. Read by a small reader of tags, not by the whole algorithm of browsers: misnested tables and forms may be judged otherwise.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({}),
    score({ output }) {
      if (output.length > MAX_CHARACTERS) return failed('The output is too long to be checked.');
      const mistake = htmlMistake(output);
      return verdict(mistake === null, mistake === null ? 'HTML.' : `No HTML: ${mistake}.`);
    },
  }),
  defineScorer({
    names: ['contains-html'],
    summary: 'Some of the output looks like HTML: a pair of tags, a well-known element, or two weaker signs.',
    source: 'promptfoo: signs with weights; 2 are needed.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({}),
    score({ output }) {
      if (output.length > MAX_CHARACTERS) return failed('The output is too long to be searched.');
      const passed = containsHtml(output);
      return verdict(passed, passed ? 'Signs of HTML.' : 'Less than two signs of HTML.');
    },
  }),
];
