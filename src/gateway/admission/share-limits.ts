import type { Clock } from '../../kernel/clock.ts';
import type { Admission } from './admission.ts';
import { LeaseBroker } from './lease-broker.ts';
import type { LeaseSource } from './lease-source.ts';

export interface SharingOptions {
  /** Gateways among whom limits are divided while the source is away; null = limited calls are refused then. */
  readonly replicas: number | null;
  /** Told once per change. */
  readonly onState: (isReachable: boolean, reason: string) => void;
}

/** Keeps the limits of a gateway together with others from now on. */
export function shareLimits(
  admission: Admission,
  source: LeaseSource,
  clock: Clock,
  { replicas, onState }: SharingOptions,
): { close(): Promise<void> } {
  const broker = new LeaseBroker({
    source,
    clock,
    active: admission.activeCounters,
    counters: () => admission.counters(),
    onReached: (counter) => admission.reportReached(counter),
    onState,
  });
  admission.share({ borrow: (shortages) => broker.obtain(shortages), isReachable: () => broker.isReachable, replicas });
  return { close: () => broker.close() };
}
