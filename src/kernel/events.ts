/** Event name → payload. */
export type EventMap = Record<string, unknown>;

export interface EventBus<Events extends EventMap> {
  /** Calls every listener at once, in the order of subscription. A failing listener stops neither the others nor the caller. */
  emit<Name extends keyof Events & string>(name: Name, payload: Events[Name]): void;
  /** @returns ends the subscription; idempotent */
  on<Name extends keyof Events & string>(name: Name, listener: (payload: Events[Name]) => void | Promise<void>): () => void;
}

/**
 * Events inside one process. They are hints ("a snapshot was published"), never the record of something: a process that dies loses them.
 * @param onError told of what a listener threw or rejected with
 */
export function createEventBus<Events extends EventMap>(onError: (thrown: unknown, eventName: string) => void): EventBus<Events> {
  type Listener = (payload: never) => void | Promise<void>;
  const listeners = new Map<string, Set<{ readonly call: Listener }>>();
  return {
    emit(name, payload) {
      // A copy: a listener may subscribe or leave while it is called.
      for (const { call } of [...(listeners.get(name) ?? [])]) {
        try {
          // The set under a name holds only listeners of that name's payload.
          const pending = call(payload as never);
          if (pending instanceof Promise) pending.catch((thrown: unknown) => onError(thrown, name));
        } catch (thrown) {
          onError(thrown, name);
        }
      }
    },
    on(name, listener) {
      const subscription = { call: listener as Listener };
      const ofName = listeners.get(name) ?? new Set();
      ofName.add(subscription);
      listeners.set(name, ofName);
      return () => void ofName.delete(subscription);
    },
  };
}
