import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { ControlStoreLocation } from '../../src/stores/sql/control-store.ts';

/** A database of its own for one test. */
export interface TestDatabase {
  readonly location: ControlStoreLocation;
  /** Runs SQL text past the store. */
  execute(sql: string): Promise<void>;
  query(sql: string): Promise<Record<string, unknown>[]>;
  remove(): Promise<void>;
}

export interface TestDriver {
  readonly kind: 'sqlite' | 'postgres';
  create(): Promise<TestDatabase>;
}

const sqlite: TestDriver = {
  kind: 'sqlite',
  async create() {
    const directory = mkdtempSync(path.join(tmpdir(), 'plimsoll-control-'));
    const file = path.join(directory, 'control.db');
    const within = <T>(work: (database: DatabaseSync) => T): T => {
      const database = new DatabaseSync(file, { timeout: 5_000 });
      try {
        return work(database);
      } finally {
        database.close();
      }
    };
    return {
      location: { kind: 'sqlite', path: file },
      execute: async (sql) => within((database) => database.exec(sql)),
      query: async (sql) => within((database) => database.prepare(sql).all()),
      remove: async () => rmSync(directory, { recursive: true, force: true }),
    };
  },
};

function postgres(url: string): TestDriver {
  return {
    kind: 'postgres',
    async create() {
      const schema = `plimsoll_test_${randomBytes(6).toString('hex')}`;
      const query = async (sql: string) => {
        const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
        await client.connect();
        try {
          return (await client.query<Record<string, unknown>>(sql)).rows;
        } finally {
          await client.end();
        }
      };
      return {
        location: { kind: 'postgres', url, schema },
        query,
        async execute(sql) {
          await query(`CREATE SCHEMA IF NOT EXISTS ${schema}; ${sql}`);
        },
        async remove() {
          await query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
        },
      };
    },
  };
}

const url = process.env.TEST_POSTGRES_URL;

/** SQLite always; PostgreSQL when TEST_POSTGRES_URL names a server. */
export const TEST_DRIVERS: readonly TestDriver[] = url === undefined ? [sqlite] : [sqlite, postgres(url)];

export const POSTGRES_SKIP: string | false =
  url === undefined ? 'set TEST_POSTGRES_URL, e.g. postgres://postgres@127.0.0.1:5432/postgres (PostgreSQL 15 or newer)' : false;

/** Versions of the schema that a released Plimsoll left behind. */
export const FIXTURE_VERSIONS = [1, 2, 3, 4, 5, 6, 7] as const;

export function fixture(kind: TestDriver['kind'], version: (typeof FIXTURE_VERSIONS)[number] = 1): string {
  return readFileSync(new URL(`./fixtures/control-store-v${version}.${kind}.sql`, import.meta.url), 'utf8');
}
