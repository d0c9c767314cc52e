import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { Dialog } from '../ui/dialog.tsx';
import type { DatasetSaved } from './dataset-queries.ts';
import { savedText } from './dataset-text.ts';

interface ImportDialogProps {
  /** Null = the reader names it. */
  readonly name: string | null;
  readonly onClose: () => void;
  readonly onSaved: (saved: DatasetSaved) => void;
}

const SHAPES = [
  ['plimsoll', 'Plimsoll'],
  ['promptfoo', 'promptfoo tests'],
  ['ragas', 'Ragas columns'],
  ['deepeval', 'DeepEval test cases'],
] as const;

/** Uploads a file of cases; what stood twice, and what was odd, is told before the dialog goes. */
export function ImportDialog({ name, onClose, onSaved }: ImportDialogProps): ReactNode {
  const queryClient = useQueryClient();
  const [done, setDone] = useState<DatasetSaved | null>(null);
  const save = useMutation({
    mutationFn: async (form: FormData) => {
      const file = form.get('file') as File; // required by the form
      const shape = SHAPES.find(([value]) => value === form.get('shape'))?.[0];
      const body = {
        fileName: file.name,
        text: await file.text(),
        message: String(form.get('message') ?? ''),
        ...(shape === undefined ? {} : { shape }),
      };
      const target = name ?? String(form.get('name') ?? '').trim();
      return unwrap<DatasetSaved>(api.POST('/api/v1/datasets/{name}/import', { params: { path: { name: target } }, body }));
    },
    onSuccess: async (saved) => {
      await queryClient.invalidateQueries({ queryKey: ['datasets'] });
      if (saved.warnings.length === 0 && saved.repeated.length === 0) onSaved(saved);
      else setDone(saved);
    },
  });
  const error = save.error ? asApiError(save.error) : null;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    save.mutate(new FormData(event.currentTarget));
  };
  if (done !== null)
    return (
      <Dialog title="Imported, with remarks" onClose={() => onSaved(done)}>
        <p>{savedText(done)}</p>
        <ul className="mt-2 max-h-60 list-disc overflow-y-auto pl-5 text-ink-2">
          {done.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
          {done.repeated.map(({ place, firstPlace }) => (
            <li key={place}>
              {place} is the same case as {firstPlace}; kept once.
            </li>
          ))}
        </ul>
        <div className="mt-4 flex justify-end">
          <button type="button" className="button button-primary" onClick={() => onSaved(done)}>
            Show the dataset
          </button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={name === null ? 'Import cases' : `Import cases into ${name}`} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        {name === null && (
          <label className="flex flex-col gap-1">
            <span className="font-medium">Dataset</span>
            <input
              className="field"
              name="name"
              required
              pattern="[a-z0-9][a-z0-9._\-]{0,62}"
              title="small letters, digits, dot, dash and underscore"
              placeholder="support"
              autoComplete="off"
              spellCheck={false}
            />
          </label>
        )}
        <label className="flex flex-col gap-1">
          <span className="font-medium">File</span>
          <input className="field h-auto! py-1" type="file" name="file" required accept=".yaml,.yml,.json,.jsonl,.csv" />
        </label>
        <label className="flex flex-col gap-1">
          <span className="font-medium">Its form</span>
          <select className="field" name="shape" defaultValue="">
            <option value="">told by its members</option>
            {SHAPES.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label className="flex flex-col gap-1">
          <span className="font-medium">What was changed</span>
          <input className="field" name="message" maxLength={500} placeholder="Import of the file" autoComplete="off" />
        </label>
        <p className="text-ink-2">
          Cases come in beside what is there; one with the id of a case that is there takes its place. Nothing is redacted: the file is
          taken as it is.
        </p>
        {error && (
          <p role="alert" className="break-words text-critical">
            {error.message}
          </p>
        )}
        <div className="mt-2 flex justify-end gap-2">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={save.isPending}>
            {save.isPending ? 'Reading…' : 'Import'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
