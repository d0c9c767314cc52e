import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { defineRoute, FileAnswer, RouteAnswer } from '../kernel/routes.ts';
import type { Scope } from '../kernel/scope.ts';
import { TraceQuery } from '../traces/model.ts';
import type { ScoreStore } from '../traces/scores/store.ts';
import type { TraceStore } from '../traces/store.ts';
import { countParts } from './check.ts';
import { CaseShapeName, FILE_CAP_BYTES, readCases } from './formats/read-cases.ts';
import { EXPORT_FILES, ExportFormat, writeCases } from './formats/write-cases.ts';
import { caseFromTrace } from './from-trace.ts';
import { EvalCaseShape, questionOf, readCase } from './model.ts';
import { redactCase } from './redact.ts';
import type { DatasetService, SaveResult } from './service.ts';
import { SplitPlan } from './split.ts';
import type { DatasetRecord } from './store.ts';

export interface DatasetServices {
  readonly datasets: DatasetService;
  readonly traces: TraceStore;
  readonly scores: ScoreStore;
  readonly clock: Clock;
}

const route = defineRoute<DatasetServices>();
const Name = z.strictObject({ name: z.string().min(1).max(64) });
const version = z.coerce.number().int().min(1).optional().describe('The newest when left out');
const message = z.string().trim().max(500).default('').describe('What was changed, for people');
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const mode = z
  .enum(['merge', 'add', 'replace'])
  .default('merge')
  .describe(
    'merge: come in, or take the place of the case with the same id or trace; add: of a case that is there already keep all, and add tags and slices; replace: be all that is open. What is sealed stays',
  );
const parent = z
  .int()
  .min(0)
  .optional()
  .describe('The newest version that you know, 0 = none: a newer one is a conflict. Left out: whatever is newest');
const Part = z.enum(['train', 'dev', 'holdout', 'excluded']);
const reason = z.string().trim().min(3).max(500).describe('Why; it is kept and shown');

const Summary = z
  .object({
    name: z.string(),
    description: z.string(),
    version: z.int().describe('Newest; 0 = none yet'),
    cases: z.int().describe('Of the newest version, sealed ones included'),
    split: SplitPlan.nullable(),
    createdAt: z.int().describe('Epoch ms'),
    changedAt: z.int().describe('Epoch ms'),
    changedBy: z.string(),
    isArchived: z.boolean(),
    holdoutOpenings: z.int().describe('How often the sealed holdout was opened'),
  })
  .meta({ id: 'Dataset' });
type Summary = z.infer<typeof Summary>;

const Version = z
  .object({
    version: z.int(),
    parent: z.int().nullable(),
    author: z.string(),
    message: z.string(),
    createdAt: z.int().describe('Epoch ms'),
    caseCount: z.int(),
    added: z.int(),
    removed: z.int(),
    contentHash: z.string(),
  })
  .meta({ id: 'DatasetVersion' });

const Opening = z
  .object({ version: z.int().nullable(), reason: z.string(), openedBy: z.string(), at: z.int().describe('Epoch ms') })
  .meta({ id: 'DatasetHoldoutOpening' });

const PartCountsShape = z.object({ train: z.int(), dev: z.int(), holdout: z.int(), excluded: z.int() });
const Saved = z
  .object({
    name: z.string(),
    version: z.int(),
    isNewVersion: z.boolean().describe('False = everything was there already'),
    added: z.int(),
    changed: z.int().describe('Took the place of the case with the same id or trace'),
    removed: z.int(),
    unchanged: z.int(),
    sealed: z.int().describe('Of what came in, what the split sealed'),
    caseCount: z.int(),
    repeated: z.array(z.object({ place: z.string(), firstPlace: z.string() })).describe('Cases that stood twice in the file'),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'DatasetSaved' });

const ListedCase = EvalCaseShape.extend({ part: Part, question: z.string() }).meta({ id: 'DatasetCase' });
const Pair = z.object({ left: hash, right: hash, similarity: z.number().describe('Jaccard similarity of 5-character shingles, exact') });

