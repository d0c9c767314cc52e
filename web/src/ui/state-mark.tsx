import type { ReactNode } from 'react';

export type State = 'ok' | 'warning' | 'critical' | 'unmeasured' | 'neutral';

const COLOURS: Readonly<Record<State, string>> = {
  ok: 'text-ok',
  warning: 'text-warning',
  critical: 'text-critical',
  unmeasured: 'text-ink-3',
  neutral: 'text-ink-3',
};

/** ● ▲ ■ ◇ ○ drawn, so that every font shows the same shape. Always stands beside its word or with a label. */
export function StateShape({ state, label }: { state: State; label?: string }): ReactNode {
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: labelled or hidden, by the caller's choice
    <svg
      viewBox="0 0 10 10"
      className={`inline-block size-2.5 shrink-0 ${COLOURS[state]}`}
      {...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true })}
    >
      <Shape state={state} />
    </svg>
  );
}

function Shape({ state }: { state: State }): ReactNode {
  switch (state) {
    case 'ok':
      return <circle cx="5" cy="5" r="3.6" fill="currentColor" />;
    case 'warning':
      return <path d="M5 .8 9.6 9H.4Z" fill="currentColor" />;
    case 'critical':
      return <rect x="1.2" y="1.2" width="7.6" height="7.6" fill="currentColor" />;
    case 'unmeasured':
      return <path d="M5 1 9 5 5 9 1 5Z" fill="none" stroke="currentColor" strokeWidth="1.3" />;
    case 'neutral':
      return <circle cx="5" cy="5" r="3.1" fill="none" stroke="currentColor" strokeWidth="1.4" />;
    default:
      return state satisfies never;
  }
}

/** State by colour and shape and word. */
export function StateMark({ state, word }: { state: State; word: ReactNode }): ReactNode {
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${COLOURS[state]}`}>
      <StateShape state={state} />
      {word}
    </span>
  );
}
