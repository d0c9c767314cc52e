import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename } from 'node:path';
import { type RetentionServices, retentionRoutes } from '../audit/retention/routes.ts';
import { type AnomalyServices, anomalyRoutes } from '../costs/anomalies/routes.ts';
import { type FocusServices, focusRoutes } from '../costs/focus/routes.ts';
import type { BudgetState } from '../costs/forecast/report.ts';
import { type ForecastServices, forecastRoutes } from '../costs/forecast/routes.ts';
import { type InvoiceServices, invoiceRoutes } from '../costs/invoices/routes.ts';
import { type PlanServices, planRoutes } from '../costs/plan/routes.ts';
import { type RepricingServices, repricingRoutes } from '../costs/repricing/routes.ts';
import { type CostServices, costRoutes } from '../costs/routes.ts';
import { sharedRules } from '../costs/shared/config.ts';
import { type StatementServices, statementRoutes } from '../costs/statements/routes.ts';
import { type DatasetServices, datasetRoutes } from '../datasets/routes.ts';
import { createDatasetService } from '../datasets/service.ts';
import { type FeatureServices, featureRoutes } from '../features/routes.ts';
import { createFeatureService, type FeatureCatalogue } from '../features/service.ts';
import { DEFAULT_SLO } from '../features/slo-config.ts';
import { createFeatureSwitchService, type FeatureSwitchService } from '../features/switch-service.ts';
import { limitViews } from '../gateway/admission/limit-view.ts';
import { type LimitServices, limitRoutes } from '../gateway/admission/routes.ts';
import { type CacheServices, cacheRoutes } from '../gateway/cache/routes.ts';
import { routingState } from '../gateway/routing/report.ts';
import { routeViews } from '../gateway/routing/route-view.ts';
import { type RoutingServices, routingRoutes } from '../gateway/routing/routes.ts';
import { actorName } from '../identity/actor-name.ts';
import { createAdminAccess } from '../identity/admin-access.ts';
import { LoginThrottle } from '../identity/login-throttle.ts';
import { type IdentityServices, identityRoutes } from '../identity/routes.ts';
import { createKeyService, type KeyTargets } from '../identity/service.ts';
import { createSessionService } from '../identity/session-service.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { type EventLogServices, eventLogRoutes } from '../kernel/event-log/routes.ts';
import type { EventBus } from '../kernel/events.ts';
import { type JobServices, jobRoutes } from '../kernel/jobs/routes.ts';
import { openApiDocument } from '../kernel/openapi.ts';
import { createRouter, type Router } from '../kernel/router.ts';
import type { Authenticate } from '../kernel/router-authentication.ts';
import type { Route } from '../kernel/routes.ts';
import type { Scope } from '../kernel/scope.ts';
import type { PriceBook } from '../models/price-book.ts';
import type { StatusPoller } from '../models/status-page/poller.ts';
import type { LoadLines } from '../slo/model.ts';
import { readLoadLines, type SloServices, sloRoutes } from '../slo/routes.ts';
import type { SliPeriod } from '../slo/store.ts';
import type { ControlStore, ControlStores } from '../stores/sql/control-store.ts';
import { compareRoutes } from '../traces/compare/routes.ts';
import { type SpanExportServices, spanExportRoutes } from '../traces/export/routes.ts';
import type { TraceDetail } from '../traces/model.ts';
import { type ReplayServices, replayRoutes } from '../traces/replay/routes.ts';
import { type TraceServices, traceRoutes } from '../traces/routes.ts';
import { type ScoreServices, scoreRoutes } from '../traces/scores/routes.ts';
import { sessionRoutes } from '../traces/session-routes.ts';
import { type SqlServices, sqlRoutes } from '../traces/sql-console/routes.ts';
import { createSqlConsole } from '../traces/sql-console/service.ts';
import type { TraceTexts } from '../traces/store.ts';
import { type ViewServices, viewRoutes } from '../traces/views/routes.ts';
import { createViewService } from '../traces/views/service.ts';
import type { CacheControl } from './cache-control.ts';
import { type CatalogueServices, catalogueRoutes, type Status } from './catalogue-routes.ts';
import type { ChildContext } from './child-process.ts';
import type { ConfigWatcher } from './config-watcher.ts';
import type { ControlEvents } from './control-events.ts';
import { budgetsOf } from './cost-budgets.ts';
import type { CostWatch } from './cost-watch.ts';
import type { EngineLink } from './engine-link.ts';
import { cataloguedFeatures } from './feature-catalogue.ts';
import type { Ingest } from './ingest.ts';
import type { InternalApi } from './internal-api.ts';
import { planModelMigration } from './model-migration.ts';
import type { PriceHistory } from './price-history.ts';
import { listProviders, type ProviderServices, providerRoutes } from './provider-routes.ts';
import type { Replaying } from './replaying.ts';
import type { Repricing } from './repricing.ts';
import type { Retention } from './retention.ts';
import type { JournaledScores } from './score-intake.ts';
import type { SnapshotPublisher } from './snapshot-publisher.ts';
import type { ReloadingStaticKeys } from './static-key-catalogue.ts';
import { VERSION } from './version.ts';

