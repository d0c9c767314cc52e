import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { JsonScanner } from './json-scanner.ts';
import { replaceMember } from './replace-member.ts';

const scanner = new JsonScanner(64);
const BY = Buffer.from('"version":1');

describe('replaceMember', () => {
  it('replaces one top-level member and leaves the rest as it was', () => {
    const replace = (text: string) => replaceMember(Buffer.from(text), 'model', BY, scanner).toString();
    assert.equal(replace('{"a":1, "model" : "x" ,"b":[1.0]}'), '{"a":1, "version":1 ,"b":[1.0]}');
    assert.equal(replace('{"m\\u006fdel":"x"}'), '{"version":1}');
    assert.equal(replace('{"a":{"model":"x"}}'), '{"a":{"model":"x"}}');
    assert.equal(replace('{}'), '{}');
  });

  it('does what parsing and building again would do', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.nat(5), (rest, place) => {
        const entries = Object.entries(rest).filter(([name]) => name !== 'model' && name !== 'version');
        const text = (member: [string, unknown]) =>
          `{${[...entries.slice(0, place), member, ...entries.slice(place)].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
        assert.equal(replaceMember(Buffer.from(text(['model', 'x'])), 'model', BY, scanner).toString(), text(['version', 1]));
      }),
    );
  });
});
