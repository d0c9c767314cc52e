import type { IncomingHttpHeaders } from 'node:http';

/**
 * What clients of Helicone say of a call in its headers. Names of properties come in lower case, as HTTP has them.
 * @see https://docs.helicone.ai/helicone-headers/header-directory
 */
export const HELICONE_USER = 'helicone-user-id';
export const HELICONE_SESSION = 'helicone-session-id';

const FIRST = 'helicone-';
const PROPERTY = 'helicone-property-';
/** Headers that become a tag, under its name. */
const TAG_OF: Readonly<Record<string, string>> = {
  'helicone-session-name': 'session_name',
  'helicone-session-path': 'session_path',
};

/** Properties, and name and path of the session, as tags; null when there are none. */
export function heliconeTags(headers: IncomingHttpHeaders): Record<string, string> | null {
  let tags: Record<string, string> | null = null;
  for (const name in headers) {
    if (!name.startsWith(FIRST)) continue;
    const tag = name.startsWith(PROPERTY) ? name.slice(PROPERTY.length) : Object.hasOwn(TAG_OF, name) ? TAG_OF[name] : undefined;
    const value = headers[name];
    if (tag === undefined || tag === '' || typeof value !== 'string' || value === '') continue;
    // Names come from strangers: none of them is that of a prototype.
    tags ??= Object.create(null) as Record<string, string>;
    tags[tag] = value;
  }
  return tags;
}
