import { type ReactNode, useEffect, useState } from 'react';

interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onSubmit: (text: string) => void;
}

/** Text that filters what is on the page; `/` brings the focus here. */
export function SearchField({ label, value, onSubmit }: SearchFieldProps): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = window.setTimeout(() => onSubmit(text), 350);
    return () => window.clearTimeout(timer);
  });
  return (
    <search className="relative min-w-40 flex-1 sm:max-w-80">
      <input
        type="search"
        data-search
        className="field peer w-full"
        placeholder={label}
        aria-label={label}
        maxLength={512}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && onSubmit(text)}
      />
      <span
        className="pointer-events-none absolute top-1.5 right-2 hidden rounded-sm border bg-sunken px-1.5 font-mono text-2xs text-ink-3 peer-focus:hidden md:peer-placeholder-shown:inline-block"
        aria-hidden="true"
      >
        /
      </span>
    </search>
  );
}
