import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkerReports } from './worker-reports.ts';

describe('reports of gateway workers', () => {
  it('count while they are fresh, and name who fell silent until that worker is taken for removed', () => {
    const reports = new WorkerReports<number>();
    reports.receive('gateway-2', 20, 1_000);
    reports.receive('gateway-1', 10, 1_000);
    reports.receive('gateway-1', 11, 10_000);
    assert.deepEqual(reports.present(10_000), [
      { worker: 'gateway-2', report: 20 },
      { worker: 'gateway-1', report: 11 },
    ]);
    assert.deepEqual(reports.present(16_000), [{ worker: 'gateway-1', report: 11 }]);
    assert.deepEqual(reports.presence(16_000, ['gateway-1', 'gateway-3']), [
      { worker: 'gateway-1', isAnswering: true, lastReportAt: 10_000 },
      { worker: 'gateway-2', isAnswering: false, lastReportAt: 1_000 },
      { worker: 'gateway-3', isAnswering: false, lastReportAt: null },
    ]);
    assert.deepEqual(reports.presence(301_000), [{ worker: 'gateway-1', isAnswering: false, lastReportAt: 10_000 }]);
    assert.deepEqual(reports.presence(310_000), []);
  });
});
