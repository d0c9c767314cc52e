import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { featureWarnings } from '../features/warnings.ts';
import { probeOf, providerKinds } from '../gateway/provider-kinds.ts';
import { systemClock } from '../kernel/clock.ts';
import { toPlimsollError } from '../kernel/errors.ts';
import { resolveCatalogue } from '../models/catalogue.ts';
import { lifecycleWarning } from '../models/lifecycle.ts';
import { readShippedPriceBook } from '../models/price-book.ts';
import { openControlStore } from '../stores/sql/control-store.ts';
import type { ApiClient } from './api-client.ts';
import type { Status } from './catalogue-routes.ts';
import { type Config, readConfig } from './config.ts';
import { readConfigFile } from './config-watcher.ts';
import { controlStoreLocation } from './control-store-location.ts';
import { DataDirectory } from './data-directory.ts';
import type { Environment } from './environment.ts';
import { cataloguedFeatures } from './feature-catalogue.ts';

export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem';
  readonly subject: string;
  readonly message: string;
  readonly fix: string | null;
}

export interface Examination {
  readonly environment: Environment;
  readonly client: ApiClient;
  readonly isOffline: boolean;
  readonly signal: AbortSignal;
}

const GIB = 1024 ** 3;
const REACH_MS = 5_000;
const LARGEST_CLOCK_SKEW_MS = 30_000;

const ok = (subject: string, message: string): Finding => ({ level: 'ok', subject, message, fix: null });
const warning = (subject: string, message: string, fix: string): Finding => ({ level: 'warning', subject, message, fix });
const problem = (subject: string, message: string, fix: string): Finding => ({ level: 'problem', subject, message, fix });

/** Everything that `plimsoll doctor` looks at, in the order of the page. Never throws: what cannot be looked at is a finding. */
export async function examine(examination: Examination): Promise<Finding[]> {
  const { environment } = examination;
  const findings: Finding[] = [examinePlatform()];
  const config = examineConfig(environment, findings);
  const status = await runningStatus(examination.client);
  findings.push(
    ...(await examinePorts(environment, examination.client.baseUrl, status !== null)),
    ...examineDisk(environment),
    await examineStores(environment, status),
  );
  if (config !== null) {
    findings.push(...examineFeatures(config));
    if (examination.isOffline) findings.push(warning('providers', 'not asked (--offline)', 'Run again without --offline.'));
    else
      findings.push(
        ...(
          await Promise.all(
            Object.entries(config.providers).map(([name, provider]) => examineProvider(name, provider, environment, examination.signal)),
          )
        ).flat(),
      );
  }
  return findings;
}

function examinePlatform(): Finding {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const isGlibc = process.platform !== 'linux' || report.header?.glibcVersionRuntime !== undefined;
  if ((process.platform === 'linux' || process.platform === 'darwin') && isGlibc)
    return ok('platform', `${process.platform} ${process.arch}, Node ${process.versions.node}`);
  return problem(
    'platform',
    `the embedded engine does not run on ${process.platform}${isGlibc ? '' : ' without glibc'}`,
    'Use Linux with glibc or macOS, or set PLIMSOLL_CLICKHOUSE_URL.',
  );
}

function examineConfig(environment: Environment, findings: Finding[]): Config | null {
  try {
    const config = readConfig(readConfigFile(environment.configPath), environment.configPath, environment.variables);
    findings.push(ok('configuration', environment.configPath));
    return config;
  } catch (thrown) {
    const error = toPlimsollError(thrown);
    findings.push(problem('configuration', error.message, error.fix));
    return null;
  }
}

async function runningStatus(client: ApiClient): Promise<Status | null> {
  try {
    return await client.call<Status>('GET', '/api/v1/status');
  } catch {
    return null;
  }
}

async function examinePorts(environment: Environment, baseUrl: string, isServing: boolean): Promise<Finding[]> {
  if (isServing) return [ok('port', `Plimsoll answers on ${baseUrl}`)];
  const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host: environment.host, port: environment.port, exclusive: true }, () => server.close(() => resolve(null)));
  });
  if (error === null) return [ok('port', `${environment.host}:${environment.port} is free`)];
  return [
    problem(
      'port',
      `${environment.host}:${environment.port} cannot be used (${error.code})`,
      'Stop the other program, or set PLIMSOLL_PORT.',
    ),
  ];
}

function examineDisk(environment: Environment): Finding[] {
  const directory = environment.dataDirectory;
  const existing = existsSync(directory) ? directory : dirname(directory);
  try {
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    return [
      problem('data directory', `${directory}: ${(error as Error).message}`, 'Make it writable for this user, or set PLIMSOLL_DATA_DIR.'),
    ];
  }
  const findings: Finding[] = [];
  const { bavail, bsize } = statfsSync(existing);
  const freeGib = (bavail * bsize) / GIB;
  const text = `${directory}, ${freeGib.toFixed(1)} GiB free`;
  findings.push(
    freeGib < 1
      ? problem('disk', text, 'Free space: the journal sheds payloads and then refuses calls.')
      : freeGib < 10
        ? warning('disk', text, 'Plan for about 2 KB a span.')
        : ok('disk', text),
  );
  const secrets = new DataDirectory(directory).secrets;
  if (existsSync(secrets) && (statSync(secrets).mode & 0o077) !== 0)
    findings.push(problem('permissions', `${secrets} can be read by others`, `Run: chmod 700 ${secrets}`));
  return findings;
}

