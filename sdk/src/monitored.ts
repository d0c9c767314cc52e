import { CALLS } from './dialects.ts';
import { field } from './loose.ts';
import { type CallSettings, Observation } from './observation.ts';

/** Methods that end up in one of CALLS by way of the client that they were made with. */
const HELPER = /(^|\.)(parse|stream|runTools)$/;
const MAX_DEPTH = 5;

type Method = (...args: unknown[]) => unknown;

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** A promise of a client's own kind, with more methods than `then`. */
function isThenable(value: unknown): value is PromiseLike<unknown> & object {
  return isObject(value) && typeof field(value, 'then') === 'function';
}

/**
 * The same client: what it answers, throws and streams is what it did before, and each call of a model becomes a span once it is over.
 * Every property is read through; only calls of models are observed.
 */
export function observeClient<T extends object>(client: T, settings: CallSettings): T {
  const proxies = new WeakMap<object, object>();
  const bound = new WeakMap<Method, Method>();

  function wrap(target: object, path: readonly string[]): object {
    const known = proxies.get(target);
    if (known !== undefined) return known;
    const proxy: object = new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof name === 'symbol') return value;
        // A resource knows its client: helpers call models through it.
        if (value === client) return proxies.get(client);
        if (typeof value === 'function') return method(target, proxy, value as Method, [...path, name].join('.')); // by its type
        const isData = !isObject(value) || Array.isArray(value) || path.length >= MAX_DEPTH || name.startsWith('_') || !isResource(value);
        return isData ? value : wrap(value, [...path, name]);
      },
    });
    proxies.set(target, proxy);
    return proxy;
  }

  function method(target: object, proxy: object, own: Method, path: string): Method {
    const known = bound.get(own);
    if (known !== undefined) return known;
    const dialect = CALLS[path];
    const made: Method =
      dialect !== undefined
        ? (...args) => observeCall(new Observation(dialect, settings, args[0]), () => Reflect.apply(own, target, args))
        : HELPER.test(path)
          ? (...args) => Reflect.apply(own, proxy, args)
          : (...args) => Reflect.apply(own, target, args);
    // Classes, and functions with properties of their own, stay what they are.
    const kept = dialect === undefined && (own.prototype !== undefined || Object.keys(own).length > 0) ? own : made;
    if (kept === made) bound.set(own, made);
    return kept;
  }

  // The type of what is given: a proxy has no type of its own.
  return wrap(client, []) as T;
}

/** Part of a client that holds methods, not options or answers. */
function isResource(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype
    ? Object.values(value).some((member) => typeof member === 'function' || isObject(member))
    : !(value instanceof Map || value instanceof Set || value instanceof Date || value instanceof Promise);
}

function observeCall(observation: Observation, run: () => unknown): unknown {
  let result: unknown;
  try {
    result = run();
  } catch (thrown) {
    observation.fail(thrown);
    throw thrown;
  }
  if (isThenable(result)) return observePromise(result, observation);
  return observation.take(result);
}

/**
 * A promise whose value is observed once somebody asks for it, and not before: asking reads the body, which a caller who wants the raw response
 * must find untouched.
 */
function observePromise(promise: PromiseLike<unknown> & object, observation: Observation): unknown {
  let observed: Promise<unknown> | null = null;
  const value = (): Promise<unknown> => {
    observed ??= Promise.resolve(
      promise.then(
        (answer) => observation.take(answer),
        (thrown: unknown) => {
          observation.fail(thrown);
          throw thrown;
        },
      ),
    );
    return observed;
  };
  return new Proxy(promise, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name, target);
      if (typeof own !== 'function') return own;
      switch (name) {
        case 'then':
        case 'catch':
        case 'finally':
          return (...args: unknown[]) => Reflect.apply(Reflect.get(Promise.prototype, name) as Method, value(), args); // of Promise itself
        case 'parse':
          return value;
        case 'withResponse':
          return () => withResponse(Reflect.apply(own, target, []), value());
        case 'asResponse':
          // What is in the body is the caller's: the call is known to have been answered, and no more.
          return () =>
            (Reflect.apply(own, target, []) as Promise<unknown>).then(
              (response) => {
                observation.take(undefined);
                return response;
              },
              (thrown: unknown) => {
                observation.fail(thrown);
                throw thrown;
              },
            );
        case '_thenUnwrap':
          return (transform: (answer: unknown, ...more: unknown[]) => unknown) => {
            // Read before it is transformed: the helper's own form may lack what a span needs.
            const transformed: unknown = Reflect.apply(own, target, [
              (answer: unknown, ...more: unknown[]) => transform(observation.take(answer), ...more),
            ]);
            return isThenable(transformed) ? observeFailure(transformed, observation) : transformed;
          };
        default:
          return (...args: unknown[]) => Reflect.apply(own, target, args);
      }
    },
  });
}

async function withResponse(whole: Promise<object>, value: Promise<unknown>): Promise<object> {
  const [both, data] = await Promise.all([whole, value]);
  return { ...both, data };
}

/** A promise whose value has been taken already, when there is one; a failure has not. */
function observeFailure(promise: PromiseLike<unknown> & object, observation: Observation): unknown {
  return new Proxy(promise, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name, target);
      if (typeof own !== 'function') return own;
      if (name !== 'then') return (...args: unknown[]) => Reflect.apply(own, target, args);
      return (fulfilled?: Method | null, rejected?: Method | null) =>
        target
          .then(undefined, (thrown: unknown) => {
            observation.fail(thrown);
            throw thrown;
          })
          .then(fulfilled ?? undefined, rejected ?? undefined);
    },
  });
}
