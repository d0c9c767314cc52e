import type { ChildRole } from './process-messages.ts';

/**
 * How the heap of a gateway is kept. Measured in docs/benchmarks.md, "p99":
 * - The young generation holds what 256 calls in flight need (V8's default of 16 MB promotes them, and the old generation is then marked every two
 *   seconds).
 * - One thread beside the event loop marks and compiles. With V8's usual four, each marking of the heap takes a gateway that has one core for itself
 *   off it for 15 to 30 ms: four threads and the event loop share that core in turns.
 */
export const GATEWAY_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=32', '--v8-pool-size=1'];

/** Flags of the Node process of a child, behind those that the supervisor was started with. */
export function nodeFlagsOf(role: ChildRole): readonly string[] {
  return role === 'gateway' ? GATEWAY_NODE_FLAGS : [];
}
