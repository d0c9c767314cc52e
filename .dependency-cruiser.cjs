// Room order of DESIGN.md: a room imports only rooms that stand before it.
const ROOMS = [
  'kernel',
  'stats',
  'identity',
  'features',
  'models',
  'traces',
  'costs',
  'audit',
  'datasets',
  'retrieval',
  'guardrails',
  'prompts',
  'gateway',
  'evals',
  'rollouts',
  'drift',
  'slo',
  'oncall',
  'incidents',
  'optimize',
  'reports',
];
// testing.ts holds what the tests of a folder share.
const TESTS = '(\\.test|/testing)\\.ts$';
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Files that import each other cannot be read one at a time.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...ROOMS.map((room, index) => ({
      name: `room-order-${room}`,
      severity: 'error',
      comment: `${room}/ may import only earlier rooms of DESIGN.md's list.`,
      from: { path: `^src/${room}/`, pathNot: TESTS },
      to: { path: `^src/(${[...ROOMS.slice(index + 1), 'app', 'stores', 'sim'].join('|')})/` },
    })),
    {
      name: 'stores-import-ports-only',
      severity: 'error',
      comment: "Drivers know rooms, never the wiring or each other's callers.",
      from: { path: '^src/stores/', pathNot: TESTS },
      to: { path: '^src/(app|sim)/' },
    },
    { name: 'sim-stands-beside', severity: 'error', from: { path: '^src/sim/', pathNot: TESTS }, to: { path: '^src/(app|stores)/' } },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { path: '^(test|bench)/|\\.test\\.ts$' },
    },
    {
      name: 'drivers-only-in-stores',
      severity: 'error',
      comment: 'Only stores/ knows the drivers.',
      from: { path: '^src/', pathNot: `^src/stores/|${TESTS}` },
      to: { path: 'node_modules/(kysely|pg|chdb|@clickhouse)' },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
