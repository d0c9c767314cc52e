import { execFileSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Question } from '../questions.ts';
import { INTEGERS, type Peer, type SpanSource, TEXTS } from './peer.ts';
import { askSql, type SqlDialect, type SqlRow, type SqlValue } from './sql-questions.ts';

const PACKAGE = '@duckdb/node-api@1.5.6-r.1';

/** What we call of it. */
interface DuckConnection {
  run(sql: string): Promise<unknown>;
  runAndReadAll(sql: string, values: SqlValue[]): Promise<{ getRowObjects(): SqlRow[] }>;
  closeSync(): void;
}
interface DuckModule {
  readonly DuckDBInstance: {
    create(path: string, options: Readonly<Record<string, string>>): Promise<{ connect(): Promise<DuckConnection>; closeSync(): void }>;
  };
}

function install(directory: string): DuckModule {
  if (!existsSync(join(directory, 'node_modules/@duckdb/node-api'))) {
    mkdirSync(directory, { recursive: true });
    execFileSync('npm', ['install', '--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', PACKAGE], {
      stdio: 'inherit',
      timeout: 300_000,
    });
  }
  return createRequire(join(directory, 'index.js'))('@duckdb/node-api') as DuckModule; // the part of it above
}

/** DuckDB, installed by npm into `directory`: one table in the order of time, whose blocks know their bounds. Words are looked for in the texts: its full-text extension is a download of its own. */
export async function duckdbPeer(path: string, directory: string): Promise<Peer> {
  for (const suffix of ['', '.wal']) rmSync(path + suffix, { force: true });
  const { DuckDBInstance } = install(directory);
  const instance = await DuckDBInstance.create(path, { threads: '2', memory_limit: '4GB' });
  const connection = await instance.connect();
  const dialect: SqlDialect = {
    all: async (sql, values) => {
      let place = 0;
      return (
        await connection.runAndReadAll(
          sql.replaceAll('?', () => `$${++place}`),
          [...values],
        )
      ).getRowObjects();
    },
    quantiles: (expression, ratios, condition) =>
      ratios.map((ratio, place) => `quantile_cont(${expression}, ${ratio}) FILTER (WHERE ${condition}) AS quantile_${place}`).join(', '),
    divide: (expression, by) => `(${expression}) // ${by}`,
    attribute: (name) => `json_extract_string(attributes, '$."${name}"')`,
    holding: (words, phrases) => ({
      from: 'spans s JOIN texts t ON t.id = s.id',
      condition: [...words, ...phrases].map(() => 'regexp_matches(t.words, ?)').join(' AND '),
      order: 's.id',
      values: [...words, ...phrases].map((term) => `(?i)\\b${term.split(/[^\p{L}\p{N}]+/u).join('[^\\p{L}\\p{N}]+')}\\b`),
    }),
  };
  return {
    name: 'duckdb',
    async load(source: SpanSource, onProgress) {
      const windows = await source.windows();
      const file = `${path}.parquet`;
      await connection.run('CREATE SEQUENCE ids');
      const columns = [
        ...INTEGERS.map((name) => `CAST(${name} AS BIGINT) AS ${name}`),
        'ttft_ms',
        ...TEXTS.map((name) => `CAST(${name} AS VARCHAR) AS ${name}`),
      ].join(', ');
      for (const [place, window] of windows.entries()) {
        await pipeline(await source.parquet(window), createWriteStream(file));
        const verb = (table: string): string => (place === 0 ? `CREATE TABLE ${table} AS` : `INSERT INTO ${table}`);
        await connection.run(`CREATE OR REPLACE TEMP TABLE piece AS SELECT nextval('ids') AS id, * FROM read_parquet('${file}')`);
        await connection.run(`${verb('spans')} SELECT id, ${columns} FROM piece ORDER BY id`);
        await connection.run(`${verb('texts')} SELECT id, CAST(words AS VARCHAR) AS words FROM piece WHERE words <> '' ORDER BY id`);
        onProgress((place + 1) / windows.length);
      }
      await connection.run('DROP TABLE piece');
      await connection.run('CREATE INDEX by_trace ON spans (trace_id)');
      await connection.run('CHECKPOINT');
      rmSync(file, { force: true });
    },
    ask: (question: Question) => askSql(dialect, question),
    bytes: () => statSync(path).size,
    async close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
