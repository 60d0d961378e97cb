/**
 * Configurations as text, for every method: validation against its schema, and single values changed from the command line
 * or a link (`phases.dynamics.steps=200`). Which values a method has is its own business.
 */
import * as v from 'valibot';

/** One sentence about the first fault. */
export class ConfigError extends Error {}

/** Throws ConfigError with path and reason if the value does not fit. */
export function checkAgainst<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const result = v.safeParse(schema, value);
  if (!result.success) {
    const [issue] = result.issues;
    const path = issue.path?.map((p) => String(p.key)).join('.') ?? '';
    throw new ConfigError(`configuration${path ? ` ${path}` : ''}: ${issue.message}`);
  }
  return result.output;
}

/** The named preset; throws ConfigError with the names that there are. */
export function presetNamed<C>(presets: Readonly<Record<string, C>>, name: string): C {
  if (!Object.hasOwn(presets, name)) {
    throw new ConfigError(`no preset '${name}' (known: ${Object.keys(presets).join(', ')})`);
  }
  return presets[name];
}

/** A copy with changed values; text becomes what the value was before. Not validated as a whole. */
export function withValues<C>(base: C, changes: Readonly<Record<string, string>>): C {
  const config = structuredClone(base);
  for (const [path, text] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop() as string;
    let at: unknown = config;
    for (const key of keys) {
      at =
        typeof at === 'object' && at !== null && Object.hasOwn(at, key)
          ? (at as Record<string, unknown>)[key]
          : undefined;
    }
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, last)) {
      throw new ConfigError(`--set ${path}: the configuration has no such value`);
    }
    const record = at as Record<string, unknown>;
    const before = record[last];
    if (typeof before === 'object')
      throw new ConfigError(`--set ${path}: name one of ${Object.keys(before ?? {}).join(', ')} in it`);
    record[last] = typeof before === 'number' ? Number(text) : typeof before === 'boolean' ? text === 'true' : text;
    if (typeof before === 'number' && !Number.isFinite(record[last]))
      throw new ConfigError(`--set ${path}: '${text}' is not a number`);
    if (typeof before === 'boolean' && text !== 'true' && text !== 'false')
      throw new ConfigError(`--set ${path} takes true or false`);
  }
  return config;
}