export interface ControlApiOptions {
  readonly context: ChildContext;
  readonly scope: Scope;
  readonly store: ControlStore;
  readonly engine: EngineLink;
  readonly ingest: Ingest;
  readonly internal: InternalApi;
  readonly events: EventBus<ControlEvents>;
  readonly config: ConfigWatcher;
  readonly publisher: SnapshotPublisher;
  readonly caches: CacheControl;
  readonly priceBook: PriceBook;
  readonly prices: PriceHistory;
  readonly costWatch: CostWatch;
  readonly repricing: Repricing;
  readonly replaying: Replaying;
  readonly retention: Retention;
  readonly statusPoller: StatusPoller;
  readonly staticKeys: ReloadingStaticKeys;
  readonly targets: KeyTargets;
  readonly pepperHex: string;
  readonly scoreIntake: JournaledScores;
}

/** What one query of the SQL console may take; the longest run is in plimsoll.yaml. */
const SQL_LIMITS = { memoryBytes: 400_000_000, rows: 10_000, resultBytes: 16_000_000, threads: 1 } as const;

/** Every declared route; their order is that of the OpenAPI document. */
export const API_ROUTES: readonly Route<ApiServices>[] = [
  // Before those with a trace id in their path.
  ...sessionRoutes,
  ...spanExportRoutes,
  ...traceRoutes,
  ...compareRoutes,
  ...scoreRoutes,
  ...sloRoutes,
  ...featureRoutes,
  ...cacheRoutes,
  ...identityRoutes,
  ...catalogueRoutes,
  ...routingRoutes,
  ...limitRoutes,
  ...jobRoutes,
  ...eventLogRoutes,
  ...providerRoutes,
  ...costRoutes,
  ...anomalyRoutes,
  ...forecastRoutes,
  ...planRoutes,
  ...focusRoutes,
  ...statementRoutes,
  ...invoiceRoutes,
  ...repricingRoutes,
  ...replayRoutes,
  ...viewRoutes,
  ...retentionRoutes,
  ...sqlRoutes,
  ...datasetRoutes,
];

type ApiServices = TraceServices &
  SpanExportServices &
  ScoreServices &
  SloServices &
  FeatureServices &
  CacheServices &
  IdentityServices &
  CatalogueServices &
  RoutingServices &
  LimitServices &
  JobServices &
  EventLogServices &
  ProviderServices &
  CostServices &
  AnomalyServices &
  ForecastServices &
  PlanServices &
  FocusServices &
  StatementServices &
  InvoiceServices &
  RepricingServices &
  ReplayServices &
  ViewServices &
  RetentionServices &
  SqlServices &
  DatasetServices;

/** `/api/v1` of control: builds the services and hands every request to the router. */
export class ControlApi {
  readonly #options: ControlApiOptions;
  readonly #router: Router;
  readonly #services: ApiServices;
  /** Over the store itself, for jobs. */
  readonly featureSwitches: FeatureSwitchService;

