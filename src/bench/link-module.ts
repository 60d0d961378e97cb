/** Links one shader module from given sources, as the build does (scripts/wesl-plugin.ts), and keeps the way back to them. */
import { linkWithResolver, RecordResolver, TrackingResolver, withLoggerAsync } from 'wesl';
import type { Conditions } from '../gpu/device.ts';

/** Order of the bits of a variant number; as in scripts/wesl-plugin.ts. */
export const CONDITION_NAMES = ['software', 'f16', 'subgroups'] as const;

export interface SourceError {
  /** Path below shaders/. */
  file: string;
  /** From 1; 0 = nowhere in particular. */
  line: number;
  column: number;
  message: string;
}

export interface Linked {
  text: string;
  /** The place in the sources that an offset of the text comes from; `fallback` where it comes from nowhere. */
  place(offset: number, message: string, fallback: string): SourceError;
}

export type LinkResult = { ok: true; linked: Linked } | { ok: false; errors: SourceError[] };

const modulePath = (file: string): string =>
  ['package', ...file.slice(0, -'.wgsl'.length).split('/')].join('::').replaceAll('-', '_');

function lineOf(text: string, offset: number): [line: number, column: number] {
  const before = text.slice(0, offset);
  return [before.split('\n').length, offset - before.lastIndexOf('\n')];
}

export async function linkModule(
  sources: Readonly<Record<string, string>>,
  root: string,
  conditions: Conditions,
): Promise<LinkResult> {
  const byModule = Object.fromEntries(Object.entries(sources).map(([file, text]) => [modulePath(file), text]));
  const fileOf = new Map(Object.keys(sources).map((file) => [modulePath(file), file]));
  const resolver = new TrackingResolver(new RecordResolver(byModule, { debugWeslRoot: 'shaders' }));
  const shown: unknown[] = [];
  try {
    const linked = await withLoggerAsync(
      (...parts) => shown.push(...parts),
      () =>
        linkWithResolver({
          resolver,
          rootModuleName: modulePath(root),
          conditions: Object.fromEntries(CONDITION_NAMES.map((name) => [name, conditions[name]])),
        }),
    );
    const text = linked.dest;
    const place = (offset: number, message: string, fallback: string): SourceError => {
      const position = linked.sourceMap.destToSrc(offset);
      const file = [...fileOf].find(([path]) => byModule[path] === position.src.text)?.[1];
      if (!file) return { file: fallback, line: 0, column: 0, message };
      const [line, column] = lineOf(position.src.text, position.position);
      return { file, line, column, message };
    };
    return { ok: true, linked: { text, place } };
  } catch (error) {
    const message = [error instanceof Error ? error.message : String(error), ...shown].join('\n');
    const [, file, line, column] = /shaders\/([\w/-]+)\.we?[sg]s?l:(\d+):(\d+)/.exec(message) ?? [];
    const first = message.split('\n')[0];
    return {
      ok: false,
      errors: [
        {
          file: file ? (fileOf.get(modulePath(`${file}.wgsl`)) ?? `${file}.wgsl`) : root,
          line: Number(line ?? 0),
          column: Number(column ?? 0),
          message: first.replace(/^.*shaders\/\S+\s*/, '') || first,
        },
      ],
    };
  }
}
