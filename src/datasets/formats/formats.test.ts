import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { type EvalCase, readCase } from '../model.ts';
import { assertionOfCell } from './promptfoo-csv.ts';
import { readCases } from './read-cases.ts';
import { writeCases } from './write-cases.ts';

const refused = (pattern: RegExp) => (thrown: unknown) =>
  thrown instanceof PlimsollError && thrown.code === 'invalid_argument' && pattern.test(thrown.message);

const word = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom(
    '=1+1',
    "'=x",
    "''-",
    '-',
    'no',
    '~',
    '1e3',
    '0x1F',
    'null',
    'a: b',
    '# x',
    ' lead',
    'trail ',
    'a\nb\n',
    '\n',
    '\r\n',
    '\t',
    '%',
    '|',
    '"',
    "'",
    '- a',
    '\u0085',
    '\u2028',
    '\uFEFFx',
    '2001-01-01',
    '<<',
    '*a',
    '&a',
    '{',
    '[]',
    ',',
    'a\r',
    '\\',
    '\u0000\u0007',
  ),
);
const name = fc.stringMatching(/^[a-zA-Z_=+@' -][a-zA-Z0-9_. -]{0,10}$/).filter((text) => text !== '__proto__');
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const passages = fc.option(fc.array(fc.record({ id: fc.option(fc.stringMatching(/^[a-z#-]{1,6}$/)), text: word }), { maxLength: 3 }));
const label = fc.stringMatching(/^[a-z=-]{1,8}$/);
const draft = fc.record(
  {
    input: fc.record({
      variables: fc.dictionary(name, fc.oneof(word, json), { minKeys: 1, maxKeys: 4 }),
      messages: fc.array(fc.record({ role: fc.constantFrom('user', 'assistant'), content: json }), { maxLength: 2 }),
    }),
    description: fc.option(word),
    expected: fc.record({
      answer: fc.option(word),
      facts: fc.array(
        word.filter((text) => text !== ''),
        { maxLength: 2 },
      ),
    }),
    contexts: passages,
    referenceContexts: passages,
    recorded: fc.option(fc.record({ output: word })),
    assertions: fc.array(json, { maxLength: 2 }),
    metadata: fc.dictionary(label, json, { maxKeys: 3 }),
    slices: fc.dictionary(label, label, { maxKeys: 2 }),
    tags: fc.array(label, { maxLength: 3 }),
    cluster: fc.option(label),
    at: fc.option(fc.integer()),
  },
  { requiredKeys: ['input'] },
);
const dataset = fc
  .array(draft, { maxLength: 5 })
  .map((drafts) => [
    ...new Map(drafts.map((each) => readCase(parseJsonText(JSON.stringify(each)), 'drawn')).map((each) => [each.hash, each])).values(),
  ]);
const hashes = (cases: readonly EvalCase[]) => cases.map(({ hash }) => hash);

describe('files of cases', () => {
  for (const format of ['yaml', 'jsonl', 'csv', 'promptfoo'] as const)
    it(`${format} gives back what was written, to the hash, and the same bytes`, () => {
      const fileName = `x.${format === 'promptfoo' ? 'yaml' : format}`;
      fc.assert(
        fc.property(dataset, (cases) => {
          if (cases.length === 0 && format === 'csv') return;
          const text = writeCases(cases, format);
          const shape = format === 'promptfoo' ? ('promptfoo' as const) : undefined;
          const read = readCases(text, { fileName, shape });
          assert.deepEqual(hashes(read.cases), hashes(cases));
          assert.equal(writeCases(read.cases, format), text);
        }),
        { numRuns: 300 },
      );
    });

  for (const format of ['ragas', 'deepeval'] as const)
    it(`${format} gives back question, answers and passages`, () => {
      fc.assert(
        fc.property(
          word,
          fc.option(word.filter((text) => text !== '')),
          fc.option(word.filter((text) => text !== '')),
          passages,
          (question, answer, output, contexts) => {
            const written = readCase(
              {
                input: { variables: { question: `q${question}` } },
                expected: { answer },
                contexts,
                ...(output === null ? {} : { recorded: { output } }),
              },
              'drawn',
            );
            const fileName = format === 'ragas' ? 'x.jsonl' : 'x.json';
            const [read] = readCases(writeCases([written], format), { fileName }).cases;
            assert.equal(Object.values(read?.input.variables ?? {})[0], `q${question}`);
            assert.equal(read?.expected.answer, answer);
            assert.equal(read?.recorded?.output ?? null, output);
            assert.deepEqual(read?.contexts?.map(({ text }) => text) ?? null, contexts?.map(({ text }) => text) ?? null);
          },
        ),
      );
    });

  it('writes one block per case, so that a change of one touches its lines alone', () => {
    const cases = ['a', 'b', 'c'].map((id) =>
      readCase({ id, input: { variables: { question: `Line one of ${id}\nline two` } }, tags: ['t'] }, id),
    );
    const text = writeCases(cases, 'yaml', { name: 'support', version: 3 });
    assert.equal(text.split('cases:\n')[0], 'name: support\nversion: 3\n\n');
    const changed = writeCases(cases.with(1, readCase({ id: 'b', input: { variables: { question: 'x' } } }, 'b')), 'yaml', {
      name: 'support',
      version: 3,
    });
    const before = text.split('\n\n');
    const after = changed.split('\n\n');
    assert.equal(before.length, 4);
    assert.deepEqual(
      before.map((block, index) => block === after[index]),
      [true, true, false, true],
    );
  });

  it('never writes a cell that a spreadsheet would run', () => {
    const cases = ['=cmd|x', '+1', '-1', '@SUM(A1)', "'=1", ' =1', '\t=1'].map((question) =>
      readCase({ input: { variables: { question } } }, 'a'),
    );
    for (const line of writeCases(cases, 'csv').split('\r\n').slice(1, -1)) assert.match(line, /^"?'/);
  });

  it("reads promptfoo's tests and CSV", () => {
    const yaml = `description: d\nprompts: [a]\ntests:\n  - vars: { question: Why? }\n    assert:\n      - type: contains\n        value: x\n    metadata: { k: v }\n    threshold: 0.5\n`;
    const [one] = readCases(yaml, { fileName: 'promptfooconfig.yaml' }).cases;
    assert.deepEqual(one?.assertions, [{ type: 'contains', value: 'x' }]);
    assert.deepEqual([one?.metadata, one?.settings], [{ k: 'v' }, { threshold: 0.5 }]);
    const csv =
      '\uFEFFquestion,__expected,__expected2,__description,__metadata:topic,__metadata:list[],__config:__expected2:threshold,_description\r\n"Why, so?",contains:Paris,"similar:a, b",d,geo,"a,b\\,c",0.4,oops\r\n';
    const read = readCases(csv, { fileName: 'tests.csv' });
    const [row] = read.cases;
    assert.equal(row?.input.variables.question, 'Why, so?');
    assert.deepEqual(row?.assertions, [
      { type: 'contains', value: 'Paris' },
      { type: 'similar', value: 'a, b', threshold: 0.4 },
    ]);
    assert.deepEqual(row?.metadata, { topic: 'geo', list: ['a', 'b,c'] });
    assert.match(read.warnings[0] ?? '', /"__description"/);
  });

  it("reads cells of __expected as promptfoo's", () => {
    const vectors: [string, object][] = [
      ['Paris', { type: 'equals', value: 'Paris' }],
      ['contains:Paris', { type: 'contains', value: 'Paris' }],
      ['not-contains:Paris', { type: 'not-contains', value: 'Paris' }],
      ['contains-all:a, b', { type: 'contains-all', value: ['a', 'b'] }],
      ['is-json', { type: 'is-json' }],
      ['similar(0.9):text', { type: 'similar', value: 'text', threshold: 0.9 }],
      ['similar:text', { type: 'similar', value: 'text', threshold: 0.8 }],
      ['levenshtein(5):x', { type: 'levenshtein', value: 'x', threshold: 5 }],
      ['latency(100)', { type: 'latency', threshold: 100 }],
      ['grade:is polite', { type: 'llm-rubric', value: 'is polite' }],
      ['fn:output.length > 1', { type: 'javascript', value: 'output.length > 1' }],
      ['python: x', { type: 'python', value: 'x' }],
      ['note: contains:x', { type: 'equals', value: 'note: contains:x' }],
      ['similar:cosine:x', { type: 'similar:cosine', value: 'x' }],
    ];
    for (const [cell, expected] of vectors) assert.deepEqual(assertionOfCell(cell), expected, cell);
  });

  it("reads both generations of Ragas' columns, and lists as pandas writes them", () => {
    const csv = 'question,answer,contexts,ground_truth\nWho?,Ann,"[\'a\', ""b\'s"", \'c\\nd\']",Ann B.\n';
    const [old] = readCases(csv, { fileName: 'r.csv' }).cases;
    assert.deepEqual(
      old?.contexts?.map(({ text }) => text),
      ['a', "b's", 'c\nd'],
    );
    assert.deepEqual([old?.recorded?.output, old?.expected.answer], ['Ann', 'Ann B.']);
    const [now] = readCases(
      JSON.stringify({
        user_input: 'Who?',
        response: 'Ann',
        retrieved_contexts: ['a'],
        retrieved_context_ids: [7],
        reference: 'B',
        topic: 'x',
      }),
      { fileName: 'r.jsonl' },
    ).cases;
    assert.deepEqual(now?.contexts, [{ id: '7', text: 'a' }]);
    assert.deepEqual(now?.metadata, { topic: 'x' });
    const [turns] = readCases(
      JSON.stringify([
        {
          user_input: [
            { type: 'human', content: 'a' },
            { type: 'ai', content: 'b' },
          ],
          reference: 'r',
        },
      ]),
      {
        fileName: 'r.json',
      },
    ).cases;
    assert.deepEqual(turns?.input.messages, [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ]);
  });

  it("reads DeepEval's test cases", () => {
    const [one] = readCases(
      JSON.stringify([
        {
          input: 'i',
          actual_output: 'o',
          expected_output: 'e',
          retrieval_context: ['r'],
          context: ['c'],
          tools_called: [{ name: 't', input_parameters: { a: 1 } }],
        },
      ]),
      { fileName: 'd.json' },
    ).cases;
    assert.equal(one?.input.variables.input, 'i');
    assert.deepEqual(one?.recorded, { output: 'o', toolCalls: [{ name: 't', arguments: { a: 1 } }] });
    assert.deepEqual([one?.contexts?.[0]?.text, one?.referenceContexts?.[0]?.text], ['r', 'c']);
  });

  it('says where it is wrong', () => {
    const at = (fileName: string, text: string) => () => readCases(text, { fileName });
    assert.throws(
      at('a.yaml', 'cases:\n  - input: { variables: { a: 1 } }\n  - inptu: {}\n'),
      refused(/a\.yaml, line 3: has no member "inptu"; did you mean "input"/),
    );
    assert.throws(at('a.yaml', 'cases:\n  - a: 1\n    a: 2\n'), refused(/a\.yaml, line 3: Map keys must be unique/));
    assert.throws(at('a.yaml', 'x: 1\n'), refused(/no list of cases/));
    assert.throws(at('a.yaml', `cases: ${'['.repeat(20_000)}`), refused(/a\.yaml/));
    assert.throws(at('a.yaml', 'cases:\n  - input: { variables: { __proto__: 1 } }\n'), refused(/__proto__/));
    assert.throws(
      at(
        'a.yaml',
        'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\ncases: []\n',
      ),
      refused(/alias/i),
    );
    assert.throws(at('a.jsonl', '{"input":{"variables":{"a":1}}}\n{"x"\n'), refused(/a\.jsonl, line 2: this is no JSON/));
    assert.throws(at('a.csv', 'a,a\n1,2\n'), refused(/Row 1: the column "a" is there twice/));
    assert.throws(at('a.csv', 'a\n1,2\n'), refused(/Row 2 has 2 cells for 1 columns/));
    assert.throws(at('a.csv', '__proto__,b\n1,2\n'), refused(/__proto__/));
    assert.throws(at('a.txt', ''), refused(/does not end in/));
    assert.throws(at('a.yaml', 'tests:\n  - file://more.csv\n'), refused(/import that file/));
    assert.throws(
      at('a.jsonl', '{"id":"a","input":{"variables":{"a":1}}}\n{"id":"a","input":{"variables":{"a":2}}}'),
      refused(/line 2: the id "a" is that of another case at a\.jsonl, line 1/),
    );
  });

  it('tells cases that stand there twice', () => {
    const line = '{"input":{"variables":{"a":1}}}\n';
    const { cases, repeated } = readCases(`${line}\n${line}`, { fileName: 'a.jsonl' });
    assert.equal(cases.length, 1);
    assert.deepEqual(repeated, [{ place: 'a.jsonl, line 3', firstPlace: 'a.jsonl, line 1' }]);
  });
});
