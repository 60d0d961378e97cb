// What a link to this page holds: the row, the query and how they are looked at. A link is outside input: what does not parse is
// as at the first visit, what does not fit the weights is said in words.

import type { DsaConfig } from '../config.ts';
import type { Quant } from '../ops.ts';
import { type Task, TOKEN_TASKS } from '../tasks.ts';

export type Attention = 'sparse' | 'dense';
export type Digits = 'radix' | 'split';

export interface View {
  task: Task;
  row: number;
  query: number;
  layer: number;
  k: number;
  attention: Attention;
  quant: Quant;
  hadamard: boolean;
  /** Key under the cursor of the maps, and how much the maps are enlarged. */
  key: number;
  zoom: number;
  digits: Digits;
}

export const FIRST_VIEW: View = {
  task: 'retrieval',
  row: 0,
  query: 25,
  layer: 1,
  k: 4,
  attention: 'sparse',
  quant: 'e4m3',
  hadamard: true,
  key: 0,
  zoom: 1,
  digits: 'radix',
};

/** One of `all`, or the standard. */
const oneOf = <T extends string>(all: readonly T[], text: string | null, standard: T): T =>
  all.find((value) => value === text) ?? standard;

export function viewOf(query: URLSearchParams): View {
  const whole = (name: 'row' | 'query' | 'layer' | 'k' | 'key' | 'zoom'): number => {
    const text = query.get(name) ?? '';
    return /^\d{1,6}$/.test(text) ? Number(text) : FIRST_VIEW[name];
  };
  return {
    task: oneOf([...TOKEN_TASKS, 'text'], query.get('task'), FIRST_VIEW.task),
    row: whole('row'),
    query: whole('query'),
    layer: whole('layer'),
    k: Math.max(1, whole('k')),
    attention: oneOf(['sparse', 'dense'], query.get('attention'), FIRST_VIEW.attention),
    quant: oneOf(['f32', 'e4m3', 'i8'], query.get('quant'), FIRST_VIEW.quant),
    hadamard: query.get('hadamard') !== '0',
    key: whole('key'),
    zoom: Math.max(1, whole('zoom')),
    digits: oneOf(['radix', 'split'], query.get('digits'), FIRST_VIEW.digits),
  };
}

/** Only what differs from the first visit. */
export function linkOf(view: View): string {
  const query = new URLSearchParams();
  for (const name of Object.keys(FIRST_VIEW) as (keyof View)[]) {
    if (view[name] !== FIRST_VIEW[name]) query.set(name, name === 'hadamard' ? '0' : String(view[name]));
  }
  return query.toString();
}

/** The view that these weights can show, and a sentence for everything that had to be changed. */
export function fitView(view: View, c: DsaConfig, tasks: readonly Task[]): { view: View; changed: string[] } {
  const changed: string[] = [];
  const last = c.time - 1;
  const within = (name: 'query' | 'layer' | 'k', most: number, what: string): number => {
    if (view[name] <= most) return view[name];
    changed.push(`${what} ${view[name]} does not exist in these weights; ${most} is shown.`);
    return most;
  };
  const k = Math.min(view.k, c.time);
  if (view.k > c.time) {
    changed.push(
      `k = ${view.k} is more than the ${c.time} tokens of a row: every token would be selected. k is ${k} here.`,
    );
  }
  const query = within('query', last, 'Token');
  return {
    view: {
      ...view,
      task: tasks.includes(view.task) ? view.task : tasks[0],
      k,
      query,
      layer: within('layer', c.layers - 1, 'Layer'),
      key: Math.min(view.key, query),
      zoom: Math.min(view.zoom, Math.max(1, Math.floor(c.time / 8))),
    },
    changed,
  };
}
