import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DiskPace } from './disk-pace.ts';

describe('pace of the disk', () => {
  it('lets small batches be written directly while writes and syncs come back at once', () => {
    const pace = new DiskPace();
    assert.equal(pace.mayWriteDirectly(1000, 0), true);
    assert.equal(pace.mayWriteDirectly(1024 * 1024, 0), false, 'a large batch would hold up the event loop');
    pace.syncStarted(100);
    assert.equal(pace.mayWriteDirectly(1000, 119), true);
    pace.syncEnded();
    pace.noteWrite(120, 121);
    assert.equal(pace.mayWriteDirectly(1000, 200), true);
  });

  it('keeps away from a disk whose sync does not come back, until it does', () => {
    const pace = new DiskPace();
    pace.syncStarted(100);
    pace.syncStarted(115);
    assert.equal(pace.mayWriteDirectly(1000, 120), false, 'counted from the oldest sync in flight');
    pace.syncEnded();
    assert.equal(pace.mayWriteDirectly(1000, 121), true);
  });

  it('keeps away for a while after a slow write', () => {
    const pace = new DiskPace();
    pace.noteWrite(100, 140);
    assert.equal(pace.mayWriteDirectly(1000, 2139), false);
    assert.equal(pace.mayWriteDirectly(1000, 2140), true);
  });
});
