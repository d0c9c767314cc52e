type Loose = Readonly<Record<string, unknown>>;

/**
 * Text of the last user message of a chat request, its text parts joined; '' when there is none.
 * Parses the whole body: only the `preview` policy pays for it.
 * @param bytes a JSON object, already validated
 */
export function lastUserText(bytes: Buffer): string {
  const { messages } = JSON.parse(bytes.toString('utf8', 0, bytes.length)) as Loose;
  if (!Array.isArray(messages)) return '';
  const last = (messages as unknown[]).findLast((entry) => typeof entry === 'object' && entry !== null && (entry as Loose).role === 'user');
  const content = (last as Loose | undefined)?.content;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as unknown[])
    .map((part) => (typeof part === 'object' && part !== null ? (part as Loose).text : null))
    .filter((text) => typeof text === 'string')
    .join('\n');
}
