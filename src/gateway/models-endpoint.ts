import { PlimsollError } from '../kernel/errors.ts';
import type { CompiledSnapshot, Destination } from './compiled-snapshot.ts';
import type { ClientRequest } from './downstream/client-exchange.ts';
import type { DialectName } from './provider.ts';
import { findCallerKey } from './stages/authenticate.ts';
import { allowedDestinations, findDestination } from './stages/route.ts';

/** How one API lists models. */
interface ModelForm {
  describe(destination: Destination, snapshot: CompiledSnapshot): unknown;
  list(models: readonly unknown[], names: readonly string[]): unknown;
}

/** A route belongs to us, an alias to the provider that serves it. */
const OPENAI: ModelForm = {
  describe: (destination, snapshot) => ({
    id: destination.name,
    object: 'model',
    created: Math.floor(snapshot.createdAtMs / 1000),
    owned_by: destination.route === null ? (destination.targets[0]?.provider.name ?? 'plimsoll') : 'plimsoll',
  }),
  list: (data) => ({ object: 'list', data }),
};

const ANTHROPIC: ModelForm = {
  describe: (destination, snapshot) => ({
    type: 'model',
    id: destination.name,
    display_name: destination.name,
    created_at: new Date(snapshot.createdAtMs).toISOString(),
  }),
  list: (data, names) => ({ data, has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null }),
};

const GEMINI: ModelForm = {
  describe: (destination) => ({
    name: `models/${destination.name}`,
    baseModelId: destination.name,
    displayName: destination.name,
    description: destination.route === null ? 'A model alias of this Plimsoll' : 'A route of this Plimsoll',
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
  }),
  list: (models) => ({ models }),
};

function formOf(dialect: DialectName): ModelForm {
  if (dialect === 'anthropic-messages') return ANTHROPIC;
  return dialect === 'gemini' ? GEMINI : OPENAI;
}

/** What the key may name as a model, in the list form of the client's API. @throws PlimsollError `unauthenticated` */
export function listModels(request: ClientRequest, dialect: DialectName, snapshot: CompiledSnapshot, nowMs: number): unknown {
  const key = findCallerKey(request.headers, snapshot, nowMs);
  const form = formOf(dialect);
  const destinations = allowedDestinations(key, snapshot, nowMs);
  return form.list(
    destinations.map((destination) => form.describe(destination, snapshot)),
    destinations.map((destination) => destination.name),
  );
}

/** @throws PlimsollError `unauthenticated`, `not_found`, `permission_denied` */
export function readModel(request: ClientRequest, path: string, dialect: DialectName, snapshot: CompiledSnapshot, nowMs: number): unknown {
  const key = findCallerKey(request.headers, snapshot, nowMs);
  let id: string;
  try {
    id = decodeURIComponent(path.slice(path.indexOf('/models/') + '/models/'.length));
  } catch (cause) {
    throw new PlimsollError('invalid_argument', 'The model name in the path is not valid percent-encoding.', { cause });
  }
  return formOf(dialect).describe(findDestination(id, key, null, snapshot, nowMs), snapshot);
}
