import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../kernel/errors.ts';
import { Template } from './template.ts';
import type { TemplateObject } from './values.ts';

const render = (source: string, variables: TemplateObject = {}): string => new Template('p.txt', source).render(variables).text;

function refusal(source: string, variables: TemplateObject = {}): string {
  try {
    render(source, variables);
  } catch (error) {
    assert.ok(error instanceof PlimsollError && error.code === 'invalid_argument', String(error));
    return error.message;
  }
  return assert.fail(`not refused: ${source}`);
}

// Expected by the documentation of Nunjucks 3.2.
const VECTORS: readonly (readonly [string, TemplateObject, string])[] = [
  ['Hello {{ name }}!', { name: 'Ann' }, 'Hello Ann!'],
  ['{{ missing }}|{{ a.b.c }}|{{ none }}', { a: {} }, '||'],
  ['{{ a.b[1].c }} {{ a["b"].length }}', { a: { b: [1, { c: 'x' }] } }, 'x 2'],
  ['{{ [1,2,3] }} {{ true }} {{ 1.5 }}', {}, '1,2,3 true 1.5'],
  ['{{ name | upper }} {{ name|lower|capitalize }}', { name: 'aNn' }, 'ANN Ann'],
  ['{{ " x " | trim }}{{ "aXa" | replace("a", "b") }}', {}, 'xbXb'],
  ['{{ list | join(", ") }} {{ rows | join("-", "id") }}', { list: ['a', 'b'], rows: [{ id: 1 }, { id: 2 }] }, 'a, b 1-2'],
  ['{{ x | default("none") }} {{ "" | default("e", true) }} {{ "" | d("e") }}', {}, 'none e '],
  ['{{ list | length }} {{ list | first }} {{ list | last }} {{ 2.567 | round(1) }}', { list: [3, 4] }, '2 3 4 2.6'],
  ['{{ o | dump }} {{ "<b>" | escape }} {{ "<b>" }}', { o: { a: [1, 'x'] } }, '{"a":[1,"x"]} &lt;b&gt; <b>'],
  ['{% if a > 1 and not b %}yes{% elif c %}maybe{% else %}no{% endif %}', { a: 2, b: false }, 'yes'],
  ['{% if a == "x" %}1{% elseif a == "y" %}2{% endif %}', { a: 'y' }, '2'],
  [
    '{% for x in xs %}{{ loop.index }}/{{ loop.length }}:{{ x }}{% if not loop.last %},{% endif %}{% endfor %}',
    { xs: ['a', 'b'] },
    '1/2:a,2/2:b',
  ],
  ['{% for k, v in o %}{{ k }}={{ v }};{% endfor %}', { o: { a: 1, b: 2 } }, 'a=1;b=2;'],
  ['{% for a, b in pairs %}{{ a }}{{ b }} {% else %}empty{% endfor %}', { pairs: [] }, 'empty'],
  ['{% set n = 0 %}{% for x in [1,2,3] %}{% set n = n + x %}{% endfor %}{{ n }}', {}, '6'],
  ['{% set t %}a{{ 1 }}{% endset %}{{ t }}{{ t }}', {}, 'a1a1'],
  ['a {#- gone -#} b{# gone #}', {}, 'ab'],
  ['{% raw %}{{ not }} {% if %}{% endraw %}', {}, '{{ not }} {% if %}'],
  ['a\n  {%- if true -%}\n  b\n{%- endif %}\nc', {}, 'ab\nc'],
  ['{{ "a" if x is defined else "b" }}{{ "c" if x }}', {}, 'b'],
  ['{{ 7 // 2 }} {{ 7 % 4 }} {{ 2 ** 3 }} {{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ -2 | abs }}', {}, '3 3 8 7 9 2'],
  ['{{ "a" ~ 1 ~ "b" }} {{ "1" + 2 }}', {}, 'a1b 12'],
  ['{{ "a" in ["a"] }} {{ "b" not in "abc" }} {{ "k" in o }}', { o: { k: 1 } }, 'true false true'],
  ['{% for i in range(1, 4) %}{{ i }}{% endfor %}', {}, '123'],
  ['{% filter upper %}a{{ b }}{% endfilter %}', { b: 'c' }, 'AC'],
  ['{{ {"a": {"b": 1}} | dump }}{{ { a: 1 }.a }}', {}, '{"a":{"b":1}}1'],
  ['{{ x == none }} {{ x === undefined }}', {}, 'true true'],
];

