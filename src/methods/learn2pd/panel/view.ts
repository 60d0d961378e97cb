/**
 * What a link to this page holds: the problem, the canvas, the policies side by side, the pass that is looked at, and size, seed
 * and tasks of a training. A link comes from anywhere: what does not parse is as at the first visit.
 */
import type { CacheKind, Eotp } from '../policy.ts';
import type { PolicyChoice, SpecChoice } from './protocol.ts';

/** The policies that the page offers, as they stand in a link. */
export const POLICIES = [
  'static1',
  'static2',
  'static4',
  'static8',
  'threshold',
  'learn2pd',
  'margin',
  'random',
  'egp',
] as const;
export type PolicyName = (typeof POLICIES)[number];
export const EOTPS: readonly Eotp[] = ['off', 'strict', 'released'];
export const CACHES: readonly CacheKind[] = ['none', 'prefix', 'dual'];

export interface Pane {
  policy: PolicyName;
  eotp: Eotp;
  cache: CacheKind;
}

export const TABS = ['filter', 'end', 'oracle', 'cache', 'train', 'measure', 'paper'] as const;
export type Tab = (typeof TABS)[number];
/** Sizes that a tab trains; the larger ones are for the command line. */
export const TRAINED = ['nano', 'mini', 'small'] as const;
export type Trained = (typeof TRAINED)[number];
export const RATES = [3, 12, 40] as const;
export const SLOWDOWNS = [1, 8, 40] as const;

export interface View {
  /** `shipped`: the first of those that came with the page; `tab`: trained in this tab; else the rung of another. */
  weights: string;
  task: string;
  row: number;
  /** A problem of the visitor's own, without the tag of its task. */
  typed: string | null;
  /** 0: the worker's choice. */
  canvas: number;
  panes: readonly Pane[];
  /** Of the filter, of the confidence threshold, of the lead. */
  tau: number;
  confidence: number;
  lead: number;
  sync: 'pass' | 'clock';
  /** Passes a second, and how much slower than real time. */
  rate: number;
  slowdown: number;
  /** Pass that is shown if nothing plays; null: play from the start. */
  pass: number | null;
  tab: Tab;
  /** A training in this tab: its size, its seed, its tasks as the configuration holds them (empty: those of the size). */
  preset: Trained;
  seed: number;
  tasks: string;
}

export const FIRST_VIEW: View = {
  weights: 'shipped',
  task: '',
  row: 0,
  typed: null,
  canvas: 0,
  panes: [
    { policy: 'static1', eotp: 'off', cache: 'none' },
    { policy: 'learn2pd', eotp: 'strict', cache: 'none' },
  ],
  tau: 0.96,
  confidence: 0.9,
  lead: 0.8,
  sync: 'pass',
  rate: 12,
  slowdown: 8,
  pass: null,
  tab: 'filter',
  preset: 'nano',
  seed: 1,
  tasks: '',
};

export const MAX_PANES = 4;

const oneOf = <T extends string | number>(all: readonly T[], found: unknown, standard: T): T =>
  all.find((x) => String(x) === found) ?? standard;

const named = (text: string | null, standard: string): string =>
  text !== null && /^[a-z]{1,20}$/.test(text) ? text : standard;

function whole(text: string | null, most: number): number | null {
  return text !== null && /^\d{1,6}$/.test(text) && Number(text) <= most ? Number(text) : null;
}

const seedOf = (text: string | null): number =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) : FIRST_VIEW.seed;

function share(text: string | null, standard: number): number {
  if (text === null || !/^\d?\.?\d{1,4}$/.test(text)) return standard;
  const value = Number(text);
  return value >= 0 && value <= 1 ? value : standard;
}

function panesOf(text: string | null): readonly Pane[] {
  const panes = (text ?? '').split('~').flatMap((part): Pane[] => {
    const [policy, eotp, cache] = part.split('.');
    const named = POLICIES.find((name) => name === policy);
    return named ? [{ policy: named, eotp: oneOf(EOTPS, eotp, 'off'), cache: oneOf(CACHES, cache, 'none') }] : [];
  });
  return panes.length > 0 ? panes.slice(0, MAX_PANES) : FIRST_VIEW.panes;
}

export function viewOf(text: string): View {
  const query = new URLSearchParams(text);
  return {
    weights: named(query.get('weights'), FIRST_VIEW.weights),
    task: named(query.get('task'), FIRST_VIEW.task),
    row: whole(query.get('row'), 9999) ?? FIRST_VIEW.row,
    typed: query.get('typed')?.slice(0, 200) ?? null,
    canvas: whole(query.get('canvas'), 100_000) ?? FIRST_VIEW.canvas,
    panes: panesOf(query.get('panes')),
    tau: share(query.get('tau'), FIRST_VIEW.tau),
    confidence: share(query.get('confidence'), FIRST_VIEW.confidence),
    lead: share(query.get('lead'), FIRST_VIEW.lead),
    sync: oneOf(['pass', 'clock'] as const, query.get('sync'), FIRST_VIEW.sync),
    rate: oneOf(RATES, query.get('rate'), FIRST_VIEW.rate as 12),
    slowdown: oneOf(SLOWDOWNS, query.get('slowdown'), FIRST_VIEW.slowdown as 8),
    pass: whole(query.get('pass'), 100_000),
    tab: oneOf(TABS, query.get('tab'), FIRST_VIEW.tab),
    preset: oneOf(TRAINED, query.get('preset'), FIRST_VIEW.preset),
    seed: seedOf(query.get('seed')),
    // What is no choice of tasks is said in the training sheet, with the text.
    tasks: query.get('tasks')?.slice(0, 200) ?? FIRST_VIEW.tasks,
  };
}

const linkOfPane = ({ policy, eotp, cache }: Pane): string => `${policy}.${eotp}.${cache}`;

/** Only what differs from the first visit. */
export function linkOf(view: View): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    const text = name === 'panes' ? view.panes.map(linkOfPane).join('~') : String(value);
    const first = FIRST_VIEW[name as keyof View];
    const standard = name === 'panes' ? FIRST_VIEW.panes.map(linkOfPane).join('~') : String(first);
    if (text !== standard && value !== null) query.set(name, text);
  }
  return query.toString();
}

function policyOf(name: PolicyName, view: View): PolicyChoice {
  if (name.startsWith('static')) return { kind: 'static', perStep: Number(name.slice('static'.length)) };
  if (name === 'threshold') return { kind: 'threshold', tau: view.confidence };
  if (name === 'margin') return { kind: 'margin', m: view.lead };
  return name === 'egp' ? { kind: 'egp' } : { kind: name as 'learn2pd' | 'random', tau: view.tau };
}

export const specOfPane = ({ policy, eotp, cache }: Pane, view: View): SpecChoice => ({
  policy: policyOf(policy, view),
  eotp,
  cache,
});

/** Equal keys are the same decode of the same problem. */
export const specKey = (spec: SpecChoice): string =>
  [...Object.values(spec.policy).map(String), spec.eotp, spec.cache].join(' ');

export const POLICY_WORDS: Record<PolicyName, string> = {
  static1: 'Static, one token a pass',
  static2: 'Static, two a pass',
  static4: 'Static, four a pass',
  static8: 'Static, eight a pass',
  threshold: 'Confidence threshold',
  learn2pd: 'Learn2PD filter',
  margin: 'Lead over the second',
  random: 'Random, as many as the filter',
  egp: 'Oracle (must know the answer)',
};
