/**
 * The paper's own figures: "Learning to Parallel: Accelerating Diffusion Large Language Models via Learnable Parallel
 * Decoding", arXiv 2509.25188v2 (ICLR 2026). Display constants only; nothing here was measured by this project.
 */
export const PAPER = {
  title: 'Learning to Parallel: Accelerating Diffusion LLMs via Learnable Parallel Decoding',
  arxiv: '2509.25188',
  model: 'LLaDA-8B-Instruct',
  /** Main table: tokens per second, speed-up over static decoding, score; tasks with their number of examples in the prompt. */
  main: [
    { task: 'GSM8K', shots: 5, method: 'static', canvas: 256, tps: 3.41, speedup: 1, score: 78.7 },
    { task: 'GSM8K', shots: 5, method: 'Learn2PD', canvas: 256, tps: 14.07, speedup: 4.13, score: 78.62 },
    { task: 'GSM8K', shots: 5, method: 'Learn2PD + EoTP', canvas: 256, tps: 14.35, speedup: 4.21, score: 78.62 },
    { task: 'GSM8K', shots: 5, method: 'static', canvas: 1024, tps: 0.54, speedup: 1, score: 77.6 },
    { task: 'GSM8K', shots: 5, method: 'Learn2PD', canvas: 1024, tps: 6.63, speedup: 12.21, score: 77.26 },
    { task: 'GSM8K', shots: 5, method: 'Learn2PD + EoTP', canvas: 1024, tps: 12.26, speedup: 22.58, score: 79.83 },
    { task: 'MATH', shots: 4, method: 'static', canvas: 256, tps: 4.7, speedup: 1, score: 32.9 },
    { task: 'MATH', shots: 4, method: 'Learn2PD', canvas: 256, tps: 15.16, speedup: 3.21, score: 32.22 },
    { task: 'MATH', shots: 4, method: 'Learn2PD + EoTP', canvas: 256, tps: 15.21, speedup: 3.23, score: 31.4 },
    { task: 'MATH', shots: 4, method: 'static', canvas: 1024, tps: 1.7, speedup: 1, score: 35.21 },
    { task: 'MATH', shots: 4, method: 'Learn2PD', canvas: 1024, tps: 10.98, speedup: 6.45, score: 34.01 },
    { task: 'MATH', shots: 4, method: 'Learn2PD + EoTP', canvas: 1024, tps: 12.27, speedup: 7.22, score: 34.6 },
    { task: 'HumanEval', shots: 0, method: 'static', canvas: 256, tps: 3.33, speedup: 1, score: 39.63 },
    { task: 'HumanEval', shots: 0, method: 'Learn2PD', canvas: 256, tps: 11.66, speedup: 3.5, score: 38.41 },
    { task: 'HumanEval', shots: 0, method: 'Learn2PD + EoTP', canvas: 256, tps: 11.88, speedup: 3.57, score: 38.41 },
    { task: 'HumanEval', shots: 0, method: 'static', canvas: 1024, tps: 0.53, speedup: 1, score: 37.21 },
    { task: 'HumanEval', shots: 0, method: 'Learn2PD', canvas: 1024, tps: 4.63, speedup: 8.78, score: 37.84 },
    { task: 'HumanEval', shots: 0, method: 'Learn2PD + EoTP', canvas: 1024, tps: 6.63, speedup: 12.55, score: 35.98 },
    { task: 'MBPP', shots: 3, method: 'static', canvas: 256, tps: 3.14, speedup: 1, score: 31.22 },
    { task: 'MBPP', shots: 3, method: 'Learn2PD', canvas: 256, tps: 14.96, speedup: 4.77, score: 30.84 },
    { task: 'MBPP', shots: 3, method: 'Learn2PD + EoTP', canvas: 256, tps: 15.88, speedup: 5.06, score: 31.03 },
    { task: 'MBPP', shots: 3, method: 'static', canvas: 1024, tps: 0.58, speedup: 1, score: 10.61 },
    { task: 'MBPP', shots: 3, method: 'Learn2PD', canvas: 1024, tps: 6.96, speedup: 12.08, score: 10.04 },
    { task: 'MBPP', shots: 3, method: 'Learn2PD + EoTP', canvas: 1024, tps: 9.89, speedup: 17.16, score: 11.02 },
  ],
  /** Key/value cache table, GSM8K at canvas 1024. */
  cache: [
    { cache: 'none', tps: 12.26, speedup: 22.58, score: 79.83 },
    { cache: 'dual', tps: 31.23, speedup: 57.51, score: 74.0 },
    { cache: 'prefix', tps: 14.79, speedup: 27.23, score: 77.71 },
  ],
  /** Layers of the filter, GSM8K at canvas 256 without EoTP. */
  depth: [
    { layers: 1, tps: 8.77, speedup: 2.57, score: 78.62 },
    { layers: 2, tps: 14.07, speedup: 4.13, score: 78.62 },
    { layers: 4, tps: 11.41, speedup: 3.35, score: 78.85 },
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

/**
 * What confidence-threshold decoding and block caches reach on the same model: Fast-dLLM, arXiv 2505.22618, LLaDA on an A100.
 * [score, tokens per second] of each way of decoding.
 */
export const FAST_DLLM = {
  arxiv: '2505.22618',
  rows: [
    { task: 'GSM8K', canvas: 256, base: [79.3, 6.7], cache: [79.5, 21.2], threshold: [79.2, 16.5], both: [78.5, 54.4] },
    { task: 'GSM8K', canvas: 512, base: [77.5, 3.2], cache: [77.0, 10.4], threshold: [77.6, 18.6], both: [77.2, 35.3] },
    {
      task: 'HumanEval',
      canvas: 256,
      base: [41.5, 30.5],
      cache: [42.7, 40.7],
      threshold: [43.9, 101.5],
      both: [43.3, 114.1],
    },
    { task: 'MATH', canvas: 256, base: [33.5, 9.1], cache: [33.3, 23.7], threshold: [33.4, 24.8], both: [33.2, 51.7] },
    { task: 'MBPP', canvas: 256, base: [29.4, 6.0], cache: [29.6, 17.0], threshold: [28.4, 24.8], both: [28.2, 44.8] },
  ],
  /** GSM8K 8-shot at canvas 1024: tokens per second. */
  long: { base: 0.7, threshold: 9.3, prefix: 13.0, dual: 19.3 },
} as const;
