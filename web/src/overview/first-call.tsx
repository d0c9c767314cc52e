import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyButton } from '../ui/copy-button.tsx';
import { PlimsollMark } from '../ui/plimsoll-mark.tsx';

/** What an installation without calls shows: the call to make. */
export function FirstCall(): ReactNode {
  const command = [
    `curl -sS ${location.origin}/v1/chat/completions \\`,
    `  -H "authorization: Bearer $PLIMSOLL_KEY" \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '{"model": "default", "messages": [{"role": "user", "content": "Where is my order?"}]}'`,
  ].join('\n');
  return (
    <section className="panel flex flex-col items-start gap-3 p-5 md:p-8" aria-labelledby="first-call">
      <PlimsollMark className="size-9 text-accent" />
      <h2 id="first-call" className="text-lg font-semibold tracking-tight">
        Make the first call
      </h2>
      <p className="max-w-prose text-ink-2">
        No call has reached this installation in this time range. Send one with any OpenAI client: set its base URL to{' '}
        <code className="font-mono text-xs text-ink">{location.origin}/v1</code> and use a virtual key. It appears here within two seconds.
      </p>
      <div className="w-full max-w-3xl overflow-hidden rounded-md border bg-sunken">
        <div className="flex items-center justify-between border-b py-1 pr-1.5 pl-3 text-xs text-ink-3">
          Shell <CopyButton text={command} label="Copy" isQuiet />
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
        <pre className="scroll-x p-3 font-mono text-xs leading-5" tabIndex={0}>
          {command}
        </pre>
      </div>
      <p className="max-w-prose text-ink-2">
        <code className="font-mono text-xs">$PLIMSOLL_KEY</code> is a virtual key (<code className="font-mono text-xs">plk_…</code>). The
        first start printed one in the terminal; make another under{' '}
        <Link to="/keys" className="link">
          Keys
        </Link>
        .
      </p>
    </section>
  );
}
