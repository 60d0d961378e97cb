/**
 * The paper's own figures: Hafner, Yan, Lillicrap, "Training Agents Inside of Scalable World Models", arXiv 2509.24527v1.
 * Display constants only; nothing here was measured by this project.
 */
export const PAPER = {
  title: 'Training Agents Inside of Scalable World Models',
  authors: 'Hafner, Yan, Lillicrap',
  arxiv: '2509.24527',
  /** Table 1: one H100, data and game at 20 frames a second. */
  worldModels: [
    { model: 'MineWorld', parameters: '1.2 B', resolution: '384x224', contextSeconds: 0.8, fps: 2, tasks: null },
    { model: 'Lucid-v1', parameters: '1.1 B', resolution: '640x360', contextSeconds: 1.0, fps: 44, tasks: 0 },
    { model: 'Oasis (small)', parameters: '500 M', resolution: '640x360', contextSeconds: 1.6, fps: 20, tasks: 0 },
    { model: 'Oasis (large)', parameters: 'unknown', resolution: '360x360', contextSeconds: 1.6, fps: 5, tasks: 5 },
    { model: 'Dreamer 4', parameters: '2 B', resolution: '640x360', contextSeconds: 9.6, fps: 21, tasks: 14 },
  ],
  /** Tasks of the play test in total (Figures 12-14). */
  playTestTasks: 16,
} as const;
