import type { IncomingHttpHeaders } from 'node:http';
import { PlimsollError } from '../../kernel/errors.ts';
import { nearest } from '../../kernel/suggest.ts';
import type { CallPurpose } from '../../traces/call-record.ts';
import type { Call } from '../call.ts';
import type { CompiledSnapshot } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import type { SnapshotFeature, SnapshotKey } from '../snapshot.ts';
import { checkFeatureSwitch } from './feature-switch.ts';
import { HELICONE_SESSION, HELICONE_USER, heliconeTags } from './helicone-headers.ts';

const MAX_LABEL_CHARACTERS = 256;
const MAX_TAGS = 32;
const MAX_LISTED_NAMES = 20;
/** Text that ends up in headers, logs and pages: no control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/;

/** Names for a "did you mean" message: the nearest one first, then the rest. */
export function suggestNames(wanted: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const close = nearest(wanted, names);
  const listed = names.length > MAX_LISTED_NAMES ? `${names.slice(0, MAX_LISTED_NAMES).join(', ')} …` : names.join(', ');
  return ` ${close === null ? '' : `Did you mean "${close}"? `}Known: ${listed}.`;
}

/** The token of `authorization: Bearer …`, of Anthropic's `x-api-key` or of Google's `x-goog-api-key`. */
function bearerToken(headers: IncomingHttpHeaders): string | null {
  const { authorization } = headers;
  if (authorization !== undefined) {
    return authorization.length > 7 && authorization.slice(0, 7).toLowerCase() === 'bearer ' ? authorization.slice(7).trim() : null;
  }
  const apiKey = headers['x-api-key'] ?? headers['x-goog-api-key'];
  return typeof apiKey === 'string' && apiKey !== '' ? apiKey : null;
}

/**
 * Whose key this is.
 * @throws PlimsollError `unauthenticated` when there is none, it is not ours, it was revoked or has expired
 */
export function findCallerKey(headers: IncomingHttpHeaders, snapshot: CompiledSnapshot, nowMs: number): SnapshotKey {
  const token = bearerToken(headers);
  if (token === null) throw new PlimsollError('unauthenticated', 'The request has no key.');
  const key = snapshot.findKey(token);
  if (key === null)
    throw new PlimsollError('unauthenticated', 'The key is not known here: it is misspelt, was revoked, or belongs to another Plimsoll.');
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) {
    throw new PlimsollError('unauthenticated', `The key "${key.name}" expired at ${new Date(key.expiresAtMs).toISOString()}.`);
  }
  return key;
}

function findFeature(key: SnapshotKey, wanted: string | null, snapshot: CompiledSnapshot): SnapshotFeature {
  if (key.feature !== null && wanted !== null && wanted !== key.feature) {
    throw new PlimsollError('permission_denied', `The key "${key.name}" belongs to the feature "${key.feature}", not to "${wanted}".`, {
      details: { param: 'x-plimsoll-feature' },
    });
  }
  const name = key.feature ?? wanted;
  if (name === null) {
    throw new PlimsollError(
      'invalid_argument',
      `The key "${key.name}" is not bound to a feature: name one in the header x-plimsoll-feature.`,
      {
        details: { param: 'x-plimsoll-feature' },
      },
    );
  }
  const feature = snapshot.features.get(name);
  if (feature === undefined) {
    throw new PlimsollError('not_found', `There is no feature "${name}".${suggestNames(name, [...snapshot.features.keys()])}`, {
      details: { param: 'x-plimsoll-feature' },
    });
  }
  return feature;
}

/** A label that is stored with the call. @throws PlimsollError `invalid_argument` when it is too long or holds control characters */
export function checkLabel(name: string, value: string): string {
  if (value.length > MAX_LABEL_CHARACTERS || CONTROL_CHARACTERS.test(value)) {
    throw new PlimsollError(
      'invalid_argument',
      `"${name}" must be at most ${MAX_LABEL_CHARACTERS} characters without control characters.`,
      {
        details: { param: name },
      },
    );
  }
  return value;
}

function label(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? checkLabel(name, value) : null;
}

/** @throws PlimsollError `invalid_argument` when there are too many or one is too long */
export function checkTags(name: string, tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS)
    throw new PlimsollError('invalid_argument', `"${name}" has more than ${MAX_TAGS} tags.`, { details: { param: name } });
  for (const [key, value] of entries) {
    checkLabel(name, key);
    checkLabel(`${name}.${key}`, value);
  }
  return tags;
}

/** `key=value,key2=value2` */
function parseTags(text: string): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const key = at < 0 ? '' : part.slice(0, at).trim();
    if (key === '') {
      throw new PlimsollError('invalid_argument', `x-plimsoll-tags must read "key=value,key2=value2"; "${part.trim()}" does not.`, {
        details: { param: 'x-plimsoll-tags' },
      });
    }
    tags[key] = part.slice(at + 1).trim();
  }
  return tags;
}

/** What control may call for. */
const CONTROL_PURPOSES: ReadonlySet<string> = new Set<CallPurpose>(['replay']);

/** @throws PlimsollError `permission_denied`: no call of control's key is a client's */
function controlPurpose(headers: IncomingHttpHeaders): CallPurpose {
  const purpose = headers['x-plimsoll-purpose'];
  if (typeof purpose !== 'string' || !CONTROL_PURPOSES.has(purpose))
    throw new PlimsollError(
      'permission_denied',
      `This key is control's own: x-plimsoll-purpose must be one of ${[...CONTROL_PURPOSES].join(', ')}.`,
      {
        details: { param: 'x-plimsoll-purpose' },
      },
    );
  return purpose as CallPurpose; // one of the set
}

/**
 * Who calls, for which feature, on whose behalf. Reads headers only, so that a stranger's body is never taken in.
 * A switch of the feature acts here, so that no kind of call can pass by it.
 */
export function authenticate(call: Call, context: GatewayContext): void {
  const { headers } = call.request;
  const key = findCallerKey(headers, call.snapshot, context.clock.nowMs());
  const feature = findFeature(key, label(headers, 'x-plimsoll-feature'), call.snapshot);
  call.caller = call.snapshot.callerOf(key, feature);
  if (key.isInternal === true) call.purpose = controlPurpose(headers);
  call.user = label(headers, 'x-plimsoll-user') ?? label(headers, HELICONE_USER);
  call.session = label(headers, 'x-plimsoll-session') ?? label(headers, HELICONE_SESSION);
  call.customer = label(headers, 'x-plimsoll-customer');
  const tags = headers['x-plimsoll-tags'];
  if (typeof tags === 'string' && tags !== '') call.tags = checkTags('x-plimsoll-tags', parseTags(tags));
  else {
    const properties = heliconeTags(headers);
    if (properties !== null) call.tags = checkTags('helicone-property', properties);
  }
  checkFeatureSwitch(feature, call.snapshot, context);
}
