import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_MARKDOWN_LENGTH, type MarkdownNode, parseMarkdown, safeUrl } from './markdown.ts';

function flatten(nodes: readonly MarkdownNode[]): MarkdownNode[] {
  return nodes.flatMap((node) => [
    node,
    ...('children' in node ? flatten(node.children) : []),
    ...(node.kind === 'list' ? node.items.flatMap(flatten) : []),
    ...(node.kind === 'table' ? [...node.head, ...node.rows.flat()].flatMap(flatten) : []),
  ]);
}
const kinds = (source: string): string[] => flatten(parseMarkdown(source)).map((node) => node.kind);
const texts = (source: string): string =>
  flatten(parseMarkdown(source))
    .map((node) => ('text' in node ? node.text : ''))
    .join('');

describe('markdown of hostile models', () => {
  it('keeps HTML as text', () => {
    for (const html of ['<script>alert(1)</script>', 'a <img src=x onerror=alert(1)> b', '<iframe src="https://evil.example"></iframe>']) {
      assert.ok(
        kinds(html).every((kind) => kind === 'paragraph' || kind === 'text' || kind === 'break'),
        html,
      );
      assert.ok(texts(html).includes('<'), html);
    }
  });

  it('makes links only of http, https and mailto', () => {
    for (const href of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc/passwd',
      '//evil.example',
      '/api/v1/keys',
      '&#106;avascript:alert(1)',
    ])
      assert.ok(!kinds(`[x](${href})`).includes('link'), href);
    assert.equal(safeUrl('java\nscript:alert(1)'), null);
    assert.ok(kinds('[x](https://example.com)').includes('link'));
    assert.ok(kinds('<mailto:a@example.com>').includes('link'));
  });

  it('shows the host when the text hides it', () => {
    const [node] = flatten(parseMarkdown('[your bank](https://evil.example/login)')).filter((each) => each.kind === 'link');
    assert.deepEqual(node && { ...node, children: [] }, {
      kind: 'link',
      href: 'https://evil.example/login',
      host: 'evil.example',
      isHostShown: true,
      children: [],
    });
    const [open] = flatten(parseMarkdown('https://example.com/a')).filter((each) => each.kind === 'link');
    assert.equal(open?.kind === 'link' && open.isHostShown, false);
  });

  it('never loads an image', () => {
    const [node] = flatten(parseMarkdown('![track](https://evil.example/p.png?c=secret)')).filter((each) => each.kind === 'image');
    assert.deepEqual(node, { kind: 'image', alternative: 'track', source: 'https://evil.example/p.png?c=secret' });
  });

  it('reads what models usually write', () => {
    const found = kinds(
      '# Title\n\n1. one\n2. **two**\n\n```ts\nconst a = 1;\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n- [x] done\n\n> quote `code`',
    );
    for (const kind of ['heading', 'list', 'strong', 'codeBlock', 'table', 'checkbox', 'quote', 'code'])
      assert.ok(found.includes(kind as MarkdownNode['kind']), kind);
    assert.equal(texts('a &lt;b&gt; &amp; c'), 'a <b> & c');
  });

  it('takes any text, deep or long, and every link in it is safe', () => {
    assert.ok(flatten(parseMarkdown('> '.repeat(4000))).length > 0);
    assert.deepEqual(kinds('*'.repeat(MAX_MARKDOWN_LENGTH + 1)), ['paragraph', 'text']);
    const piece = fc.constantFrom(
      '[',
      ']',
      '(',
      ')',
      '!',
      '<',
      '>',
      '`',
      '*',
      '_',
      '|',
      '\n',
      'javascript:',
      'https://a.b',
      'data:',
      '#',
      '- ',
      ' ',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        for (const node of flatten(parseMarkdown(pieces.join('')))) if (node.kind === 'link') assert.match(node.href, /^(https?|mailto):/);
      }),
      { numRuns: 200 },
    );
  });
});
