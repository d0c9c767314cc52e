import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ChangeEvent, type FormEvent, type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { providersQuery } from '../api/queries.ts';
import type { CostInvoice } from '../api/schema.ts';
import { formatInteger } from '../format/number.ts';
import { Dialog } from '../ui/dialog.tsx';
import { type InvoiceFile, readInvoiceFile } from './invoice-file.ts';

interface Props {
  readonly onClose: () => void;
  readonly onImported: (id: string) => void;
}

export function ImportInvoiceDialog({ onClose, onImported }: Props): ReactNode {
  const queryClient = useQueryClient();
  const providers = useQuery(providersQuery);
  const [file, setFile] = useState<(InvoiceFile & { readonly name: string }) | null>(null);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const importFile = useMutation({
    mutationFn: ({ name, csv }: { name: string; csv: string }) =>
      unwrap<CostInvoice>(api.POST('/api/v1/costs/invoices', { body: { name, providers: [...chosen], csv } })),
    onSuccess: async ({ id }) => {
      await queryClient.invalidateQueries({ queryKey: ['costs', 'invoices'] });
      onImported(id);
    },
  });
  const choose = async (event: ChangeEvent<HTMLInputElement>): Promise<void> => {
    const [picked] = event.target.files ?? [];
    importFile.reset();
    setFile(picked === undefined ? null : { name: picked.name, ...readInvoiceFile(new Uint8Array(await picked.arrayBuffer())) });
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
    if (file !== null && 'csv' in file) importFile.mutate({ name: name || file.name, csv: file.csv });
  };
  const error = importFile.error ? asApiError(importFile.error) : null;
  return (
    <Dialog title="Import an invoice" onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <label className="flex flex-col gap-1">
          <span className="font-medium">File</span>
          <input
            type="file"
            accept=".csv,text/csv"
            required
            className="max-w-full text-ink-2 file:mr-2 file:h-7.5 file:rounded-md file:border file:border-line-strong file:bg-surface file:px-2.5 file:font-medium file:text-ink"
            onChange={(event) => void choose(event)}
          />
          <span className="min-h-[34px] text-xs text-ink-3" aria-live="polite">
            {file === null ? (
              "OpenAI's costs export, Anthropic's, or any CSV with the columns day, model and cost_usd; US dollars, UTF-8."
            ) : 'problem' in file ? (
              <span className="text-critical">{file.problem}</span>
            ) : (
              `${formatInteger(file.rows)} rows; columns ${file.columns.slice(0, 6).join(', ')}${file.columns.length > 6 ? ' …' : ''}`
            )}
          </span>
        </label>
        <fieldset>
          <legend className="mb-1 font-medium">For the calls of</legend>
          <div className="flex max-h-40 flex-col gap-1 overflow-y-auto">
            {(providers.data?.providers ?? []).map(({ name }) => (
              <label key={name} className="flex items-center gap-2">
                <input
                  type="checkbox"
                  checked={chosen.includes(name)}
                  onChange={(event) => setChosen(event.target.checked ? [...chosen, name] : chosen.filter((each) => each !== name))}
                />
                {name}
              </label>
            ))}
          </div>
        </fieldset>
        <label className="flex flex-col gap-1">
          <span className="font-medium">Name</span>
          <input className="field" name="name" maxLength={200} autoComplete="off" placeholder={file?.name ?? 'OpenAI, October'} />
        </label>
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
            className="button button-primary"
            disabled={importFile.isPending || file === null || 'problem' in file || chosen.length === 0}
          >
            {importFile.isPending ? 'Importing…' : 'Import'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
