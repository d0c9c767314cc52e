import { z } from 'zod';

const name = z.string().min(1).max(128);

export const RouteConfig = z.strictObject({
  targets: z.array(name).min(1).max(16).describe('Model aliases; the first is the primary, the rest are fallbacks in this order'),
});

/** `routes:` of plimsoll.yaml. */
export const routesConfig = z
  .record(
    z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/,
        'a name is 1 to 128 of: letters, digits, . _ : / @ -, and starts with a letter or digit',
      ),
    RouteConfig,
  )
  .describe('What a request may ask for as its "model": a route tries its targets in order. Routes and models share one namespace');

/** `gateway:` of plimsoll.yaml. */
export const gatewayConfig = z
  .strictObject({
    workers: z.int().min(1).max(64).default(1).describe('Gateway processes that share the port; a change starts or drains workers'),
    maxBodyBytes: z
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(32 * 1024 * 1024)
      .describe('Largest request body, bytes; larger ones are refused with 413'),
    maxJsonDepth: z.int().min(8).max(1024).default(128).describe('Deepest nesting of a request body'),
    maxConcurrentRequests: z
      .int()
      .min(1)
      .max(100_000)
      .default(4096)
      .describe('Calls in flight per worker; further ones are refused with 429'),
    maxPayloadBytes: z
      .int()
      .min(1024)
      .max(64 * 1024 * 1024)
      .default(1024 * 1024)
      .describe('Longest prompt or answer that is kept with a trace, bytes; longer ones are cut and marked'),
    journalMaxBytes: z
      .int()
      .min(16 * 1024 * 1024)
      .default(4 * 1024 * 1024 * 1024)
      .describe(
        'Most disk that one worker’s journal may use while control is away; payloads are shed from 80 % on, calls are refused at the end',
      ),
  })
  .prefault({})
  .describe('The data plane');
