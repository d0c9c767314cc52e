import type { ReactNode } from 'react';

/** Preformatted text in a region of its own that scrolls, by keyboard too. */
export function ScrollText({ text, className = '' }: { text: string; className?: string }): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <pre className={`overflow-auto bg-sunken p-2.5 font-mono text-xs leading-[18px] ${className}`} tabIndex={0} dir="ltr">
      {text}
    </pre>
  );
}
