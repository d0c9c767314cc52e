/** What tests of speed share: CPU time instead of time on the wall, so that they say the same on a machine that is busy with other things. */

/** @returns what tells the CPU milliseconds that this thread has spent since */
export function cpuTimer(): () => number {
  const before = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  };
}

function cpuMs(work: () => void): number {
  const spentMs = cpuTimer();
  work();
  return spentMs();
}

/** Well above the steps in which the system counts CPU time. */
const MEASURABLE_MS = 10;

/**
 * How much more CPU `work` takes for four times the size: about 4 where it is linear, 16 where it is quadratic. The least of five rounds of each,
 * since collections, caches and compilers only ever add.
 */
export function growthOfFourfold(size: number, work: (size: number) => void): number {
  let repeats = 1;
  const repeated = (n: number) => (): void => {
    for (let repeat = 0; repeat < repeats; repeat++) work(n);
  };
  while (cpuMs(repeated(size)) < MEASURABLE_MS) repeats *= 2;
  const least = (n: number): number => Math.min(...Array.from({ length: 5 }, () => cpuMs(repeated(n))));
  return least(4 * size) / least(size);
}

/**
 * A promise in time, as long as it has to be on this machine at this moment: where other processes leave this one a quarter of a core, a second is
 * four. For what happens in other processes, or on the system's clock; everything else is tested on a fake clock.
 */
export function within(promisedMs: number): number {
  const startMs = performance.now();
  const spentMs = cpuTimer();
  let spent = spentMs();
  while (spent < 30) spent = spentMs();
  return Math.ceil(promisedMs * Math.max(1, (performance.now() - startMs) / spent));
}
