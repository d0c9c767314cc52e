import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { FormEvent, ReactNode } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { modelsQuery } from '../api/queries.ts';
import type { ReplayReport } from '../api/schema.ts';
import type { Filters } from '../traces/filters.ts';
import { Dialog } from '../ui/dialog.tsx';

/** What is made again. */
export type ReplayChoice = { readonly traceId: string } | { readonly filter: Filters & { readonly from: number; readonly to: number } };

interface ReplayDialogProps {
  readonly source: ReplayChoice;
  /** The same in words. */
  readonly what: string;
  readonly onClose: () => void;
}

/** Asks for model and ceiling, has the calls chosen and goes to the plan; nothing is called from here. */
export function ReplayDialog({ source, what, onClose }: ReplayDialogProps): ReactNode {
  const navigate = useNavigate();
  const models = useQuery(modelsQuery);
  const create = useMutation({
    mutationFn: (form: FormData) => {
      const model = String(form.get('model') ?? '');
      const limit = Number(form.get('limit') ?? 0);
      const chosen = 'filter' in source ? { filter: source.filter, limit } : source;
      const body = {
        source: chosen,
        model: model === '' ? null : model,
        maxCostUsd: Number(form.get('maxCostUsd')),
        concurrency: 4,
        starts: 'when-told' as const,
      };
      return unwrap<ReplayReport>(api.POST('/api/v1/replays', { body }));
    },
    onSuccess: ({ id }) => navigate({ to: '/replays/$id', params: { id } }),
  });
  const error = create.error ? asApiError(create.error) : null;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    create.mutate(new FormData(event.currentTarget));
  };
  return (
    <Dialog title={`Replay ${what}`} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <label className="flex flex-col gap-1">
          <span className="font-medium">Model</span>
          <select className="field" name="model" defaultValue="">
            <option value="">as recorded, byte for byte</option>
            {(models.data ?? []).map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {'filter' in source && (
          <label className="flex flex-col gap-1">
            <span className="font-medium">Most calls</span>
            <input className="field" type="number" name="limit" min={1} max={1000} defaultValue={100} required />
          </label>
        )}
        <label className="flex flex-col gap-1">
          <span className="font-medium">Ceiling, US dollars</span>
          <input className="field" type="number" name="maxCostUsd" min={0.000001} step="any" defaultValue={1} required />
        </label>
        <p className="text-ink-2">The calls are chosen and their cost is estimated first; nothing is called before you start it.</p>
        {error && (
          <p role="alert" className="text-critical">
            {error.message} {error.fix}
          </p>
        )}
        <div className="mt-2 flex justify-end gap-2">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={create.isPending}>
            {create.isPending ? 'Choosing…' : 'Choose and estimate'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
