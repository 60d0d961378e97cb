// Reads and changes numbers of a method's configuration by dotted path, within the bounds of its fields.

import type { Field } from '../../methods/contract.ts';

function at(config: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], config);
}

/** Present values of the fields that this configuration has. */
export function fieldValues(config: unknown, fields: readonly Field[]): Record<string, number> {
  const values: Record<string, number> = {};
  for (const field of fields) {
    const value = at(config, field.key.split('.'));
    if (typeof value === 'number') values[field.key] = value;
  }
  return values;
}

/** A copy of the preset with changed fields. Throws on a field that does not exist or a value outside its bounds. */
export function configure<C>(preset: C, fields: readonly Field[], set: Readonly<Record<string, number>>): C {
  const config = structuredClone(preset);
  for (const [key, value] of Object.entries(set)) {
    const field = fields.find((candidate) => candidate.key === key);
    if (!field) throw new Error(`there is no setting "${key}"`);
    if (!Number.isFinite(value) || value < field.min || value > field.max)
      throw new Error(`${field.label} must lie between ${field.min} and ${field.max}, not ${value}`);
    const path = key.split('.');
    const last = path.pop() as string;
    const parent = at(config, path);
    if (typeof parent !== 'object' || parent === null) throw new Error(`there is no setting "${key}"`);
    (parent as Record<string, number>)[last] = value;
  }
  return config;
}
