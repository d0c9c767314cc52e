/** Sentences of a passage: its lines when it has several, else what ends in `.`, `!` or `?` before a space. A number of a list alone is none. */
export function sentencesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const pieces = lines.length > 1 ? lines : text.split(/(?<=[.!?])\s+/);
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== '' && !/^\d+[.)]$/.test(piece));
}

const LIST_MARK = /^\s*(?:\d{1,4}[.)]|[-*•])\s+/;

export function withoutListMark(line: string): string {
  return line.replace(LIST_MARK, '').trim();
}

/** Lines of a text, without the marks of a list; null when not every line has one and `isListed` is asked for. */
export function listLines(text: string, isListed: boolean): readonly string[] | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (isListed && !lines.every((line) => LIST_MARK.test(line))) return null;
  return lines.map(withoutListMark).filter((line) => line !== '');
}
