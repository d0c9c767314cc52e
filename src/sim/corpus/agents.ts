import type { CorpusTool, CorpusToolUse } from './model.ts';

/** What an agent is asked, and the steps that the model takes. */
export interface AgentScript {
  readonly name: string;
  readonly systemPrompt: string;
  readonly tools: readonly CorpusTool[];
  readonly question: string;
  /** One call a step, in this order. */
  readonly steps: readonly [CorpusToolUse, ...CorpusToolUse[]];
  /** Said after the last step; null = the steps begin again and it never ends. */
  readonly answer: string | null;
}

function tool(name: string, description: string, properties: Readonly<Record<string, string>>): CorpusTool {
  return {
    name,
    description,
    parameters: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(properties).map(([key, type]) => [key, { type }])),
      required: Object.keys(properties),
      additionalProperties: false,
    },
  };
}

const SEARCH = tool('search_products', 'Search the catalogue', { query: 'string' });
const STOCK = tool('get_stock', 'Metres of one rope in the warehouse', { sku: 'string' });
const SHIPPING = tool('estimate_shipping', 'Days and price to a place', { destination: 'string', weight_kg: 'number' });
const RESERVE = tool('reserve_stock', 'Reserve metres of one rope for a day', { sku: 'string', metres: 'number' });
const ORDER = tool('get_order', 'One order with its items', { order_id: 'string' });
const PAYMENT = tool('get_payment', 'The payment of one order', { order_id: 'string' });
const REFUND = tool('create_refund', 'Refund an amount of one order', { order_id: 'string', amount_eur: 'number' });
const MAIL = tool('send_mail', 'Send a mail to a customer', { to: 'string', subject: 'string' });
const LOGS = tool('search_logs', 'Errors of the shop in the last hour', { service: 'string' });
const FILE = tool('read_file', 'Read one file of the repository', { path: 'string' });
const PALLET = tool('get_pallet_status', 'Where a pallet is', { pallet_id: 'string' });
const DOCS = tool('search_docs', 'Search the help pages', { query: 'string' });

/** Agents whose loop ends. */
export const ENDING_AGENTS: readonly AgentScript[] = [
  {
    name: 'reserve-rope',
    systemPrompt: 'You are the sales agent of Tidemark Supply. Use the tools one at a time. Stop when the task is done.',
    tools: [SEARCH, STOCK, SHIPPING, RESERVE],
    question: 'Can we deliver 40 m of 12 mm anchor rope to Bergen by Friday? If so, reserve it.',
    steps: [
      {
        name: 'search_products',
        arguments: { query: 'anchor rope 12 mm' },
        result: { products: [{ sku: 'ANK-12', name: 'Anchor rope 12 mm', kg_per_100m: 9.4 }] },
      },
      { name: 'get_stock', arguments: { sku: 'ANK-12' }, result: { sku: 'ANK-12', metres: 215 } },
      {
        name: 'estimate_shipping',
        arguments: { destination: 'Bergen', weight_kg: 4 },
        result: { days: 3, price_eur: 14.9, arrives: 'Thursday' },
      },
      { name: 'reserve_stock', arguments: { sku: 'ANK-12', metres: 40 }, result: { reservation: 'R-20417', until: '18:00 tomorrow' } },
    ],
    answer:
      'Yes. 215 m of the 12 mm anchor rope (ANK-12) are in stock, and a parcel to Bergen takes three days, so it arrives on **Thursday** for 14.90 EUR. I reserved **40 m** under **R-20417** until 18:00 tomorrow.',
  },
  {
    name: 'refund-order',
    systemPrompt: 'You handle refunds up to 200 euros for Tidemark Supply. Check before you pay. Write to the customer at the end.',
    tools: [ORDER, PAYMENT, REFUND, MAIL],
    question: 'Refund the torn sail bag of order TS-118420 and tell the customer.',
    steps: [
      {
        name: 'get_order',
        arguments: { order_id: 'TS-118420' },
        result: { items: [{ name: 'Sail bag 6 m', price_eur: 64.5 }], customer: 'mei.tanaka@example.com' },
      },
      { name: 'get_payment', arguments: { order_id: 'TS-118420' }, result: { state: 'captured', amount_eur: 128.4, refunded_eur: 0 } },
      { name: 'create_refund', arguments: { order_id: 'TS-118420', amount_eur: 64.5 }, result: { refund: 'RF-3307', state: 'pending' } },
      { name: 'send_mail', arguments: { to: 'mei.tanaka@example.com', subject: 'Your refund for the sail bag' }, result: { sent: true } },
    ],
    answer:
      'Done: **64.50 EUR** for the sail bag of order TS-118420 are on their way back (RF-3307), and the customer has a mail about it.',
  },
  {
    name: 'find-error',
    systemPrompt: 'You look for the cause of errors in the web shop. Read only what you need. Name file, line and fix.',
    tools: [LOGS, FILE],
    question: 'Checkout has thrown errors since noon. Find the cause.',
    steps: [
      {
        name: 'search_logs',
        arguments: { service: 'checkout' },
        result: {
          errors: [{ message: "Cannot read properties of undefined (reading 'country')", at: 'src/checkout/tax.ts:41', count: 812 }],
        },
      },
      { name: 'read_file', arguments: { path: 'src/checkout/tax.ts' }, result: { line_41: 'return rateOf(order.address.country);' } },
      {
        name: 'read_file',
        arguments: { path: 'src/checkout/order.ts' },
        result: { line_12: 'address?: Address; // absent for pick-up in the shop' },
      },
    ],
    answer:
      'The cause is `src/checkout/tax.ts`, line 41: orders for **pick-up in the shop** have no address (see `src/checkout/order.ts`, line 12), and the line reads `order.address.country`.\n\nFix: use the country of the shop when there is no address.\n\n```ts\nreturn rateOf(order.address?.country ?? SHOP_COUNTRY);\n```',
  },
];

/** Agents that never come to an end: the first asks the same again and again, the second goes to and fro. */
export const RUNAWAY_AGENTS: readonly AgentScript[] = [
  {
    name: 'wait-for-pallet',
    systemPrompt: 'You tell the warehouse when a pallet has arrived.',
    tools: [PALLET],
    question: 'Tell me as soon as pallet P-7781 is in the warehouse.',
    steps: [{ name: 'get_pallet_status', arguments: { pallet_id: 'P-7781' }, result: { pallet_id: 'P-7781', status: 'in_transit' } }],
    answer: null,
  },
  {
    name: 'to-and-fro',
    systemPrompt: 'You look for a product and its manual.',
    tools: [SEARCH, DOCS],
    question: 'Find the manual of the discontinued Skerry 2 compass.',
    steps: [
      { name: 'search_products', arguments: { query: 'Skerry 2 compass' }, result: { products: [] } },
      { name: 'search_docs', arguments: { query: 'Skerry 2 compass manual' }, result: { results: [] } },
    ],
    answer: null,
  },
];

export const AGENTS: readonly AgentScript[] = [...ENDING_AGENTS, ...RUNAWAY_AGENTS];
