/** Who can act on an error: the caller, the upstream provider, the operator of this Plimsoll, or its makers. */
export type ErrorOwner = 'caller' | 'upstream' | 'operator' | 'us';

interface ErrorRow {
  /** HTTP status of the answer. */
  readonly status: number;
  /** True when the same call may succeed later without a change. Retry logic reads this and nothing else. */
  readonly retryable: boolean;
  readonly owner: ErrorOwner;
  /** The next action for the owner. */
  readonly fix: string;
}

/** The closed table of everything that can go wrong. The only place where a status lives; also the values of `error.type`. */
export const ERRORS = {
  invalid_argument: { status: 400, retryable: false, owner: 'caller', fix: 'Correct the named field and send the request again.' },
  unauthenticated: { status: 401, retryable: false, owner: 'caller', fix: 'Send a valid key as "authorization: Bearer …".' },
  permission_denied: { status: 403, retryable: false, owner: 'caller', fix: 'Use a key or a role that has the named permission.' },
  not_found: { status: 404, retryable: false, owner: 'caller', fix: 'Check the name or id; the message lists what exists where it may.' },
  method_not_allowed: { status: 405, retryable: false, owner: 'caller', fix: 'Use one of the methods in the "allow" header.' },
  conflict: { status: 409, retryable: false, owner: 'caller', fix: 'Read the current state and decide again.' },
  payload_too_large: { status: 413, retryable: false, owner: 'caller', fix: 'Send less, or raise gateway.maxBodyBytes in plimsoll.yaml.' },
  unsupported_media_type: { status: 415, retryable: false, owner: 'caller', fix: 'Send JSON with "content-type: application/json".' },
  context_length_exceeded: {
    status: 400,
    retryable: false,
    owner: 'caller',
    fix: 'Shorten the messages or use a model with a longer context.',
  },
  content_filtered: {
    status: 400,
    retryable: false,
    owner: 'caller',
    fix: "The provider's content filter refused the request; change the input.",
  },
  rate_limited: {
    status: 429,
    retryable: true,
    owner: 'caller',
    fix: 'Wait for "retry-after" seconds, or ask the owner of the limit to raise it.',
  },
  feature_paused: {
    status: 503,
    retryable: true,
    owner: 'operator',
    fix: 'Wait for "retry-after" seconds where it is given, or ask who paused it; `plimsoll features resume <feature>` ends the pause.',
  },
  target_not_allowed: {
    status: 403,
    retryable: false,
    owner: 'operator',
    fix: "Name another model, or give the route a target that the feature's residency and model approvals in plimsoll.yaml allow.",
  },
  request_over_limit: {
    status: 400,
    retryable: false,
    owner: 'caller',
    fix: 'Send less, ask for fewer output tokens, or ask the owner of the named limit to raise it.',
  },
  agent_loop_stopped: {
    status: 422,
    retryable: false,
    owner: 'caller',
    fix: 'End this run: change what is tried, or ask a person. The same step again is refused again.',
  },
  budget_exceeded: { status: 429, retryable: false, owner: 'caller', fix: 'Ask the cost owner of the named scope to raise the budget.' },
  client_closed: { status: 499, retryable: false, owner: 'caller', fix: 'None needed: the client left before the answer was complete.' },
  superseded: {
    status: 499,
    retryable: false,
    owner: 'us',
    fix: 'None needed: another attempt of the same call answered first, or nobody waits for this one any more.',
  },
  judge_unreadable: {
    status: 502,
    retryable: true,
    owner: 'upstream',
    fix: 'Score the case again; if it stays so, name a judge model that keeps to the form asked for, or mend the rubric prompt.',
  },
  provider_timeout: { status: 504, retryable: true, owner: 'upstream', fix: 'Check the provider status page; add a fallback target.' },
  provider_unavailable: {
    status: 502,
    retryable: true,
    owner: 'upstream',
    fix: 'Check the network path and the provider status page; add a fallback target.',
  },
  provider_rate_limited: {
    status: 429,
    retryable: true,
    owner: 'upstream',
    fix: 'Raise the quota at the provider, spread the load, or add a fallback target.',
  },
  provider_rejected: { status: 400, retryable: false, owner: 'caller', fix: "Read the provider's message and correct the request." },
  provider_auth_failed: {
    status: 502,
    retryable: false,
    owner: 'operator',
    fix: 'Check the API key that plimsoll.yaml names for this provider.',
  },
  provider_bad_response: {
    status: 502,
    retryable: true,
    owner: 'upstream',
    fix: 'The provider sent something that is not in its own format; see the details and add a fallback target.',
  },
  output_invalid: {
    status: 502,
    retryable: true,
    owner: 'upstream',
    fix: "Send the request again, make the schema or the prompt clearer, or let the feature's output.onInvalid repair or flag.",
  },
  provider_stream_cut: { status: 502, retryable: true, owner: 'upstream', fix: 'The answer is incomplete: send the request again.' },
  config_invalid: {
    status: 500,
    retryable: false,
    owner: 'operator',
    fix: 'Correct plimsoll.yaml at the named line; `plimsoll config check` tests it without a restart.',
  },
  port_in_use: { status: 500, retryable: false, owner: 'operator', fix: 'Stop the other program, or set PLIMSOLL_PORT to a free port.' },
  data_dir_unusable: {
    status: 500,
    retryable: false,
    owner: 'operator',
    fix: 'Make the data directory writable for this user, or set PLIMSOLL_DATA_DIR.',
  },
  data_newer_than_code: {
    status: 500,
    retryable: false,
    owner: 'operator',
    fix: 'Start the Plimsoll version that wrote the data, or a newer one.',
  },
  migration_failed: {
    status: 500,
    retryable: false,
    owner: 'operator',
    fix: 'Nothing was changed; read the cause, repair it and start again.',
  },
  store_unavailable: {
    status: 503,
    retryable: true,
    owner: 'operator',
    fix: 'Run `plimsoll doctor`; nothing that was acknowledged is lost.',
  },
  query_too_expensive: { status: 422, retryable: false, owner: 'caller', fix: 'Narrow the time range or add a filter.' },
  journal_full: {
    status: 503,
    retryable: true,
    owner: 'operator',
    fix: 'Free disk space for the data directory; the gateway resumes by itself.',
  },
  not_ready: { status: 503, retryable: true, owner: 'operator', fix: 'Wait until /readyz answers 200; the log says what is missing.' },
  unsupported_platform: {
    status: 500,
    retryable: false,
    owner: 'operator',
    fix: 'Use Linux with glibc or macOS, or point PLIMSOLL_CLICKHOUSE_URL at a ClickHouse server.',
  },
  internal: { status: 500, retryable: false, owner: 'us', fix: 'Report it with the trace id; the log holds the cause.' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

export interface PlimsollErrorOptions {
  /** Values behind the message; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class. `code` decides status, retryability and owner; `message` says what happened, with the values. */
export class PlimsollError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: PlimsollErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlimsollError';
    this.code = code;
    this.details = options.details ?? {};
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
  get owner(): ErrorOwner {
    return ERRORS[this.code].owner;
  }
  get fix(): string {
    return ERRORS[this.code].fix;
  }
}

/** Wraps anything thrown; a PlimsollError passes unchanged, everything else becomes `internal` with its cause kept. */
export function toPlimsollError(thrown: unknown): PlimsollError {
  if (thrown instanceof PlimsollError) return thrown;
  return new PlimsollError('internal', 'An unexpected error occurred inside Plimsoll.', { cause: thrown });
}

/** OpenAI's `error.type` families, so that official SDKs raise the exception class that users expect. */
function openAiType(error: PlimsollError): string {
  switch (error.status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 429:
      return error.code === 'budget_exceeded' ? 'insufficient_quota' : 'rate_limit_error';
    default:
      return error.status < 500 ? 'invalid_request_error' : 'server_error';
  }
}

/** Body of an error answer on `/v1`, in OpenAI's shape, with our fix and owner beside it. */
export function openAiErrorBody(error: PlimsollError): {
  error: { message: string; type: string; param: string | null; code: ErrorCode; fix: string; owner: ErrorOwner; limit?: unknown };
} {
  const { param, limit } = error.details;
  return {
    error: {
      message: error.message,
      type: openAiType(error),
      param: typeof param === 'string' ? param : null,
      code: error.code,
      fix: error.fix,
      owner: error.owner,
      ...(limit === undefined ? {} : { limit }),
    },
  };
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  fix: string;
  owner: ErrorOwner;
  retryable: boolean;
  details?: Readonly<Record<string, unknown>>;
}

/** Body of an error answer on `/api/v1` (RFC 9457, `application/problem+json`). */
export function problemBody(error: PlimsollError): ProblemBody {
  return {
    type: `https://plimsoll.dev/errors#${error.code}`,
    title: error.code.replaceAll('_', ' '),
    status: error.status,
    detail: error.message,
    code: error.code,
    fix: error.fix,
    owner: error.owner,
    retryable: error.retryable,
    ...(Object.keys(error.details).length > 0 ? { details: error.details } : {}),
  };
}
