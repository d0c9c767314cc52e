/** All commands, without loading any: `--help` stays instant. A test keeps names and summaries equal to the modules. */
export const COMMANDS: readonly { readonly name: string; readonly summary: string; load(): Promise<{ readonly default: unknown }> }[] = [
  { name: 'init', summary: 'Write a commented plimsoll.yaml, a first prompt and a first eval', load: () => import('./commands/init.ts') },
  { name: 'serve', summary: 'Start gateway, API and dashboard', load: () => import('./commands/serve.ts') },
  { name: 'config check', summary: 'Test plimsoll.yaml without starting anything', load: () => import('./commands/config-check.ts') },
  { name: 'doctor', summary: 'Look for everything that could go wrong on this machine', load: () => import('./commands/doctor.ts') },
  {
    name: 'limits',
    summary: 'Limits and budgets with what is used, held and left, over all gateways, the most used first',
    load: () => import('./commands/limits.ts'),
  },
  { name: 'keys list', summary: 'List virtual keys', load: () => import('./commands/keys-list.ts') },
  { name: 'keys create', summary: 'Make a virtual key; it is shown once', load: () => import('./commands/keys-create.ts') },
  { name: 'keys revoke', summary: 'Make a virtual key stop working at once', load: () => import('./commands/keys-revoke.ts') },
  { name: 'keys admin', summary: 'Make a new admin key on this machine; it is shown once', load: () => import('./commands/keys-admin.ts') },
  { name: 'features', summary: 'List features with owner, route and the last 24 hours', load: () => import('./commands/features.ts') },
  {
    name: 'features lines',
    summary: 'Where features stand against their load lines, or why a line is unmeasured',
    load: () => import('./commands/features-lines.ts'),
  },
  {
    name: 'features pause',
    summary: 'Let a feature take no calls, on every gateway within a second',
    load: () => import('./commands/features-pause.ts'),
  },
  {
    name: 'features throttle',
    summary: 'Let a feature take fewer calls, on every gateway within a second',
    load: () => import('./commands/features-throttle.ts'),
  },
  {
    name: 'features resume',
    summary: 'End the pause or throttle of a feature',
    load: () => import('./commands/features-resume.ts'),
  },
  {
    name: 'models list',
    summary: 'List models with prices, versions, approvals and retirements',
    load: () => import('./commands/models-list.ts'),
  },
  {
    name: 'models migrate',
    summary: 'Plan the move of a model to another version; prints the patch',
    load: () => import('./commands/models-migrate.ts'),
  },
  { name: 'traces list', summary: 'List recent traces', load: () => import('./commands/traces-list.ts') },
  { name: 'traces show', summary: 'Show one trace as a waterfall', load: () => import('./commands/traces-show.ts') },
  {
    name: 'traces diff',
    summary: 'Two traces side by side: numbers, spans and messages, and what differs',
    load: () => import('./commands/traces-diff.ts'),
  },
  {
    name: 'traces export',
    summary: 'Export spans with their texts as JSON Lines, Parquet or OTLP',
    load: () => import('./commands/traces-export.ts'),
  },
  {
    name: 'traces replay',
    summary: 'Make recorded calls again, as they were or at another model, under a cost ceiling',
    load: () => import('./commands/traces-replay.ts'),
  },
  {
    name: 'sql',
    summary: 'Run one read-only SQL statement over the trace store',
    load: () => import('./commands/sql.ts'),
  },
  { name: 'costs', summary: 'Cost, tokens and requests by feature, model, team or user', load: () => import('./commands/costs.ts') },
  {
    name: 'costs variance',
    summary: 'What changed since an earlier period, split exactly into volume, caches, mix, retries, tokens per call and price',
    load: () => import('./commands/costs-variance.ts'),
  },
  {
    name: 'costs units',
    summary: 'Cost per call, user and session, and the share of cost that belongs to nobody',
    load: () => import('./commands/costs-units.ts'),
  },
  {
    name: 'costs anomalies',
    summary: 'Costs that were too high by what is usual, with their causes',
    load: () => import('./commands/costs-anomalies.ts'),
  },
  {
    name: 'costs acknowledge',
    summary: 'Take over a cost anomaly, or say that it was expected and mute its series',
    load: () => import('./commands/costs-acknowledge.ts'),
  },
  {
    name: 'costs budgets',
    summary: 'Budgets of the limits with burn, forecast to the end of the period, and when each is used up',
    load: () => import('./commands/costs-budgets.ts'),
  },
  {
    name: 'costs forecast',
    summary: 'What this month will cost, with an interval, by feature, team or model',
    load: () => import('./commands/costs-forecast.ts'),
  },
  {
    name: 'costs waste',
    summary: 'What was paid for nothing, and what caches and routes saved',
    load: () => import('./commands/costs-waste.ts'),
  },
  {
    name: 'costs plan',
    summary: 'What a load will cost: months, sensitivity, other models, budgets, self-hosting; from real traces or a description',
    load: () => import('./commands/costs-plan.ts'),
  },
  {
    name: 'costs focus',
    summary: 'Export charges as FOCUS, CSV or Parquet, for FinOps tools',
    load: () => import('./commands/costs-focus.ts'),
  },
  {
    name: 'costs statement',
    summary: 'Show or issue the showback statement of a month: frozen, with versions',
    load: () => import('./commands/costs-statement.ts'),
  },
  {
    name: 'costs reconcile',
    summary: "Import a provider's invoice and hold it against the ledger: the gap by day and model, and what explains it",
    load: () => import('./commands/costs-reconcile.ts'),
  },
  {
    name: 'costs reprice',
    summary: 'Recompute the cost of recorded calls under the prices in force, with a before and after report',
    load: () => import('./commands/costs-reprice.ts'),
  },
  {
    name: 'retention',
    summary: 'How long data is kept by class, what is stored, and what is deleted next; deletes nothing itself',
    load: () => import('./commands/retention.ts'),
  },
  {
    name: 'cache stats',
    summary: 'What the answer cache holds, serves and saves, by feature',
    load: () => import('./commands/cache-stats.ts'),
  },
  {
    name: 'cache purge',
    summary: 'Void kept answers of a feature, with a tag, or all, on every gateway',
    load: () => import('./commands/cache-purge.ts'),
  },
  {
    name: 'cache check',
    summary: 'Measure on your own labelled pairs whether a semantic cache is safe for a feature; without a passed check it is refused',
    load: () => import('./commands/cache-check.ts'),
  },
  {
    name: 'datasets',
    summary: 'List datasets of eval cases',
    load: () => import('./commands/datasets.ts'),
  },
  {
    name: 'datasets show',
    summary: 'Cases of a dataset with its versions; what is sealed is only counted',
    load: () => import('./commands/datasets-show.ts'),
  },
  {
    name: 'datasets add',
    summary: 'Make cases of traces, redacted and shown before they are saved; the same trace is the same case',
    load: () => import('./commands/datasets-add.ts'),
  },
  {
    name: 'datasets pull',
    summary: 'Write the newest version of a dataset into the project; changes of the file are never overwritten',
    load: () => import('./commands/datasets-pull.ts'),
  },
  {
    name: 'datasets push',
    summary:
      'Make the next version of a dataset from a file: our YAML (all that is open), or cases to add (JSONL, CSV, promptfoo, Ragas, DeepEval)',
    load: () => import('./commands/datasets-push.ts'),
  },
  {
    name: 'datasets diff',
    summary: 'What differs between a file and its dataset, two versions, or two files: cases added, removed and changed',
    load: () => import('./commands/datasets-diff.ts'),
  },
  {
    name: 'datasets export',
    summary: 'Open cases of a version as a file: yaml, jsonl, csv, promptfoo, ragas or deepeval',
    load: () => import('./commands/datasets-export.ts'),
  },
  {
    name: 'datasets check',
    summary: 'Near-duplicates, leaks across the split and holes in the coverage of a dataset',
    load: () => import('./commands/datasets-check.ts'),
  },
  {
    name: 'datasets split',
    summary: 'Divide a dataset into train, dev and a sealed holdout, by cluster or by time; nothing leaks, and added cases move nothing',
    load: () => import('./commands/datasets-split.ts'),
  },
  {
    name: 'datasets archive',
    summary: 'Archive a dataset: it stays readable and takes no more cases',
    load: () => import('./commands/datasets-archive.ts'),
  },
  {
    name: 'datasets restore',
    summary: 'Let an archived dataset take cases again',
    load: () => import('./commands/datasets-restore.ts'),
  },
  {
    name: 'eval run',
    summary: 'Run a suite or a promptfooconfig.yaml: prompts × targets × cases × repeats through the gateway',
    load: () => import('./commands/eval-run.ts'),
  },
  {
    name: 'eval check',
    summary: 'Say what of a suite or a promptfooconfig.yaml is supported, with file, line and column; nothing is called',
    load: () => import('./commands/eval-check.ts'),
  },
  { name: 'eval list', summary: 'List eval runs of this machine, the newest first', load: () => import('./commands/eval-list.ts') },
  {
    name: 'eval show',
    summary: 'Show an eval run: the matrix, and the cases that did not pass',
    load: () => import('./commands/eval-show.ts'),
  },
  {
    name: 'eval compare',
    summary: 'Compare two eval runs case by case, with intervals; the exit code says nothing of the verdict (see: plimsoll gate)',
    load: () => import('./commands/eval-compare.ts'),
  },
  {
    name: 'gate',
    summary: 'Compare a new version with a baseline run, paired and by slice: pass, regressed, or not enough evidence',
    load: () => import('./commands/gate.ts'),
  },
  {
    name: 'sim traffic',
    summary: 'Drive the example features through the running gateway',
    load: () => import('./commands/sim-traffic.ts'),
  },
  {
    name: 'sim backfill',
    summary: 'Write past-dated simulated calls for dashboards and benches',
    load: () => import('./commands/sim-backfill.ts'),
  },
];
