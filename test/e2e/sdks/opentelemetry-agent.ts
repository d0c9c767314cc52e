import { type Attributes, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { ANSWER, ASKED, MODEL, pause, REFUSAL, SYSTEM, TOOL, TOOL_CALLS, USAGE, USER } from './agent-script.ts';

const parts = (message: { role: string; content: string }) => ({
  role: message.role,
  parts: [{ type: 'text', content: message.content }],
});
const CALL = { type: 'tool_call', id: TOOL.callId, name: TOOL.name, arguments: JSON.parse(TOOL.arguments) };

/** What an instrumentation of one generation of the conventions writes for one call. */
interface Generation {
  readonly call: Attributes;
  readonly usage: Attributes;
  readonly asking: Attributes;
  readonly answering: Attributes;
  readonly asked: Attributes;
  readonly askedAgain: Attributes;
  readonly events: { readonly asked: Events; readonly askedAgain: Events; readonly asking: Events; readonly answering: Events };
}
type Events = readonly (readonly [name: string, attributes: Attributes])[];

const USED = { 'gen_ai.response.finish_reasons': ['stop'] };

export const PRESENT: Generation = {
  call: {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': MODEL,
    'gen_ai.response.model': MODEL,
  },
  usage: {
    'gen_ai.usage.input_tokens': USAGE.input,
    'gen_ai.usage.cache_read.input_tokens': USAGE.cacheRead,
    'gen_ai.usage.output_tokens': USAGE.output,
    'gen_ai.usage.reasoning.output_tokens': USAGE.reasoning,
  },
  asked: {
    'gen_ai.system_instructions': JSON.stringify([{ type: 'text', content: SYSTEM.content }]),
    'gen_ai.input.messages': JSON.stringify([parts(ASKED)]),
  },
  askedAgain: {
    'gen_ai.system_instructions': JSON.stringify([{ type: 'text', content: SYSTEM.content }]),
    'gen_ai.input.messages': JSON.stringify([
      parts(ASKED),
      { role: 'assistant', parts: [CALL] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: TOOL.callId, response: TOOL.result }] },
    ]),
  },
  asking: {
    'gen_ai.response.finish_reasons': ['tool_calls'],
    'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: [CALL], finish_reason: 'tool_calls' }]),
  },
  answering: {
    ...USED,
    'gen_ai.response.time_to_first_chunk': 0.001,
    'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: [{ type: 'text', content: ANSWER }], finish_reason: 'stop' }]),
  },
  events: { asked: [], askedAgain: [], asking: [], answering: [] },
};

const SAID: Events = [
  ['gen_ai.system.message', { content: SYSTEM.content }],
  ['gen_ai.user.message', { content: ASKED.content }],
];

/** As it was until 2025: `gen_ai.system`, counts called after prompts and completions, an event for each message. */
export const EARLIER: Generation = {
  call: { 'gen_ai.operation.name': 'chat', 'gen_ai.system': 'openai', 'gen_ai.request.model': MODEL, 'gen_ai.response.model': MODEL },
  usage: {
    'gen_ai.usage.prompt_tokens': USAGE.input,
    'gen_ai.usage.cache_read_input_tokens': USAGE.cacheRead,
    'gen_ai.usage.completion_tokens': USAGE.output,
    'gen_ai.usage.reasoning_tokens': USAGE.reasoning,
  },
  asked: {},
  askedAgain: {},
  asking: { 'gen_ai.response.finish_reasons': ['tool_calls'] },
  answering: { ...USED, 'gen_ai.server.time_to_first_token': 0.001 },
  events: {
    asked: SAID,
    askedAgain: [
      ...SAID,
      ['gen_ai.assistant.message', { tool_calls: JSON.stringify(TOOL_CALLS) }],
      ['gen_ai.tool.message', { id: TOOL.callId, content: TOOL.result }],
    ],
    asking: [['gen_ai.choice', { index: 0, finish_reason: 'tool_calls', message: JSON.stringify({ tool_calls: TOOL_CALLS }) }]],
    answering: [['gen_ai.choice', { index: 0, finish_reason: 'stop', message: JSON.stringify({ content: ANSWER }) }]],
  },
};

/** @returns the id of the trace */
export async function runOpenTelemetryAgent(exporter: SpanExporter, generation: Generation, session: string): Promise<string> {
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('an-instrumentation', '1.0.0');
  const root = tracer.startSpan('invoke_agent helper', {
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'helper',
      'gen_ai.conversation.id': session,
      'user.id': USER,
    },
  });
  const start = (name: string, attributes: Attributes) => tracer.startSpan(name, { attributes }, trace.setSpan(ROOT_CONTEXT, root));
  const chat = async (attributes: readonly Attributes[], events: readonly Events[]) => {
    const span = start(`chat ${MODEL}`, generation.call);
    for (const each of attributes) span.setAttributes(each);
    for (const [name, each] of events.flat()) span.addEvent(name, each);
    await pause();
    return span;
  };
  const { asked, askedAgain, asking, answering, usage, events } = generation;
  (await chat([asked, asking, usage], [events.asked, events.asking])).end();
  const tool = start(`execute_tool ${TOOL.name}`, {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': TOOL.name,
    'gen_ai.tool.call.arguments': TOOL.arguments,
    'gen_ai.tool.call.result': TOOL.result,
  });
  await pause();
  tool.end();
  (await chat([askedAgain, answering, usage], [events.askedAgain, events.answering])).end();
  const failed = await chat([asked, { 'error.type': REFUSAL }], [events.asked]);
  failed.setStatus({ code: SpanStatusCode.ERROR, message: 'too many requests' });
  failed.end();
  root.end();
  await provider.forceFlush();
  await provider.shutdown();
  return root.spanContext().traceId;
}
