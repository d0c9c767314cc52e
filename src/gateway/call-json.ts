/**
 * The JSON of a call's records, put together by hand: half the cost of building an object for JSON.stringify, on a path that runs several times
 * per call. A test holds each text against the type that it stands for.
 */
import { jsonText } from '../kernel/json-text.ts';
import type { CallAttempt, CallOpened, CallStage } from '../traces/call-record.ts';
import type { CallOutcome } from './call.ts';

/** What is the same in the records of all calls of one caller, put together once per snapshot. */
export interface CallerJson {
  /** Members of `call.opened`. */
  readonly opened: string;
  /** Members of the log line. */
  readonly log: string;
}

/** What is the same in the records of all calls to one target. */
export interface TargetJson {
  readonly opened: string;
  readonly attempt: string;
  readonly log: string;
}

const THOUSANDTHS = Array.from({ length: 1000 }, (_, index) => `.${String(index).padStart(3, '0')}`);

/** Milliseconds of microsecond resolution as JSON. Digits of a fraction are what costs most in these records: they come from a table. */
function msText(ms: number | null): string {
  if (ms === null) return 'null';
  const microseconds = Math.round(ms * 1000);
  const whole = Math.floor(microseconds / 1000);
  const rest = microseconds - whole * 1000;
  return rest === 0 ? `${whole}` : `${whole}${THOUSANDTHS[rest]}`;
}

function textList(values: readonly string[]): string {
  return values.length === 1 ? `[${jsonText(values[0] ?? '')}]` : JSON.stringify(values);
}

type CallerFacts = Pick<CallOpened, 'organisationId' | 'environment' | 'feature' | 'team' | 'keyId'>;
type AttemptTarget = Pick<CallAttempt, 'model' | 'provider' | 'providerKind' | 'requestModel' | 'region' | 'isSelfHosted'>;

export function callerJson(facts: CallerFacts): CallerJson {
  const { organisationId, environment, feature, team, keyId } = facts;
  const names = `"feature":${jsonText(feature)},"team":${jsonText(team)}`;
  return {
    opened: `"organisationId":${jsonText(organisationId)},"environment":${jsonText(environment)},${names},"keyId":${jsonText(keyId)}`,
    log: names,
  };
}

export function targetJson(target: AttemptTarget, isSimulated: boolean): TargetJson {
  const { model, provider, requestModel } = target;
  return {
    opened: firstTargetMembers({ model, provider, upstreamModel: requestModel }, isSimulated),
    attempt: attemptTargetMembers(target),
    log: `"model":${jsonText(model)},"provider":${jsonText(provider)}`,
  };
}

function firstTargetMembers(target: CallOpened['firstTarget'], isSimulated: boolean): string {
  const first =
    target === null
      ? 'null'
      : `{"model":${jsonText(target.model)},"provider":${jsonText(target.provider)},"upstreamModel":${jsonText(target.upstreamModel)}}`;
  return `"firstTarget":${first},"isSimulated":${isSimulated}`;
}

function attemptTargetMembers(target: AttemptTarget): string {
  return `"model":${jsonText(target.model)},"provider":${jsonText(target.provider)},"providerKind":${jsonText(target.providerKind)},"requestModel":${jsonText(target.requestModel)}${placeMembers(target)}`;
}

/** @param caller and `target`: what `callerJson` and `targetJson` made of the same facts, where somebody has them */
export function openedJson(
  opened: CallOpened,
  caller: string = callerJson(opened).opened,
  target: string = firstTargetMembers(opened.firstTarget, opened.isSimulated),
): string {
  const { tags } = opened;
  let hasTags = false;
  for (const _ in tags) {
    hasTags = true;
    break;
  }
  return `{"callId":"${opened.callId}","traceId":"${opened.traceId}","spanId":"${opened.spanId}","parentSpanId":${jsonText(opened.parentSpanId)},${caller},"operation":"${opened.operation}","user":${jsonText(opened.user)},"session":${jsonText(opened.session)},"customer":${jsonText(opened.customer)},"tags":${hasTags ? JSON.stringify(tags) : '{}'},"requestedModel":${jsonText(opened.requestedModel)},"route":${jsonText(opened.route)}${opened.endpoint === undefined ? '' : `,"endpoint":${jsonText(opened.endpoint)}`},"isStream":${opened.isStream},"startedAtMs":${opened.startedAtMs},"snapshotEpoch":${opened.snapshotEpoch},"estimatedInputTokens":${opened.estimatedInputTokens}${opened.reservedOutputTokens === undefined ? '' : `,"reservedOutputTokens":${opened.reservedOutputTokens}`},${target}${opened.purpose === undefined ? '' : `,"purpose":"${opened.purpose}"`}${opened.parentCallId === undefined ? '' : `,"parentCallId":"${opened.parentCallId}"`}}`;
}

