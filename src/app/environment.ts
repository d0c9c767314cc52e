import { resolve } from 'node:path';
import { PlimsollError } from '../kernel/errors.ts';

/** The only reading of the process environment: every variable that Plimsoll knows, with its default. */
export interface Environment {
  readonly configPath: string;
  readonly dataDirectory: string;
  readonly host: string;
  readonly port: number;
  /** Ports where OpenTelemetry exporters send by default; null = not listened on. */
  readonly otlpHttpPort: number | null;
  readonly otlpGrpcPort: number | null;
  /** An extra admin key, for machines that are set up without a person; null when unset. */
  readonly adminKey: string | null;
  /** Set: this process tree has no control of its own and follows this one. */
  readonly controlUrl: string | null;
  /** Where control finds a gateway for calls of its own (replays); null = it does not know one. */
  readonly gatewayUrl: string | null;
  /** Shared by gateways and control; null = made on first start and kept in the data directory. */
  readonly clusterKey: string | null;
  /** Set: the control store is this PostgreSQL; null = SQLite in the data directory. */
  readonly databaseUrl: string | null;
  /** Set: the trace store is this ClickHouse; null = the embedded engine. */
  readonly clickhouseUrl: string | null;
  /** Set: the user with whom the SQL console reads that ClickHouse; null = the console is off there. */
  readonly clickhouseSqlUrl: string | null;
  /** Set: this Redis holds what gateways share; null = each has its own. */
  readonly redisUrl: string | null;
  /** Start of the fake clock of tests, epoch ms; null = real time. */
  readonly fakeClockMs: number | null;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export const ENVIRONMENT_VARIABLES = {
  PLIMSOLL_CONFIG: 'Path of the configuration (default ./plimsoll.yaml)',
  PLIMSOLL_DATA_DIR: 'Directory of everything that Plimsoll keeps (default ./plimsoll-data)',
  PLIMSOLL_HOST: 'Address to listen on (default 127.0.0.1)',
  PLIMSOLL_PORT: 'Port of gateway, API and dashboard (default 4000)',
  PLIMSOLL_OTLP_HTTP_PORT: 'Port for OTLP over HTTP beside PLIMSOLL_PORT (default 4318; "off" = none; one that is taken is left alone)',
  PLIMSOLL_OTLP_GRPC_PORT: 'Port for OTLP over gRPC (default 4317; "off" = none; one that is taken is left alone)',
  PLIMSOLL_ADMIN_KEY: 'An admin key of your own, accepted beside those made by Plimsoll',
  PLIMSOLL_CONTROL_URL: 'Run the gateway only and follow the control plane at this URL',
  PLIMSOLL_GATEWAY_URL: 'Where a control plane without a gateway of its own finds one, for replays (default: its own process tree)',
  PLIMSOLL_CLUSTER_KEY: 'Shared secret of gateways and control (default: made once, kept in the data directory)',
  PLIMSOLL_DATABASE_URL: 'PostgreSQL for the control store (default: SQLite in the data directory)',
  PLIMSOLL_CLICKHOUSE_URL: 'ClickHouse for the trace store, with user and password (default: the embedded engine)',
  PLIMSOLL_CLICKHOUSE_SQL_URL:
    'The same ClickHouse with a user who may only SELECT from the tables of the SQL console (default: with a ClickHouse server the console is off)',
  PLIMSOLL_REDIS_URL: 'Redis that gateways share, with user and password (default: none; each gateway keeps its own state)',
  PLIMSOLL_VIRTUAL_KEY:
    'A virtual key with which the command line calls models itself (`plimsoll cache check` of a feature whose questions a model compares)',
  PLIMSOLL_URL: 'Where the command line finds a running Plimsoll (default http://127.0.0.1:4000)',
} as const;

function portOf(variables: Readonly<Record<string, string | undefined>>, name: string, fallback: number): number {
  const text = variables[name];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new PlimsollError('config_invalid', `${name} must be a port number from 0 to 65535, got "${text}"`);
  return port;
}

function optionalPortOf(variables: Readonly<Record<string, string | undefined>>, name: string, fallback: number): number | null {
  return variables[name] === 'off' ? null : portOf(variables, name, fallback);
}

function urlOf(variables: Readonly<Record<string, string | undefined>>, name: string, protocols: readonly string[]): string | null {
  const text = variables[name];
  if (!text) return null;
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    // The value may hold a password: name the variable, never the value.
    throw new PlimsollError(
      'config_invalid',
      `${name} must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );
  }
  return text;
}

/** Whoever has it may do everything, and key hashes rest on it. */
const SHORTEST_CLUSTER_KEY = 24;

function clusterKeyOf(variables: Readonly<Record<string, string | undefined>>): string | null {
  const key = variables.PLIMSOLL_CLUSTER_KEY;
  if (!key) return null;
  if (key.length < SHORTEST_CLUSTER_KEY || /\s/.test(key))
    throw new PlimsollError(
      'config_invalid',
      `PLIMSOLL_CLUSTER_KEY must have at least ${SHORTEST_CLUSTER_KEY} characters and no white space; "openssl rand -base64 32" makes a good one`,
    );
  return key;
}

export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const fakeClock = variables.PLIMSOLL_FAKE_CLOCK;
  return {
    configPath: resolve(variables.PLIMSOLL_CONFIG || 'plimsoll.yaml'),
    dataDirectory: resolve(variables.PLIMSOLL_DATA_DIR || 'plimsoll-data'),
    host: variables.PLIMSOLL_HOST || '127.0.0.1',
    port: portOf(variables, 'PLIMSOLL_PORT', 4000),
    otlpHttpPort: optionalPortOf(variables, 'PLIMSOLL_OTLP_HTTP_PORT', 4318),
    otlpGrpcPort: optionalPortOf(variables, 'PLIMSOLL_OTLP_GRPC_PORT', 4317),
    adminKey: variables.PLIMSOLL_ADMIN_KEY || null,
    controlUrl: urlOf(variables, 'PLIMSOLL_CONTROL_URL', ['http:', 'https:']),
    gatewayUrl: urlOf(variables, 'PLIMSOLL_GATEWAY_URL', ['http:', 'https:'])?.replace(/\/+$/, '') ?? null,
    clusterKey: clusterKeyOf(variables),
    databaseUrl: urlOf(variables, 'PLIMSOLL_DATABASE_URL', ['postgres:', 'postgresql:']),
    clickhouseUrl: urlOf(variables, 'PLIMSOLL_CLICKHOUSE_URL', ['http:', 'https:']),
    clickhouseSqlUrl: urlOf(variables, 'PLIMSOLL_CLICKHOUSE_SQL_URL', ['http:', 'https:']),
    redisUrl: urlOf(variables, 'PLIMSOLL_REDIS_URL', ['redis:', 'rediss:']),
    fakeClockMs: fakeClock ? Number(fakeClock) : null,
    variables,
  };
}
