import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import type { Feature, FeatureSwitch } from '../api/schema.ts';
import { formatMoment } from '../format/time.ts';
import { usePreferences } from '../shell/preferences.tsx';
import { StateMark, StateShape } from '../ui/state-mark.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { SwitchDialog, type SwitchOrder } from './switch-dialog.tsx';
import { restoreDraftOf, switchWord } from './switch-text.ts';

type Action = 'pause' | 'throttle' | 'resume';

/** What was done last on this page, and what was in force before. */
interface Done {
  readonly feature: string;
  readonly word: string;
  readonly before: FeatureSwitch | null;
}

export interface Switches {
  readonly ask: (feature: Feature, action: Action) => void;
  /** The open dialog and the word about what was done, with its undo. */
  readonly view: ReactNode;
}

async function carryOut(feature: string, order: SwitchOrder): Promise<void> {
  const path = { name: feature };
  if (order.kind === 'set') await unwrap(api.POST('/api/v1/features/{name}/switches', { params: { path }, body: order.draft }));
  else {
    const query = order.reason === '' ? {} : { reason: order.reason };
    await unwrap(api.DELETE('/api/v1/features/{name}/switches', { params: { path, query } }));
  }
}

/** The switches of features on one page: one dialog at a time, and the undo of what was done last. */
export function useSwitches(): Switches {
  const queryClient = useQueryClient();
  const [asked, setAsked] = useState<{ feature: Feature; action: Action } | null>(null);
  const [done, setDone] = useState<Done | null>(null);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ['features'] });
  const undo = useMutation({
    mutationFn: async ({ feature, before }: Done) => {
      const draft = before === null ? null : restoreDraftOf(before, Date.now());
      await carryOut(feature, draft === null ? { kind: 'resume', reason: 'undone' } : { kind: 'set', draft });
    },
    onSuccess: () => setDone(null),
    onSettled: refresh,
  });
  const order = async (given: SwitchOrder): Promise<void> => {
    if (asked === null) return;
    await carryOut(asked.feature.name, given);
    undo.reset();
    const word = given.kind === 'resume' ? 'takes every call again' : given.draft.kind === 'pause' ? 'is paused' : 'is throttled';
    setDone({ feature: asked.feature.name, word, before: asked.feature.switch });
    await refresh();
  };
  return {
    ask: (feature, action) => setAsked({ feature, action }),
    view: (
      <>
        {done && <DoneNotice done={done} undo={undo} onClose={() => setDone(null)} />}
        {asked && <SwitchDialog {...asked} onClose={() => setAsked(null)} order={order} />}
      </>
    ),
  };
}

interface DoneNoticeProps {
  readonly done: Done;
  readonly undo: { readonly isPending: boolean; readonly error: unknown; mutate(done: Done): void };
  readonly onClose: () => void;
}

function DoneNotice({ done, undo, onClose }: DoneNoticeProps): ReactNode {
  // A resume can be undone only while the switch that it ended would still act.
  const canUndo = done.before === null || restoreDraftOf(done.before, Date.now()) !== null;
  return (
    <div role="status" className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-md bg-accent-soft px-3.5 py-2">
      <span className="mr-auto">
        <span className="font-medium">{done.feature}</span> {done.word}.
        {undo.error !== null && <span className="text-critical"> {asApiError(undo.error).message}</span>}
      </span>
      {canUndo && (
        <button type="button" className="button button-small" disabled={undo.isPending} onClick={() => undo.mutate(done)}>
          {undo.isPending ? 'Undoing…' : 'Undo'}
        </button>
      )}
      <button type="button" className="button button-small button-quiet" onClick={onClose}>
        Dismiss
      </button>
    </div>
  );
}

/** A table cell: what is on, with who, why and until when behind it. */
export function SwitchMark({ feature }: { feature: Feature }): ReactNode {
  const { zone } = usePreferences();
  const active = feature.switch;
  if (active === null) return <StateMark state="ok" word="takes calls" />;
  const end = active.expiresAt === null ? 'until resumed' : `until ${formatMoment(active.expiresAt, zone)}`;
  return (
    <span data-tip={`${active.setBy}, ${end}: ${active.reason}`}>
      <StateMark state={active.kind === 'pause' ? 'critical' : 'warning'} word={switchWord(active)} />
    </span>
  );
}

/** The orders that make sense now. */
export function SwitchButtons({
  feature,
  ask,
  isSmall = false,
}: Pick<Switches, 'ask'> & { feature: Feature; isSmall?: boolean }): ReactNode {
  const actions: readonly Action[] = feature.switch === null ? ['pause', 'throttle'] : ['resume'];
  const words = { pause: 'Pause', throttle: 'Throttle', resume: 'Resume' } as const;
  return (
    <span className="inline-flex gap-1.5">
      {actions.map((action) => (
        <button key={action} type="button" className={`button ${isSmall ? 'button-small' : ''}`} onClick={() => ask(feature, action)}>
          {words[action]}
          {isSmall && <span className="sr-only"> {feature.name}</span>}
        </button>
      ))}
    </span>
  );
}

/** The whole story of the switch in force. @param isNamed says which feature it is, where there are several */
export function SwitchBanner({ active, isNamed = false }: { active: FeatureSwitch; isNamed?: boolean }): ReactNode {
  const isPause = active.kind === 'pause';
  return (
    <p className={`rounded-md px-3.5 py-2 ${isPause ? 'bg-critical-soft' : 'bg-warning-soft'}`}>
      <span className="mr-1.5 font-semibold">
        <StateShape state={isPause ? 'critical' : 'warning'} label={isPause ? 'Critical' : 'Warning'} />{' '}
        {isNamed ? `${active.feature} is ${isPause ? 'paused' : 'throttled'}` : isPause ? 'Paused' : 'Throttled'}
        {isPause ? '' : ` to ${switchWord(active)}`}
      </span>
      since <TimeText at={active.setAt} /> by {active.setBy},{' '}
      {active.expiresAt === null ? (
        'until somebody resumes it'
      ) : (
        <>
          until <TimeText at={active.expiresAt} />
        </>
      )}
      : <span className="break-words">{active.reason}</span>
    </p>
  );
}
