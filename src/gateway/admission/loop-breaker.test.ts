import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findLoop } from './loop-breaker.ts';

const USER = { role: 'user', content: 'Find it' };
const call = (name: string, args: string) => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id: `${Math.random()}`, type: 'function', function: { name, arguments: args } }],
});
const result = { role: 'tool', tool_call_id: 'x', content: 'nothing' };
const say = (content: unknown) => ({ role: 'assistant', content });
const THREE = { sameToolCalls: 3, sameAnswers: 3 };

describe('loop breaker', () => {
  it('finds a tool that is called again and again with arguments that mean the same', () => {
    const messages = [
      USER,
      call('search', '{"q":"x","page":1}'),
      result,
      call('other', '{}'),
      result,
      call('search', '{ "page": 1, "q": "x" }'),
      result,
      call('search', '{"page":1,"q":"x"}'),
      result,
    ];
    const found = findLoop(messages, THREE);
    assert.equal(found?.kind, 'same_tool_call');
    assert.equal(found?.count, 3);
    assert.match(found?.message ?? '', /The tool call search\(\{"page":1,"q":"x"\}\) was made 3 times/);
    assert.equal(findLoop(messages, { sameToolCalls: 4, sameAnswers: null }), null);
    assert.equal(findLoop(messages.slice(0, -2), THREE), null);
  });

  it('begins to count anew when the user says something, and does not mind a loop that was left', () => {
    const twice = [call('search', '{}'), result, call('search', '{}'), result];
    assert.equal(findLoop([USER, ...twice, USER, ...twice], THREE), null);
    assert.equal(findLoop([USER, ...twice, call('search', '{}'), result, call('other', '{}'), result], THREE), null);
    assert.equal(findLoop([USER, ...twice, call('search', '{}'), result, USER], THREE), null, 'the user has said what to do now');
  });

  it('finds an answer that is given again and again', () => {
    const found = findLoop([USER, say('I will try.'), say([{ type: 'text', text: 'I will try.' }]), say(' I will try. ')], THREE);
    assert.equal(found?.kind, 'same_answer');
    assert.equal(findLoop([USER, say('a'), say('b'), say('a'), say('a')], THREE), null);
    assert.equal(findLoop([USER, say(''), say(''), say('')], THREE), null);
  });

  it('is not upset by any messages', () => {
    fc.assert(fc.property(fc.anything(), (messages) => void findLoop(messages, THREE)));
    const odd = fc.record(
      { role: fc.constantFrom('assistant', 'user', 'tool', 5), content: fc.anything(), tool_calls: fc.anything() },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(fc.array(odd), (messages) => void findLoop(messages, THREE)));
    assert.equal(findLoop([USER, call('a', 'not json'), call('a', ' not json'), call('a', 'not json')], THREE)?.count, 3);
  });
});
