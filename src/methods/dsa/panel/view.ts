// What a link to this page holds: the row, the query and how they are looked at. A link is outside input: what does not parse is
// as at the first visit, what does not fit the weights is said in words.

import type { DsaConfig } from '../config.ts';
import type { Quant } from '../ops.ts';
import { type Task, TOKEN_TASKS } from '../tasks.ts';

export type Attention = 'sparse' | 'dense';
export type Digits = 'radix' | 'split';

/** Views of the page below the inspector. */
export const TABS = ['maps', 'theatre', 'codes', 'train', 'parity', 'places', 'post', 'cost', 'paper'] as const;
export type Tab = (typeof TABS)[number];

/** Presets that the page trains. */
export const TRAINED = ['nano', 'mini', 'small', 'control'] as const;
export type Trained = (typeof TRAINED)[number];

export interface View {
  tab: Tab;
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
  /** The training that is set up: preset, seed and changed numbers, `path=value` with blanks between them. */
  preset: Trained;
  seed: number;
  changes: string;
}

/** What a link asks for; null: what suits the weights. */
export interface Asked extends Omit<View, 'query' | 'k'> {
  /** On rows of recall a token that is asked about, six tenths into the questions. */
  query: number | null;
  /** The k that was trained. */
  k: number | null;
}

export const FIRST_VIEW: Asked = {
  tab: 'maps',
  task: 'retrieval',
  row: 0,
  query: null,
  layer: 1,
  k: null,
  attention: 'sparse',
  quant: 'e4m3',
  hadamard: true,
  key: 0,
  zoom: 1,
  digits: 'radix',
  preset: 'nano',
  seed: 1,
  changes: '',
};
/** Longer changes are no link of this page. */
const CHANGES = 400;

/** One of `all`, or the standard. */
const oneOf = <T extends string>(all: readonly T[], text: string | null, standard: T): T =>
  all.find((value) => value === text) ?? standard;

export function viewOf(query: URLSearchParams): Asked {
  const whole = <N extends 'row' | 'query' | 'layer' | 'k' | 'key' | 'zoom' | 'seed'>(name: N): Asked[N] | number => {
    const text = query.get(name) ?? '';
    return (name === 'seed' ? /^\d{1,9}$/ : /^\d{1,6}$/).test(text) ? Number(text) : FIRST_VIEW[name];
  };
  const k = whole('k');
  return {
    tab: oneOf(TABS, query.get('tab'), FIRST_VIEW.tab),
    task: oneOf([...TOKEN_TASKS, 'text'], query.get('task'), FIRST_VIEW.task),
    row: whole('row'),
    query: whole('query'),
    layer: whole('layer'),
    k: k === null ? null : Math.max(1, k),
    attention: oneOf(['sparse', 'dense'], query.get('attention'), FIRST_VIEW.attention),
    quant: oneOf(['f32', 'e4m3', 'i8'], query.get('quant'), FIRST_VIEW.quant),
    hadamard: query.get('hadamard') !== '0',
    key: whole('key'),
    zoom: Math.max(1, whole('zoom')),
    digits: oneOf(['radix', 'split'], query.get('digits'), FIRST_VIEW.digits),
    preset: oneOf(TRAINED, query.get('preset'), FIRST_VIEW.preset),
    seed: whole('seed'),
    changes: (query.get('changes') ?? '').slice(0, CHANGES),
  };
}

/** Only what differs from the first visit. */
export function linkOf(view: Asked): string {
  const query = new URLSearchParams();
  for (const name of Object.keys(FIRST_VIEW) as (keyof View)[]) {
    if (view[name] !== FIRST_VIEW[name] && view[name] !== null)
      query.set(name, name === 'hadamard' ? '0' : String(view[name]));
  }
  return query.toString();
}

/** What a view would ask for that was asked for like this and changed since. */
export const askedAs = (asked: Asked, view: View): Asked => ({
  ...view,
  query: asked.query === null ? null : view.query,
  k: asked.k === null ? null : view.k,
});

/** The view that these weights can show, and a sentence for everything that had to be changed. */
export function fitView(asked: Asked, c: DsaConfig, tasks: readonly Task[]): { view: View; changed: string[] } {
  const changed: string[] = [];
  const last = c.time - 1;
  const questions = Math.max(1 + 2 * c.pairs, c.time - 2 * c.queries);
  const queried = Math.min(last, questions + 2 * Math.floor(0.6 * c.queries));
  const view: View = { ...asked, query: asked.query ?? queried, k: asked.k ?? c.k };
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
  // The layer of the first visit was not asked for.
  const layer =
    asked.layer === FIRST_VIEW.layer ? Math.min(asked.layer, c.layers - 1) : within('layer', c.layers - 1, 'Layer');
  return {
    view: {
      ...view,
      task: tasks.includes(view.task) ? view.task : tasks[0],
      k,
      query,
      layer,
      key: Math.min(view.key, query),
      zoom: Math.min(view.zoom, Math.max(1, Math.floor(c.time / 8))),
    },
    changed,
  };
}