async function summaryOf(services: DatasetServices, scope: Scope, record: DatasetRecord): Promise<Summary> {
  const [newest] = await services.datasets.versions(scope, record.name);
  return {
    name: record.name,
    description: record.description,
    version: record.newestVersion,
    cases: newest?.caseCount ?? 0,
    split: record.split,
    createdAt: record.createdAtMs,
    changedAt: newest?.createdAtMs ?? record.createdAtMs,
    changedBy: newest?.author ?? '',
    isArchived: record.archivedAtMs !== null,
    holdoutOpenings: (await services.datasets.openings(scope, record.name)).length,
  };
}

function saved(
  result: SaveResult,
  more: { repeated?: readonly { place: string; firstPlace: string }[]; warnings?: readonly string[] } = {},
) {
  const body = { ...result, repeated: [...(more.repeated ?? [])], warnings: [...(more.warnings ?? [])] };
  const { name, version: now, added, changed, removed } = result;
  return new RouteAnswer(body, {}, { subject: `dataset/${name}`, details: { version: now, added, changed, removed } });
}

/** `language=de` */
const pairOf = (text: string): [string, string] => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)];

export const datasetRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/datasets',
    summary: 'List datasets of eval cases, by name',
    permission: 'datasets:read',
    response: z.object({ datasets: z.array(Summary) }).meta({ id: 'DatasetList' }),
    handler: async ({ scope, services }) => ({
      datasets: await Promise.all((await services.datasets.list(scope)).map((record) => summaryOf(services, scope, record))),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/datasets/:name',
    summary: 'One dataset with its versions and the openings of its holdout',
    permission: 'datasets:read',
    params: Name,
    response: Summary.extend({ versions: z.array(Version), openings: z.array(Opening) }).meta({ id: 'DatasetDetail' }),
    async handler({ params, scope, services }) {
      const record = await services.datasets.get(scope, params.name);
      const versions = await services.datasets.versions(scope, record.name);
      const openings = await services.datasets.openings(scope, record.name);
      return {
        ...(await summaryOf(services, scope, record)),
        versions: versions.map(({ createdAtMs, ...each }) => ({ ...each, createdAt: createdAtMs })),
        openings: openings.map(({ id: _id, atMs, ...each }) => ({ ...each, at: atMs })),
      };
    },
  }),
  route({
    method: 'PUT',
    path: '/api/v1/datasets/:name',
    summary: 'Describe, archive or restore a dataset',
    permission: 'datasets:write',
    audit: 'dataset.changed',
    params: Name,
    body: z.strictObject({ description: z.string().max(2_000).optional(), isArchived: z.boolean().optional() }),
    response: Summary,
    async handler({ params, body, scope, services }) {
      const { description, isArchived } = body;
      const record = await services.datasets.change(scope, params.name, {
        ...(description === undefined ? {} : { description }),
        ...(isArchived === undefined ? {} : { isArchived }),
      });
      return new RouteAnswer(await summaryOf(services, scope, record), {}, { subject: `dataset/${params.name}`, details: body });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/datasets/:name/cases',
    summary: 'Open cases of a version, in order; the sealed holdout is only counted',
    permission: 'datasets:read',
    params: Name,
    query: z.strictObject({
      version,
      q: z.string().min(1).max(512).optional().describe('Text anywhere in the case, without regard to letter case'),
      tag: z.string().min(1).max(256).optional(),
      slice: z
        .string()
        .regex(/^[^=]{1,256}=.{1,256}$/, 'a slice is name=value')
        .optional(),
      part: Part.optional(),
      provenance: z.string().min(1).max(32).optional(),
      cursor: z.coerce.number().int().min(0).optional().describe('nextCursor of the page before'),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: z
      .object({
        version: z.int(),
        cases: z.array(ListedCase),
        matches: z.int().describe('Open cases that match'),
        parts: PartCountsShape.describe('Of the whole version'),
        tags: z.array(z.object({ name: z.string(), count: z.int() })),
        slices: z.array(z.object({ name: z.string(), value: z.string(), count: z.int() })),
        nextCursor: z.int().nullable(),
      })
      .meta({ id: 'DatasetCasePage' }),
    async handler({ params, query, scope, services }) {
      const { placed, parts, version: shown } = await services.datasets.read(scope, params.name, query.version ?? null);
      const open = placed.filter(({ evalCase }) => parts.get(evalCase.hash) !== 'holdout');
      const words = query.q?.toLowerCase();
      const [sliceName, sliceValue] = query.slice === undefined ? [] : pairOf(query.slice);
      const matching = open.filter(
        ({ evalCase }) =>
          (query.tag === undefined || evalCase.tags.includes(query.tag)) &&
          (sliceName === undefined || evalCase.slices[sliceName] === sliceValue) &&
          (query.part === undefined || parts.get(evalCase.hash) === query.part) &&
          (query.provenance === undefined || evalCase.provenance.kind === query.provenance) &&
          (words === undefined || JSON.stringify(evalCase).toLowerCase().includes(JSON.stringify(words).slice(1, -1))),
      );
      const tags = new Map<string, number>();
      const slices = new Map<string, number>();
      for (const { evalCase } of open) {
        for (const tag of evalCase.tags) tags.set(tag, (tags.get(tag) ?? 0) + 1);
        for (const [name, value] of Object.entries(evalCase.slices))
          slices.set(`${name}=${value}`, (slices.get(`${name}=${value}`) ?? 0) + 1);
      }
      const page = matching.filter(({ position }) => position > (query.cursor ?? -1)).slice(0, query.limit + 1);
      const cases = page.slice(0, query.limit);
      const sorted = (counts: Map<string, number>) => [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 200);
      return {
        version: shown,
        cases: cases.map(({ evalCase }) => ({
          ...evalCase,
          part: parts.get(evalCase.hash) ?? 'train',
          question: questionOf(evalCase).slice(0, 2_000),
        })),
        matches: matching.length,
        parts: countParts(parts),
        tags: sorted(tags).map(([name, count]) => ({ name, count })),
        slices: sorted(slices).map(([text, count]) => ({ name: pairOf(text)[0], value: pairOf(text)[1], count })),
        nextCursor: page.length > query.limit ? (cases.at(-1)?.position ?? null) : null,
      };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/datasets/:name/cases',
    summary: 'Add cases, or edit those with the same id or trace, in a new version; makes the dataset when there is none',
    permission: 'datasets:write',
    audit: 'dataset.saved',
    maxBodyBytes: FILE_CAP_BYTES,
    params: Name,
    body: z.strictObject({
      cases: z.array(z.record(z.string(), z.unknown())).min(1).max(100_000).describe('As EvalCase, without its hash'),
      mode,
      parent,
      message,
    }),
    response: Saved,
    async handler({ params, body, actor, scope, services }) {
      const cases = body.cases.map((raw, index) => readCase(raw, `cases[${index}]`));
      return saved(await services.datasets.save(scope, params.name, { ...body, cases, parent: body.parent ?? null }, actor));
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/datasets/:name/import',
    summary: 'Add the cases of a file: our YAML or JSONL, promptfoo tests (YAML, JSON, CSV), Ragas columns, DeepEval test cases',
    permission: 'datasets:write',
    audit: 'dataset.imported',
    maxBodyBytes: FILE_CAP_BYTES,
    params: Name,
    body: z.strictObject({
      fileName: z.string().min(1).max(512).describe('For messages, and for the kind by its ending: .yaml, .yml, .json, .jsonl, .csv'),
      text: z.string().min(1),
      shape: CaseShapeName.optional().describe('Told by the members when left out'),
      mode,
      parent,
      message,
    }),
    response: Saved,
    async handler({ params, body, actor, scope, services }) {
      const { cases, repeated, warnings } = readCases(body.text, { fileName: body.fileName, shape: body.shape });
      const result = await services.datasets.save(
        scope,
        params.name,
        { cases, mode: body.mode, parent: body.parent ?? null, message: body.message === '' ? `Import of ${body.fileName}` : body.message },
        actor,
      );
      return saved(result, { repeated, warnings });
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/datasets/:name/removals',
    summary: 'Take open cases out, in a new version; the versions before keep them',
    permission: 'datasets:write',
    audit: 'dataset.cases_removed',
    params: Name,
    body: z.strictObject({ hashes: z.array(hash).min(1).max(10_000), message }),
    response: Saved,
    handler: async ({ params, body, actor, scope, services }) =>
      saved(await services.datasets.remove(scope, params.name, body.hashes, body.message, actor)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/datasets/:name/export',
    summary: 'Open cases of a version as a file; the sealed holdout is not in it',
    permission: 'datasets:read',
    params: Name,
    query: z.strictObject({ version, format: ExportFormat.default('yaml') }),
    fileTypes: [...new Set(Object.values(EXPORT_FILES).map(({ type }) => type.split(';')[0] ?? type))],
    response: z.string().describe('The header x-plimsoll-sealed-cases counts what is not in it'),
    async handler({ params, query, scope, services }) {
      const { record, placed, parts, version: shown } = await services.datasets.read(scope, params.name, query.version ?? null);
      const cases = placed.flatMap(({ evalCase }) => (parts.get(evalCase.hash) === 'holdout' ? [] : [evalCase]));
      const head = { name: record.name, version: shown };
      const { type, ending } = EXPORT_FILES[query.format];
      return new FileAnswer(type, `${record.name}-v${shown}.${ending}`, Readable.from([writeCases(cases, query.format, head)]), {
        'x-plimsoll-sealed-cases': `${countParts(parts).holdout}`,
        'x-plimsoll-dataset-version': `${shown}`,
      });
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/datasets/:name/diff',
    summary: 'What differs between two versions: cases added, removed and changed; sealed ones are only counted',
    permission: 'datasets:read',
    params: Name,
    query: z.strictObject({ from: z.coerce.number().int().min(0).describe('0 = before the first'), to: z.coerce.number().int().min(1) }),
    response: z
      .object({
        added: z.array(EvalCaseShape),
        removed: z.array(EvalCaseShape),
        changed: z.array(z.object({ before: EvalCaseShape, after: EvalCaseShape })),
        sealedDifferences: z.int(),
      })
      .meta({ id: 'DatasetDiff' }),
    async handler({ params, query, scope, services }) {
      const { added, removed, changed, sealedDifferences } = await services.datasets.diff(scope, params.name, query.from, query.to);
      return { added: [...added], removed: [...removed], changed: [...changed], sealedDifferences };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/datasets/:name/check',
    summary: 'Near-duplicates, leaks across the split, parts and coverage of a version',
    permission: 'datasets:read',
    params: Name,
    query: z.strictObject({ version }),
    response: z
      .object({
        version: z.int(),
        cases: z.int(),
        clusters: z.int(),
        parts: PartCountsShape,
        duplicates: z.array(Pair).nullable().describe('Most alike first; null = too many cases to compare at once'),
        leaks: z.array(Pair).nullable().describe('Of the duplicates, those across the split'),
        questions: z.record(hash, z.string()).describe('What the open cases of these pairs ask; sealed ones are not in it'),
        coverage: z.object({
          categories: z.array(z.string().nullable()).describe('Failure categories by the slice "failure"; null = none named'),
          rows: z.array(z.object({ label: z.string(), total: z.int(), counts: z.array(z.int()) })),
        }),
      })
      .meta({ id: 'DatasetCheck' }),
    async handler({ params, query, scope, services }) {
      const { duplicates, leaks, coverage, ...rest } = await services.datasets.check(scope, params.name, query.version ?? null);
      const rows = coverage.rows.map(({ counts, ...row }) => ({ ...row, counts: [...counts] }));
      return {
        ...rest,
        duplicates: duplicates === null ? null : [...duplicates],
        leaks: leaks === null ? null : [...leaks],
        coverage: { categories: [...coverage.categories], rows },
      };
    },
  }),
  route({
    method: 'PUT',
    path: '/api/v1/datasets/:name/split',
    summary:
      'Divide a dataset by cluster or time into train, dev and a sealed holdout; refused when near-duplicates would stand on two sides',
    permission: 'datasets:write',
    audit: 'dataset.split',
    params: Name,
    body: z.strictObject({ split: SplitPlan.nullable(), reason: reason.optional().describe('Needed when sealed cases would be opened') }),
    response: Summary,
    async handler({ params, body, actor, scope, services }) {
      const record = await services.datasets.setSplit(scope, params.name, body.split, body.reason ?? null, actor);
      return new RouteAnswer(await summaryOf(services, scope, record), {}, { subject: `dataset/${params.name}`, details: body });
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/datasets/:name/holdout-openings',
    summary: 'Open the sealed holdout: counted, with its reason, for good',
    permission: 'datasets:open_holdout',
    audit: 'dataset.holdout_opened',
    params: Name,
    body: z.strictObject({ version: z.int().min(1).optional().describe('The newest when left out'), reason }),
    response: z
      .object({ version: z.int(), holdoutOpenings: z.int().describe('This one included'), cases: z.array(EvalCaseShape) })
      .meta({ id: 'DatasetHoldout' }),
    async handler({ params, body, actor, scope, services }) {
      const { version: shown, placed, parts } = await services.datasets.read(scope, params.name, body.version ?? null);
      const cases = placed.flatMap(({ evalCase }) => (parts.get(evalCase.hash) === 'holdout' ? [evalCase] : []));
      if (cases.length === 0) throw new PlimsollError('not_found', `${params.name}, version ${shown}, has no sealed cases.`);
      const holdoutOpenings = await services.datasets.openHoldout(scope, params.name, shown, { reason: body.reason }, actor);
      return new RouteAnswer(
        { version: shown, holdoutOpenings, cases },
        {},
        { subject: `dataset/${params.name}`, details: { version: shown, reason: body.reason, holdoutOpenings } },
      );
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/case-drafts',
    summary: 'Cases that traces would become, redacted: look at them, then add them to a dataset',
    permission: 'traces:read',
    query: TraceQuery.extend({
      spanId: z.string().min(1).max(64).optional().describe('Of the trace that traceId names; left out: what the trace itself was asked'),
      redact: z
        .enum(['true', 'false'])
        .default('true')
        .describe('e-mail addresses, telephone and card numbers, IBANs and keys become placeholders'),
    }),
    response: z
      .object({
        drafts: z.array(
          z.object({
            traceId: z.string(),
            draft: z.record(z.string(), z.unknown()).describe('As EvalCase, without its hash'),
            redactions: z.array(z.object({ name: z.string(), count: z.int() })),
          }),
        ),
        skipped: z.array(z.object({ traceId: z.string(), reason: z.string() })).describe('Traces that no case can be made of'),
        nextCursor: z.string().nullable(),
      })
      .meta({ id: 'CaseDrafts' }),
    async handler({ query, scope, services }) {
      const { spanId, redact, ...filter } = query;
      const isOne = filter.traceId !== undefined;
      const page = isOne ? null : await services.traces.listTraces(scope, filter, services.clock.nowMs());
      const ids = page?.traces.map(({ traceId }) => traceId) ?? [filter.traceId ?? ''];
      const drafts = [];
      const skipped = [];
      for (const traceId of ids) {
        const detail = await services.traces.getTrace(scope, traceId, 'always');
        try {
          if (detail === null)
            throw new PlimsollError('not_found', `There is no trace ${traceId}, or it is gone by retention.`, { details: { traceId } });
          const raw = caseFromTrace(detail, await services.scores.scoresOfTrace(scope, traceId), { spanId: spanId ?? null });
          const { draft, redactions } = redact === 'true' ? redactCase(raw) : { draft: raw, redactions: [] };
          readCase(draft, `trace ${traceId}`);
          drafts.push({ traceId, draft: { ...draft }, redactions });
        } catch (thrown) {
          if (isOne || !(thrown instanceof PlimsollError) || thrown.retryable) throw thrown;
          skipped.push({ traceId, reason: thrown.message });
        }
      }
      return { drafts, skipped, nextCursor: page?.nextCursor ?? null };
    },
  }),
];
