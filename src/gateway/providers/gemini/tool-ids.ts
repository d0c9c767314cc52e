/** Prefix of ids that we made: they mean nothing to Google and are not sent back. */
const MADE = 'call_gemini_';

/**
 * Id of a tool call that came without one: the same for the same answer, in JSON and in a stream.
 * @param answerId id of the answer @param index of the call in it
 */
export function makeToolId(answerId: string, index: number): string {
  return `${MADE}${answerId.replaceAll(/[^A-Za-z0-9_-]/g, '')}_${index}`;
}

/** The id as Google gave it; nothing for one that it did not give. */
export function sentToolId(id: string): { id?: string } {
  return id.startsWith(MADE) ? {} : { id };
}
