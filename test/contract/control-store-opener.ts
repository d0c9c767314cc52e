import { PlimsollError } from '../../src/kernel/errors.ts';
import { DEFAULT_SCOPE } from '../../src/kernel/scope.ts';
import { type ControlStoreLocation, openControlStore } from '../../src/stores/sql/control-store.ts';

// A process of its own for control-store.test.ts: opens the store named by its argument, takes ten epochs and prints them, or prints why it could not.
// With the second argument `forever` it goes on taking epochs, a line each, until it is killed.
const location = JSON.parse(process.argv[2] ?? 'null') as ControlStoreLocation;
try {
  const store = await openControlStore(location);
  while (process.argv[3] === 'forever') process.stdout.write(`${await store.settings.nextEpoch(DEFAULT_SCOPE)}\n`);
  const epochs: number[] = [];
  for (let i = 0; i < 10; i++) epochs.push(await store.settings.nextEpoch(DEFAULT_SCOPE));
  await store.close();
  process.stdout.write(epochs.join(' '));
} catch (thrown) {
  if (!(thrown instanceof PlimsollError)) throw thrown;
  process.stdout.write(`${thrown.code}: ${thrown.message}`);
}
