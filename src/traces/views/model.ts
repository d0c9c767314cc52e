import { z } from 'zod';
import type { Actor } from '../../kernel/scope.ts';
import { ViewPage } from './view-query.ts';

/** Most views of one page that one reader sees of each kind: shared ones, and private ones. */
export const MAX_VIEWS = 200;

/** A name for the URL query of a page. */
export interface StoredView {
  /** UUIDv7. */
  readonly id: string;
  readonly page: ViewPage;
  readonly name: string;
  /** As `normaliseViewQuery` gives it. */
  readonly query: string;
  readonly isShared: boolean;
  /** Who made it, as `ownerKey` says; of a private view the only reader. */
  readonly owner: string;
  readonly ownerName: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** One text for each who can own something: an admin key, a person, or the command line with the cluster key. */
export function ownerKey(actor: Actor): string {
  return `${actor.kind}:${actor.id}`;
}

export const ViewDraft = z
  .strictObject({
    name: z.string().trim().min(1).max(120).describe('What people call it; once on a page among shared views, and among your own'),
    query: z.string().max(8192).describe('Query of the page\'s URL, e.g. "feature=support&status=error&range=7d"'),
    isShared: z.boolean().default(false).describe('True = everybody sees it and may change it; false = only who made it'),
  })
  .meta({ id: 'ViewDraft' });
export type ViewDraft = z.infer<typeof ViewDraft>;

export const SavedView = z
  .object({
    id: z.string(),
    page: ViewPage,
    name: z.string(),
    query: z.string().describe('Without the question mark'),
    isShared: z.boolean(),
    isMine: z.boolean().describe('Made by who asks'),
    owner: z.string().describe('Name of who made it'),
    createdAt: z.int().describe('Epoch ms'),
    updatedAt: z.int().describe('Epoch ms'),
  })
  .meta({ id: 'SavedView' });
export type SavedView = z.infer<typeof SavedView>;
