import { rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Question } from '../questions.ts';
import { INTEGERS, type Peer, type SpanSource, TEXTS } from './peer.ts';
import { askSql, type SqlDialect, type SqlRow, type SqlValue } from './sql-questions.ts';

const COLUMNS = ['id', ...INTEGERS, 'ttft_ms', ...TEXTS];

/** `node:sqlite`: a table in the order of time, an index for each question that one helps, and FTS5 over the words. */
export function sqlitePeer(path: string): Peer {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  const database = new DatabaseSync(path);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; PRAGMA mmap_size = 8000000000; PRAGMA threads = 2',
  );
  database.exec(`CREATE TABLE spans (id INTEGER PRIMARY KEY, ${[...INTEGERS.map((name) => `${name} INTEGER`), 'ttft_ms REAL', ...TEXTS.map((name) => `${name} TEXT`)].join(', ')});
    CREATE TABLE texts (id INTEGER PRIMARY KEY, words TEXT);
    CREATE VIRTUAL TABLE word_index USING fts5(words, content = 'texts', content_rowid = 'id')`);
  const dialect: SqlDialect = {
    all: (sql, values) =>
      new Promise((resolve) => {
        const statement = database.prepare(sql);
        statement.setReadBigInts(true);
        resolve(statement.all(...(values as SqlValue[])) as SqlRow[]); // rows are objects by column
      }),
    quantiles: (expression, ratios, condition) =>
      ratios.map((ratio, place) => `percentile(${expression}, ${ratio * 100}) FILTER (WHERE ${condition}) AS quantile_${place}`).join(', '),
    divide: (expression, by) => `(${expression}) / ${by}`,
    attribute: (name) => `json_extract(attributes, '$."${name}"')`,
    holding: (words, phrases) => ({
      from: 'word_index w CROSS JOIN spans s ON s.id = w.rowid',
      condition: 'word_index MATCH ?',
      order: 'w.rowid',
      values: [[...words, ...phrases].map((term) => `"${term.replaceAll('"', ' ')}"`).join(' ')],
    }),
  };
  return {
    name: 'sqlite',
    async load(source: SpanSource, onProgress) {
      const insertSpan = database.prepare(`INSERT INTO spans (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})`);
      const insertText = database.prepare('INSERT INTO texts (id, words) VALUES (?, ?)');
      const windows = await source.windows();
      let id = 0;
      for (const [place, window] of windows.entries()) {
        const rows = await source.rows(window);
        database.exec('BEGIN');
        for (const row of rows) {
          id += 1;
          const integers = INTEGERS.map((name) => (row[name] === null ? null : BigInt(row[name])));
          insertSpan.run(id, ...integers, row.ttft_ms, ...TEXTS.map((name) => row[name]));
          if (typeof row.words === 'string' && row.words !== '') insertText.run(id, row.words);
        }
        database.exec('COMMIT');
        onProgress((place + 1) / windows.length);
      }
      database.exec(`INSERT INTO word_index (word_index) VALUES ('rebuild');
        CREATE INDEX by_time ON spans (is_entry, started_at_ns);
        CREATE INDEX by_request ON spans (is_request, started_at_ns);
        CREATE INDEX by_feature ON spans (feature, status, started_at_ns) WHERE is_entry = 1;
        CREATE INDEX by_user ON spans (user_id, started_at_ns) WHERE is_entry = 1;
        CREATE INDEX by_trace ON spans (trace_id, started_at_ns);
        ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)`);
    },
    ask: (question: Question) => askSql(dialect, question),
    bytes: () => statSync(path).size,
    close: async () => database.close(),
  };
}
