import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../kernel/errors.ts';
import { isAllowedFunction } from './functions.ts';
import { lexSql } from './lexer.ts';
import { readStatement } from './statement.ts';
import { findRefusal, readTree, wrappedStatement } from './syntax-tree.ts';

const refused = (pattern: RegExp) => (thrown: unknown) =>
  thrown instanceof PlimsollError && thrown.code === 'invalid_argument' && pattern.test(thrown.message);

describe('words of a statement', () => {
  it('are told from comments, strings and names in quotes', () => {
    assert.deepEqual(
      lexSql("SELECT a /* ; */, 'it''s \\' --' -- ; '\n, `b c`, 1.5e3, .5, 0xFF").map(({ kind, text }) => [kind, text]),
      [
        ['word', 'SELECT'],
        ['word', 'a'],
        ['sign', ','],
        ['string', "it''s \\' --"],
        ['sign', ','],
        ['quoted', 'b c'],
        ['sign', ','],
        ['number', '1.5e3'],
        ['sign', ','],
        ['number', '.5'],
        ['sign', ','],
        ['number', '0xFF'],
      ],
    );
  });

  it('are refused where we and the engine could read in two ways', () => {
    for (const text of [
      "SELECT 'a",
      'SELECT "a',
      'SELECT /* a',
      'SELECT /* /* */ 1',
      'SELECT $$a$$',
      'SELECT 1\u0000',
      'SELECT 1 # x',
      'SELECT `a\nb`',
      'SELECT ＡＢ',
    ])
      assert.throws(() => lexSql(text), refused(/^Line \d+, column \d+: /), text);
  });

  it('stand at their offset, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aZ_9\'`"\\ \n/*-;(){}.,=<$#\u00e4') }), (text) => {
        let tokens: ReturnType<typeof lexSql>;
        try {
          tokens = lexSql(text);
        } catch (thrown) {
          assert.ok(thrown instanceof PlimsollError && thrown.code === 'invalid_argument');
          return;
        }
        for (const { kind, text: word, offset } of tokens)
          assert.equal(text.slice(offset + (kind === 'string' || kind === 'quoted' ? 1 : 0)).startsWith(word), true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('statement of the console', () => {
  it('is one SELECT, with or without a semicolon at its end', () => {
    for (const text of [
      'SELECT 1',
      ' select 1 ; ',
      '(SELECT 1) UNION ALL (SELECT 2)',
      'WITH x AS (SELECT 1) SELECT * FROM x;;',
      '-- why\nSELECT 1',
      '/* ; */ SELECT 1 FROM t',
    ])
      assert.equal(readStatement(text).kind, 'select', text);
    const named = readStatement('WITH recent AS (SELECT 1), more AS (SELECT 2) SELECT * FROM recent');
    assert.deepEqual(named.kind === 'select' && [...named.subqueries], ['recent', 'more']);
  });

  it('is refused with its line and column when it is more or something else', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /no statement/],
      ['-- only a comment', /no statement/],
      ['SELECT 1; SELECT 2', /Line 1, column 9: One statement/],
      ['SELECT 1; DROP TABLE spans', /One statement/],
      ['SELECT 1 -- ;\n; INSERT INTO spans SELECT 1', /Line 2, column 1: One statement/],
      ['INSERT INTO spans SELECT * FROM spans', /Only SELECT/],
      ['DROP TABLE spans', /Only SELECT/],
      ['SET readonly = 0', /Only SELECT/],
      ['EXPLAIN SELECT 1', /Only SELECT/],
      ['KILL QUERY WHERE 1', /Only SELECT/],
      ['/* SELECT */ DROP TABLE spans', /Only SELECT/],
      ['SELECT 1 SETTINGS readonly = 0', /Line 1, column 10: SETTINGS/],
      ['SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)', /SETTINGS/],
      ['SELECT 1 settings readonly=0', /SETTINGS/],
      ["SELECT 1 INTO OUTFILE '/tmp/x'", /OUTFILE/],
      ["SELECT 1 INTO /* */ OUTFILE '/tmp/x'", /OUTFILE/],
      ['SELECT 1 FORMAT JSON', /FORMAT/],
      ['SELECT {name:String}', /Placeholders/],
      ['SHOW PROCESSLIST', /After SHOW/],
      ['SHOW TABLES FROM system', /After SHOW/],
      ['SHOW COLUMNS FROM system.users', /After SHOW/],
      ["DESCRIBE file('/etc/passwd')", /After DESCRIBE/],
      ['DESC (SELECT 1)', /After DESC/],
    ];
    for (const [text, pattern] of cases) assert.throws(() => readStatement(text), refused(pattern), text);
  });

  it('may use a column called format, and the word in a string', () => {
    for (const text of ['SELECT format FROM t', "SELECT 'INTO OUTFILE; SETTINGS'", 'SELECT a.settings FROM t', "SELECT format('{}', 1)"])
      assert.equal(readStatement(text).kind, 'select', text);
  });

  it('asks for tables and columns without the engine', () => {
    assert.deepEqual(readStatement('show tables;'), { kind: 'tables' });
    for (const text of ['DESCRIBE spans', 'desc TABLE spans', 'SHOW COLUMNS FROM spans', 'DESCRIBE `spans`'])
      assert.deepEqual({ ...readStatement(text), offset: 0 }, { kind: 'describe', table: 'spans', offset: 0 });
  });
});

