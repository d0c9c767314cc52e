import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verdictOf } from '../testing.ts';

const CASES: [type: string, value: unknown, output: string, passed: boolean | string][] = [
  ['is-sql', undefined, 'SELECT id, name FROM users', true],
  [
    'is-sql',
    undefined,
    "SELECT u.id AS i, COUNT(*) FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE u.name LIKE 'A%' AND o.id IS NOT NULL GROUP BY u.id HAVING COUNT(*) > 1 ORDER BY 2 DESC LIMIT 10;",
    true,
  ],
  ['is-sql', undefined, 'select * from `a b` where id in (select id from c) and x between 1 and 2', true],
  ['is-sql', undefined, "INSERT INTO t (a, b) VALUES (1, 'it''s'), (2, NULL)", true],
  ['is-sql', undefined, 'UPDATE t SET a = a + 1 WHERE id = 3', true],
  ['is-sql', undefined, 'DELETE FROM t WHERE id = 3', true],
  ['is-sql', undefined, 'SELECT CASE WHEN a > 1 THEN 2 ELSE 3 END FROM t -- comment', true],
  ['is-sql', undefined, 'SELECT id name FROM users', false],
  ['is-sql', undefined, 'SELECT FROM users', false],
  ['is-sql', undefined, 'SELECT id, FROM users', false],
  ['is-sql', undefined, 'SELECT (id FROM users', false],
  ['is-sql', undefined, 'SELECT `id FROM users', false],
  ['is-sql', undefined, 'this is not sql', false],
  ['is-sql', undefined, `SELECT 1 ${'-- '.repeat(30_000)}\n#`, 'failed'],
  ['is-sql', undefined, "it's prose", false],
  ['is-sql', undefined, '', false],
  ['is-sql', undefined, 'WITH a AS (SELECT 1) SELECT * FROM a', 'failed'],
  ['is-sql', undefined, 'CREATE TABLE a (b INT)', 'failed'],
  ['not-is-sql', undefined, 'this is not sql', true],
  ['is-sql', { databaseType: 'MySQL', allowedTables: ['(select|update)::null::Users'] }, 'SELECT id FROM users', true],
  ['is-sql', { allowedTables: ['select::null::users'] }, 'SELECT id FROM users', true],
  ['is-sql', { allowedTables: ['select::(.*)::users'] }, 'SELECT id FROM shop.users', true],
  ['is-sql', { allowedTables: ['select::null::users'] }, 'DELETE FROM users', false],
  ['is-sql', { allowedColumns: ['select::users::id'] }, 'SELECT id FROM users', 'failed'],
  ['contains-sql', undefined, 'Try this:\n```sql\nSELECT 1\n```\nDone.', true],
  ['contains-sql', undefined, 'Try this:\n```python\nx = 1\n```', false],
  ['contains-sql', undefined, 'SELECT id FROM users', true],
  ['not-contains-sql', undefined, 'No statement here.', true],
];

describe('SQL', () => {
  for (const [type, value, output, expected] of CASES)
    it(`${type} ${JSON.stringify(value) ?? ''} of ${output.slice(0, 60)}: ${expected}`, async () =>
      assert.equal(await verdictOf(type, value === undefined ? {} : { value }, { output }), expected));
});
