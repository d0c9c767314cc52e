import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { featuresQuery } from '../api/queries.ts';
import type { CreatedKey } from '../api/schema.ts';
import { fromInputValue } from '../format/time.ts';
import { usePreferences } from '../shell/preferences.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { newKeyOf } from './key-state.ts';

export function CreateKeyDialog({ onClose }: { onClose: () => void }): ReactNode {
  const [created, setCreated] = useState<string | null>(null);
  return created === null ? (
    <Dialog title="Create a key" onClose={onClose}>
      <KeyFormView onCreated={setCreated} onCancel={onClose} />
    </Dialog>
  ) : (
    <Dialog key="created" title="The new key" onClose={onClose} isDismissable={false}>
      <p className="text-ink-2">Copy it now: it is shown this once and cannot be read again.</p>
      <div className="mt-3 flex items-center gap-2 rounded-md border bg-sunken p-2.5">
        <code className="min-w-0 flex-1 font-mono text-xs break-all select-all">{created}</code>
        <CopyButton text={created} label="Copy" />
      </div>
      <div className="mt-5 flex justify-end">
        <button type="button" className="button button-primary" onClick={onClose}>
          I have stored it
        </button>
      </div>
    </Dialog>
  );
}

function KeyFormView({ onCreated, onCancel }: { onCreated: (key: string) => void; onCancel: () => void }): ReactNode {
  const queryClient = useQueryClient();
  const features = useQuery(featuresQuery);
  const { zone } = usePreferences();
  const create = useMutation({
    mutationFn: (form: FormData) => {
      const text = (name: string): string => String(form.get(name) ?? '');
      const expires = text('expiresAt');
      const body = newKeyOf({
        name: text('name'),
        feature: text('feature'),
        team: text('team'),
        models: text('models'),
        expiresAt: expires === '' ? null : fromInputValue(expires, zone),
      });
      return unwrap<CreatedKey>(api.POST('/api/v1/keys', { body }));
    },
    onSuccess: async ({ key }) => {
      onCreated(key);
      await queryClient.invalidateQueries({ queryKey: ['keys'] });
    },
  });
  const error = create.error ? asApiError(create.error) : null;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    create.mutate(new FormData(event.currentTarget));
  };
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      <Field label="Name" hint="What the key is for, as others will read it">
        <input className="field" name="name" required maxLength={128} placeholder="support widget, production" autoComplete="off" />
      </Field>
      <Field label="Feature" hint="Calls with this key belong to it">
        <select className="field" name="feature" defaultValue="">
          <option value="">each request names it</option>
          {(features.data ?? []).map((feature) => (
            <option key={feature.name} value={feature.name}>
              {feature.name}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Team" hint="Cost is allocated to it; may stay empty">
        <input className="field" name="team" maxLength={128} autoComplete="off" />
      </Field>
      <Field label="Routes and models" hint="Separated by commas; empty = all">
        <input className="field" name="models" autoComplete="off" spellCheck={false} placeholder="default, gpt-5-mini" />
      </Field>
      <Field label={`Expires (${zone === 'utc' ? 'UTC' : 'local time'})`} hint="Empty = never">
        <input className="field" type="datetime-local" name="expiresAt" />
      </Field>
      {error && (
        <p role="alert" className="text-critical">
          {error.message} {error.fix}
        </p>
      )}
      <div className="mt-2 flex justify-end gap-2">
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="button button-primary" disabled={create.isPending}>
          {create.isPending ? 'Creating…' : 'Create the key'}
        </button>
      </div>
    </form>
  );
}

function Field({ label, hint, children }: { label: string; hint: string; children: ReactNode }): ReactNode {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className="flex flex-col gap-1">
      <span className="flex items-baseline justify-between gap-3">
        <span className="font-medium">{label}</span>
        <span className="truncate text-xs text-ink-3">{hint}</span>
      </span>
      {children}
    </label>
  );
}
