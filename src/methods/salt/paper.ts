/**
 * The paper's own figures: "Rethinking JEPA: Compute-Efficient Video Self-Supervised Learning with Frozen Teachers", arXiv 2509.24317
 * (ICLR 2026), as published summaries of it print them. Display constants only; nothing here was measured by this project.
 */
export const PAPER = {
  title: 'Rethinking JEPA: Compute-Efficient Video SSL with Frozen Teachers',
  arxiv: '2509.24317',
  /** Frozen backbone, top-1 in percent; training compute in 1e21 FLOPs. All students have a ViT-L teacher. */
  frozen: [
    { model: 'V-JEPA 2 ViT-L', compute: 1.4, ssv2: 68.2, k400: 83.8 },
    { model: 'SALT ViT-L', compute: 1.2, ssv2: 74.9, k400: 85.4 },
    { model: 'V-JEPA 2 ViT-H', compute: 2.6, ssv2: 73.4, k400: 84.6 },
    { model: 'SALT ViT-H', compute: 1.5, ssv2: 75.4, k400: 86.0 },
  ],
  /** ViT-L, the same data and 240 k steps in total: mean over six benchmarks, SSv2, Diving48, in points over V-JEPA 2. */
  headToHead: { mean: 2.3, ssv2: 4.8, diving48: 5.9 },
  /** Mean top-1 of teacher and of student by the teacher's masks. */
  masks: [
    { masks: 'S+L multi-block', teacher: 72.5, student: 77.4 },
    { masks: 'two random tubes', teacher: 70.7, student: 76.9 },
  ],
} as const;
