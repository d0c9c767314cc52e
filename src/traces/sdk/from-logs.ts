import { contentHash } from '../../kernel/ids.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { SenderMeta } from '../otlp/batch-record.ts';
import type { GenAiLog, LogRequest } from '../otlp/logs.ts';
import { type AttributeValue, OTLP_LIMITS, type OtlpEvent, type OtlpSpan } from '../otlp/span.ts';
import { scoreRowOf } from '../scores/score-rows.ts';
import type { ScoreRow } from '../scores/store.ts';
import { featureOfRun } from './request-record.ts';
import { type RunPart, spanOfRun } from './run-part.ts';

/** What GenAI events in logs come to: texts of spans, which wait for one another, and scores. */
export interface LogParts {
  readonly parts: readonly RunPart[];
  readonly scores: readonly ScoreRow[];
  readonly rejected: number;
  readonly reason: string;
}

const LOG = 'log.';

/** An event waits as an attribute of the span that it belongs to, under a name that is the same when it is sent again. */
function partOf({ traceId, spanId, atNs, event, attributes, resource, scope }: GenAiLog): RunPart {
  const told = JSON.stringify({ atNs: atNs.toString(), event, attributes: Object.fromEntries(attributes) });
  const service = resource.get('plimsoll.feature') ?? resource.get('service.name');
  return {
    traceId,
    spanId,
    scope: scope.name,
    isFrame: true,
    isLog: true,
    startedAtNs: atNs.toString(),
    endedAtNs: atNs.toString(),
    ...(typeof service === 'string' ? { project: service } : {}),
    attributes: { [`${LOG}${atNs}.${contentHash(told).slice(0, 16)}`]: told },
  };
}

function scoreOf({ traceId, spanId, atNs, attributes }: GenAiLog, feature: string, sender: SenderMeta, nowMs: number): ScoreRow | null {
  const name = attributes.get('gen_ai.evaluation.name');
  const value = attributes.get('gen_ai.evaluation.score.value') ?? attributes.get('gen_ai.evaluation.score.label');
  const comment = attributes.get('gen_ai.evaluation.explanation');
  if (typeof name !== 'string' || name === '' || (typeof value !== 'number' && typeof value !== 'string' && typeof value !== 'boolean'))
    return null;
  const at = Math.min(Number(atNs / 1_000_000n), nowMs);
  const text = typeof comment === 'string' && comment !== '' ? { comment: comment.slice(0, 4_000) } : {};
  return scoreRowOf(sender, { traceId, spanId, name: name.slice(0, 256), value, source: 'code', at, ...text, feature }, nowMs);
}

/** Reads each event for whom it is; one that cannot be kept says why. */
export function partsFromLogs(request: LogRequest, sender: SenderMeta, receivedAtMs: number): LogParts {
  const parts: RunPart[] = [];
  const scores: ScoreRow[] = [];
  let { rejected, reason } = request;
  const reject = (why: string): void => {
    rejected += 1;
    reason ||= why;
  };
  for (const log of request.logs) {
    const part = partOf(log);
    const feature = featureOfRun(part, sender);
    if (feature === null) reject('the key is not bound to a feature and the resource names none: send the header x-plimsoll-feature');
    else if (log.event === 'gen_ai.evaluation.result') {
      const score = scoreOf(log, feature, sender, receivedAtMs);
      if (score === null) reject('a gen_ai.evaluation.result has no name, or neither value nor label');
      else scores.push(score);
    } else if (sender.features[feature] === 'none')
      reject(`the feature "${feature}" keeps no texts, and a ${log.event} holds nothing else`);
    else parts.push(part);
  }
  return { parts, scores, rejected, reason };
}

/** A span that has nothing but the events of its logs, in their order; what they say is read as if they had come with it. */
export function spanOfLogs(part: RunPart): OtlpSpan {
  const events = Object.entries(part.attributes)
    .filter(([name]) => name.startsWith(LOG))
    .map(([, told]): OtlpEvent => {
      const { atNs, event, attributes } = parseJsonText(String(told)) as {
        atNs: string;
        event: string;
        attributes: Record<string, AttributeValue>;
      }; // written by partOf
      return { name: event, atNs: BigInt(atNs), attributes: new Map(Object.entries(attributes)) };
    })
    .sort((a, b) => (a.atNs < b.atNs ? -1 : a.atNs > b.atNs ? 1 : 0))
    .slice(0, OTLP_LIMITS.eventsPerSpan);
  return { ...spanOfRun({ ...part, attributes: {} }), events };
}
