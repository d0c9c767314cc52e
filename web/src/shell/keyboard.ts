import { useEffect, useRef } from 'react';

export const GO_TARGETS = {
  o: '/',
  t: '/traces',
  s: '/sessions',
  u: '/users',
  f: '/features',
  p: '/providers',
  r: '/routes',
  m: '/costs',
  l: '/limits',
  c: '/cache',
  d: '/datasets',
  q: '/sql',
  k: '/keys',
} as const;
type GoKey = keyof typeof GO_TARGETS;

interface Actions {
  readonly go: (path: (typeof GO_TARGETS)[GoKey]) => void;
  readonly help: () => void;
}

const CHORD_MS = 1200;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

/** Moves the focus along the rows of the page; a row is any element with `data-row`. */
function moveRow(step: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const current = document.activeElement instanceof HTMLElement ? rows.indexOf(document.activeElement) : -1;
  const next = rows[current === -1 ? (step === 1 ? 0 : -1) : current + step];
  if (!next) return false;
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
  return true;
}

/** `g` then the letter of a page, `/`, `j`, `k`, `?`. Enter and Esc belong to links, dialogs and popovers themselves; Esc also leaves a search field. */
export function useKeyboard(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    let goUntil = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
      if (isTyping(event.target)) {
        if (event.key === 'Escape' && event.target instanceof HTMLElement) event.target.blur();
        return;
      }
      if (document.querySelector('dialog[open]')) return;
      const isChord = event.timeStamp < goUntil;
      goUntil = 0;
      if (isChord && event.key in GO_TARGETS) {
        event.preventDefault();
        latest.current.go(GO_TARGETS[event.key as GoKey]); // `in` checked it
      } else if (event.key === 'g') goUntil = event.timeStamp + CHORD_MS;
      else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('[data-search]');
        if (!search) return;
        event.preventDefault();
        search.focus();
        search.select();
      } else if (event.key === 'j' || event.key === 'k') {
        if (moveRow(event.key === 'j' ? 1 : -1)) event.preventDefault();
      } else if (event.key === 'x') {
        // The box stands in the row beside the link that has the focus.
        document.activeElement?.closest('[role="row"], [role="presentation"]')?.querySelector<HTMLInputElement>('[data-pick]')?.click();
      } else if (event.key === '?') {
        event.preventDefault();
        latest.current.help();
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
