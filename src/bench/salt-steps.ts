/** One training step of both stages of SALT and of its moving-average baseline, at the smallest preset: cost does not depend on what was learned. */
import type { Gpu } from '../gpu/device.ts';
import { configure } from '../methods/salt/config.ts';
import { maskNames, type Stage, StageTrainer } from '../methods/salt/trainer.ts';
import { ParamStore } from '../nn/params.ts';
import { issuedRow, type MethodRow } from './method-cost.ts';

const SEED = 1;
/** Steps that a stage is scheduled for here: any number, nothing is learned. */
const STEPS = 1000;

export async function saltSteps(gpu: Gpu): Promise<MethodRow[]> {
  const c = configure('test');
  const teacher = new ParamStore();
  const common = { network: c.student, masks: maskNames(c, 'mask'), steps: STEPS };
  const stages: Stage[] = [
    { title: 'V-Pixel teacher', objective: { kind: 'pixels' }, ...common, network: c.teacher },
    { title: 'SALT student', objective: { kind: 'frozen', teacher, network: c.teacher }, ...common },
    { title: 'V-JEPA baseline', objective: { kind: 'average' }, ...common },
  ];
  const rows: MethodRow[] = [];
  try {
    for (const [i, stage] of stages.entries()) {
      const store = i === 0 ? teacher : new ParamStore();
      const trainer = new StageTrainer(gpu, c, stage, store, SEED);
      try {
        const step = `${stage.title} step, batch ${c.batch}`;
        rows.push(await issuedRow(gpu, 'SALT test', step, trainer.program.stats, () => trainer.issue()));
        await trainer.metrics();
      } finally {
        trainer.dispose();
        if (i > 0) store.dispose();
      }
    }
    return rows;
  } finally {
    teacher.dispose();
  }
}
