import { type ReactNode, useEffect, useState } from 'react';

interface CopyButtonProps {
  readonly text: string;
  readonly label: string;
  /** Shown instead of the label, for a button that stands beside its text. */
  readonly isQuiet?: boolean;
  readonly className?: string;
}

/** Copies a text and says so in place, at the same width. */
export function CopyButton({ text, label, isQuiet = false, className = '' }: CopyButtonProps): ReactNode {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = window.setTimeout(() => setState('idle'), 1600);
    return () => window.clearTimeout(timer);
  }, [state]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
    } catch {
      setState(copyBySelection(text) ? 'copied' : 'failed');
    }
  };
  const shown = state === 'idle' ? label : state === 'copied' ? 'Copied' : 'Not copied';
  return (
    <button type="button" className={`button button-small ${isQuiet ? 'button-quiet' : ''} ${className}`} onClick={() => void copy()}>
      <span className="grid text-left" aria-live="polite">
        <span className="invisible col-start-1 row-start-1" aria-hidden="true">
          {label}
        </span>
        <span className="col-start-1 row-start-1">{shown}</span>
      </span>
    </button>
  );
}

/** Plain http on another host has no clipboard API. */
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'fixed top-0 left-0 opacity-0';
  // Inside an open modal dialog everything outside is inert and cannot be selected.
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  try {
    return document.execCommand('copy');
  } finally {
    area.remove();
  }
}
