import { type ReactNode, useState } from 'react';
import { type ReplayChoice, ReplayDialog } from './replay-dialog.tsx';

export function ReplayButton({ source, what }: { source: ReplayChoice; what: string }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="button button-small"
        data-tip="Make the recorded calls again, or at another model"
        onClick={() => setIsOpen(true)}
      >
        Replay…
      </button>
      {isOpen && <ReplayDialog source={source} what={what} onClose={() => setIsOpen(false)} />}
    </>
  );
}
