/** Links one shader module from given sources, as the build does (scripts/wesl-plugin.ts), and keeps the way back to them. */
import { linkWithResolver, RecordResolver, TrackingResolver, withLoggerAsync } from 'wesl';
import type { Conditions } from '../gpu/device.ts';
import { textConditions } from '../tensor/kernel.ts';

const CONDITION_NAMES = ['software', 'f16', 'subgroups'] as const;

export interface SourceError {
  /** Path below shaders/. */
  file: string;
  /** From 1; 0 = nowhere in particular. */
  line: number;
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

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

export async function linkModule(
  sources: Readonly<Record<string, string>>,
  root: string,
  conditions: Conditions,
): Promise<LinkResult> {
  const byModule = Object.fromEntries(Object.entries(sources).map(([file, text]) => [modulePath(file), text]));
  const fileOf = new Map(Object.keys(sources).map((file) => [modulePath(file), file]));
  const resolver = new TrackingResolver(new RecordResolver(byModule, { debugWeslRoot: 'shaders' }));
  const asked = textConditions(conditions);
  const shown: unknown[] = [];
  try {
    const linked = await withLoggerAsync(
      (...parts) => shown.push(...parts),
      () =>
        linkWithResolver({
          resolver,
          rootModuleName: modulePath(root),
          conditions: Object.fromEntries(CONDITION_NAMES.map((name) => [name, asked[name]])),
        }),
    );
    const place = (offset: number, message: string, fallback: string): SourceError => {
      const position = linked.sourceMap.destToSrc(offset);
      const file = [...fileOf].find(([path]) => byModule[path] === position.src.text)?.[1];
      if (!file) return { file: fallback, line: 0, message };
      return { file, line: lineAt(position.src.text, position.position), message };
    };
    return { ok: true, linked: { text: linked.dest, place } };
  } catch (error) {
    const message = [error instanceof Error ? error.message : String(error), ...shown].join('\n');
    return { ok: false, errors: errorsOf(message, (module) => fileOf.get(modulePath(`${module}.wgsl`)) ?? root) };
  }
}

/** The linker complains as `shaders/ops/x.wesl:14:12 error: words`, or as `words in file: shaders/ops/x.wesl` and `Ln 21`. */
function errorsOf(message: string, fileOf: (module: string) => string): SourceError[] {
  const parsed = [...message.matchAll(/^shaders\/([\w/-]+)\.\w+:(\d+):\d+ (?:error: )?(.*)$/gm)];
  if (parsed.length > 0) {
    return parsed.map(([, module, line, words]) => ({ file: fileOf(module), line: Number(line), message: words }));
  }
  const [, module] = /in file: shaders\/([\w/-]+)\.\w+/.exec(message) ?? [];
  const [, line] = /\bLn (\d+)/.exec(message) ?? [];
  const words = message.split('\n')[0].replace(/ in file: .*/, '');
  return [{ file: fileOf(module ?? ''), line: Number(line ?? 0), message: words }];
}