async function examineStores(environment: Environment, status: Status | null): Promise<Finding> {
  if (status !== null) {
    if (!status.engine.ready) return problem('trace store', status.engine.message, 'See the log of the engine process.');
    if (status.config.error !== null)
      return problem(
        'configuration',
        `the running Plimsoll refused the newest file: ${status.config.error}`,
        'Correct it; the old one is in force.',
      );
    return ok(
      'stores',
      `running version ${status.version}, snapshot ${status.config.epoch}, journal lag ${status.ingest.lagMs ?? 'unknown'} ms`,
    );
  }
  const data = new DataDirectory(environment.dataDirectory);
  if (environment.databaseUrl === null && !existsSync(data.controlDatabase)) return ok('stores', 'none yet; the first start makes them');
  try {
    const store = await openControlStore(controlStoreLocation(environment, data), systemClock);
    const { kind, version, schemaVersion } = await store.status();
    await store.close();
    return ok('control store', `${kind} ${version}, schema ${schemaVersion}`);
  } catch (thrown) {
    const error = toPlimsollError(thrown);
    return problem('control store', error.message, error.fix);
  }
}

function examineFeatures(config: Config): Finding[] {
  const nowMs = systemClock.nowMs();
  const catalogue = resolveCatalogue(config, readShippedPriceBook(), providerKinds, nowMs, () => 'http://127.0.0.1');
  const unpriced = new Set(catalogue.models.filter((model) => model.price === null).map((model) => model.name));
  const findings: Finding[] = [];
  for (const feature of cataloguedFeatures(config, catalogue.models, nowMs)) {
    for (const text of featureWarnings(feature))
      findings.push({ level: 'warning', subject: `feature ${feature.name}`, message: text, fix: null });
  }
  for (const { name, upstreamModel, lifecycle } of catalogue.models) {
    const end = lifecycleWarning(lifecycle, nowMs);
    if (end !== null)
      findings.push(warning(`model ${name}`, `${upstreamModel} ${end}`, `Run "plimsoll models migrate ${name} --to <model>".`));
  }
  for (const model of unpriced)
    findings.push(warning(`model ${model}`, 'no price is known: its calls are shown as unpriced', `Add prices.${model} to plimsoll.yaml.`));
  if (findings.length === 0)
    findings.push(ok('features', `${Object.keys(config.features).length} with owner, cost owner, fallback and price`));
  return findings;
}

async function examineProvider(
  name: string,
  provider: Config['providers'][string],
  environment: Environment,
  signal: AbortSignal,
): Promise<Finding[]> {
  const subject = `provider ${name}`;
  if (provider.kind === 'sim') return [ok(subject, 'simulated')];
  const probe = probeOf(provider, (reference) => {
    if (reference === null) return null;
    return 'literal' in reference ? reference.literal : (environment.variables[reference.env] ?? null);
  });
  if (probe === null) return [];
  try {
    const startedMs = systemClock.monotonicMs();
    const answer = await fetch(probe.url, {
      headers: probe.headers,
      signal: AbortSignal.any([signal, AbortSignal.timeout(REACH_MS)]),
      redirect: 'manual',
    });
    await answer.body?.cancel();
    const elapsedMs = Math.round(systemClock.monotonicMs() - startedMs);
    const findings: Finding[] = [];
    if (probe.provesKey && (answer.status === 401 || answer.status === 403))
      findings.push(
        problem(subject, `${probe.url} refuses the key (${answer.status})`, 'Check the environment variable that apiKey names.'),
      );
    else
      findings.push(
        answer.status < 500
          ? ok(subject, `${probe.url} answers in ${elapsedMs} ms${probe.provesKey ? '' : '; the credential was not tried'}`)
          : warning(subject, `${probe.url} answers ${answer.status}`, 'Look at the provider’s status page.'),
      );
    const date = Date.parse(answer.headers.get('date') ?? '');
    const skewMs = Number.isNaN(date) ? 0 : Math.abs(systemClock.nowMs() - date);
    if (skewMs > LARGEST_CLOCK_SKEW_MS)
      findings.push(
        problem(
          'clock',
          `this machine differs from ${name} by ${Math.round(skewMs / 1_000)} s`,
          'Switch on time synchronisation (NTP): rate windows, budgets and traces rely on it.',
        ),
      );
    return findings;
  } catch (error) {
    const cause = (error as Error).cause instanceof Error ? `: ${((error as Error).cause as Error).message}` : '';
    return [
      problem(subject, `${probe.url} cannot be reached (${(error as Error).message}${cause})`, 'Check the network path, DNS and proxy.'),
    ];
  }
}
