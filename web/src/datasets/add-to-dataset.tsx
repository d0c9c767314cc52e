import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { Badge } from '../ui/badges.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { type CaseDrafts, caseDraftsQuery, type DatasetSaved, datasetsQuery } from './dataset-queries.ts';
import { savedText, slicesOf, tagsOf } from './dataset-text.ts';

/** One trace, one span of it, or the newest that a filter lets through. */
export type CaseOrigin = Readonly<Record<string, string | number>>;

/** @param what the same in words: "this trace" */
export function AddToDatasetButton({ origin, what }: { origin: () => CaseOrigin; what: string }): ReactNode {
  const [opened, setOpened] = useState<CaseOrigin | null>(null);
  return (
    <>
      <button
        type="button"
        className="button button-small"
        data-tip={`Make eval cases of ${what}, redacted`}
        onClick={() => setOpened(origin())}
      >
        Add to dataset…
      </button>
      {opened !== null && <AddDialog origin={opened} what={what} onClose={() => setOpened(null)} />}
    </>
  );
}

type Draft = CaseDrafts['drafts'][number];

function AddDialog({ origin, what, onClose }: { origin: CaseOrigin; what: string; onClose: () => void }): ReactNode {
  const drafts = useQuery(caseDraftsQuery(origin));
  const error = drafts.error ? asApiError(drafts.error) : null;
  return (
    <Dialog title={`Add ${what} to a dataset`} onClose={onClose}>
      {drafts.data === undefined ? (
        error === null ? (
          <p role="status" className="text-ink-2">
            Reading and redacting…
          </p>
        ) : (
          <p role="alert" className="text-critical">
            {error.message}
          </p>
        )
      ) : (
        <AddForm found={drafts.data} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface Expected {
  readonly answer?: string | null;
}

const expectedOf = ({ draft }: Draft): Expected => (draft.expected ?? {}) as Expected; // as EvalCase has it

function AddForm({ found, onClose }: { found: CaseDrafts; onClose: () => void }): ReactNode {
  const queryClient = useQueryClient();
  const datasets = useQuery(datasetsQuery);
  const open = (datasets.data ?? []).filter(({ isArchived }) => !isArchived);
  const [only, ...others] = found.drafts;
  const [problem, setProblem] = useState<string | null>(null);
  const save = useMutation({
    mutationFn: ({
      name,
      tags,
      slices,
      answer,
    }: {
      name: string;
      tags: string[];
      slices: Record<string, string>;
      answer: string | null;
    }) => {
      const cases = found.drafts.map(({ draft }) => ({
        ...draft,
        tags,
        slices,
        ...(answer === null ? {} : { expected: { ...(draft.expected as object | undefined), answer: answer === '' ? null : answer } }),
      }));
      return unwrap<DatasetSaved>(api.POST('/api/v1/datasets/{name}/cases', { params: { path: { name } }, body: { cases, mode: 'add' } }));
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['datasets'] }),
  });
  if (only === undefined)
    return (
      <p className="text-ink-2">
        {found.skipped.length === 0
          ? 'There is nothing to add.'
          : `No case can be made of ${found.skipped.length === 1 ? 'it' : 'them'}: ${found.skipped[0]?.reason}`}
      </p>
    );
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const slices = slicesOf(String(form.get('slices') ?? ''));
    setProblem(slices === null ? 'Write slices as name=value, such as language=de.' : null);
    if (slices === null) return;
    save.mutate({
      name: String(form.get('name') ?? '').trim(),
      tags: tagsOf(String(form.get('tags') ?? '')),
      slices,
      answer: form.has('answer') ? String(form.get('answer')) : null,
    });
  };
  if (save.data !== undefined)
    return (
      <div role="status" className="flex flex-col gap-3">
        <p>{savedText(save.data)}</p>
        <div className="flex justify-end gap-2">
          <Link to="/datasets/$name" params={{ name: save.data.name }} className="button">
            Show {save.data.name}
          </Link>
          <button type="button" className="button button-primary" onClick={onClose}>
            Done
          </button>
        </div>
      </div>
    );
  const error = problem ?? (save.error ? asApiError(save.error).message : null);
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      <label className="flex flex-col gap-1">
        <span className="font-medium">Dataset</span>
        <input
          className="field"
          name="name"
          list="dataset-names"
          required
          pattern="[a-z0-9][a-z0-9._\-]{0,62}"
          title="small letters, digits, dot, dash and underscore"
          placeholder={open.length === 0 ? 'a new one: support' : 'one of yours, or a new name'}
          defaultValue={open.length === 1 ? open[0]?.name : ''}
          autoComplete="off"
          spellCheck={false}
        />
        <datalist id="dataset-names">
          {open.map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <div className="grid gap-3 sm:grid-cols-2">
        <label className="flex flex-col gap-1">
          <span className="font-medium">Tags</span>
          <input className="field" name="tags" placeholder="refund, regression" autoComplete="off" />
        </label>
        <label className="flex flex-col gap-1">
          <span className="font-medium">Slices</span>
          <input className="field" name="slices" placeholder="language=de" autoComplete="off" />
        </label>
      </div>
      {others.length === 0 ? (
        <label className="flex flex-col gap-1">
          <span className="font-medium">Expected answer</span>
          <textarea
            className="field h-20! py-1.5"
            name="answer"
            defaultValue={expectedOf(only).answer ?? ''}
            placeholder="What a right answer says; may stay empty"
          />
        </label>
      ) : null}
      <details className="rounded-md border bg-sunken" open={others.length === 0}>
        <summary className="cursor-pointer px-3 py-2">
          What will be saved: {found.drafts.length === 1 ? 'one case' : `${found.drafts.length} cases`}
          <span className="ml-2 inline-flex flex-wrap gap-1">
            {redactionsOf(found.drafts).map(([name, count]) => (
              <Badge key={name} tip="Found and replaced by placeholders">
                {count} {name} redacted
              </Badge>
            ))}
          </span>
        </summary>
        <pre className="max-h-60 overflow-auto border-t px-3 py-2 font-mono text-2xs leading-4 break-words whitespace-pre-wrap">
          {found.drafts
            .slice(0, 20)
            .map(({ draft }) => JSON.stringify({ input: draft.input, expected: draft.expected, recorded: draft.recorded }, null, 2))
            .join('\n\n')}
        </pre>
      </details>
      <p className="text-xs text-ink-3">
        E-mail addresses, telephone and card numbers, IBANs and keys are replaced; names of people are not found: look before you save.
        {found.skipped.length > 0 && ` ${found.skipped.length} cannot be cases: ${found.skipped[0]?.reason}`}
      </p>
      {error !== null && (
        <p role="alert" className="text-critical">
          {error}
        </p>
      )}
      <div className="mt-1 flex justify-end gap-2">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button button-primary" disabled={save.isPending}>
          {save.isPending ? 'Saving…' : 'Add'}
        </button>
      </div>
    </form>
  );
}

function redactionsOf(drafts: readonly Draft[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { redactions } of drafts) for (const { name, count } of redactions) counts.set(name, (counts.get(name) ?? 0) + count);
  return [...counts];
}
