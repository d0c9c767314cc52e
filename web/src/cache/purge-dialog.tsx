import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { Dialog } from '../ui/dialog.tsx';
import { type PurgeForm, purgeOf, purgeText } from './cache-text.ts';

interface PurgeDialogProps {
  /** Those that have a cache. */
  readonly features: readonly string[];
  /** Chosen already; null = the reader chooses. */
  readonly feature: string | null;
  readonly onClose: () => void;
  readonly onPurged: (done: { form: PurgeForm; sequence: number }) => void;
}

/** Asks what is to be voided and says what that means before it is done. */
export function PurgeDialog({ features, feature, onClose, onPurged }: PurgeDialogProps): ReactNode {
  const queryClient = useQueryClient();
  const [form, setForm] = useState<PurgeForm>({ what: feature === null ? 'tag' : 'feature', feature: feature ?? '', tag: '' });
  const purge = useMutation({
    mutationFn: () => unwrap<{ sequence: number }>(api.POST('/api/v1/cache/purge', { body: purgeOf(form) })),
    onSuccess: async ({ sequence }) => {
      onPurged({ form, sequence });
      onClose();
      await queryClient.invalidateQueries({ queryKey: ['cache'] });
    },
  });
  const error = purge.error ? asApiError(purge.error) : null;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    purge.mutate();
  };
  const isComplete = form.what === 'all' || (form.what === 'feature' ? form.feature !== '' : /^[^=]+=/.test(form.tag.trim()));
  return (
    <Dialog title={feature === null ? 'Purge kept answers?' : `Purge the cache of ${feature}?`} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        {feature === null && (
          <>
            <fieldset className="flex flex-col gap-1.5">
              <legend className="mb-1 font-medium">Which</legend>
              {(
                [
                  ['tag', 'Those with a tag'],
                  ['feature', 'All of one feature'],
                  ['all', 'All of every feature'],
                ] as const
              ).map(([what, text]) => (
                <label key={what} className="flex items-center gap-2">
                  <input type="radio" name="what" checked={form.what === what} onChange={() => setForm({ ...form, what })} />
                  {text}
                </label>
              ))}
            </fieldset>
            {form.what === 'tag' && (
              <label className="flex flex-col gap-1">
                <span className="font-medium">Tag</span>
                <input
                  className="field"
                  name="tag"
                  required
                  pattern="[^=]+=.*"
                  title="name=value"
                  maxLength={513}
                  placeholder="release=2026-11"
                  autoComplete="off"
                  spellCheck={false}
                  value={form.tag}
                  onChange={(event) => setForm({ ...form, tag: event.target.value })}
                />
              </label>
            )}
            {form.what !== 'all' && (
              <label className="flex flex-col gap-1">
                <span className="font-medium">Feature</span>
                <select
                  className="field"
                  name="feature"
                  required={form.what === 'feature'}
                  value={form.feature}
                  onChange={(event) => setForm({ ...form, feature: event.target.value })}
                >
                  <option value="">{form.what === 'tag' ? 'every feature' : 'choose one'}</option>
                  {features.map((name) => (
                    <option key={name} value={name}>
                      {name}
                    </option>
                  ))}
                </select>
              </label>
            )}
          </>
        )}
        <p className="text-ink-2">
          {isComplete ? `This voids ${purgeText(form)}. ` : ''}The next calls are asked of a provider again, and cost what they cost. It
          cannot be undone.
        </p>
        {error && (
          <p role="alert" className="text-critical">
            {error.message} {error.fix}
          </p>
        )}
        <div className="mt-2 flex justify-end gap-2">
          <button type="button" className="button" onClick={onClose}>
            Keep them
          </button>
          <button type="submit" className="button button-critical" disabled={purge.isPending}>
            {purge.isPending ? 'Purging…' : 'Purge'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
