import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { keysQuery } from '../api/queries.ts';
import type { VirtualKey } from '../api/schema.ts';
import { formatAgo, formatDate } from '../format/time.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { Badge } from '../ui/badges.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { CreateKeyDialog } from './create-key-dialog.tsx';
import { keyState } from './key-state.ts';

export function KeysPage(): ReactNode {
  const keys = useInfiniteQuery(keysQuery);
  const [isCreating, setIsCreating] = useState(false);
  const [revoking, setRevoking] = useState<VirtualKey | null>(null);
  return (
    <>
      <PageHeader title="Keys">
        <button type="button" className="button button-primary" onClick={() => setIsCreating(true)}>
          Create a key
        </button>
      </PageHeader>
      <p className="mb-3 max-w-prose text-ink-2">
        A virtual key lets an application call /v1. It carries the feature and the team that its calls belong to; the key itself is shown
        once and stored only as a hash.
      </p>
      <QueryState query={keys} skeleton={<SkeletonRows count={6} height={36} />}>
        {(data) => (
          <>
            <Table
              caption="Virtual keys"
              rows={data.pages.flatMap((page) => page.keys)}
              columns={columnsOf(Date.now(), setRevoking)}
              rowKey={(key) => key.id}
              empty="There is no key yet. Create one to make the first call."
              minWidth={980}
            />
            {keys.hasNextPage && (
              <button type="button" className="button mt-3" disabled={keys.isFetchingNextPage} onClick={() => void keys.fetchNextPage()}>
                Show more keys
              </button>
            )}
          </>
        )}
      </QueryState>
      {isCreating && <CreateKeyDialog onClose={() => setIsCreating(false)} />}
      {revoking && <RevokeDialog virtualKey={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}

const anyText = <span className="text-ink-3">any</span>;
const never = <span className="text-ink-3">never</span>;

function Day({ at }: { at: number }): ReactNode {
  return <TimeText at={at} format={formatDate} />;
}

function columnsOf(nowMs: number, revoke: (key: VirtualKey) => void): Column<VirtualKey>[] {
  return [
    {
      key: 'name',
      header: 'Name',
      className: 'sticky left-0 z-1 bg-surface group-hover:bg-hover',
      cell: (key) => (
        <span className={`block max-w-56 truncate font-medium ${keyState(key, nowMs).isUsable ? '' : 'text-ink-3'}`}>{key.name}</span>
      ),
    },
    { key: 'prefix', header: 'Key', cell: (key) => <KeyPrefix prefix={key.prefix} /> },
    {
      key: 'state',
      header: 'State',
      cell: (key) => {
        const { state, word } = keyState(key, nowMs);
        return <StateMark state={state} word={word} />;
      },
    },
    {
      key: 'feature',
      header: 'Feature',
      cell: (key) =>
        key.feature === null ? (
          <span data-tip="Each request names it in x-plimsoll-feature.">{anyText}</span>
        ) : (
          <span className="whitespace-nowrap">{key.feature}</span>
        ),
    },
    {
      key: 'team',
      header: 'Team',
      cell: (key) => <span className={`whitespace-nowrap ${key.team === null ? 'text-ink-3' : ''}`}>{key.team ?? 'none'}</span>,
    },
    {
      key: 'models',
      header: 'Models',
      cell: (key) =>
        key.models === null ? (
          anyText
        ) : (
          <span className="block max-w-48 truncate" data-tip={key.models.join(', ')}>
            {key.models.join(', ')}
          </span>
        ),
    },
    {
      key: 'created',
      header: 'Created',
      cell: (key) =>
        key.createdAt === null ? (
          <Badge tip="Defined in plimsoll.yaml; remove it there, the file is loaded again by itself.">config</Badge>
        ) : (
          <Day at={key.createdAt} />
        ),
    },
    { key: 'expires', header: 'Expires', cell: (key) => (key.expiresAt === null ? never : <Day at={key.expiresAt} />) },
    {
      key: 'used',
      header: 'Last used',
      cell: (key) =>
        key.lastUsedAt === null ? (
          <span className="text-ink-3">not seen</span>
        ) : (
          <TimeText at={key.lastUsedAt} format={(ms) => formatAgo(ms, nowMs)} />
        ),
    },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      isNumeric: true,
      cell: (key) =>
        key.source === 'api' &&
        keyState(key, nowMs).isUsable && (
          <button type="button" className="button button-small" onClick={() => revoke(key)} data-row>
            Revoke<span className="sr-only"> {key.name}</span>
          </button>
        ),
    },
  ];
}

function KeyPrefix({ prefix }: { prefix: string }): ReactNode {
  if (prefix === '') return <span className="text-ink-3">hidden</span>;
  return <code className="font-mono text-xs whitespace-nowrap text-ink-2">plk_{prefix.replace(/^plk_/, '')}…</code>;
}

function RevokeDialog({ virtualKey, onClose }: { virtualKey: VirtualKey; onClose: () => void }): ReactNode {
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => unwrap<void>(api.DELETE('/api/v1/keys/{id}', { params: { path: { id: virtualKey.id } } })),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['keys'] });
      onClose();
    },
  });
  const error = revoke.error ? asApiError(revoke.error) : null;
  return (
    <Dialog title={`Revoke "${virtualKey.name}"?`} onClose={onClose}>
      <div className="flex flex-col gap-2 text-ink-2">
        <p>
          Every application that uses <KeyPrefix prefix={virtualKey.prefix} /> gets 401 from its next call on
          {virtualKey.feature === null ? '' : `, and ${virtualKey.feature} loses this way in`}. Calls that are running now finish.
        </p>
        <p>
          {virtualKey.lastUsedAt === null ? (
            'It has not been seen in use.'
          ) : (
            <>
              It was last used <TimeText at={virtualKey.lastUsedAt} />.
            </>
          )}{' '}
          Its traces and costs stay. This cannot be undone: a new key has to be created and rolled out.
        </p>
      </div>
      {error && (
        <p role="alert" className="mt-3 text-critical">
          {error.message} {error.fix}
        </p>
      )}
      <div className="mt-5 flex justify-end gap-2">
        {/* biome-ignore lint/a11y/noAutofocus: the safe choice has the focus in a dialog that destroys */}
        <button type="button" className="button" onClick={onClose} autoFocus>
          Keep the key
        </button>
        <button type="button" className="button button-critical" disabled={revoke.isPending} onClick={() => revoke.mutate()}>
          {revoke.isPending ? 'Revoking…' : 'Revoke the key'}
        </button>
      </div>
    </Dialog>
  );
}
