import type { ReactNode } from 'react';

interface ChoiceProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onChange: (value: string) => void;
  /** Where the page offers the same filter in another way. */
  readonly isHiddenOnPhone?: boolean;
}

/** One of several values, or all. */
export function Choice({ label, value, options, onChange, isHiddenOnPhone = false }: ChoiceProps): ReactNode {
  const isListed = value === undefined || options.some(([name]) => name === value);
  return (
    <select
      aria-label={label}
      className={`field max-w-44 ${isHiddenOnPhone ? 'hidden sm:block' : ''} ${value === undefined ? 'text-ink-2' : 'border-accent font-medium text-accent'}`}
      value={value ?? ''}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">{label}: all</option>
      {!isListed && <option value={value}>{value}</option>}
      {options.map(([name, text]) => (
        <option key={name} value={name}>
          {text}
        </option>
      ))}
    </select>
  );
}
