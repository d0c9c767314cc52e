import { OutputSchemas } from '../gateway/output/output-schema.ts';
import { systemClock } from '../kernel/clock.ts';
import { DEFAULT_SCOPE } from '../kernel/scope.ts';
import { readShippedPriceBook } from '../models/price-book.ts';
import { NO_CACHE_KNOWLEDGE } from './cache-snapshot.ts';
import type { Config } from './config.ts';
import { readSchemaFile } from './schema-file.ts';
import { compileSnapshotSources } from './snapshot-compiler.ts';
import { resolveStaticKeys } from './static-key-catalogue.ts';

/**
 * What reading alone does not find: keys that are too short or given twice, and names that do not resolve.
 * A configuration that passes can be put in force.
 * @throws PlimsollError `config_invalid` with the line
 */
export function assertCompiles(config: Config, text: string, path: string, variables: Readonly<Record<string, string | undefined>>): void {
  resolveStaticKeys(config, text, path, '00', variables);
  compileSnapshotSources({
    scope: DEFAULT_SCOPE,
    config,
    keys: [],
    featureSwitches: [],
    outputSchemas: new OutputSchemas(),
    readSchemaFile: (file) => readSchemaFile(path, file),
    keyPepper: '00',
    priceBook: readShippedPriceBook(),
    simOrigin: 'http://127.0.0.1',
    cache: NO_CACHE_KNOWLEDGE,
    nowMs: systemClock.nowMs(),
  });
}
