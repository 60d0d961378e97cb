/**
 * The report's own figures: DeepSeek-AI, "DeepSeek-V3.2-Exp: Boosting Long-Context Efficiency with DeepSeek Sparse Attention"
 * (2025), Table 1 and Figure 3 (the latter read off the plot); the architecture is restated in arXiv 2512.02556. Display
 * constants only; nothing here was measured by this project.
 */
export const PAPER = {
  title: 'DeepSeek-V3.2-Exp: Boosting Long-Context Efficiency with DeepSeek Sparse Attention',
  authors: 'DeepSeek-AI',
  arxiv: '2512.02556',
  /** Section 1 and the released configuration. */
  model: {
    vocab: 129280,
    width: 7168,
    layers: 61,
    feedForward: '18,432 (3 dense layers), 256 experts of 2,048, 8 active, 1 shared',
    heads: 128,
    queryLatent: 1536,
    latent: 512,
    rotary: 64,
    plain: 128,
    value: 128,
    indexHeads: 64,
    indexDim: 128,
    k: 2048,
    context: 131072,
    format: 'e4m3, scales ue8m0',
  },
  /** Table 1. */
  parity: [
    { benchmark: 'MMLU-Pro', dense: 85.0, sparse: 85.0 },
    { benchmark: 'GPQA-Diamond', dense: 80.7, sparse: 79.9 },
    { benchmark: 'Humanity’s Last Exam', dense: 21.7, sparse: 19.8 },
    { benchmark: 'BrowseComp', dense: 38.5, sparse: 40.1 },
    { benchmark: 'BrowseComp-zh', dense: 45.0, sparse: 47.9 },
    { benchmark: 'SimpleQA', dense: 96.8, sparse: 97.1 },
    { benchmark: 'LiveCodeBench', dense: 74.9, sparse: 74.1 },
    { benchmark: 'Codeforces-Div1', dense: 2046, sparse: 2121 },
    { benchmark: 'Aider-Polyglot', dense: 76.1, sparse: 74.5 },
    { benchmark: 'SWE Verified', dense: 68.4, sparse: 67.8 },
    { benchmark: 'SWE-bench Multilingual', dense: 57.8, sparse: 57.9 },
    { benchmark: 'Terminal-bench', dense: 36.7, sparse: 37.7 },
    { benchmark: 'AIME 2025', dense: 88.4, sparse: 89.3 },
    { benchmark: 'HMMT 2025', dense: 86.1, sparse: 83.6 },
  ],
  /** Figure 3: US dollars per million tokens on H800 at 2 dollars an hour. The sparse curves have a kink, then rise slowly. */
  cost: [
    { position: 0, prefill: { dense: 0.05, sparse: 0.06 }, decode: { dense: 0.07, sparse: 0.1 } },
    { position: 131072, prefill: { dense: 0.67, sparse: 0.19 }, decode: { dense: 2.15, sparse: 0.25 } },
  ],
  kinks: { prefill: { position: 7000, sparse: 0.1 }, decode: { position: 2500, sparse: 0.15 } },
  /** Section 2: tokens and rates of the two stages of continued training. */
  stages: [
    { stage: 'dense warm-up', tokens: 2.1e9, rate: 1e-3, steps: 1000 },
    { stage: 'sparse training', tokens: 943.7e9, rate: 7.3e-6, steps: 15000 },
  ],
} as const;