  constructor(options: ControlApiOptions) {
    this.#options = options;
    const { context, scope, store, pepperHex } = options;
    const { clock, log } = context;
    const access = createAdminAccess({
      adminKeys: store.adminKeys,
      sessions: store.sessions,
      pepperHex,
      clock,
      scope,
      environmentAdminKey: context.environment.adminKey,
    });
    const authenticate: Authenticate = async (headers) =>
      options.internal.isClusterKey(headers.authorization)
        ? { actor: { kind: 'cluster', id: 'cluster key', organisationId: scope.organisationId, grants: ['*'] }, scope, isCookie: false }
        : (options.scoreIntake.authenticate(headers) ?? access.authenticate(headers));
    const throttle = new LoginThrottle(clock);
    const keysOf = (stores: ControlStores) =>
      createKeyService({ store: stores.keys, staticKeys: options.staticKeys, targets: options.targets, pepperHex, clock });
    const switchesOf = (stores: ControlStores) =>
      createFeatureSwitchService({
        store: stores.featureSwitches,
        eventLog: stores.eventLog,
        catalogue: this.#features,
        nameOf: (tenant, actor) => actorName(stores.adminKeys, tenant, actor),
        clock,
      });
    this.featureSwitches = switchesOf(store);
    const sqlLimits = () => ({ ...SQL_LIMITS, seconds: options.config.current.sqlConsole.maxSeconds });
    const sql = createSqlConsole({
      runner: () =>
        options.config.current.sqlConsole.enabled ? options.engine.sqlRunner(sqlLimits()) : 'sqlConsole.enabled is false in plimsoll.yaml.',
      limits: sqlLimits,
      eventLog: store.eventLog,
      audit: store.audit,
      nameOf: (tenant, actor) => actorName(store.adminKeys, tenant, actor),
      clock,
    });
    const servicesOf = (stores: ControlStores): ApiServices => {
      const keys = keysOf(stores);
      const featureSwitches = switchesOf(stores);
      return {
        traces: { ...options.engine.traces, getTrace: (tenant, traceId, texts) => this.#explainedTrace(tenant, traceId, texts) },
        scores: options.engine.scores,
        slis: options.engine.slis,
        slos: () => new Map(Object.entries(options.config.current.features).map(([name, { slo }]) => [name, slo ?? DEFAULT_SLO])),
        scoreIntake: options.scoreIntake,
        sessionStore: options.engine.sessions,
        clock,
        keys,
        jobs: stores.jobs,
        sessions: createSessionService({ store: stores.sessions, access, throttle, pepperHex, clock }),
        features: createFeatureService(this.#features, keys, featureSwitches),
        featureSwitches,
        costs: options.engine.costs,
        focus: options.engine.focus,
        spanExport: options.engine.spanExport,
        statements: stores.statements,
        invoices: stores.invoices,
        sharedRules: () => sharedRules(options.config.current.costs.shared),
        actorName: (tenant, actor) => actorName(stores.adminKeys, tenant, actor),
        budgets: async () => this.#budgets(clock.nowMs()),
        planModels: () => new Map((options.publisher.current?.models ?? []).map(({ name, price }) => [name, price])),
        bookPrice: (name) => {
          const [provider = '', ...model] = name.split('/');
          return options.priceBook.find(provider, model.join('/'), clock.nowMs());
        },
        findPrice: (priceId) => options.prices.find(priceId),
        anomalies: options.costWatch.service(stores),
        repricing: options.repricing.service(stores),
        replays: options.replaying.service(stores),
        views: createViewService({ store: stores.views, nameOf: (tenant, actor) => actorName(stores.adminKeys, tenant, actor), clock }),
        retention: (tenant) => options.retention.report(tenant),
        datasets: createDatasetService({
          store: stores.datasets,
          eventLog: stores.eventLog,
          nameOf: (tenant, actor) => actorName(stores.adminKeys, tenant, actor),
          clock,
        }),
        cache: options.caches.service(stores),
        eventLog: stores.eventLog,
        sql,
        snapshot: () => {
          const snapshot = options.publisher.current;
          if (snapshot === null) throw new PlimsollError('not_ready', 'Control has no configuration yet');
          return snapshot;
        },
        routing: () => ({
          ...this.#routing(),
          configured: options.publisher.current === null ? [] : routeViews(options.publisher.current),
        }),
        limits: () => this.#limits(),
        planModelMigration: (alias, to) => {
          const { config } = options;
          const fileName = basename(context.environment.configPath);
          const sources = { config: config.current, text: config.text, fileName, priceBook: options.priceBook, nowMs: clock.nowMs() };
          return planModelMigration(sources, alias, to);
        },
        status: () => this.#status(),
        listProviders: (tenant) => {
          return listProviders(options.config.current, options.statusPoller, tenant, clock.nowMs(), this.#routing());
        },
        openApi: () => openApiDocument(API_ROUTES, { version: VERSION, serverUrl: '/' }) as unknown as Record<string, unknown>,
      };
    };
    this.#services = servicesOf(store);
    this.#router = createRouter<ApiServices>(API_ROUTES, {
      services: this.#services,
      transaction: (work) => store.transaction((tx) => work({ services: servicesOf(tx), audit: tx.audit })),
      authenticate,
      defaultScope: scope,
      clock,
      async onCommitted(entry) {
        options.events.emit('change.committed', { action: entry.action });
        // Awaited: when the answer is out, gateways are being told.
        await options.publisher.refresh();
      },
      onError: (error, at) =>
        log('error', 'api_error', {
          ...at,
          code: error.code,
          message: error.message,
          cause: error.cause instanceof Error ? error.cause.stack : undefined,
        }),
      trustsForwardedHeaders: context.environment.variables.PLIMSOLL_INTERNAL_ROLE !== 'control',
      validateResponses: context.environment.variables.PLIMSOLL_VALIDATE_RESPONSES === '1',
    });
  }

  #routing() {
    const { reports, gateways } = this.#options.internal.routing();
    return routingState(reports, gateways);
  }

