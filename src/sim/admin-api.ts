import { z } from 'zod';
import { PlimsollError } from '../kernel/errors.ts';
import { givenValues, ModelProfileOverride } from './config.ts';
import { decodedPath } from './endpoints.ts';
import type { FaultBoard, FaultSwitch } from './fault-board.ts';
import type { InvoiceBook, InvoiceLine } from './invoice.ts';
import { invoiceKey } from './invoice.ts';
import type { ModelBoard, ServedModel } from './model-board.ts';

const DAY_MS = 86_400_000;

const FaultBody = z.strictObject({
  fault: z.string().min(1).max(1_000),
  models: z.array(z.string().min(1)).min(1).max(100).optional(),
  rate: z.number().min(0).max(1).default(1),
  seed: z.number().int().nonnegative().optional(),
  delayMs: z
    .number()
    .int()
    .nonnegative()
    .max(30 * DAY_MS)
    .default(0),
  durationMs: z
    .number()
    .int()
    .positive()
    .max(30 * DAY_MS),
});

/** What the administration of the simulated providers works on. */
export interface Administered {
  readonly invoice: InvoiceBook;
  readonly faults: FaultBoard;
  readonly models: ModelBoard;
  nowMs(): number;
  stats(): unknown;
  /** Called after faults were switched on or off. */
  faultsChanged(): void;
}

export interface AdminReply {
  readonly status: number;
  readonly body: unknown;
}

const ok = (body: unknown): AdminReply => ({ status: 200, body });
const failed = (status: number, message: string): AdminReply => ({ status, body: { error: { message } } });

function faultBody({ id, text, models, rate, seed, fromMs, untilMs }: FaultSwitch): unknown {
  return { id, fault: text, models, rate, seed, fromMs, untilMs };
}

function modelBody({ name, profile, isChanged }: ServedModel): unknown {
  return { name, isChanged, profile };
}

function issueText(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ');
}

/** An invoice with only the lines of one key or model. */
function filteredInvoice(book: InvoiceBook, query: URLSearchParams): unknown {
  const invoice = book.read();
  const key = query.get('key');
  const model = query.get('model');
  if (key === null && model === null) return invoice;
  const isWanted = (line: InvoiceLine): boolean =>
    (key === null || line.key === key || line.key === invoiceKey(key)) && (model === null || line.model === model);
  const { total: _, ...rest } = invoice;
  return { ...rest, lines: invoice.lines.filter(isWanted) };
}

function switchOn(body: unknown, { faults, nowMs, faultsChanged }: Administered): AdminReply {
  const parsed = FaultBody.safeParse(body);
  if (!parsed.success) return failed(400, issueText(parsed.error));
  const { models, seed, ...rest } = parsed.data;
  try {
    const added = faults.add({ ...rest, models: models ?? null, seed: seed ?? null }, nowMs());
    faultsChanged();
    return { status: 201, body: faultBody(added) };
  } catch (thrown) {
    if (thrown instanceof PlimsollError) return failed(400, thrown.message);
    throw thrown;
  }
}

function changeModel(name: string, body: unknown, { models }: Administered): AdminReply {
  const parsed = ModelProfileOverride.safeParse(body);
  if (!parsed.success) return failed(400, issueText(parsed.error));
  const changed = models.change(name, givenValues(parsed.data));
  return changed === null ? failed(404, `No simulated model is named "${name}"`) : ok(modelBody(changed));
}

/**
 * `/sim/…` on the simulated providers' own port: the invoice, faults for a time, models that change under their name, counts.
 * @param path without `/sim/`
 * @param body parsed JSON; undefined = none
 */
export function answerAdmin(method: string, path: string, query: URLSearchParams, body: unknown, world: Administered): AdminReply {
  const [noun = '', ...rest] = path.split('/');
  const name = decodedPath(rest.join('/'));
  if (name === null) return failed(400, 'The path is not valid');
  switch (`${method} ${noun}${name === '' ? '' : '/…'}`) {
    case 'GET invoice':
      return ok(filteredInvoice(world.invoice, query));
    case 'DELETE invoice':
      world.invoice.reset(world.nowMs());
      return ok(world.invoice.read());
    case 'GET stats':
      return ok(world.stats());
    case 'GET faults':
      return ok({ faults: world.faults.list(world.nowMs()).map(faultBody) });
    case 'POST faults':
      return switchOn(body, world);
    case 'DELETE faults':
    case 'DELETE faults/…': {
      const removed = world.faults.remove(name === '' ? null : name);
      world.faultsChanged();
      return name !== '' && removed === 0 ? failed(404, `No fault has the id "${name}"`) : ok({ removed });
    }
    case 'GET models':
      return ok({ models: world.models.list().map(modelBody) });
    case 'POST models/…':
      return changeModel(name, body, world);
    case 'DELETE models/…': {
      const restored = world.models.restore(name);
      return restored === null ? failed(404, `No simulated model is named "${name}"`) : ok(modelBody(restored));
    }
    default:
      return failed(404, `${method} /sim/${path} does not exist; see docs/reference/simulator.md`);
  }
}
