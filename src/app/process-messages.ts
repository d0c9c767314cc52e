import type { LeaseExchange, LeaseHolder, LeaseReport } from '../gateway/admission/lease-source.ts';

/** What supervisor and children say to each other over the fork channel. */
export type ChildRole = 'gateway' | 'control' | 'engine' | 'sim';

export type ToChild =
  | { readonly type: 'listen' }
  | { readonly type: 'shutdown' }
  | { readonly type: 'reload' }
  | { readonly type: 'clock.advance'; readonly ms: number; readonly id: number }
  | { readonly type: 'metrics.request'; readonly id: number }
  | { readonly type: 'metrics.others'; readonly id: number; readonly texts: readonly string[] }
  | { readonly type: 'lease.reply'; readonly writer: string; readonly id: number; readonly exchange: LeaseExchange }
  | { readonly type: 'lease.recall'; readonly writer: string; readonly keys: readonly string[] };

/** What control decides about the process tree from the configuration it alone reads. */
export interface Topology {
  readonly workers: number;
  /** Section `sim`; null = no simulated providers are configured. */
  readonly sim: unknown;
}

export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly fix: string }
  | { readonly type: 'topology'; readonly topology: Topology }
  | { readonly type: 'firstStart'; readonly adminKey: string; readonly virtualKey: string | null }
  | { readonly type: 'clock.advanced'; readonly id: number }
  | { readonly type: 'metrics.answer'; readonly id: number; readonly text: string }
  | { readonly type: 'metrics.collect'; readonly id: number }
  | {
      readonly type: 'lease.exchange';
      readonly id: number;
      readonly holder: LeaseHolder;
      readonly reports: readonly LeaseReport[];
      readonly isComplete: boolean;
    };

/** Exit codes of `plimsoll serve` and of every command, after sysexits.h. */
export const EXIT = { ok: 0, failed: 1, usage: 64, dataNewer: 65, unavailable: 69, cannotCreate: 73, config: 78 } as const;

export function exitCodeOf(code: string): number {
  switch (code) {
    case 'config_invalid':
      return EXIT.config;
    case 'port_in_use':
    case 'unsupported_platform':
    case 'store_unavailable':
      return EXIT.unavailable;
    case 'data_dir_unusable':
      return EXIT.cannotCreate;
    case 'data_newer_than_code':
      return EXIT.dataNewer;
    case 'invalid_argument':
      return EXIT.usage;
    default:
      return EXIT.failed;
  }
}
