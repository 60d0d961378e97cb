/**
 * The paper's own figures: "Learning to Parallel: Accelerating Diffusion Large Language Models via Learnable Parallel
 * Decoding", arXiv 2509.25188v2 (ICLR 2026). Display constants only; nothing here was measured by this project.
 */
export const PAPER = {
  title: 'Learning to Parallel: Accelerating Diffusion LLMs via Learnable Parallel Decoding',
  arxiv: '2509.25188',
  model: 'LLaDA-8B-Instruct',
  /** Main table, GSM8K 5-shot: tokens per second, speed-up over static decoding, score. */
  gsm8k: [
    { method: 'static', canvas: 256, tps: 3.41, speedup: 1, score: 78.7 },
    { method: 'Learn2PD', canvas: 256, tps: 14.07, speedup: 4.13, score: 78.62 },
    { method: 'Learn2PD + EoTP', canvas: 256, tps: 14.35, speedup: 4.21, score: 78.62 },
    { method: 'static', canvas: 1024, tps: 0.54, speedup: 1, score: 77.6 },
    { method: 'Learn2PD', canvas: 1024, tps: 6.63, speedup: 12.21, score: 77.26 },
    { method: 'Learn2PD + EoTP', canvas: 1024, tps: 12.26, speedup: 22.58, score: 79.83 },
  ],
  /** Key/value cache table, GSM8K at canvas 1024. */
  cache: [
    { cache: 'none', tps: 12.26, speedup: 22.58, score: 79.83 },
    { cache: 'dual', tps: 31.23, speedup: 57.51, score: 74.0 },
    { cache: 'prefix', tps: 14.79, speedup: 27.23, score: 77.71 },
  ],
  /** Table 4, GSM8K: speed-up by canvas; the row of 512 was not found. */
  lengths: [
    { canvas: 128, speedup: 3.36 },
    { canvas: 256, speedup: 4.21 },
    { canvas: 1024, speedup: 22.58 },
  ],
  /** Appendix B: share of the extra compute at canvas 1024 that is padding behind the end token. */
  eotWaste: 0.8959,
  filterParameters: 2112,
} as const;
