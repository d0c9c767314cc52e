import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { answerText, createAnswerIndex, fitLength } from './answers.ts';
import { FAQ, faqHandbook } from './corpus/faq.ts';
import { CORPUS_FEATURES } from './corpus/features.ts';
import { orderTurn } from './corpus/orders.ts';
import { detectLanguage, generalAnswer, topicOf } from './general-answers.ts';
import { valueForSchema } from './schema-values.ts';
import { seededRandom } from './seeded-random.ts';
import { countTokens, tokenize } from './tokens.ts';

const INDEX = createAnswerIndex(CORPUS_FEATURES);
const TURNS = CORPUS_FEATURES.flatMap((feature) => feature.conversations.flatMap((conversation) => conversation.turns));

describe('the corpus', () => {
  it('has at least 60 pairs over 4 features, in 4 languages, with tools and sessions, and each question finds its own answer', () => {
    assert.ok(TURNS.length >= 60, `${TURNS.length}`);
    assert.equal(CORPUS_FEATURES.length, 4);
    const conversations = CORPUS_FEATURES.flatMap((feature) => feature.conversations);
    assert.deepEqual([...new Set(conversations.map((conversation) => conversation.language))].sort(), ['de', 'en', 'es', 'fr', 'pt']);
    assert.ok(conversations.filter((conversation) => conversation.turns.length > 1).length >= 8);
    for (const turn of TURNS) assert.equal(INDEX.find(turn.question), turn);
    for (const feature of CORPUS_FEATURES)
      for (const use of feature.conversations.flatMap((conversation) => conversation.turns.flatMap((turn) => turn.tools ?? [])))
        assert.ok(
          feature.tools.some((tool) => tool.name === use.name),
          use.name,
        );
  });
});

describe('the help centre', () => {
  it('gives every wording of a question its answer, and every look-alike its own', () => {
    for (const { question, paraphrases, answer, facts, trap } of FAQ) {
      assert.ok(paraphrases.length >= 4);
      for (const text of [question, ...paraphrases]) assert.equal(INDEX.find(text)?.answer, answer, text);
      assert.equal(INDEX.find(trap.question)?.answer, trap.answer);
      for (const fact of facts) assert.ok(answer.includes(fact) && !trap.answer.includes(`**${fact}**`), fact);
      for (const fact of trap.facts) assert.ok(trap.answer.includes(fact), fact);
    }
    const wordings = FAQ.flatMap(({ question, paraphrases, trap }) => [question, ...paraphrases, trap.question]);
    assert.equal(new Set(wordings).size, wordings.length);
    assert.deepEqual([...new Set(FAQ.map(({ trap }) => trap.differsBy))].sort(), ['name', 'negation', 'number']);
  });

  it('has a handbook that is long and says every fact', () => {
    const handbook = faqHandbook();
    const tokens = countTokens(handbook);
    assert.ok(tokens > 2_000 && tokens < 6_000, `${tokens}`);
    for (const { facts, trap } of FAQ) for (const fact of [...facts, ...trap.facts]) assert.ok(handbook.includes(fact), fact);
  });
});

describe('orders', () => {
  it('says where any order is, in the language of the question, and the same each time', () => {
    const [english, german, french, spanish, portuguese] = [
      'Where is my order 1042?',
      'Wo bleibt denn mein Paket 1042?',
      'Où en est ma commande 1042 ?',
      '¿Dónde está mi pedido 1042?',
      'Onde está a minha encomenda 1042?',
    ].map((question) => INDEX.find(question));
    const patterns = [
      /^(Order|Good news|One item).*\*\*1042\*\*/,
      /Bestellung \*\*1042\*\*/,
      /commande \*\*1042\*\*/,
      /pedido \*\*1042\*\*/,
      /encomenda \*\*1042\*\*/,
    ];
    for (const [at, turn] of [english, german, french, spanish, portuguese].entries()) {
      assert.match(turn?.answer ?? '', patterns[at] ?? /x/);
      assert.doesNotMatch(turn?.answer ?? '', /[{}]/);
      assert.equal(turn?.tools?.[0]?.result.status, english?.tools?.[0]?.result.status);
    }
    const statuses = Array.from(
      { length: 60 },
      (_, at) => INDEX.find(`What is the status of order TS-${100_200 + at}?`)?.tools?.[0]?.result.status,
    );
    assert.equal(new Set(statuses).size, 5);
  });

  it('leaves alone what only mentions an order, and what the corpus knows', () => {
    assert.match(INDEX.find('Where is my order TS-104233? It should have been here on Monday.')?.answer ?? '', /Hamburg hub/);
    assert.match(INDEX.find('I was charged twice for order TS-110045.')?.answer ?? '', /reservation/);
    assert.equal(orderTurn('My order 1042 was fine, thanks.', 'en'), null);
    assert.equal(orderTurn('Where is my order?', 'en'), null);
    assert.equal(orderTurn('Where is room 1042?', 'en'), null);
  });
});

