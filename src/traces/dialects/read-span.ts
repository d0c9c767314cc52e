import type { ErrorCode } from '../../kernel/errors.ts';
import { PICO_PER_USD, type PicoUsd } from '../../kernel/money.ts';
import { serviceTier } from '../../models/service-tier.ts';
import type { SpanKind } from '../model.ts';
import type { Attributes, OtlpSpan } from '../otlp/span.ts';
import { TAG_LISTS, TAG_PREFIXES } from './alias-table.ts';
import type { Content, Dialect, Failure, RetrievedDocument, SpanScore } from './dialect.ts';
import { type FirstToken, firstToken } from './first-token.ts';
import { type NamedProvider, providerOf } from './provider-name.ts';
import { dialectsOf } from './registry.ts';
import { SpanView } from './span-view.ts';
import { type DialectRule, INCLUSIVE, readTokens, reportedCounts, type TokenReading } from './token-reading.ts';

/** A span of any dialect in our terms. What a sender did not say is null. */
export interface CanonicalSpan {
  /** Null = a span that has nothing to do with models. */
  readonly dialect: string | null;
  readonly name: string;
  readonly kind: SpanKind;
  readonly provider: NamedProvider | null;
  readonly requestModel: string | null;
  readonly responseModel: string | null;
  readonly responseId: string | null;
  /** Other than that of the list price; null = the standard one, or not told. */
  readonly serviceTier: string | null;
  readonly finishReasons: readonly string[];
  readonly isStream: boolean;
  readonly tokens: TokenReading | null;
  /** What the sender says that it cost. */
  readonly reportedCost: { readonly costPicoUsd: PicoUsd; readonly isEstimate: boolean } | null;
  readonly firstToken: FirstToken | null;
  readonly session: string | null;
  readonly user: string | null;
  readonly customer: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly input: Content | null;
  readonly output: Content | null;
  readonly documents: readonly RetrievedDocument[];
  readonly scores: readonly SpanScore[];
  readonly httpStatus: number | null;
  /** Null = it did not fail, as far as the sender says. */
  readonly failure: Failure | null;
  /** Ours, where what the sender says can only mean one of them. */
  readonly errorType: ErrorCode | null;
  /** Names of attributes whose content `input`, `output` and `documents` hold; `a.#` = all that begin with `a.` and a number. */
  readonly content: readonly string[];
}

/** Kinds of spans that are one call of a model: what may cost money. */
export const MODEL_CALL_KINDS: ReadonlySet<SpanKind> = new Set(['llm', 'embedding', 'reranker']);

function firstOf<T>(dialects: readonly Dialect[], ask: (dialect: Dialect) => T | null | undefined): T | null {
  for (const dialect of dialects) {
    const answer = ask(dialect);
    if (answer !== null && answer !== undefined) return answer;
  }
  return null;
}

const MAX_LABEL_CHARACTERS = 256;
const MAX_TAGS = 32;

function label(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return null;
  const text = String(value).slice(0, MAX_LABEL_CHARACTERS).toWellFormed();
  return text === '' ? null : text;
}

/** Attributes that say who it was for have columns of their own. */
const NO_TAGS = /^(session|user|customer|chat)_?id$|^tags$/i;

function tagsOf(view: SpanView, dialects: readonly Dialect[]): Record<string, string> {
  const tags = new Map<string, string>();
  const put = (name: string, value: unknown): void => {
    const text = label(value);
    if (text !== null && name !== '' && name.length <= MAX_LABEL_CHARACTERS && (tags.size < MAX_TAGS || tags.has(name)))
      tags.set(name, text);
  };
  for (const [name, value] of view.span.attributes) {
    const prefix = TAG_PREFIXES.find((candidate) => name.startsWith(candidate));
    if (prefix !== undefined && !NO_TAGS.test(name.slice(prefix.length))) put(name.slice(prefix.length), value);
  }
  for (const name of TAG_LISTS) {
    const list = view.json(name);
    const words = typeof list === 'string' ? list.split(/,\s*/) : list;
    if (Array.isArray(words)) for (const word of words) if (typeof word === 'string') put(word, true);
  }
  for (const dialect of dialects) for (const [name, value] of Object.entries(dialect.tags?.(view) ?? {})) put(name, value);
  // A member named __proto__ is one like any other.
  return Object.fromEntries(tags);
}

function finishReasonsOf(view: SpanView): string[] {
  const value = view.find('finishReasons');
  if (value === null) return [];
  const list = Array.isArray(value.value)
    ? value.value
    : Array.isArray(view.json(value.name))
      ? (view.json(value.name) as unknown[])
      : typeof value.value === 'string'
        ? value.value.split(/,\s*/)
        : [value.value]; // tested in the same expression
  return list
    .filter((reason): reason is string => typeof reason === 'string' && reason !== '')
    .map((reason) => reason.toLowerCase().replaceAll('-', '_').slice(0, 64));
}

