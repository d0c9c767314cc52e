import type { EncodedFrame } from './frame-encoder.ts';

/** A record that waits for the disk. */
export interface Pending {
  readonly frame: EncodedFrame;
  readonly isLedger: boolean;
  readonly sequence: number;
}

/** How many entries of a batch lie wholly within its first `bytes` bytes, and how long those are. */
export function wholeFrames(batch: readonly Pending[], bytes: number): { count: number; bytes: number } {
  let count = 0;
  let whole = 0;
  for (const entry of batch) {
    if (whole + entry.frame.bytes > bytes) break;
    whole += entry.frame.bytes;
    count += 1;
  }
  return { count, bytes: whole };
}
