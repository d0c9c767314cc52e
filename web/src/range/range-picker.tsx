import { type FormEvent, type ReactNode, useState } from 'react';
import { formatMoment, fromInputValue, toInputValue } from '../format/time.ts';
import { usePreferences } from '../shell/preferences.tsx';
import { Popover } from '../ui/popover.tsx';
import { PRESET_LABELS, PRESETS, type Range, resolveRange } from './range.ts';

interface RangePickerProps {
  readonly range: Range;
  readonly onChange: (range: Range) => void;
}

export function RangePicker({ range, onChange }: RangePickerProps): ReactNode {
  const { zone } = usePreferences();
  const isCustom = range.kind === 'custom';
  return (
    <fieldset className="flex h-[30px] min-w-0 items-stretch rounded-md border border-line-strong bg-surface">
      <legend className="sr-only">Time range</legend>
      {PRESETS.map((preset) => (
        <button
          key={preset}
          type="button"
          aria-pressed={range.kind === 'preset' && range.preset === preset}
          aria-label={`Last ${PRESET_LABELS[preset]}`}
          className="border-r px-2 text-ink-2 first:rounded-l-[4px] hover:bg-hover aria-pressed:bg-accent-soft aria-pressed:font-semibold aria-pressed:text-accent sm:px-2.5"
          onClick={() => onChange({ kind: 'preset', preset })}
        >
          {preset}
        </button>
      ))}
      <Popover
        align="end"
        label={isCustom ? <CustomLabel from={formatMoment(range.from, zone)} to={formatMoment(range.to, zone)} /> : 'Custom'}
        buttonClass={`truncate rounded-r-[4px] px-2 hover:bg-hover sm:px-2.5 ${isCustom ? 'bg-accent-soft font-semibold text-accent' : 'text-ink-2'}`}
      >
        {(close) => (
          <CustomForm
            range={range}
            onSubmit={(chosen) => {
              close();
              onChange(chosen);
            }}
          />
        )}
      </Popover>
    </fieldset>
  );
}

function CustomLabel({ from, to }: { from: string; to: string }): ReactNode {
  return (
    <>
      <span className="sm:hidden">Custom</span>
      <span className="tabular hidden sm:inline">
        {from.slice(0, -3)} – {to.slice(0, -3)}
      </span>
    </>
  );
}

function CustomForm({ range, onSubmit }: { range: Range; onSubmit: (range: Range) => void }): ReactNode {
  const { zone } = usePreferences();
  const [error, setError] = useState<string | null>(null);
  const shown = resolveRange(range, Date.now());
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const from = fromInputValue(String(form.get('from')), zone);
    const to = fromInputValue(String(form.get('to')), zone);
    if (from === null || to === null || from >= to) setError('The end must be after the start.');
    else onSubmit({ kind: 'custom', from, to });
  };
  return (
    <form className="flex w-60 flex-col gap-2.5" onSubmit={submit}>
      <label className="flex flex-col gap-1">
        <span className="label">From ({zone === 'utc' ? 'UTC' : 'local time'})</span>
        <input className="field" type="datetime-local" name="from" required defaultValue={toInputValue(shown.from, zone)} />
      </label>
      <label className="flex flex-col gap-1">
        <span className="label">To</span>
        <input
          className="field"
          type="datetime-local"
          name="to"
          required
          defaultValue={toInputValue(shown.to, zone)}
          aria-invalid={error !== null}
        />
      </label>
      <p className="min-h-4 text-xs text-critical" role="alert">
        {error}
      </p>
      <button type="submit" className="button button-primary">
        Show this time
      </button>
    </form>
  );
}
