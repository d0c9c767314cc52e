import { existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { providerKinds } from '../../gateway/provider-kinds.ts';
import { featureTargets } from '../../gateway/routing/route-config.ts';
import { systemClock } from '../../kernel/clock.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { FileJournalWriter } from '../../kernel/journal/writer.ts';
import { DEFAULT_SCOPE } from '../../kernel/scope.ts';
import { resolveCatalogue } from '../../models/catalogue.ts';
import { readShippedPriceBook } from '../../models/price-book.ts';
import { compilePrice, priceCompiled } from '../../models/price-usage.ts';
import { type BackfillOptions, backfillRecords } from '../../sim/backfill.ts';
import { scoresOfCall } from '../../sim/backfill-scores.ts';
import { expectedTotal } from '../../sim/backfill-shape.ts';
import { resolveProfiles } from '../../sim/config.ts';
import { CORPUS_FEATURES } from '../../sim/corpus/features.ts';
import { CALL_PAYLOAD_SCHEMA_VERSION, encodeCallPayload } from '../../traces/call-payload-codec.ts';
import { CALL_SCHEMA_VERSION } from '../../traces/call-record.ts';
import { scoreEntry } from '../../traces/scores/score-record.ts';
import type { CliContext } from '../cli.ts';
import { readConfig } from '../config.ts';
import { readConfigFile } from '../config-watcher.ts';
import { DataDirectory } from '../data-directory.ts';
import { countOf, formatCount, formatTime } from '../format.ts';

const WRITER = 'sim-backfill';
const MOST_BYTES = 64 * 1024 ** 3;
/** Share of the free space that a backfill may take: what is read from the journal is stored once more. */
const MOST_OF_DISK = 0.4;
const SAMPLE_CALLS = 300;

export default defineCommand<CliContext>()({
  name: 'sim backfill',
  summary: 'Write past-dated simulated calls for dashboards and benches',
  example: 'plimsoll sim backfill --days 30',
  options: z.strictObject({
    days: z.coerce.number().int().min(1).max(400).default(30).describe('How far back'),
    perDay: z.coerce.number().int().min(1).max(1_000_000).default(2_000).describe('Calls on a usual weekday'),
    users: z.coerce.number().int().min(1).max(10_000_000).default(240).describe('Different users; the first ones come most often'),
    seed: z.coerce.number().int().nonnegative().default(1).describe('Same seed = same calls'),
    again: z.boolean().default(false).describe('Write although there was a backfill before (its days are then counted twice)'),
  }),
  async run({ options, output, context, signal }) {
    const { environment } = context;
    const config = readConfig(readConfigFile(environment.configPath), environment.configPath, null);
    const data = new DataDirectory(environment.dataDirectory);
    data.prepare();
    const note = join(data.journals, `${WRITER}.json`);
    if (existsSync(note) && !options.again)
      throw new PlimsollError(
        'conflict',
        `There was a backfill before (${describeNote(readFileSync(note, 'utf8'))}); --again writes another one beside it, and its days are counted twice`,
      );
    const catalogue = resolveCatalogue(config, readShippedPriceBook(), providerKinds, systemClock.nowMs(), () => 'http://127.0.0.1');
    const simulated = new Set(catalogue.providers.filter((provider) => provider.isSimulated).map((provider) => provider.name));
    const profiles = resolveProfiles(config.sim);
    const models = catalogue.models
      .filter((model) => simulated.has(model.provider))
      .map((model) => {
        const profile = profiles[model.upstreamModel];
        return {
          name: model.name,
          provider: model.provider,
          providerKind: 'sim',
          upstreamModel: model.upstreamModel,
          ...(profile === undefined ? {} : { profile }),
        };
      });
    if (models.length === 0)
      throw new PlimsollError('invalid_argument', 'plimsoll.yaml has no simulated models; a backfill is only ever simulated');
    const known = new Set(models.map((model) => model.name));
    const features = Object.entries(config.features).flatMap(([name, feature]) => {
      const targets = featureTargets(config.routes, feature.route).filter((target) => known.has(target));
      return targets.length === 0
        ? []
        : [
            {
              name,
              team: CORPUS_FEATURES.find((entry) => entry.name === name)?.team ?? 'example',
              route: feature.route,
              models: targets,
              payloads: feature.payloads,
            },
          ];
    });
    if (features.length === 0) throw new PlimsollError('invalid_argument', 'no feature of plimsoll.yaml has a route to a simulated model');
    const prices = new Map(catalogue.models.map((model) => [model.name, model.price === null ? null : compilePrice(model.price)]));
    const endMs = systemClock.nowMs();
    const plan: BackfillOptions = {
      days: options.days,
      endMs,
      seed: options.seed,
      callsPerDay: options.perDay,
      scope: DEFAULT_SCOPE,
      features,
      models,
      priceUsage: (usage, model) => priceCompiled(usage, prices.get(model.name) ?? null),
      users: options.users,
    };
    const expected = expectedTotal(endMs, options.days, options.perDay);
    await assertFits(plan, expected, data.journals);
    const journal = await FileJournalWriter.open({
      directory: data.journal(WRITER),
      clock: systemClock,
      maxTotalBytes: () => MOST_BYTES,
      ringBytes: 256 * 1024 * 1024,
    });
    let calls = 0;
    try {
      for await (const { settled, payload } of backfillRecords(plan)) {
        if (signal.aborted) break;
        journal.append({
          type: 'call.settled',
          schemaVersion: CALL_SCHEMA_VERSION,
          id: settled.callId,
          payload: JSON.stringify(settled),
        });
        if (payload !== null) {
          const { input, output, ...meta } = payload;
          journal.append({
            type: 'payload',
            schemaVersion: CALL_PAYLOAD_SCHEMA_VERSION,
            id: settled.callId,
            payload: encodeCallPayload(meta, Buffer.from(input), output === null ? null : Buffer.from(output)),
          });
        }
        const scores = scoresOfCall(settled, options.seed, endMs);
        if (scores.length > 0) journal.append(scoreEntry(settled.callId, scores));
        calls += 1;
        if (calls % 500 === 0) {
          await journal.written();
          output.progress(`${formatCount(calls)} of about ${formatCount(expected)} calls written`);
        }
      }
      await journal.sync();
    } finally {
      await journal.close();
    }
    writeFileSync(note, `${JSON.stringify({ days: options.days, endMs, seed: options.seed, calls })}\n`, { mode: 0o600 });
    output.print(
      `${signal.aborted ? 'Cancelled: ' : ''}${countOf(calls, 'simulated call')} over ${countOf(options.days, 'day')} are in the journal. A running Plimsoll loads them within a minute or so.`,
      { calls, days: options.days, endMs, cancelled: signal.aborted },
    );
    return 0;
  },
});

/**
 * Weighs a few records before anything is written.
 * @throws PlimsollError `invalid_argument` when the whole would not fit on the disk
 */
async function assertFits(plan: BackfillOptions, expected: number, directory: string): Promise<void> {
  let bytes = 0;
  let calls = 0;
  for await (const { settled, payload } of backfillRecords(plan)) {
    bytes += JSON.stringify(settled).length + (payload === null ? 0 : payload.input.length + (payload.output?.length ?? 0));
    if (++calls === SAMPLE_CALLS) break;
  }
  if (calls === 0) return;
  const { bavail, bsize } = statfsSync(directory);
  const wanted = (bytes / calls) * expected;
  const most = Math.min(MOST_BYTES, bavail * bsize * MOST_OF_DISK);
  if (wanted <= most) return;
  const gigabytes = (size: number): string => `${(size / 1024 ** 3).toFixed(1)} GiB`;
  throw new PlimsollError(
    'invalid_argument',
    `about ${formatCount(expected)} calls would take ${gigabytes(wanted)}; at most ${gigabytes(most)} may be written here. Ask for fewer days or calls a day`,
  );
}

function describeNote(text: string): string {
  try {
    const { calls, days, endMs } = JSON.parse(text) as { calls: number; days: number; endMs: number };
    return `${countOf(calls, 'call')} over ${countOf(days, 'day')} up to ${formatTime(endMs)}`;
  } catch {
    return 'its note cannot be read';
  }
}
