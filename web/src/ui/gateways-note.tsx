import type { ReactNode } from 'react';
import type { WorkerPresence } from '../api/schema.ts';
import { StateShape } from './state-mark.tsx';
import { TimeText } from './time-text.tsx';

/** Whose numbers a page shows. Says nothing while every gateway answers. */
export function GatewaysNote({ gateways }: { gateways: readonly WorkerPresence[] }): ReactNode {
  if (gateways.length === 0)
    return (
      <Note>
        No gateway has reported since control started. What only gateways know is unmeasured here until one does, which takes two seconds.
      </Note>
    );
  const silent = gateways.filter((gateway) => !gateway.isAnswering);
  if (silent.length === 0) return null;
  return (
    <Note>
      {silent.map((gateway, index) => (
        <span key={gateway.worker}>
          {index > 0 && '; '}
          <span className="font-medium">{gateway.worker}</span>{' '}
          {gateway.lastReportAt === null ? (
            'has not reported yet'
          ) : (
            <>
              does not answer, last heard of <TimeText at={gateway.lastReportAt} />
            </>
          )}
        </span>
      ))}
      . What it counted is missing here: this is the sum of {gateways.length - silent.length} of {gateways.length} gateways.
    </Note>
  );
}

function Note({ children }: { children: ReactNode }): ReactNode {
  return (
    <p role="status" className="rounded-md bg-warning-soft px-3.5 py-2">
      <span className="mr-1.5">
        <StateShape state="warning" label="Warning" />
      </span>
      {children}
    </p>
  );
}

/** `2 gateways answer`: for the foot of a page. */
export function gatewaysText(gateways: readonly WorkerPresence[]): string {
  const answering = gateways.filter((gateway) => gateway.isAnswering).length;
  return `${answering} ${answering === 1 ? 'gateway' : 'gateways'}`;
}
