import type { IncomingMessage } from 'node:http';
import { PlimsollError } from '../kernel/errors.ts';
import type { CompiledSnapshot, Destination } from './compiled-snapshot.ts';
import { findCallerKey } from './stages/authenticate.ts';
import { allowedDestinations, findDestination } from './stages/route.ts';

interface OpenAiModel {
  readonly id: string;
  readonly object: 'model';
  /** Epoch seconds. */
  readonly created: number;
  readonly owned_by: string;
}

/** A route belongs to us, an alias to the provider that serves it. */
function describe(destination: Destination, snapshot: CompiledSnapshot): OpenAiModel {
  return {
    id: destination.name,
    object: 'model',
    created: Math.floor(snapshot.createdAtMs / 1000),
    owned_by: destination.route === null ? (destination.targets[0]?.provider.name ?? 'plimsoll') : 'plimsoll',
  };
}

/** What the key may name as a model, in OpenAI's list form. @throws PlimsollError `unauthenticated` */
export function listModels(request: IncomingMessage, snapshot: CompiledSnapshot, nowMs: number): { object: 'list'; data: OpenAiModel[] } {
  const key = findCallerKey(request.headers, snapshot, nowMs);
  return { object: 'list', data: allowedDestinations(key, snapshot).map((destination) => describe(destination, snapshot)) };
}

/** @throws PlimsollError `unauthenticated`, `not_found`, `permission_denied` */
export function readModel(request: IncomingMessage, path: string, snapshot: CompiledSnapshot, nowMs: number): OpenAiModel {
  const key = findCallerKey(request.headers, snapshot, nowMs);
  let id: string;
  try {
    id = decodeURIComponent(path.slice('/v1/models/'.length));
  } catch (cause) {
    throw new PlimsollError('invalid_argument', 'The model name in the path is not valid percent-encoding.', { cause });
  }
  return describe(findDestination(id, key, null, snapshot), snapshot);
}
