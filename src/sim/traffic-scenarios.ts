import { type AgentScript, ENDING_AGENTS, RUNAWAY_AGENTS } from './corpus/agents.ts';
import { FAQ, type FaqEntry, faqHandbook } from './corpus/faq.ts';
import { CORPUS_FEATURES } from './corpus/features.ts';
import type { CorpusConversation, CorpusFeature, CorpusTool } from './corpus/model.ts';
import type { Difficulty } from './corpus/task-template.ts';
import { drawTask } from './corpus/tasks.ts';
import type { SeededRandom } from './seeded-random.ts';

/**
 * What sessions do. `chat`, `responses` and `messages` play conversations of the corpus through one API each; `agent` runs tool loops, `faq`
 * asks the help centre in changing words, `task` asks what can be checked, `embed` embeds texts.
 */
export const TRAFFIC_KINDS = ['chat', 'responses', 'messages', 'agent', 'faq', 'task', 'embed'] as const;
export type TrafficKind = (typeof TRAFFIC_KINDS)[number];
/** Relative shares of the sessions. */
export type TrafficMix = Readonly<Record<TrafficKind, number>>;

export const USUAL_MIX: TrafficMix = { chat: 50, responses: 10, messages: 12, agent: 6, faq: 12, task: 5, embed: 5 };

/** Who calls, as the gateway's headers name them. */
export interface Caller {
  readonly user: string;
  readonly session: string;
  /** Null = a private person. */
  readonly customer: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

/** What one simulated person does. */
export interface Scenario {
  readonly kind: TrafficKind;
  /** The feature whose key is used. */
  readonly feature: CorpusFeature;
  readonly systemPrompt: string;
  readonly tools: readonly CorpusTool[];
  /** Turn by turn; an agent and a question have one. */
  readonly conversation: CorpusConversation;
  /** Set for `agent`. */
  readonly agent: AgentScript | null;
  readonly caller: Caller;
  readonly isStream: boolean;
  /** The person leaves after the first piece of a streamed answer. */
  readonly leavesEarly: boolean;
  /** Fault asked for in the last user message of the first turn; null = none. */
  readonly fault: string | null;
}

/** Faults of a normal day. `first=1` breaks only the first attempt, so that a fallback can answer. */
const FAULTS = [
  'error:500;first=1',
  'error:503;first=1',
  'error:429;retry-after=1;first=1',
  'connection_reset;first=1',
  'malformed_json;first=1',
  'error_first_event;first=1',
  'error:500',
  'slow_first_byte=1500',
  'cut_after=6',
  'context_length',
  'content_filter',
  'refusal',
  'no_usage',
] as const;

/** Example features have more traffic the earlier they stand. */
const SHARES = [0.45, 0.2, 0.15, 0.2];
const STREAM_RATIO = 0.7;
const LEAVE_RATIO = 0.02;
const CUSTOMERS = [
  'Marina Westhaven',
  'Fjordcharter AS',
  'Segelschule Harms',
  'Club Náutico Valencia',
  'Nordlys Expeditions',
  'Baltic Sail Tours',
];
const CHANNELS = ['web', 'web', 'web', 'app', 'app', 'email'];
/** One in so many users belongs to a customer. */
const CUSTOMER_EVERY = 3;

const FAQ_SYSTEM_PROMPT = faqHandbook();

function weighted<T>(entries: readonly (readonly [T, number])[], random: SeededRandom): T | null {
  let draw = random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of entries) {
    draw -= weight;
    if (draw < 0) return value;
  }
  return entries.at(-1)?.[0] ?? null;
}

/** Some ask word for word, most in other words, a few what only looks the same. */
function faqQuestion(entry: FaqEntry, random: SeededRandom): string {
  const draw = random.next();
  if (draw < 0.35) return entry.question;
  return draw < 0.85 ? random.pick(entry.paraphrases) : entry.trap.question;
}

const DIFFICULTIES: readonly (readonly [Difficulty, number])[] = [
  ['simple', 5],
  ['medium', 3],
  ['complex', 2],
];

function oneQuestion(question: string): CorpusConversation {
  return { language: 'en', turns: [{ question, answer: '' }] };
}

function drawCaller(users: number, random: SeededRandom): Caller {
  const number = Math.floor(users * random.next() ** 2);
  return {
    user: `user-${String(number).padStart(3, '0')}`,
    session: `session-${random.hex(12)}`,
    customer: number % CUSTOMER_EVERY === 0 ? (CUSTOMERS[(number / CUSTOMER_EVERY) % CUSTOMERS.length] ?? null) : null,
    tags: { channel: random.pick(CHANNELS) },
  };
}

