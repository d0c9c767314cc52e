import type { ProviderView, TargetReport } from '../api/schema.ts';
import type { State } from '../ui/state-mark.tsx';

export interface HealthWord {
  readonly state: State;
  readonly word: string;
}

/** @param report what gateways know of a target; undefined = none has said */
export function healthWord(report: TargetReport | undefined): HealthWord {
  if (report === undefined) return { state: 'unmeasured', word: 'unmeasured' };
  switch (report.state) {
    case 'healthy':
      return report.calls === 0 ? { state: 'unmeasured', word: 'not called yet' } : { state: 'ok', word: 'healthy' };
    case 'cooling':
      return { state: 'warning', word: 'rate-limited' };
    case 'half_open':
      return { state: 'warning', word: 'probing' };
    case 'ejected':
      return { state: 'critical', word: 'ejected' };
    default:
      return report.state satisfies never;
  }
}

const SEVERITY: readonly State[] = ['critical', 'warning', 'ok', 'neutral', 'unmeasured'];

export function bySeverity(a: HealthWord, b: HealthWord): number {
  return SEVERITY.indexOf(a.state) - SEVERITY.indexOf(b.state);
}

function isOut(report: TargetReport): boolean {
  return report.state === 'ejected' || report.state === 'half_open';
}

/** Why a target is out, or was last; null = it never was. */
export function ejectionText(report: TargetReport): string | null {
  switch (report.ejectionReason) {
    case 'consecutive_failures':
      return isOut(report) && report.consecutiveFailures > 0 ? `${report.consecutiveFailures} failures in a row` : 'failures in a row';
    case 'failure_ratio':
      return 'too large a share of failures';
    case 'success_rate':
      return 'it failed more than the others';
    case 'trial_failed':
      return 'the call that tried it again failed';
    case null:
      return report.ejections === 0 ? null : 'the reason was not recorded';
    default:
      return report.ejectionReason satisfies never;
  }
}

/** How a provider fares as a whole: `2 of 3 targets ejected`. */
export function summaryWord(reports: readonly TargetReport[], targets: number): HealthWord {
  if (reports.length === 0) return { state: 'unmeasured', word: 'unmeasured' };
  const count = (state: TargetReport['state']): number => reports.filter((report) => report.state === state).length;
  const of = (n: number, word: string): string => (targets === 1 ? word : `${n} of ${targets} ${word}`);
  if (count('ejected') > 0) return { state: 'critical', word: of(count('ejected'), 'ejected') };
  if (count('half_open') > 0) return { state: 'warning', word: of(count('half_open'), 'probing') };
  if (count('cooling') > 0) return { state: 'warning', word: of(count('cooling'), 'rate-limited') };
  return reports.every(({ calls }) => calls === 0) ? { state: 'unmeasured', word: 'not called yet' } : { state: 'ok', word: 'healthy' };
}

const PAGE_WORDS: Readonly<Record<ProviderView['status']['state'], HealthWord>> = {
  operational: { state: 'ok', word: 'operational' },
  maintenance: { state: 'warning', word: 'maintenance' },
  degraded: { state: 'warning', word: 'degraded' },
  partial_outage: { state: 'warning', word: 'partial outage' },
  major_outage: { state: 'critical', word: 'major outage' },
  unmeasured: { state: 'unmeasured', word: 'unmeasured' },
};

export function statusPageWord({ state }: Pick<ProviderView['status'], 'state'>): HealthWord {
  return PAGE_WORDS[state];
}

/** What a status page adds to what gateways see; null = nothing, or there is no page. */
export function corroboration(status: Pick<ProviderView['status'], 'state'>, reports: readonly TargetReport[]): string | null {
  const isTroubled = reports.some(isOut);
  switch (status.state) {
    case 'unmeasured':
      return null;
    case 'operational':
      return isTroubled ? 'The page reports nothing: the failures may be ours, or the page is late.' : null;
    default:
      return isTroubled ? 'The page confirms what the gateways see.' : 'The gateways see no target out.';
  }
}
