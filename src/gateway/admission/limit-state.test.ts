import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LimitsReport, limitStates, limitsReport } from './limit-state.ts';
import { mustReserve, testAdmission } from './testing.ts';

describe('what control is told of limits', () => {
  it('are the members that have used most, and how many there are, while others go on being counted', async () => {
    const { admission, request } = testAdmission([{ scope: 'user', tokensPerDay: 1_000_000 }]);
    const take = (user: string, tokens: number) => mustReserve(admission.reserve(request({ user, tokens })));
    for (let user = 1; user <= 2_500; user++) take(`u${user}`, user);
    const pending = limitsReport(admission, 3);
    // The report has let others have their turn.
    take('u7', 5_000);
    const report = LimitsReport.parse(JSON.parse(JSON.stringify(await pending)));
    const [limit] = report.limits;
    assert.equal(limit?.members, 2_500);
    assert.deepEqual(
      limit?.top.map(({ member }) => member),
      ['u2500', 'u2499', 'u2498'],
    );
    const [now] = limitStates(admission, 2);
    assert.deepEqual(
      now?.top.map(({ member, used, reserved }) => [member, used, reserved]),
      [
        ['u7', '5007', '5007'],
        ['u2500', '2500', '2500'],
      ],
    );
  });
});