describe('answers', () => {
  it('finds paraphrases and leaves other topics alone', () => {
    assert.match(INDEX.find('How many days do I have to return a jacket that I bought online?')?.answer ?? '', /30 days/);
    assert.match(INDEX.find('Wo bleibt meine Bestellung TS-107761 ?')?.answer ?? '', /Ankerleine/);
    assert.equal(INDEX.find('Explain the theory of plate tectonics'), null);
    assert.equal(INDEX.find(''), null);
  });

  it('answers the unknown about its topic and in its language', () => {
    const random = (): ReturnType<typeof seededRandom> => seededRandom('test');
    assert.match(generalAnswer('How does plate tectonics shape mountain ranges?', random()), /plate tectonics shape mountain ranges/);
    assert.match(generalAnswer('Wie funktioniert die Wärmepumpe im Altbau?', random()), /Wärmepumpe|Altbau/);
    assert.equal(detectLanguage('Comment choisir une pompe à chaleur pour une maison ?'), 'fr');
    assert.equal(detectLanguage('Como posso escolher uma bomba de calor para a minha casa?'), 'pt');
    assert.match(generalAnswer('Olá!', random()), /Em que posso ajudar/);
    assert.equal(detectLanguage('¿Cuál es la mejor manera de aprender a navegar?'), 'es');
    assert.equal(topicOf('What is the difference between TCP and UDP?', 'en'), 'TCP');
    assert.equal(generalAnswer('Say hello world', random()), 'hello world');
    assert.equal(generalAnswer('What is 6 * 7?', random()), '6 * 7 = 42');
    assert.match(generalAnswer('Hello!', random()), /How can I help/);
    assert.equal(generalAnswer('Same question?', random()), generalAnswer('Same question?', random()));
  });

  it('is never empty, whatever is asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.double({ min: 0.1, max: 4, noNaN: true }), (question, factor) => {
        assert.ok(answerText(INDEX, question, factor, seededRandom(question)).trim().length > 0);
      }),
      { numRuns: 150 },
    );
  });

  it('shortens and lengthens by whole paragraphs and keeps code fences closed', () => {
    for (const turn of TURNS)
      for (const factor of [0.2, 0.5, 0.7, 1, 1.5, 3]) {
        const text = fitLength(turn.answer, turn.question, factor, seededRandom(turn.question));
        assert.equal((text.match(/```/g) ?? []).length % 2, 0, text);
        assert.ok(factor < 1 ? turn.answer.startsWith(text) : text.startsWith(turn.answer));
      }
  });
});

describe('tokens', () => {
  it('split without loss and are counted the same way', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(tokenize(text).join(''), text);
        assert.equal(countTokens(text), tokenize(text).length);
      }),
      { numRuns: 200 },
    );
    const words = 'The quick brown fox jumps over the lazy dog and runs away.';
    assert.ok(countTokens(words) >= 12 && countTokens(words) <= 15);
  });
});

describe('seeded random', () => {
  it('has the distributions that it promises', () => {
    const random = seededRandom('distribution');
    const draw = (count: number, next: () => number): number[] => Array.from({ length: count }, next).sort((a, b) => a - b);
    const latencies = draw(20_000, () => random.lognormal(400, 1_100));
    assert.ok(Math.abs((latencies[10_000] ?? 0) / 400 - 1) < 0.03);
    assert.ok(Math.abs((latencies[19_000] ?? 0) / 1_100 - 1) < 0.06);
    for (const mean of [0, 0.5, 7, 80]) {
      const counts = draw(5_000, () => random.poisson(mean));
      const average = counts.reduce((sum, value) => sum + value, 0) / counts.length;
      assert.ok(Math.abs(average - mean) <= 0.05 * mean + 0.001, `${mean}: ${average}`);
    }
  });
});

describe('values for schemas', () => {
  it('conform to bounds, enums and required keys', () => {
    const leaf = fc.oneof(
      fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: -50, max: 0 }), maximum: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ enum: fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 }) }),
      fc.record({ type: fc.constant('string'), minLength: fc.integer({ min: 0, max: 20 }), maxLength: fc.integer({ min: 20, max: 60 }) }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), leaf, { minKeys: 1, maxKeys: 5 }), fc.integer(), (properties, seed) => {
        const keys = Object.keys(properties);
        const value = valueForSchema(
          { type: 'object', properties, required: keys },
          { question: 'Where is TS-1234?', answer: 'It is on its way.', random: seededRandom(seed) },
        );
        assert.ok(typeof value === 'object' && value !== null);
        assert.deepEqual(Object.keys(value), keys);
        for (const [key, schema] of Object.entries(properties)) {
          const item: unknown = Reflect.get(value, key);
          if ('enum' in schema) assert.ok(typeof item === 'string' && schema.enum.includes(item));
          else if ('minimum' in schema)
            assert.ok(Number.isInteger(item) && Number(item) >= schema.minimum && Number(item) <= schema.maximum);
          else assert.ok(typeof item === 'string' && item.length >= schema.minLength && item.length <= schema.maxLength);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('ends for recursive types', () => {
    const schema = {
      $ref: '#/$defs/node',
      $defs: {
        node: { type: 'object', properties: { child: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }, required: ['child'] },
      },
    };
    assert.equal(typeof valueForSchema(schema, { question: 'q', answer: 'a', random: seededRandom(1) }), 'object');
  });
});
