import { z } from 'zod';

interface ZodInternals {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}

/** The public definition of a zod schema, read structurally: a schema declares its own answer, we never test for classes. */
function definitionOf(schema: z.ZodType): ZodInternals {
  return schema.def as unknown as ZodInternals;
}

/** The schema behind optional, default, nullable and transform wrappers. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const definition = definitionOf(schema);
  const inner = definition.innerType ?? (definition.type === 'pipe' ? definition.in : undefined);
  return inner === undefined ? schema : unwrap(inner);
}

/** All schemas that may stand at a path (several behind a union); empty when the path leads nowhere. */
export function schemasAt(schema: z.ZodType, path: readonly (string | number)[]): z.ZodType[] {
  const plain = unwrap(schema);
  const definition = definitionOf(plain);
  if (definition.options !== undefined) return definition.options.flatMap((option) => schemasAt(option, path));
  const [head, ...rest] = path;
  if (head === undefined) return [plain];
  const next =
    definition.shape !== undefined && Object.hasOwn(definition.shape, head)
      ? definition.shape[head]
      : (definition.valueType ?? (typeof head === 'number' ? definition.element : undefined));
  return next === undefined ? [] : schemasAt(next, rest);
}

/** Keys that an object at this path may have; empty for free records. */
export function keysAt(schema: z.ZodType, path: readonly (string | number)[]): string[] {
  return schemasAt(schema, path).flatMap((found) => Object.keys(definitionOf(found).shape ?? {}));
}

/** True when the field at the path was made with `secretText`. */
export function isSecretAt(schema: z.ZodType, path: readonly (string | number)[]): boolean {
  return schemasAt(schema, path).some((found) => z.globalRegistry.get(found)?.secret === true);
}