describe('Template', () => {
  for (const [source, variables, expected] of VECTORS)
    it(`renders ${JSON.stringify(source)}`, () => assert.equal(render(source, variables), expected));

  it('names what was asked for and is not there, but not what was only asked about', () => {
    const { missing } = new Template('p', '{{ a }}{{ b | default("x") }}{% if c is defined %}{% endif %}{{ d.e }}').render({});
    assert.deepEqual(missing, ['a', 'd']);
  });

  it('never reads a value as a template', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', '%', '#', ' ', 'a', '-', '"', "'") }), (value) => {
        assert.equal(render('[{{ v }}]', { v: value }), `[${value}]`);
        assert.equal(render('{% for x in [v] %}{{ x ~ "" }}{% endfor %}', { v: value }), value);
      }),
    );
  });

  it('gives text or a refusal with a place for any source', () => {
    const piece = fc.constantFrom(
      '{{',
      '}}',
      '{%',
      '%}',
      '{#',
      '#}',
      'if',
      'for',
      'x',
      'in',
      'endif',
      'endfor',
      'set',
      '=',
      '"',
      '|',
      '(',
      ')',
      '[',
      ']',
      '.',
      '1',
      ' ',
      '-',
      'raw',
      'endraw',
      'not',
      '{',
      '}',
      ':',
      ',',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          assert.equal(typeof render(pieces.join(' '), { x: [1, 'a'] }), 'string');
        } catch (error) {
          assert.ok(error instanceof PlimsollError && /^p\.txt:\d+:\d+: /.test(error.message), String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('says line and column', () => {
    assert.match(refusal('a\nb {{ x | uper }}'), /^p\.txt:2:10: There is no filter "uper"; did you mean "upper"\?/);
    assert.match(refusal('{% if x %}'), /^p\.txt:1:1: "\{% if %\}" has no "\{% endif %\}"/);
    assert.match(refusal('x\n\n  {{ a'), /^p\.txt:3:3: "\{\{" has no "\}\}"/);
    assert.match(refusal('{{ "a }}'), /^p\.txt:1:4: The string/);
    assert.match(refusal('{% endif %}'), /"endif" is not known or closes nothing/);
    assert.match(refusal('{{ a b }}'), /"b" is not expected here/);
    assert.match(refusal('{{ x is odder }}'), /There is no test "is odder"/);
  });

  it('refuses by name what Nunjucks has and prompts do not need', () => {
    for (const tag of [
      'include "x"',
      'import "x" as y',
      'from "x" import y',
      'extends "x"',
      'block a',
      'macro m()',
      'call m()',
      'switch x',
    ])
      assert.match(refusal(`{% ${tag} %}`), /of Nunjucks is not supported/);
    assert.match(refusal('{{ x.toUpperCase() }}'), /Calls of methods are not supported: "\.toUpperCase\(\)"/);
    assert.match(refusal('{{ lipsum(3) }}'), /"lipsum\(\)" is not supported/);
  });
});

// Known ways out of Nunjucks, Jinja and their like.
const ATTACKS = [
  '{{ constructor }}',
  '{{ "".constructor }}',
  '{{ x.constructor.constructor }}',
  '{{ x["constructor"]["constructor"] }}',
  '{{ x["const" ~ "ructor"] }}',
  '{{ x.__proto__ }}',
  '{{ x["__proto__"].polluted }}',
  '{{ [].constructor }}',
  '{{ {}.constructor }}',
  '{{ {}.toString }}',
  '{{ "".__class__.__mro__ }}',
  '{{ x.hasOwnProperty }}',
  '{{ list.map }}',
  '{{ list["filter"] }}',
  '{{ loop }}',
  '{{ self }}{{ globals }}{{ process }}{{ require }}{{ global }}{{ globalThis }}{{ this }}{{ env }}{{ ctx }}{{ frame }}',
  '{{ 1..constructor }}',
  '{{ (1).constructor }}',
  '{{ true.constructor }}',
  '{{ rows | join("", "constructor") }}',
  '{{ rows | sort(false, false, "__proto__") | length }}',
  '{{ rows | selectattr("constructor") | length }}',
  '{{ x.valueOf }}{{ x.__defineGetter__ }}{{ x.__lookupGetter__ }}',
];
const CALLS = [
  '{{ range.constructor("return process")() }}',
  '{{ cycler.constructor("return global.process.mainModule")() }}',
  '{{ x.constructor.constructor("return 1")() }}',
  '{{ joiner() }}',
  '{{ x["constructor"]("x") }}',
  '{{ (x | upper)() }}',
  '{{ "abc"|map("constructor") }}',
  '{{ x|attr("__class__") }}',
];
const FLOODS = [
  '{% for a in range(1000000000) %}{% endfor %}',
  '{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x{% endfor %}{% endfor %}{% endfor %}',
  `{% set x = "aaaaaaaaaaaaaaaa" %}${'{% set x = x ~ x %}'.repeat(40)}{{ x }}`,
  `{% set x = ["a"] %}${'{% set x = [x, x] %}'.repeat(60)}{{ x | dump }}`,
  `{% set x = {} %}${'{% set x = {"a": x, "b": x} %}'.repeat(60)}{{ x }}`,
  '{% set x = 1 %}{% for i in range(5000) %}{% set x = [x] %}{% endfor %}{{ x }}',
  `{{ ${'['.repeat(5000)}${']'.repeat(5000)} }}`,
  `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`,
  `{{ ${'not '.repeat(5000)}1 }}`,
  `{{ ${'- '.repeat(5000)}1 }}`,
  '{% if 1 %}'.repeat(5000) + '{% endif %}'.repeat(5000),
  `{{ ${'"a" if 1 else '.repeat(5000)}1 }}`,
  `{% set big %}${'x'.repeat(100000)}{% endset %}{{ big | replace("x", big) }}`,
  `{% set big %}${'x'.repeat(100000)}{% endset %}{{ big | replace("", big) }}`,
  '{% for i in range(40000) %}{{ "y" | indent(100, true) | replace(" ", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz") }}{% endfor %}',
  `{{ ("[" | replace("[", "${'['.repeat(20000)}")) ~ ("]" | replace("]", "${']'.repeat(20000)}")) | load | dump }}`,
];

describe('Template under attack', () => {
  const variables = { x: { own: 1 }, list: [1, 2], rows: [{ id: 1 }] } as const;
  for (const source of ATTACKS)
    it(`finds nothing of the host in ${source}`, () => {
      let text: string;
      try {
        text = render(source, variables);
      } catch (error) {
        assert.ok(error instanceof PlimsollError && error.code === 'invalid_argument');
        return;
      }
      assert.doesNotMatch(text, /function|native|Object|process|\[object/i);
      assert.match(text, /^[01]?$/);
    });
  for (const source of CALLS) it(`refuses ${source}`, () => assert.match(refusal(source, variables), /^p\.txt:1:\d+: /));
  for (const source of FLOODS)
    it(`ends ${source.slice(0, 60)}… soon`, () => {
      const started = performance.now();
      assert.match(refusal(source, variables), /^p\.txt:1:\d+: /);
      assert.ok(performance.now() - started < 5_000);
    });

  it('pollutes no prototype', () => {
    render('{% set __proto__ = {"polluted": 1} %}{% set o = {"__proto__": {"polluted": 1}} %}{{ o.polluted }}');
    render('{{ a.b }}', JSON.parse('{"a":{"__proto__":{"b":"x"}}}') as TemplateObject);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
});