  #limits(): ReturnType<LimitServices['limits']> {
    const { reports, gateways } = this.#options.internal.limits();
    return { rules: this.#options.publisher.current?.limitRules ?? [], reports: reports.map(({ report }) => report), gateways };
  }

  #budgets(nowMs: number): BudgetState[] {
    const { rules, reports } = this.#limits();
    const keys = new Map((this.#options.publisher.current?.keys ?? []).map(({ id, name }) => [name, id]));
    // A worker that has had no call of a key since its start knows only its id.
    return budgetsOf(limitViews(rules, reports), (name) => keys.get(name) ?? name, nowMs);
  }

  async #explainedTrace(scope: Scope, traceId: string, texts?: TraceTexts): Promise<TraceDetail | null> {
    const detail = await this.#options.engine.traces.getTrace(scope, traceId, texts);
    return detail === null ? null : this.#options.prices.explain(detail);
  }

  /** Where every feature stood over a period. */
  loadLines(period: SliPeriod): Promise<LoadLines> {
    return readLoadLines(this.#services, this.#options.scope, period);
  }

  isOurs(path: string): boolean {
    return path === '/api/v1' || path.startsWith('/api/');
  }

  /**
   * `/healthz`, `/readyz` and `/metrics` of a control that stands alone; beside gateways they are the gateway's.
   * @returns false for any other path
   */
  answerProbe(path: string, response: ServerResponse, metrics: () => string): boolean {
    const send = (status: number, type: string, body: string): true => {
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
      response.end(body);
      return true;
    };
    const [name] = path.split('?', 1);
    if (name === '/healthz') return send(200, 'application/json', '{"status":"ok"}');
    if (name === '/metrics') return send(200, 'text/plain; version=0.0.4; charset=utf-8', metrics());
    if (name !== '/readyz') return false;
    const ready = this.#options.publisher.current !== null;
    return send(ready ? 200 : 503, 'application/json', JSON.stringify({ ready, reasons: ready ? [] : ['no configuration snapshot yet'] }));
  }

  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#router.handle(request, response);
  }

  readonly #features: FeatureCatalogue = {
    list: () => {
      const { config, publisher, context } = this.#options;
      return cataloguedFeatures(config.current, publisher.current?.models ?? [], context.clock.nowMs());
    },
  };

  async #status(): Promise<Status> {
    const { config, publisher, internal, engine, ingest } = this.#options;
    const gateways = internal.gateways();
    const reasons =
      gateways.length === 0 ? ['no gateway has asked for the configuration lately'] : gateways.flatMap((gateway) => gateway.reasons);
    return {
      version: VERSION,
      environment: this.#options.scope.environment,
      isSimulatedOnly: Object.values(config.current.providers).every((provider) => provider.kind === 'sim'),
      gateway: { ready: gateways.length > 0 && gateways.every((gateway) => gateway.isReady), reasons, workers: gateways.length },
      engine: await engine.health(),
      ingest: ingest.status(),
      journal: {
        shedPayloads: gateways.reduce((sum, gateway) => sum + gateway.shedPayloads, 0),
        isDegraded: gateways.some((gateway) => gateway.isDegraded),
      },
      config: { epoch: publisher.current?.epoch ?? 0, loadedAt: config.loadedAtMs, error: config.error },
    };
  }

  /** Prometheus text of control itself. */
  metrics(): string {
    const status = this.#options.ingest.status();
    const gauge = (name: string, help: string, value: number): string => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`;
    return [
      status.lagMs === null
        ? ''
        : gauge('plimsoll_ingest_lag_seconds', 'Age of the oldest call that is not in the trace store yet.', status.lagMs / 1_000),
      gauge('plimsoll_ingest_pending_bytes', 'Journal bytes that are not in the trace store yet.', status.pendingBytes),
      gauge('plimsoll_ingest_quarantined_records', 'Journal records set aside because they could not be read.', status.quarantined),
      gauge(
        'plimsoll_config_refused',
        'Whether the newest configuration was refused and an older one is in force.',
        this.#options.config.error === null ? 0 : 1,
      ),
      gauge('plimsoll_snapshot_epoch', 'Epoch of the newest snapshot.', this.#options.publisher.current?.epoch ?? 0),
    ].join('');
  }
}
