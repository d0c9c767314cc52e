import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { asApiError } from '../api/problem.ts';
import type { Feature, FeatureSwitchDraft } from '../api/schema.ts';
import { Dialog } from '../ui/dialog.tsx';
import { draftOf, remainingText, type SwitchForm, switchWord } from './switch-text.ts';

export type SwitchOrder =
  | { readonly kind: 'set'; readonly draft: FeatureSwitchDraft }
  | { readonly kind: 'resume'; readonly reason: string };

interface SwitchDialogProps {
  readonly feature: Feature;
  readonly action: 'pause' | 'throttle' | 'resume';
  readonly onClose: () => void;
  readonly order: (order: SwitchOrder) => Promise<void>;
}

const TITLES = { pause: 'Pause', throttle: 'Throttle', resume: 'Resume' } as const;

/** Asks for the reason and says what will happen before a switch is thrown. */
export function SwitchDialog({ feature, action, onClose, order }: SwitchDialogProps): ReactNode {
  const throwSwitch = useMutation({ mutationFn: order, onSuccess: onClose });
  const error = throwSwitch.error ? asApiError(throwSwitch.error) : null;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => String(form.get(name) ?? '');
    if (action === 'resume') throwSwitch.mutate({ kind: 'resume', reason: text('reason').trim() });
    else {
      const unit: SwitchForm['unit'] = text('unit') === 'rps' ? 'rps' : 'share';
      const draft = draftOf({ kind: action, reason: text('reason'), forMinutes: text('forMinutes'), unit, amount: text('amount') });
      throwSwitch.mutate({ kind: 'set', draft });
    }
  };
  return (
    <Dialog title={`${TITLES[action]} ${feature.name}?`} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <p className="text-ink-2">
          <Consequence feature={feature} action={action} />
        </p>
        {action === 'throttle' && <Amount />}
        <label className="flex flex-col gap-1">
          <span className="font-medium">Reason{action === 'resume' ? ' (may stay empty)' : ''}</span>
          <input
            className="field"
            name="reason"
            required={action !== 'resume'}
            maxLength={500}
            autoComplete="off"
            placeholder={action === 'resume' ? 'fixed in 1.4.2' : 'wrong refunds, INC-42'}
          />
        </label>
        {action !== 'resume' && (
          <label className="flex flex-col gap-1">
            <span className="font-medium">Ends by itself</span>
            <select className="field" name="forMinutes" defaultValue="30">
              <option value="15">after 15 minutes</option>
              <option value="30">after 30 minutes</option>
              <option value="60">after 1 hour</option>
              <option value="240">after 4 hours</option>
              <option value="1440">after 24 hours</option>
              <option value="">never: somebody has to resume it</option>
            </select>
          </label>
        )}
        {error && (
          <p role="alert" className="text-critical">
            {error.message} {error.fix}
          </p>
        )}
        <div className="mt-2 flex justify-end gap-2">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={`button ${action === 'pause' ? 'button-critical' : 'button-primary'}`}
            disabled={throwSwitch.isPending}
          >
            {throwSwitch.isPending ? 'One moment…' : `${TITLES[action]} the feature`}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Consequence({ feature, action }: Pick<SwitchDialogProps, 'feature' | 'action'>): ReactNode {
  const active = feature.switch;
  if (action === 'resume')
    return active === null
      ? 'It takes every call already.'
      : `It is ${active.kind === 'pause' ? 'paused' : `throttled to ${switchWord(active)}`} ${remainingText(active.expiresAt, Date.now())}. From the next second it takes every call again.`;
  const replaced = active === null ? '' : ` This replaces the ${active.kind} that is in force.`;
  return action === 'pause'
    ? `Within a second every gateway refuses its new calls with 503 feature_paused and this reason. Calls that run now finish.${replaced}`
    : `Within a second every gateway takes only part of its new calls; the rest is refused with 429 and this reason.${replaced}`;
}

function Amount(): ReactNode {
  const [unit, setUnit] = useState<SwitchForm['unit']>('share');
  return (
    <fieldset className="flex items-end gap-2">
      <legend className="mb-1 font-medium">Let through</legend>
      <input
        key={unit}
        className="field w-24"
        type="number"
        name="amount"
        aria-label={unit === 'share' ? 'Percent' : 'Calls per second'}
        required
        min={unit === 'share' ? 0.1 : 0.01}
        max={unit === 'share' ? 99.9 : 10_000}
        step="any"
        defaultValue={unit === 'share' ? 20 : 5}
      />
      <select
        className="field flex-1"
        name="unit"
        aria-label="Unit"
        value={unit}
        onChange={(event) => setUnit(event.target.value === 'rps' ? 'rps' : 'share')}
      >
        <option value="share">percent of the calls</option>
        <option value="rps">calls per second and machine</option>
      </select>
    </fieldset>
  );
}