export interface ScenarioOptions {
  /** Names of the features that there are keys for; scenarios come from these only. */
  readonly features: readonly string[];
  /** Share of the sessions with a fault (fraction). An agent with a fault runs away. */
  readonly faultRatio: number;
  readonly mix: TrafficMix;
  /** Different users (count ≥ 1); the first ones come most often. */
  readonly users: number;
}

/** Draws the next scenario. */
export function drawScenario(options: ScenarioOptions, random: SeededRandom): Scenario {
  const { features, faultRatio, mix, users } = options;
  const kind =
    weighted(
      TRAFFIC_KINDS.map((name) => [name, mix[name]] as const),
      random,
    ) ?? 'chat';
  const offered = CORPUS_FEATURES.flatMap((feature, at) =>
    features.includes(feature.name) ? [[feature, SHARES[at] ?? 0.1] as const] : [],
  );
  const drawn = weighted(offered, random) ?? CORPUS_FEATURES[0];
  // The help centre and most agents belong to the first feature.
  const feature = kind === 'agent' || kind === 'faq' ? (offered[0]?.[0] ?? drawn) : drawn;
  const isFaulty = random.chance(faultRatio);
  const agent = kind === 'agent' ? random.pick(isFaulty ? RUNAWAY_AGENTS : ENDING_AGENTS) : null;
  const isStream = kind !== 'embed' && random.chance(STREAM_RATIO);
  const conversation = ((): CorpusConversation => {
    switch (kind) {
      case 'faq':
        return oneQuestion(faqQuestion(random.pick(FAQ), random));
      case 'task':
        return oneQuestion(drawTask(weighted(DIFFICULTIES, random) ?? 'simple', random).prompt);
      case 'agent':
        return oneQuestion(agent?.question ?? '');
      case 'chat':
      case 'responses':
      case 'messages':
      case 'embed':
        return random.pick(feature.conversations);
    }
  })();
  return {
    kind,
    feature,
    systemPrompt: kind === 'faq' ? FAQ_SYSTEM_PROMPT : (agent?.systemPrompt ?? feature.systemPrompt),
    tools: agent?.tools ?? (kind === 'faq' || kind === 'task' ? [] : feature.tools),
    conversation,
    agent,
    caller: drawCaller(users, random),
    isStream,
    leavesEarly: isStream && random.chance(LEAVE_RATIO),
    // The id keeps two people with the same question and fault apart.
    fault: isFaulty && kind !== 'agent' && kind !== 'embed' ? `${random.pick(FAULTS)};id=${random.hex(8)}` : null,
  };
}

/** What the tool of an agent or a conversation gives back for a call. */
export function toolResult(scenario: Scenario, turn: number, name: string, argumentsText: string, position: number): string {
  const steps = scenario.agent?.steps;
  const step = steps?.find((known) => known.name === name && JSON.stringify(known.arguments) === argumentsText);
  return JSON.stringify(step?.result ?? scenario.conversation.turns[turn]?.tools?.[position]?.result ?? { status: 'nothing found' });
}

/** Calls that an average session makes when nothing fails (count). */
export function callsPerSession({ features, mix }: Pick<ScenarioOptions, 'features' | 'mix'>): number {
  const conversations = CORPUS_FEATURES.filter((feature) => features.includes(feature.name)).flatMap((feature) => feature.conversations);
  const calls = conversations.reduce(
    (sum, { turns }) => sum + turns.reduce((count, turn) => count + (turn.tools === undefined ? 1 : 2), 0),
    0,
  );
  const perConversation = calls / Math.max(1, conversations.length);
  const perAgent = ENDING_AGENTS.reduce((sum, { steps }) => sum + steps.length + 1, 0) / ENDING_AGENTS.length;
  const weight = TRAFFIC_KINDS.reduce((sum, kind) => sum + mix[kind], 0);
  const perKind: Readonly<Record<TrafficKind, number>> = {
    chat: perConversation,
    responses: perConversation,
    messages: perConversation,
    agent: perAgent,
    faq: 1,
    task: 1,
    embed: 1,
  };
  return weight === 0 ? perConversation : TRAFFIC_KINDS.reduce((sum, kind) => sum + mix[kind] * perKind[kind], 0) / weight;
}
