import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { PlimsollError, toPlimsollError } from '../kernel/errors.ts';
import type { CallAttempt, CallPurpose } from '../traces/call-record.ts';
import { Call, type Caller } from './call.ts';
import type { ClientDialect } from './client-dialect.ts';
import type { CompiledSnapshot, CompiledTarget } from './compiled-snapshot.ts';
import { openAiChat } from './dialects/openai-chat.ts';
import type { GatewayContext } from './gateway-context.ts';
import { admitInternal } from './stages/admit.ts';
import { infer } from './stages/infer.ts';
import { open } from './stages/open.ts';
import { record } from './stages/record.ts';
import { settle } from './stages/settle.ts';

/** A model call that the gateway makes by itself: one target, a JSON answer, nobody to send it to. */
export interface InternalCallOptions {
  readonly purpose: CallPurpose;
  readonly snapshot: CompiledSnapshot;
  readonly caller: Caller;
  /** The client's call that it belongs to; null for none. */
  readonly parent: Call | null;
  readonly target: CompiledTarget;
  /** Asked in turn when it fails. */
  readonly fallbacks?: readonly CompiledTarget[];
  /** Absent = chat. */
  readonly dialect?: ClientDialect;
  /** In the hub's dialect. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
}

export interface FinishedInternalCall {
  /** Text of the first choice; null when the call failed. */
  readonly text: string | null;
  /** The whole answer; null when the call failed. */
  readonly body: Buffer | null;
  readonly error: PlimsollError | null;
  /** Null when there is none to pay for, or no price. */
  readonly costPicoUsd: bigint | null;
  readonly attempts: readonly CallAttempt[];
}

export interface InternalCall {
  /** Never rejects. */
  readonly finished: Promise<FinishedInternalCall>;
  fail(error: PlimsollError): void;
}

/**
 * Runs it like a client's call from the journal's `call.opened` to its ledger row, so that what it costs is counted and a crash leaves nothing
 * open. Its spans join the trace of the call that it belongs to.
 */
export function startInternalCall(options: InternalCallOptions, context: GatewayContext): InternalCall {
  const { parent, snapshot, target, fallbacks = [], dialect = openAiChat } = options;
  // A request and a response that no connection stands behind: the stages read headers from the one and write nothing to the other.
  const request = new IncomingMessage(new Socket());
  if (parent !== null) request.headers.traceparent = `00-${parent.traceId}-${parent.spanId}-01`;
  const call = new Call(request, new ServerResponse(request), dialect, snapshot, context.clock);
  call.purpose = options.purpose;
  call.caller = options.caller;
  call.parentCallId = parent?.callId ?? null;
  call.user = parent?.user ?? null;
  call.session = parent?.session ?? null;
  call.customer = parent?.customer ?? null;
  call.tags = parent?.tags ?? {};
  call.destination = { name: target.model, route: parent?.destination?.route ?? null, targets: [target, ...fallbacks], routing: null };
  call.targets = call.destination.targets;
  const timer = context.clock.setTimer(options.timeoutMs, () =>
    call.stop(
      new PlimsollError('provider_timeout', `"${target.provider.name}" did not finish within ${options.timeoutMs} ms.`, {
        details: { provider: target.provider.name, timeout: 'internal', timeoutMs: options.timeoutMs },
      }),
    ),
  );
  // Among the calls in flight first: its `call.opened` must be carried over into a new segment.
  const finished = Promise.resolve()
    .then(() => run(call, options.request, context))
    .finally(() => timer.cancel());
  context.track(call, finished);
  return { finished, fail: (error) => call.stop(error) };
}

async function run(call: Call, request: Readonly<Record<string, unknown>>, context: GatewayContext): Promise<FinishedInternalCall> {
  try {
    const bytes = Buffer.from(JSON.stringify(call.operation === 'chat' ? { ...request, stream: false } : request));
    call.body = call.dialect.scan(bytes, call.snapshot.bodyScanner, '');
    await admitInternal(call, context);
    await open(call, context);
    call.enterStage('infer');
    await infer(call, context);
  } catch (thrown) {
    call.leaveStage('error');
    call.error = toPlimsollError(thrown);
  }
  try {
    settle(call, context);
    record(call, context);
  } catch (thrown) {
    call.error = toPlimsollError(thrown);
  }
  const cost = call.outcome?.costPicoUsd ?? null;
  return {
    body: call.error === null && call.answer?.kind === 'json' ? call.answer.body : null,
    text: call.error === null ? (call.texts?.text() ?? null) : null,
    error: call.error,
    costPicoUsd: cost === null ? null : BigInt(cost),
    attempts: call.attempts,
  };
}
