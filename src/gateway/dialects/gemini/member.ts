import { isObject, type JsonObject } from '../../hub/json.ts';

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A member under its JSON name or under that of its protocol buffer: Google takes both, and its own examples mix them. */
export function member(object: JsonObject, name: string): unknown {
  return object[name] ?? object[snakeCase(name)] ?? undefined;
}

/** A member that is an object; empty when it is anything else. */
export function objectMember(object: JsonObject, name: string): JsonObject {
  const value = member(object, name);
  return isObject(value) ? value : {};
}

/** Whether `object` has members other than `names`, in either spelling; gives the first. */
export function unknownMember(object: JsonObject, names: ReadonlySet<string>): string | null {
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined || value === null) continue;
    const plain = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!names.has(plain)) return name;
  }
  return null;
}
