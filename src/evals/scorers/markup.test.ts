import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verdictOf } from '../testing.ts';

const CASES: [type: string, value: unknown, output: string, passed: boolean | string][] = [
  ['is-xml', undefined, '<a><b c="1">x</b></a>', true],
  ['is-xml', undefined, '<?xml version="1.0" encoding="UTF-8"?>\n<!-- c -->\n<a/>', true],
  ['is-xml', undefined, '<!DOCTYPE a SYSTEM "a.dtd"><a/>', true],
  ['is-xml', undefined, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', false],
  ['is-xml', undefined, '<a><b></a></b>', false],
  ['is-xml', undefined, '<a>', false],
  ['is-xml', undefined, '<a/><b/>', false],
  ['is-xml', undefined, 'text <a/>', false],
  ['is-xml', undefined, '<a b="1" b="2"/>', false],
  ['is-xml', undefined, '<a b=1/>', false],
  ['is-xml', undefined, '<a b="<"/>', false],
  ['is-xml', undefined, '<a>1 & 2</a>', false],
  ['is-xml', undefined, '<a>1 &amp; &#x32;</a>', true],
  ['is-xml', undefined, '<x:a/>', false],
  ['is-xml', undefined, '<x:a xmlns:x="u"><x:b/></x:a>', true],
  ['is-xml', undefined, '<a><![CDATA[<b>&]]></a>', true],
  ['is-xml', undefined, '<a><!-- b -- c --></a>', false],
  ['is-xml', undefined, '', false],
  ['is-xml', undefined, `${'<a>'.repeat(50_000)}${'</a>'.repeat(50_000)}`, true],
  ['is-xml', 'a.b, a.c', '<a><b/><c/></a>', true],
  ['is-xml', ['a.b.@_id'], '<a><b id="1"/></a>', true],
  ['is-xml', { requiredElements: ['a.d'] }, '<a><b/></a>', false],
  ['is-xml', ['a.b.c'], '<a><b><c/></b><b/></a>', false],
  ['is-xml', ['a.b.0.c'], '<a><b><c/></b><b/></a>', true],
  ['not-is-xml', undefined, 'plain', true],
  ['contains-xml', undefined, 'Here: <a><b/></a>, done', true],
  ['contains-xml', undefined, 'a < b and c > d', false],
  ['contains-xml', ['a', 'b'], 'one <a/> two <b/>', true],
  ['contains-xml', ['a.c'], 'one <a/> two <a><c>1</c></a>', true],
  ['contains-xml', ['a.c'], 'open <p> one <a><c>1</c></a>', true],
  ['contains-xml', ['a.d'], '<a><c>1</c></a>', false],
  ['is-html', undefined, '<div><p>Hello</p></div>', true],
  ['is-html', undefined, '<!DOCTYPE html><html><head><title>x</title></head><body>text</body></html>', true],
  ['is-html', undefined, 'text <b>bold</b>', false],
  ['is-html', undefined, '<b>bold</b> text', false],
  ['is-html', undefined, '<html>text</html>', false],
  ['is-html', undefined, '<foo>x</foo>', false],
  ['is-html', undefined, '<my-element>x</my-element>', true],
  ['is-html', undefined, '<?xml version="1.0"?><html/>', false],
  ['is-html', undefined, '<p>open<div>x</div>', true],
  ['is-html', undefined, '<script>if (a < b) { "text" }</script>', true],
  ['is-html', undefined, '<!-- comment --><br>', true],
  ['is-html', undefined, 'plain', false],
  ['is-html', undefined, ' ', false],
  ['contains-html', undefined, 'Text with <b>bold</b> in it', true],
  ['contains-html', undefined, 'A line<br>break', true],
  ['contains-html', undefined, 'a < b &amp; c', false],
  ['contains-html', undefined, 'generic<T> type', false],
  ['contains-html', undefined, 'plain', false],
  ['not-contains-html', undefined, 'plain', true],
];

describe('XML and HTML', () => {
  for (const [type, value, output, expected] of CASES)
    it(`${type} ${JSON.stringify(value) ?? ''} of ${output.slice(0, 60)}: ${expected}`, async () =>
      assert.equal(await verdictOf(type, value === undefined ? {} : { value }, { output }), expected));
});