function usageJson(usage: CallAttempt['usage']): string {
  if (usage === null) return 'null';
  return `{"inputUncachedTokens":${usage.inputUncachedTokens},"cacheReadTokens":${usage.cacheReadTokens},"cacheWrite5mTokens":${usage.cacheWrite5mTokens},"cacheWrite1hTokens":${usage.cacheWrite1hTokens},"audioInputTokens":${usage.audioInputTokens},"outputTextTokens":${usage.outputTextTokens},"reasoningTokens":${usage.reasoningTokens},"audioOutputTokens":${usage.audioOutputTokens}}`;
}

/** @param target what `targetJson` made of the attempt's target, where somebody has it */
export function attemptJson(attempt: CallAttempt, target: string = attemptTargetMembers(attempt)): string {
  return `{"spanId":"${attempt.spanId}",${target},"responseModel":${jsonText(attempt.responseModel)},"responseId":${jsonText(attempt.responseId)},"startOffsetMs":${msText(attempt.startOffsetMs)},"durationMs":${msText(attempt.durationMs)},"ttftMs":${msText(attempt.ttftMs)},"status":"${attempt.status}","httpStatus":${attempt.httpStatus},"errorType":${jsonText(attempt.errorType)},"errorMessage":${jsonText(attempt.errorMessage)},"finishReasons":${textList(attempt.finishReasons)},"usage":${usageJson(attempt.usage)},"usageSource":${jsonText(attempt.usageSource)},"providerUsage":${jsonText(attempt.providerUsage)},"costPicoUsd":${jsonText(attempt.costPicoUsd)},"costStatus":"${attempt.costStatus}","priceId":${jsonText(attempt.priceId)}${attempt.serviceTier === undefined ? '' : `,"serviceTier":${jsonText(attempt.serviceTier)}`}${attempt.bookedPicoUsd === undefined ? '' : `,"bookedPicoUsd":"${attempt.bookedPicoUsd}"`}${attempt.units === undefined ? '' : `,"units":${JSON.stringify(attempt.units)}`}${attempt.isResent === undefined ? '' : `,"isResent":${attempt.isResent}`}${attempt.role === undefined ? '' : `,"role":"${attempt.role}"`}}`;
}

/** Most targets declare neither. */
function placeMembers({ region, isSelfHosted }: AttemptTarget): string {
  return `${region === undefined ? '' : `,"region":${jsonText(region)}`}${isSelfHosted === undefined ? '' : `,"isSelfHosted":${isSelfHosted}`}`;
}

function stageJson(stage: CallStage): string {
  return `{"name":"${stage.name}","startOffsetMs":${msText(stage.startOffsetMs)},"durationMs":${msText(stage.durationMs)},"status":"${stage.status}"}`;
}

/** Members that most calls do not have. */
const OPTIONAL_MEMBERS = ['cache', 'targetRules', 'outputValidation', 'routing'] as const satisfies readonly (keyof CallOutcome)[];

function optionalMembers(outcome: CallOutcome): string {
  let members = '';
  for (const name of OPTIONAL_MEMBERS) {
    const value = outcome[name];
    if (value !== undefined) members += `,"${name}":${JSON.stringify(value)}`;
  }
  return members;
}

/** The members of an outcome, without the braces around them. @param attempts `attemptJson` of each of its attempts, where somebody has them */
export function outcomeMembers(
  outcome: CallOutcome,
  attempts: string = outcome.attempts.map((attempt) => attemptJson(attempt)).join(),
): string {
  const { interTokenMs: gaps } = outcome;
  let stages = '';
  for (const stage of outcome.stages) stages += stages === '' ? stageJson(stage) : `,${stageJson(stage)}`;
  return `"status":"${outcome.status}","httpStatus":${outcome.httpStatus},"errorType":${jsonText(outcome.errorType)},"errorMessage":${jsonText(outcome.errorMessage)},"durationMs":${msText(outcome.durationMs)},"ttftMs":${msText(outcome.ttftMs)},"interTokenMs":${gaps === null ? 'null' : `{"count":${gaps.count},"meanMs":${msText(gaps.meanMs)},"maxMs":${msText(gaps.maxMs)}}`},"attempts":[${attempts}],"stages":[${stages}],"costPicoUsd":${jsonText(outcome.costPicoUsd)},"costStatus":"${outcome.costStatus}","isRecovered":${outcome.isRecovered}${optionalMembers(outcome)}`;
}
