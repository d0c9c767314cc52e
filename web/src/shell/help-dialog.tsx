import { Fragment, type ReactNode } from 'react';
import { Dialog } from '../ui/dialog.tsx';

const KEYS = [
  [['g', 'o'], 'Overview'],
  [['g', 't'], 'Traces'],
  [['g', 's'], 'Sessions'],
  [['g', 'u'], 'Users'],
  [['g', 'f'], 'Features'],
  [['g', 'p'], 'Providers'],
  [['g', 'r'], 'Routes'],
  [['g', 'm'], 'Costs (money)'],
  [['g', 'l'], 'Limits'],
  [['g', 'c'], 'Cache'],
  [['g', 'q'], 'SQL'],
  [['g', 'k'], 'Keys'],
  [['/'], 'Search'],
  [['j'], 'Next row'],
  [['k'], 'Row before'],
  [['Enter'], 'Open the row'],
  [['x'], 'Choose the row of a trace, to compare'],
  [['Esc'], 'Close, or leave the search'],
  [['?'], 'This help'],
] as const;

export function HelpDialog({ onClose }: { onClose: () => void }): ReactNode {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-5 gap-y-2">
        {KEYS.map(([keys, meaning]) => (
          <Fragment key={meaning}>
            <dt className="flex gap-1">
              {keys.map((key) => (
                <kbd key={key} className="min-w-6 rounded-sm border border-line-strong bg-sunken px-1.5 text-center font-mono text-xs">
                  {key}
                </kbd>
              ))}
            </dt>
            <dd className="text-ink-2">{meaning}</dd>
          </Fragment>
        ))}
      </dl>
      <p className="mt-4 text-xs text-ink-3">Drag across a chart to zoom into that time.</p>
      <div className="mt-4 flex justify-end">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