describe('syntax tree of the engine', () => {
  const allowed = {
    tables: new Set(['spans']),
    database: 'plimsoll',
    subqueries: new Set(['recent']),
    engineFunctions: new Set(['file', 'upper']),
  };
  const check = (...lines: string[]) => findRefusal(readTree(lines)[0] ?? null, allowed)?.reason ?? null;

  it('passes tables, subqueries and functions that are on the lists', () => {
    assert.equal(
      check(
        'SelectQuery (children 2)',
        ' TableIdentifier spans (alias s)',
        ' TableIdentifier recent',
        ' Function count (alias n) (children 1)',
        '  ExpressionList',
      ),
      null,
    );
    assert.equal(check('Function in (children 1)', ' ExpressionList (children 2)', '  Identifier feature', '  Identifier recent'), null);
  });

  it('is that of the statement in our brackets, and of nothing else', () => {
    const wrapped = (...after: string[]) => [
      'SelectWithUnionQuery (children 3)',
      ' ExpressionList (children 1)',
      '  SelectQuery (children 2)',
      '   ExpressionList (children 1)',
      '    Asterisk',
      '   TablesInSelectQuery (children 1)',
      '    TablesInSelectQueryElement (children 1)',
      '     TableExpression (children 1)',
      '      Subquery (children 1)',
      '       SelectWithUnionQuery',
      ...after,
    ];
    assert.equal(wrappedStatement(readTree(wrapped(' Identifier JSONEachRow', ' Set')))?.kind, 'Subquery');
    assert.equal(wrappedStatement(readTree(wrapped('  SelectQuery'))), null, 'a second select beside ours');
    assert.equal(wrappedStatement(readTree(wrapped('   ExpressionList'))), null, 'a clause of our select');
    assert.equal(wrappedStatement(readTree(wrapped('    TablesInSelectQueryElement'))), null, 'a join with our subquery');
    assert.equal(wrappedStatement(readTree([...wrapped(), 'SelectWithUnionQuery'])), null, 'a second statement');
    assert.equal(wrappedStatement([]), null);
  });

  it('refuses everything else', () => {
    assert.match(check('TableIdentifier system.users') ?? '', /no table of the console/);
    assert.match(check('TableIdentifier span_io') ?? '', /no table of the console/);
    for (const name of ['deltaLake', 'format', 'file', 'view'])
      assert.match(
        check('TableExpression (children 1)', ` Function ${name} (children 1)`, '  ExpressionList') ?? '',
        /is not allowed/,
        name,
      );
    assert.match(check('Function numbers (children 1)', ' ExpressionList') ?? '', /function numbers/);
    assert.match(check('Function file (children 1)', ' ExpressionList (children 1)', "  Literal '/etc/passwd'") ?? '', /function file/);
    assert.match(
      check('Function in (children 1)', ' ExpressionList (children 2)', '  Identifier a', '  Identifier system.users') ?? '',
      /no table/,
    );
    assert.match(check('Set') ?? '', /Set/);
    assert.match(check('ColumnsApplyTransformer') ?? '', /ColumnsApplyTransformer/);
    assert.match(
      check('Function arrayMap (children 1)', ' ExpressionList (children 1)', '  Identifier file') ?? '',
      /file is the name of a function/,
    );
    assert.notEqual(check(), null);
  });
});

describe('functions of the console', () => {
  it('are closed by default', () => {
    for (const name of [
      ...[
        'file',
        'url',
        's3',
        'remote',
        'remoteSecure',
        'cluster',
        'clusterAllReplicas',
        'mysql',
        'postgresql',
        'sqlite',
        'odbc',
        'jdbc',
        'hdfs',
        'executable',
        'python',
      ],
      ...[
        'merge',
        'view',
        'viewExplain',
        'loop',
        'input',
        'dictionary',
        'mergeTreeIndex',
        'filesystem',
        'fuzzQuery',
        'azureBlobStorage',
        'iceberg',
        'deltaLake',
        'deltaLakeLocal',
        'mongodb',
        'redis',
      ],
      ...[
        'dictGet',
        'dictGetOrDefault',
        'dictHas',
        'joinGet',
        'getSetting',
        'getServerSetting',
        'getMacro',
        'hostName',
        'FQDN',
        'version',
        'uptime',
        'currentUser',
        'currentDatabase',
      ],
      ...[
        'sleep',
        'sleepEachRow',
        'catboostEvaluate',
        'addressToLine',
        'demangle',
        'trap',
        'showCertificate',
        'getClientHTTPHeader',
        'reverseDNSQuery',
        'hasColumnInTable',
      ],
      ...[
        'serverUUID',
        'tcpPort',
        'filesystemAvailable',
        'filesystemCapacity',
        'generateSerialID',
        'structureToCapnProtoSchema',
        'zookeeperSessionUptime',
        'user',
        '__proto__',
        '',
      ],
    ])
      assert.equal(isAllowedFunction(name), false, name);
  });

  it('are open for what questions need', () => {
    for (const name of [
      'count',
      'sumIf',
      'quantilesDDMerge',
      'toStartOfHour',
      'arrayMap',
      'JSONExtractString',
      'if',
      'CAST',
      'toInt128',
      'uniqExact',
      'row_number',
      'multiIf',
      'in',
      'notIn',
      'toIntervalDay',
      'now',
      'splitByChar',
      'tupleElement',
      'formatReadableSize',
      'dateDiff',
      'lagInFrame',
    ])
      assert.equal(isAllowedFunction(name), true, name);
  });
});
