import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import type { CostAnomaly } from '../api/schema.ts';
import { Dialog } from '../ui/dialog.tsx';

const DAY_MS = 86_400_000;
const MUTES = [
  ['0', 'not muted'],
  ['1', 'for a day'],
  ['7', 'for a week'],
  ['28', 'for four weeks'],
] as const;

/** Says who looks after an anomaly, or that it was expected; why is asked for and kept. */
export function AnomalyDialog({ anomaly, onClose }: { anomaly: CostAnomaly; onClose: () => void }): ReactNode {
  const queryClient = useQueryClient();
  const [kind, setKind] = useState<'acknowledged' | 'expected'>(anomaly.handling?.kind ?? 'acknowledged');
  const [reason, setReason] = useState(anomaly.handling?.reason ?? '');
  const [days, setDays] = useState('0');
  const handle = useMutation({
    mutationFn: () =>
      unwrap<CostAnomaly>(
        api.POST('/api/v1/costs/anomalies/{id}/handling', {
          params: { path: { id: anomaly.id } },
          body: { kind, reason: reason.trim(), ...(kind === 'expected' && days !== '0' ? { muteForMs: Number(days) * DAY_MS } : {}) },
        }),
      ),
    onSuccess: async () => {
      onClose();
      await queryClient.invalidateQueries({ queryKey: ['costs', 'anomalies'] });
    },
  });
  const error = handle.error ? asApiError(handle.error) : null;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    handle.mutate();
  };
  return (
    <Dialog title={`${anomaly.dimension} ${anomaly.key ?? '(none)'}`} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <fieldset className="flex flex-col gap-1.5">
          <legend className="mb-1 font-medium">What about it</legend>
          {(
            [
              ['acknowledged', 'Somebody looks after it'],
              ['expected', 'It is right as it is'],
            ] as const
          ).map(([value, text]) => (
            <label key={value} className="flex items-center gap-2">
              <input type="radio" name="kind" checked={kind === value} onChange={() => setKind(value)} />
              {text}
            </label>
          ))}
        </fieldset>
        <label className="flex flex-col gap-1">
          <span className="font-medium">Why</span>
          <input
            className="field"
            name="reason"
            required
            maxLength={500}
            autoComplete="off"
            placeholder="launch in Spain"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        {kind === 'expected' && (
          <label className="flex flex-col gap-1">
            <span className="font-medium">New anomalies of it are</span>
            <select className="field" name="mute" value={days} onChange={(event) => setDays(event.target.value)}>
              {MUTES.map(([value, text]) => (
                <option key={value} value={value}>
                  {value === '0' ? text : `muted ${text}`}
                </option>
              ))}
            </select>
            <span className="text-xs text-ink-3">After four weeks the new level is what is usual.</span>
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
          <button type="submit" className="button button-primary" disabled={handle.isPending || reason.trim() === ''}>
            {handle.isPending ? 'Saving…' : 'Save'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
