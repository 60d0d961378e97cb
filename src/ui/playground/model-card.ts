// The card beside a shipped checkpoint: what was measured of it, by which command. Read for showing only, so everything
// that is not as expected is simply left out.

import * as v from 'valibot';

const Card = v.object({
  file: v.string(),
  evaluation: v.object({ command: v.string(), adapter: v.unknown(), metrics: v.record(v.string(), v.unknown()) }),
});

export interface CardRow {
  name: string;
  value: string;
}

export interface ModelCard {
  rows: readonly CardRow[];
  command: string;
}

const decibels = (value: number) => `${value.toFixed(1)} dB`;
const percent = (value: number) => `${(value * 100).toFixed(0)} %`;
const ratio = (value: number) => value.toFixed(2);

/** Metric, its floor if it has one, and how to say it. */
const LINES: readonly { metric: string; floor?: string; name: string; format: (value: number) => string }[] = [
  { metric: 'tokenizerPsnr', name: 'frames after compression', format: decibels },
  { metric: 'psnr1', floor: 'copy1', name: 'dream after 1 step', format: decibels },
  { metric: 'psnr4', floor: 'copy4', name: 'dream after 4 steps', format: decibels },
  { metric: 'psnr16', floor: 'copy16', name: 'dream after 16 steps', format: decibels },
  { metric: 'shuffleRatio16', name: 'error with wrong keys, against right ones', format: ratio },
  { metric: 'motionRatio', name: 'motion, against the truth', format: ratio },
  { metric: 'drift200', name: 'drift over 200 steps', format: percent },
  { metric: 'placedShare', floor: 'placedFalse', name: 'blocks placed as in the truth', format: percent },
  { metric: 'minedShare', floor: 'minedFalse', name: 'blocks broken as in the truth', format: percent },
  { metric: 'slotShare', floor: 'slotFalse', name: 'slots chosen as in the truth', format: percent },
  { metric: 'wallShare', name: 'walls that stop the player', format: percent },
];

/** null when the text is no card. */
export function readCard(json: unknown): ModelCard | null {
  const parsed = v.safeParse(Card, json);
  if (!parsed.success) return null;
  const { metrics, command } = parsed.output.evaluation;
  const number = (key: string | undefined) => {
    const value = key === undefined ? undefined : metrics[key];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  };
  const rows: CardRow[] = [];
  for (const { metric, floor, name, format } of LINES) {
    const value = number(metric);
    const least = number(floor);
    if (value === null) continue;
    rows.push({
      name,
      value:
        format(value) +
        (least === null
          ? ''
          : ` (${floor?.startsWith('copy') ? 'standing still' : 'without the keys'}: ${format(least)})`),
    });
  }
  return rows.length > 0 ? { rows, command } : null;
}

/** Where the checkpoints and their cards lie. */
export const modelsFolder = (): string => new URL('models/dreamer4/', document.baseURI).href;

/** `address`: where the card lies. */
export async function fetchCard(address: string, fetcher: typeof fetch = fetch): Promise<ModelCard | null> {
  try {
    const answer = await fetcher(address);
    return answer.ok ? readCard(await answer.json()) : null;
  } catch {
    return null;
  }
}
