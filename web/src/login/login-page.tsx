import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useId } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { useTitle } from '../shell/page-header.tsx';
import { parseLoginSearch, useParsedSearch } from '../shell/search.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { PlimsollMark } from '../ui/plimsoll-mark.tsx';

const route = getRouteApi('/login');
const RESET_COMMAND = 'npm run -s plimsoll -- keys admin --reset';

export function LoginPage(): ReactNode {
  const { next } = useParsedSearch(route.useSearch(), parseLoginSearch);
  const router = useRouter();
  const queryClient = useQueryClient();
  const errorId = useId();
  useTitle('Log in');
  const login = useMutation({
    mutationFn: (adminKey: string) => unwrap<unknown>(api.POST('/api/v1/sessions', { body: { adminKey } })),
    onSuccess: () => {
      queryClient.clear();
      router.history.push(next ?? '/');
    },
  });
  const error = login.error ? asApiError(login.error) : null;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    login.mutate(String(new FormData(event.currentTarget).get('adminKey') ?? '').trim());
  };
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex items-center gap-3">
          <PlimsollMark className="size-9 text-accent" />
          <div>
            <h1 className="text-lg font-semibold tracking-tight">Plimsoll</h1>
            <p className="text-xs text-ink-3">{location.host}</p>
          </div>
        </div>
        <form className="panel flex flex-col gap-3 p-5" onSubmit={submit}>
          <label className="flex flex-col gap-1.5">
            <span className="font-medium">Admin key</span>
            <input
              className="field h-9 font-mono"
              name="adminKey"
              type="password"
              required
              // biome-ignore lint/a11y/noAutofocus: the only control of the page
              autoFocus
              autoComplete="current-password"
              spellCheck={false}
              placeholder="pla_…"
              aria-invalid={error !== null}
              aria-describedby={errorId}
            />
          </label>
          <p id={errorId} role="alert" className={`min-h-[34px] text-xs ${error ? 'text-critical' : 'text-ink-3'}`}>
            {error === null
              ? 'It starts with pla_ and is not a virtual key (plk_), which only calls models.'
              : error.status === 401
                ? 'This key is not valid. Check that the whole key was copied; it starts with pla_.'
                : `${error.message} ${error.fix}`}
          </p>
          <button type="submit" className="button button-primary h-9" disabled={login.isPending}>
            {login.isPending ? 'Checking…' : 'Log in'}
          </button>
        </form>
        <div className="mt-5 flex flex-col gap-2 text-xs text-ink-2">
          <p>
            The first start printed the admin key in the terminal, once. It is stored only as a hash. To get a new one, run in the folder of
            Plimsoll:
          </p>
          <div className="flex items-center gap-1 rounded-md border bg-surface py-1 pr-1 pl-2.5">
            <code className="min-w-0 flex-1 font-mono text-2xs break-words">{RESET_COMMAND}</code>
            <CopyButton text={RESET_COMMAND} label="Copy" isQuiet />
          </div>
          <p className="text-ink-3">The reset makes the old admin key and its sessions invalid. Virtual keys go on working.</p>
        </div>
      </div>
    </main>
  );
}
