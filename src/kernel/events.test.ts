import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createEventBus } from './events.ts';

type Events = { published: { epoch: number }; stopped: null };

describe('createEventBus', () => {
  it('calls listeners at once, in order, with the payload, until they leave', () => {
    const bus = createEventBus<Events>(() => assert.fail('no error expected'));
    const seen: string[] = [];
    const leave = bus.on('published', ({ epoch }) => void seen.push(`a${epoch}`));
    bus.on('published', ({ epoch }) => void seen.push(`b${epoch}`));
    bus.emit('published', { epoch: 1 });
    bus.emit('stopped', null);
    leave();
    leave();
    bus.emit('published', { epoch: 2 });
    assert.deepEqual(seen, ['a1', 'b1', 'b2']);
  });

  it('goes on past a listener that throws or rejects, and reports both', async () => {
    const errors: [string, string][] = [];
    const bus = createEventBus<Events>((thrown, name) => errors.push([name, String(thrown)]));
    let reached = 0;
    bus.on('stopped', () => {
      throw new Error('sync');
    });
    bus.on('stopped', async () => {
      throw new Error('async');
    });
    bus.on('stopped', () => void reached++);
    bus.emit('stopped', null);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(reached, 1);
    assert.deepEqual(errors, [
      ['stopped', 'Error: sync'],
      ['stopped', 'Error: async'],
    ]);
  });

  it('lets a listener subscribe and leave while it is called', () => {
    const bus = createEventBus<Events>(() => assert.fail());
    const seen: string[] = [];
    const leave = bus.on('stopped', () => {
      seen.push('first');
      leave();
      bus.on('stopped', () => void seen.push('late'));
    });
    bus.emit('stopped', null);
    assert.deepEqual(seen, ['first']);
    bus.emit('stopped', null);
    assert.deepEqual(seen, ['first', 'late']);
  });
});
