/** What does admission cost a call? Reserve and settle under 8 rules, two of them with members that only the request names. `node bench/admission.ts [--smoke] [--json]` */
import { parseArgs } from 'node:util';
import { Admission } from '../src/gateway/admission/admission.ts';
import { Refusal } from '../src/gateway/admission/refusal.ts';
import { attemptWith, CALLER, rules } from '../src/gateway/admission/testing.ts';
import { systemClock } from '../src/kernel/clock.ts';

const { values: flags } = parseArgs({ options: { smoke: { type: 'boolean' }, json: { type: 'boolean' } } });
const CALLS = flags.smoke ? 20_000 : 500_000;
const ROUNDS = flags.smoke ? 3 : 7;
/** Calls in flight at a time. */
const OPEN = 64;

const RULES = [
  { scope: 'global', concurrency: 10_000 },
  { scope: 'organisation', budgetUsd: 9_000_000, per: 'month' },
  { scope: 'team', tokensPerMinute: 1_000_000_000_000 },
  { scope: 'key', requestsPerMinute: 1_000_000_000 },
  { scope: 'feature', name: 'chat', budgetUsd: 9_000_000, per: 'day', timeZone: 'Europe/Berlin' },
  { scope: 'feature', name: 'chat', requestsPerDay: 1_000_000_000 },
  { scope: 'user', requestsPerMinute: 1_000_000_000 },
  { scope: 'session', budgetUsd: 9_000_000 },
];

function measure(ruleCount: number): number {
  const admission = new Admission({ clock: systemClock, onReached: () => {}, onExceeded: () => {} });
  admission.adopt(rules(RULES.slice(0, ruleCount)));
  const attempts = [attemptWith(180, 123_456_789n)];
  const open: (ReturnType<Admission['reserve']> | null)[] = new Array(OPEN).fill(null);
  const users = Array.from({ length: 500 }, (_, index) => `user-${index}`);
  let microseconds = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    for (let call = 0; call < CALLS; call++) {
      const before = open[call % OPEN];
      if (before instanceof Refusal) throw before.error();
      before?.settle(attempts);
      open[call % OPEN] = admission.reserve({
        limits: admission.applicable(CALLER),
        tokens: 400,
        nanoUsd: 200_000,
        user: users[call % users.length] as string,
        customer: null,
        session: users[(call * 7) % users.length] as string,
        isDowngraded: false,
        isInternal: false,
      });
    }
    const { user, system } = process.cpuUsage(start);
    microseconds = Math.min(microseconds, (user + system) / CALLS);
  }
  return microseconds;
}

for (const count of [0, 1, 8]) {
  const microseconds = measure(count);
  if (flags.json) console.log(JSON.stringify({ name: `reserve + settle, ${count} rules`, microseconds }));
  else console.log(`reserve + settle, ${count} rules: ${microseconds.toFixed(2)} µs of CPU a call (best of ${ROUNDS})`);
}
