// Vite plugin: `import link from './x.wgsl?link'` gives `link({ software, f16, subgroups, bf16 })`, the linked plain WGSL text.
// Every combination of the conditions is linked at build time and equal texts are stored once, so no linker
// and no shader source tree is shipped. `import text from './x.wgsl?template'` gives `text()`, the text of a template as it stands, with
// the comments at the ends of lines that say what becomes of the line. Other comments stay behind: what is read on the page
// are the sources themselves. It does not validate: the driver does that.
// Language: WESL 0.7 (wesl-lang.dev): imports come first, then directives, then declarations.

import { readdirSync, readFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import type { Plugin } from 'vite';
import { linkWithResolver, RecordResolver, TrackingResolver, withLoggerAsync } from 'wesl';
import { CONDITIONS } from '../src/gpu/shader-edits.ts';

const SUFFIX = '.wgsl?link';
const TEMPLATE = '.wgsl?template';

/** Texts that the kernel lab has changed, in the running program. */
const EDITS = resolve(import.meta.dirname, '../src/gpu/shader-edits.ts');

/** `shaders/ops/soft-max.wgsl` -> `package::ops::soft_max`: `-` is not allowed in a WESL path, so `_` stands for it. */
function modulePath(root: string, file: string): string {
  const parts = relative(root, file).slice(0, -'.wgsl'.length).split(sep);
  return ['package', ...parts].join('::').replaceAll('-', '_');
}

function shaderFiles(root: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.wgsl')) continue;
    const file = resolve(root, entry);
    const path = modulePath(root, file);
    const twin = files.get(path);
    if (twin) throw new Error(`${twin} and ${file} have the same module path ${path}`);
    files.set(path, file);
  }
  return files;
}

export interface LinkedVariants {
  /** Distinct WGSL texts. */
  texts: string[];
  /** Variant number (bits in the order of CONDITIONS) -> index into `texts`. */
  variants: number[];
  /** Every file that took part, the module itself included. */
  files: string[];
}

/** Links `file`, a module below `root`, for every combination of the conditions that it and its imports mention. */
export async function linkVariants(root: string, file: string): Promise<LinkedVariants> {
  const available = shaderFiles(root);
  const sources = Object.fromEntries([...available].map(([path, name]) => [path, readFileSync(name, 'utf8')]));
  const resolver = new TrackingResolver(new RecordResolver(sources, { debugWeslRoot: 'shaders' }));
  const rootModuleName = modulePath(root, file);
  const texts: string[] = [];
  const variants: number[] = [];
  for (let variant = 0; variant < 1 << CONDITIONS.length; variant++) {
    // A bit that no file visited so far mentions changes nothing: the text without it is known, since it came first.
    const idle = CONDITIONS.findIndex(
      (name, bit) => (variant >> bit) & 1 && !mentions(resolver.visited, sources, name),
    );
    if (idle >= 0) {
      variants.push(variants[variant & ~(1 << idle)]);
      continue;
    }
    const text = await linkOne(resolver, rootModuleName, variant);
    const known = texts.indexOf(text);
    variants.push(known >= 0 ? known : texts.push(text) - 1);
  }
  const files = [...resolver.visited].map((path) => available.get(path)).filter((name) => name !== undefined);
  return { texts, variants, files };
}

function mentions(visited: ReadonlySet<string>, sources: Record<string, string>, condition: string): boolean {
  const use = new RegExp(`@(?:el)?if\\s*\\([^)]*\\b${condition}\\b`);
  return [...visited].some((path) => use.test(sources[path] ?? ''));
}

async function linkOne(resolver: TrackingResolver, rootModuleName: string, variant: number): Promise<string> {
  const conditions = Object.fromEntries(CONDITIONS.map((name, bit) => [name, ((variant >> bit) & 1) === 1]));
  // The linker shows the offending source line through its logger: it belongs into the error.
  const shown: unknown[] = [];
  try {
    const linked = await withLoggerAsync(
      (...parts) => shown.push(...parts),
      () => linkWithResolver({ resolver, rootModuleName, conditions, sourceMap: false }),
    );
    return `${linked.dest.trim()}\n`;
  } catch (error) {
    const message = [error instanceof Error ? error.message : String(error), ...shown].join('\n');
    throw new Error(message.replaceAll('.wesl', '.wgsl'), { cause: error });
  }
}

/** Without comments, empty lines and indentation, which nobody reads in the built page. */
const bare = (text: string): string => text.replace(/[ \t]*\/\/.*$/gm, '').replace(/^\s+/gm, '');

export function weslPlugin(root = resolve(import.meta.dirname, '../shaders')): Plugin {
  return {
    name: 'tenfold-wesl',
    async load(id) {
      if (id.endsWith(TEMPLATE)) {
        const file = id.slice(0, -'?template'.length);
        this.addWatchFile(file);
        const text = readFileSync(file, 'utf8')
          .replace(/^[ \t]*\/\/.*\n/gm, '')
          .replace(/^\s+/gm, '');
        const name = relative(root, file).replaceAll(sep, '/');
        const code = [
          `import { template } from ${JSON.stringify(EDITS)};`,
          `export default template(${JSON.stringify(name)}, ${JSON.stringify(text)});`,
        ].join('\n');
        return { code, map: { mappings: '' }, moduleType: 'js' };
      }
      if (!id.endsWith(SUFFIX)) return null;
      const { texts, variants, files } = await linkVariants(root, id.slice(0, -'?link'.length));
      for (const file of files) this.addWatchFile(file);
      const file = relative(root, id.slice(0, -'?link'.length)).replaceAll(sep, '/');
      // Conditions that no file mentions do not lengthen the list.
      let period = variants.length;
      while (period > 1 && variants.every((text, i) => text === variants[i % (period / 2)])) period /= 2;
      const args = [file, texts.map(bare), variants.slice(0, period)].map((arg) => JSON.stringify(arg));
      const code = [
        `import { linked } from ${JSON.stringify(EDITS)};`,
        `export default linked(${args.join(', ')});`,
      ].join('\n');
      return { code, map: { mappings: '' }, moduleType: 'js' };
    },
  };
}