/** Dollars as a double or text; to a pico-dollar, half up, since a double has no more to say. */
function costOf(view: SpanView, dialects: readonly Dialect[]): CanonicalSpan['reportedCost'] {
  const value = view.find('costUsd')?.value;
  const usd = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (!Number.isFinite(usd) || usd < 0 || usd > 1_000_000) return null;
  const [whole = '0', fraction = ''] = usd.toFixed(12).split('.');
  return {
    costPicoUsd: BigInt(whole) * PICO_PER_USD + BigInt(fraction),
    isEstimate: dialects.some(({ estimatesCost }) => estimatesCost === true),
  };
}

function httpStatusOf(view: SpanView): number | null {
  const status = view.countOf('httpStatus');
  return status !== null && status >= 100 && status <= 599 ? status : null;
}

const ERROR_NAMES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/rate.?limit|too.?many.?requests|^429$|resource.?exhausted|throttl/i, 'provider_rate_limited'],
  [/time.?out|deadline/i, 'provider_timeout'],
  [/authentication|unauthori[sz]ed|permission|^40[13]$/i, 'provider_auth_failed'],
  [/context.?length|context.?window/i, 'context_length_exceeded'],
  [/content.?filter/i, 'content_filtered'],
  [/connection|unavailable|internal.?server|overloaded|^5\d\d$/i, 'provider_unavailable'],
  [/bad.?request|unprocessable|invalid.?request|not.?found|^4\d\d$/i, 'provider_rejected'],
];

function failureOf(view: SpanView, dialects: readonly Dialect[]): Failure | null {
  const { status, events } = view.span;
  const told = firstOf(dialects, (dialect) => dialect.failure?.(view));
  if (status.code !== 'error') return told;
  const exception = events.find(({ name }) => name === 'exception')?.attributes;
  const [type, message] = [exception?.get('exception.type'), exception?.get('exception.message')];
  return {
    name: view.textOf('errorType') ?? told?.name ?? (typeof type === 'string' ? type : null),
    message: status.message || told?.message || (typeof message === 'string' ? message : ''),
  };
}

function errorTypeOf(failure: Failure | null, status: number | null): ErrorCode | null {
  if (failure === null) return null;
  for (const name of [failure.name, status === null ? null : String(status)]) {
    const found = name === null ? undefined : ERROR_NAMES.find(([pattern]) => pattern.test(name.slice(0, 200)));
    if (found !== undefined) return found[1];
  }
  return null;
}

function kindOf(view: SpanView, dialects: readonly Dialect[]): SpanKind {
  return firstOf(dialects, (dialect) => dialect.kind?.(view)) ?? 'span';
}

/** Reads a span of whatever dialect. Pure: the same span always reads the same. */
export function readSpan(span: OtlpSpan, resource: Attributes): CanonicalSpan {
  const view = new SpanView(span, resource);
  const dialects = dialectsOf(view);
  const kind = kindOf(view, dialects);
  const isModelCall = MODEL_CALL_KINDS.has(kind);
  const requestModel = label(view.textOf('requestModel'));
  const responseModel = label(view.textOf('responseModel'));
  const rule: DialectRule = firstOf(dialects, (dialect) => dialect.tokenRule?.(view)) ?? INCLUSIVE;
  const httpStatus = httpStatusOf(view);
  const failure = failureOf(view, dialects);
  const isStream = view.find('isStream')?.value;
  const first = isModelCall || dialects.length > 0 ? firstToken(view) : null;
  return {
    dialect: dialects[0]?.name ?? null,
    name: firstOf(dialects, (dialect) => dialect.spanName?.(view)) ?? span.name,
    kind,
    provider: isModelCall ? providerOf(view.textOf('provider'), responseModel ?? requestModel) : null,
    requestModel,
    responseModel,
    responseId: label(view.textOf('responseId')),
    serviceTier: serviceTier(view.textOf('serviceTier')),
    finishReasons: finishReasonsOf(view),
    isStream: isStream === true || isStream === 'true' || (isModelCall && first !== null),
    tokens: dialects.length === 0 ? null : readTokens(reportedCounts(view), rule),
    reportedCost: dialects.length === 0 ? null : costOf(view, dialects),
    firstToken: first,
    session: label(view.textOf('session')),
    user: label(view.textOf('user')),
    customer: label(view.textOf('customer')),
    tags: tagsOf(view, dialects),
    input: firstOf(dialects, (dialect) => dialect.input?.(view)),
    output: firstOf(dialects, (dialect) => dialect.output?.(view)),
    documents: firstOf(dialects, (dialect) => dialect.documents?.(view)) ?? [],
    scores: dialects.flatMap((dialect) => dialect.scores?.(view) ?? []),
    httpStatus,
    failure,
    errorType: errorTypeOf(failure, httpStatus),
    content: dialects.flatMap((dialect) => dialect.content),
  };
}
