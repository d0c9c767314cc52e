import { createServer } from 'node:http';
import { OutputSchemas } from '../gateway/output/output-schema.ts';
import { createKeyService } from '../identity/service.ts';
import { keyHmac } from '../identity/virtual-key.ts';
import { systemClock } from '../kernel/clock.ts';
import { toPlimsollError } from '../kernel/errors.ts';
import { contentHash } from '../kernel/ids.ts';
import { DEFAULT_SCOPE } from '../kernel/scope.ts';
import { readShippedPriceBook } from '../models/price-book.ts';
import { createStatusPoller, type PageState } from '../models/status-page/poller.ts';
import { openControlStore } from '../stores/sql/control-store.ts';
import { CacheControl } from './cache-control.ts';
import { type ChildContext, type RunningChild, runChild } from './child-process.ts';
import { answerUnknownModelPath, isModelPath } from './client-error.ts';
import { ConfigWatcher } from './config-watcher.ts';
import { ControlApi } from './control-api.ts';
import { createControlEvents } from './control-events.ts';
import { startControlJobs } from './control-jobs.ts';
import { ControlMetrics } from './control-metrics.ts';
import { controlStoreLocation, controlVirtualKey, keyPepper } from './control-store-location.ts';
import { CostWatch } from './cost-watch.ts';
import { DASHBOARD_DIRECTORY } from './dashboard-build.ts';
import { DataDirectory } from './data-directory.ts';
import { EngineLink } from './engine-link.ts';
import { firstStart } from './first-start.ts';
import { Ingest } from './ingest.ts';
import { InternalApi } from './internal-api.ts';
import { lifecycleEvents, logLifecycleEvents } from './lifecycle-watch.ts';
import { handleOtlp, isOtlpPath } from './otlp/http.ts';
import { OtlpIntake } from './otlp/intake.ts';
import { OtlpPorts } from './otlp/ports.ts';
import { RunWatch } from './otlp/run-watch.ts';
import { handleSdk, isSdkRequest } from './otlp/sdk-http.ts';
import { OwnerWebhooks } from './owner-webhooks.ts';
import { PriceHistory } from './price-history.ts';
import { watchedPages } from './provider-routes.ts';
import { Replaying } from './replaying.ts';
import { Repricing } from './repricing.ts';
import { Retention } from './retention.ts';
import { readSchemaFile } from './schema-file.ts';
import { JournaledScores } from './score-intake.ts';
import { compileSnapshotSources } from './snapshot-compiler.ts';
import { SnapshotPublisher } from './snapshot-publisher.ts';
import { StaticFiles } from './static-files.ts';
import { ReloadingStaticKeys, resolveStaticKeys } from './static-key-catalogue.ts';

/** How long the first start waits to learn whether the trace store can be used. */
const ENGINE_VERDICT_MS = 15_000;
/** How long the first start waits for a gateway to take up the first key. */
const FIRST_KEY_MS = 5_000;
/** Name of the journal that clients' spans go through. */
const OTLP_WRITER = 'otlp';
/** Name of the journal that scores, feedback and outcomes go through. */
const SCORE_WRITER = 'scores';
const SNAPSHOT_SETTING = 'snapshot.current';
const STATUS_SETTING = 'status_page.';

