import type { ReactNode } from 'react';
import type { TextMatch } from '../api/schema.ts';

/** What a search found, with the words marked. */
export function MatchText({ match }: { match: TextMatch }): ReactNode {
  const pieces: ReactNode[] = [];
  let at = 0;
  for (const [from, to] of match.marks) {
    pieces.push(
      match.text.slice(at, from),
      <mark key={from} className="rounded-xs bg-accent-soft font-medium text-ink">
        {match.text.slice(from, to)}
      </mark>,
    );
    at = to;
  }
  return (
    <bdi>
      {match.place === 'output' && <span className="text-ink-3">Answer: </span>}
      {pieces}
      {match.text.slice(at)}
    </bdi>
  );
}
