// Figures of the paper as a chart shows them: cited, hollow, never in one line with measured ones.

import { PAPER } from '../paper.ts';
import type { Series } from './plots.tsx';

/** Table 4 of the paper: an 8B model on other hardware. */
export const PAPER_LENGTHS: Series = {
  name: 'paper, 8B, + EoTP (cited)',
  look: 5,
  cited: true,
  line: false,
  points: PAPER.lengths.map((p) => [p.canvas, p.speedup] as const),
};
