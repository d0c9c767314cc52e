import { z } from 'zod';
import { PlimsollError } from './errors.ts';
import type { Method, Route } from './routes.ts';

interface CompiledRoute<S> {
  readonly route: Route<S>;
  readonly segments: readonly { readonly text: string; readonly isParameter: boolean }[];
}

export interface RouteMatch<S> {
  readonly route: Route<S>;
  readonly params: Readonly<Record<string, string>>;
}

export interface RouteTable<S> {
  /** @throws PlimsollError `not_found`; `method_not_allowed` with `details.allow`; `invalid_argument` for a malformed escape */
  match(method: string, path: string): RouteMatch<S>;
  /** Methods of a path, for OPTIONS and `allow`; empty when there is no such path. */
  methods(path: string): string[];
}

function compile<S>(route: Route<S>): CompiledRoute<S> {
  const segments = route.path.slice(1).split('/');
  return { route, segments: segments.map((segment) => ({ text: segment.replace(/^:/, ''), isParameter: segment.startsWith(':') })) };
}

/**
 * What would be a hole or a riddle at run time is an error of the start.
 * @throws PlimsollError `internal` naming every fault
 */
export function checkRoutes<S>(routes: readonly Route<S>[]): void {
  const faults: string[] = [];
  const seen = new Map<string, string>();
  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    const shape = `${route.method} ${route.path.replaceAll(/:[^/]+/g, ':')}`;
    const twin = seen.get(shape);
    if (twin !== undefined) faults.push(`${name} is declared twice${twin === name ? '' : ` (also as ${twin})`}`);
    seen.set(shape, name);
    // Types forbid it; a route from plain JavaScript or a cast would pass them.
    if (typeof route.permission !== 'string' || !/^(public|\*|[^:\s]+:[^:\s]+)$/.test(route.permission))
      faults.push(`${name} declares no permission`);
    if (route.method !== 'GET' && route.audit === null && !route.isJournaled && !route.isSelfAudited)
      faults.push(`${name} changes something and declares no audit action`);
    if (route.method === 'GET' && route.audit !== null)
      faults.push(`${name} is a GET and declares an audit action: GET must change nothing`);
    if (route.audit !== null && !/^[a-z_]+\.[a-z_]+$/.test(route.audit))
      faults.push(`${name} has an audit action that is not "noun.verb": "${route.audit}"`);
    if (route.method === 'GET' && route.body !== null) faults.push(`${name} is a GET with a body`);
    if (!/^\/api\/v1(\/(:[A-Za-z]\w*|[a-z0-9][a-z0-9._-]*))+$/.test(route.path)) faults.push(`${name} has a malformed path`);
    const inPath = [...route.path.matchAll(/:([^/]+)/g)].map((match) => match[1]).sort();
    const declared = route.params === null ? [] : route.params instanceof z.ZodObject ? Object.keys(route.params.shape).sort() : null;
    if (declared !== null && declared.join() !== inPath.join())
      faults.push(`${name} has parameters [${inPath}] in its path and [${declared}] in its schema`);
  }
  if (faults.length > 0)
    throw new PlimsollError('internal', `The route table is not sound: ${faults.join('; ')}.`, { details: { faults } });
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new PlimsollError('invalid_argument', `The path holds a malformed percent escape: "${segment.slice(0, 80)}".`, {
      cause,
      details: { param: 'path' },
    });
  }
}

export function createRouteTable<S>(routes: readonly Route<S>[]): RouteTable<S> {
  checkRoutes(routes);
  const byLength = new Map<number, CompiledRoute<S>[]>();
  for (const compiled of routes.map(compile)) {
    const bucket = byLength.get(compiled.segments.length) ?? [];
    bucket.push(compiled);
    byLength.set(compiled.segments.length, bucket);
  }
  // Fixed words win over parameters: /keys/current before /keys/:id.
  const rank = ({ segments }: CompiledRoute<S>) => segments.map(({ isParameter }) => (isParameter ? '1' : '0')).join('');
  for (const bucket of byLength.values()) bucket.sort((left, right) => rank(left).localeCompare(rank(right)));

  const matching = (path: string): { segments: string[]; found: CompiledRoute<S>[] } => {
    const segments = path.slice(1).split('/');
    const found = (byLength.get(segments.length) ?? []).filter((compiled) =>
      compiled.segments.every(({ text, isParameter }, index) => (isParameter ? segments[index] !== '' : segments[index] === text)),
    );
    return { segments, found };
  };
  const allowed = (found: readonly CompiledRoute<S>[]): string[] => {
    const methods = new Set<string>(found.map(({ route }) => route.method));
    if (methods.has('GET')) methods.add('HEAD');
    if (methods.size > 0) methods.add('OPTIONS');
    return [...methods].sort();
  };
  return {
    methods: (path) => allowed(matching(path).found),
    match(method, path) {
      const { segments, found } = matching(path);
      const wanted = (method === 'HEAD' ? 'GET' : method) as Method;
      const compiled = found.find(({ route }) => route.method === wanted);
      if (compiled === undefined) {
        if (found.length === 0) {
          throw new PlimsollError('not_found', `There is no ${path.slice(0, 200)} here; GET /api/v1/openapi.json lists every path.`, {
            details: { path: path.slice(0, 200) },
          });
        }
        const allow = allowed(found);
        throw new PlimsollError('method_not_allowed', `${path.slice(0, 200)} takes ${allow.join(', ')}, not ${method}.`, {
          details: { method, allow },
        });
      }
      const params: Record<string, string> = {};
      for (const [index, { text, isParameter }] of compiled.segments.entries())
        if (isParameter) params[text] = decode(segments[index] ?? '');
      return { route: compiled.route, params };
    },
  };
}
