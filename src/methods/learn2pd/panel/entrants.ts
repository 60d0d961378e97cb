// What a quick measurement in the tab compares: sweeps of every policy for the trade-off, a few of them for the table.

import type { SpecChoice } from './protocol.ts';

export interface Entrant {
  family: string;
  setting: string;
  spec: SpecChoice;
  /** Stands in the main table as this. */
  main?: string;
  look: number;
}

const of = (policy: SpecChoice['policy'], more: Partial<SpecChoice> = {}): SpecChoice => ({
  policy,
  eotp: 'off',
  cache: 'none',
  ...more,
});

/** `tau`: the filter's and the threshold's standard settings. */
export function entrants(tau: number, confidence: number): Entrant[] {
  const learned: SpecChoice['policy'] = { kind: 'learn2pd', tau };
  const sweep = (standard: number, others: readonly number[]): number[] =>
    [...new Set([...others, standard])].sort((a, b) => a - b);
  return [
    { family: 'static', setting: '1 a pass', spec: of({ kind: 'static', perStep: 1 }), main: 'static', look: 0 },
    ...[2, 4, 8].map((n) => ({
      family: 'static',
      setting: `${n} a pass`,
      spec: of({ kind: 'static', perStep: n }),
      look: 0,
    })),
    ...sweep(confidence, [0.5, 0.7, 0.9, 0.99]).map((c) => ({
      family: 'threshold',
      setting: String(c),
      spec: of({ kind: 'threshold', tau: c }),
      main: c === confidence ? `threshold ${c}` : undefined,
      look: 2,
    })),
    ...sweep(tau, [0.5, 0.8, 0.9, 0.96, 0.99]).map((t) => ({
      family: 'Learn2PD',
      setting: String(t),
      spec: of({ kind: 'learn2pd', tau: t }),
      main: t === tau ? `Learn2PD ${t}` : undefined,
      look: 1,
    })),
    ...[0.5, 0.9].map((m) => ({ family: 'lead', setting: String(m), spec: of({ kind: 'margin', m }), look: 5 })),
    { family: 'oracle', setting: '', spec: of({ kind: 'egp' }), main: 'oracle (EGP)', look: 3 },
    { family: '+ EoTP', setting: 'strict', spec: of(learned, { eotp: 'strict' }), main: '+ EoTP strict', look: 4 },
    {
      family: '+ EoTP',
      setting: 'released',
      spec: of(learned, { eotp: 'released' }),
      main: '+ EoTP released',
      look: 4,
    },
    {
      family: '+ EoTP + dual cache',
      setting: '',
      spec: of(learned, { eotp: 'strict', cache: 'dual' }),
      main: '+ EoTP strict, dual cache',
      look: 4,
    },
  ];
}