runChild('control', async (context: ChildContext): Promise<RunningChild> => {
  const { environment, clock, log } = context;
  const { variables } = environment;
  const scope = DEFAULT_SCOPE;
  const data = new DataDirectory(environment.dataDirectory);
  const clusterKey = variables.PLIMSOLL_CLUSTER_KEY ?? data.secret('cluster-key');
  const pepperHex = keyPepper(clusterKey);
  const listenHandle = new Promise<unknown>((resolve) => {
    context.onMessage((message, handle) => {
      if (message.type === 'listen') resolve(handle);
      else if (message.type === 'reload') config.reload();
    });
  });

  const events = createControlEvents((thrown, event) =>
    log('error', 'event_listener_failed', { event, message: toPlimsollError(thrown).message }),
  );
  // Until the control store is open nothing is known of checks.
  let cacheRefusal: CacheControl['refusal'] = () => null;
  const config: ConfigWatcher = new ConfigWatcher({
    path: environment.configPath,
    variables,
    clock,
    refusal: (candidate): string | null => cacheRefusal(candidate),
    onChange: () => events.emit('config.changed', { atMs: clock.nowMs() }),
    onRefused: (error) => log('error', 'config_refused', { message: error.message }),
    lastGoodPath: data.lastGoodConfig,
    isRestart: variables.PLIMSOLL_INTERNAL_IS_RESTART === '1',
  });
  const store = await openControlStore(controlStoreLocation(environment, data), clock);
  const staticKeys = new ReloadingStaticKeys();
  let staticKeysText: string | null = null;
  const targets = {
    features: () => Object.keys(config.current.features),
    models: () => [...Object.keys(config.current.routes), ...Object.keys(config.current.models)],
  };
  const keyService = (keys = store.keys) => createKeyService({ store: keys, staticKeys, targets, pepperHex, clock });
  const controlKey = {
    id: 'control',
    name: 'control',
    hmac: keyHmac(pepperHex, controlVirtualKey(clusterKey)),
    feature: null,
    team: null,
    models: null,
    expiresAtMs: null,
    isInternal: true,
  };
  const simPort = Number(variables.PLIMSOLL_INTERNAL_SIM_PORT ?? 0);

  const caches = new CacheControl({
    store,
    scope,
    clock,
    events,
    config: () => config.current,
    use: async (tenant, from, to) => (await engine.stores()).ledger.cacheUse(tenant, from, to),
  });
  cacheRefusal = (candidate) => caches.refusal(candidate);
  const outputSchemas = new OutputSchemas();
  const priceBook = readShippedPriceBook();
  const publisher = new SnapshotPublisher({
    clock,
    async compile() {
      if (config.text !== staticKeysText) {
        staticKeys.replace(resolveStaticKeys(config.current, config.text, environment.configPath, pepperHex, variables));
        staticKeysText = config.text;
      }
      return compileSnapshotSources({
        scope,
        config: config.current,
        keys: [...(await keyService().listForGateway(scope)), controlKey],
        featureSwitches: await store.featureSwitches.inForce(scope, clock.nowMs()),
        outputSchemas,
        readSchemaFile: (file) => readSchemaFile(environment.configPath, file),
        keyPepper: pepperHex,
        priceBook,
        simOrigin: `http://127.0.0.1:${simPort}`,
        cache: await caches.knowledge(),
        nowMs: clock.nowMs(),
      });
    },
    async epochOf(hash) {
      return store.transaction(async (tx) => {
        const current = (await tx.settings.get(scope, SNAPSHOT_SETTING)) as { hash: string; epoch: number } | null;
        if (current?.hash === hash) return current.epoch;
        const epoch = await tx.settings.nextEpoch(scope);
        await tx.settings.put(scope, SNAPSHOT_SETTING, { hash, epoch });
        return epoch;
      });
    },
    storedEpoch: async () => ((await store.settings.get(scope, SNAPSHOT_SETTING)) as { epoch: number } | null)?.epoch ?? null,
    onError: (thrown) => {
      const error = toPlimsollError(thrown);
      if (error.code === 'config_invalid') config.refuse(error.message);
      log('error', 'snapshot_refused', { message: error.message });
    },
    onPublished: () => events.emit('snapshot.published', { epoch: publisher.current?.epoch ?? 0 }),
  });
  const prices = new PriceHistory(store, scope, priceBook);
  events.on('config.changed', async () => {
    await publisher.refresh();
    // The number of workers and the simulated models are not in the snapshot.
    if (config.error === null) publishTopology();
  });
  events.on('snapshot.published', async ({ epoch }) => {
    log('info', 'snapshot', { epoch, config: contentHash(config.text).slice(0, 12) });
    publishTopology();
    if (publisher.current !== null) await prices.remember(publisher.current);
    // Also now: a date that was just written may be near.
    await checkModels();
  });
  events.on('cache.semantic_changed', async ({ feature, state, reason }) => {
    log(state === 'off' ? 'error' : 'info', 'cache_semantic_changed', { feature, state, reason });
    await publisher.refresh();
  });
  events.on('change.committed', async ({ action }) => {
    if (action !== 'cache.checked' || config.error === null) return;
    // What was refused for want of a check may be allowed now.
    await caches.knowledge();
    config.reload();
  });
  await publisher.start();
  // Only now is it known what was checked. A start is never refused for it: the feature works as near, and everybody can see why.
  const refusal = caches.refusal(config.current);
  if (refusal !== null) {
    config.refuse(refusal);
    log('error', 'cache_semantic_refused', { message: refusal });
  }
  config.start();

  const engine = new EngineLink({ environment, clock: systemClock, log });
  const repricing = new Repricing({
    store,
    scope,
    corrections: async () => (await engine.stores()).corrections,
    config: () => config.current,
    book: priceBook,
    rememberPrice: (price) => prices.rememberPrice(price),
    nowMs: () => clock.nowMs(),
  });
  const replaying = new Replaying({
    store,
    scope,
    clock: systemClock,
    traces: engine.traces,
    snapshot: () => publisher.current,
    gatewayUrl: environment.gatewayUrl,
    virtualKey: controlVirtualKey(clusterKey),
  });
  const costWatch = new CostWatch({ store, scope, costs: engine.costs, prices, config: () => config.current, clock, log });
  const retention = new Retention({ store, data: async () => (await engine.stores()).retention, config: () => config.current, clock, log });
  const webhooks = new OwnerWebhooks({ store, scope, clock, variables, config: () => config.current });
  const ingest = new Ingest({
    journals: data.journals,
    scope,
    cursors: store.cursors,
    openRuns: store.openRuns,
    commit: (reader, writer, changes) =>
      store.transaction(async (tx) => {
        await tx.cursors.commit(scope, reader, writer);
        await tx.openRuns.apply(scope, changes);
      }),
    async insert(batch) {
      await (await engine.stores()).insert(batch);
      metrics.observe(batch.spans);
    },
    hasLedgerRow: async (row) => (await (await engine.stores()).ledger.ledgerByCall(row, row.callId)).length > 0,
    priceBook,
    storedSpans: async (tenant, traceIds) => (await engine.stores()).traces.storedSpans(tenant, traceIds),
    onEvents: (journaled) => webhooks.record(journaled),
    onKeysUsed: (lastUsed) => store.keys.recordUse(scope, lastUsed),
    clock: systemClock,
    log,
  });
  const otlp = await OtlpIntake.open({
    directory: data.journal(OTLP_WRITER),
    snapshot: () => publisher.current,
    pendingBytes: () => ingest.pendingBytesOf(OTLP_WRITER),
    clock: systemClock,
    log,
  });
  const scoreIntake = await JournaledScores.open({
    directory: data.journal(SCORE_WRITER),
    snapshot: () => publisher.current,
    pendingBytes: () => ingest.pendingBytesOf(SCORE_WRITER),
    clock: systemClock,
    log,
  });
  const otlpPorts = new OtlpPorts(context, otlp);
  const internal: InternalApi = new InternalApi({
    clusterKey,
    publisher,
    data,
    metrics: (): string => metrics.text(),
    onCacheReport: (report) => caches.receive(report),
    nowMs: () => systemClock.nowMs(),
  });
  const statusPoller = createStatusPoller({
    memory: {
      get: async (tenant, provider) => (await store.settings.get(tenant, `${STATUS_SETTING}${provider}`)) as PageState | null, // written below
      put: (tenant, provider, state) => store.settings.put(tenant, `${STATUS_SETTING}${provider}`, state),
    },
    eventLog: store.eventLog,
    clock,
  });
  const api: ControlApi = new ControlApi({
    context,
    scope,
    store,
    engine,
    ingest,
    internal,
    events,
    config,
    publisher,
    caches,
    priceBook,
    prices,
    costWatch,
    repricing,
    replaying,
    retention,
    statusPoller,
    staticKeys,
    targets,
    pepperHex,
    scoreIntake,
  });
  const metrics: ControlMetrics = new ControlMetrics({
    context,
    config: () => config.current,
    loadLines: (period) => api.loadLines(period),
    own: () => `${api.metrics()}${otlp.metrics()}${scoreIntake.metrics()}`,
    clock: systemClock,
  });
  const files = new StaticFiles(DASHBOARD_DIRECTORY);

  const isPublic = variables.PLIMSOLL_INTERNAL_ROLE === 'control';
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 60_000, noDelay: true }, (request, response) => {
    const path = request.url ?? '/';
    if (isOtlpPath(path)) void handleOtlp(otlp, request, response);
    else if (isSdkRequest(request)) void handleSdk(otlp, request, response);
    else if (path.startsWith('/internal/v1/')) internal.handle(request, response);
    else if (api.isOurs(path)) void api.handle(request, response);
    else if (isPublic && api.answerProbe(path, response, () => metrics.text())) return;
    else if (isModelPath(path)) answerUnknownModelPath(request, response);
    else files.handle(request, response);
  });
  const handle = isPublic ? await listenHandle : { port: Number(variables.PLIMSOLL_INTERNAL_CONTROL_PORT ?? 0), host: '127.0.0.1' };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(handle as { port: number }, resolve);
  });
  await otlpPorts.listen();
  engine.start();
  // A control that served before must come back whatever the trace store says: /v1 and the API do not depend on it.
  if (variables.PLIMSOLL_INTERNAL_IS_RESTART !== '1') await engine.firstVerdict(ENGINE_VERDICT_MS);
  await ingest.start();
  const runWatch = new RunWatch({
    nextDueMs: () => store.openRuns.nextDueMs(scope),
    lookAfter: (atMs) => otlp.lookAfterRuns(atMs),
    clock,
    log,
  });
  runWatch.start();
  metrics.start();
  const jobs = await startControlJobs({
    store,
    scope,
    clock,
    log,
    featureSwitches: api.featureSwitches,
    webhooks,
    repricing,
    replaying,
    costWatch,
    retention,
    checkModels,
    pollStatusPages,
  });
  webhooks.use(jobs);
  repricing.use(jobs);
  replaying.use(jobs);
  const made = await firstStart(store, keyService, scope, pepperHex, clock, config.current);
  if (made !== null) {
    await publisher.refresh();
    // The keys are shown when they work: a first call in the very next moment must not be refused.
    if (!isPublic) await internal.gatewayHas(publisher.current?.epoch ?? 0, FIRST_KEY_MS);
    context.send({ type: 'firstStart', ...made });
  }

  const stopping = new AbortController();
  function pollStatusPages(signal: AbortSignal): Promise<void> {
    return statusPoller.pollDue(scope, watchedPages(config.current), signal);
  }
  // The job comes with the next minute; what is due is asked at once.
  void pollStatusPages(stopping.signal).catch((thrown: unknown) => {
    if (!stopping.signal.aborted) log('error', 'status_pages_failed', { message: toPlimsollError(thrown).message });
  });

  async function checkModels(): Promise<void> {
    const events = lifecycleEvents(publisher.current?.models ?? [], config.current, clock.nowMs());
    await logLifecycleEvents(store.eventLog, scope, events);
  }

  function publishTopology(): void {
    const current = config.current;
    const isSimulated = Object.values(current.providers).some((provider) => provider.kind === 'sim' && provider.baseUrl === undefined);
    context.send({ type: 'topology', topology: { workers: current.gateway.workers, sim: isSimulated ? current.sim : null } });
  }

  return {
    shutdown: async () => {
      stopping.abort();
      config.close();
      publisher.close();
      metrics.close();
      server.close();
      server.closeIdleConnections();
      await jobs.stop(2_000);
      runWatch.stop();
      await otlpPorts.close();
      await ingest.stop();
      await otlp.close();
      await scoreIntake.close();
      await engine.close();
      server.closeAllConnections();
      await store.close();
    },
  };
});
