/** One training step of the GPT as one program: forward, backward and AdamW in one submission. */
import type { Gpu } from '../gpu/device.ts';
import { type GptShape, gptLoss } from '../nn/gpt.ts';
import { Scope } from '../nn/layers.ts';
import type { ParamStore } from '../nn/params.ts';
import { compile, type Program } from '../tensor/program.ts';
import { type AdamW, adamw, backward, hyper } from './optimiser.ts';

export interface GptStep {
  program: Program;
  /** Submits step t (1, 2, ..) on ids and targets [batch, time]; returns before the GPU is done. */
  run(t: number, lr: number, ids: Uint32Array<ArrayBuffer>, targets: Uint32Array<ArrayBuffer>): void;
  /** Loss of the last step, before its update; waits for the GPU. */
  loss(): Promise<number>;
}

/** Declares the parameters in `store`, and allocates them with `seed` if that has not happened yet. */
export function gptStep(
  gpu: Gpu,
  store: ParamStore,
  shape: GptShape,
  { batch, time }: { batch: number; time: number },
  optimiser: AdamW,
  seed: number,
): GptStep {
  const program = compile(gpu, (graph) => {
    const scope = new Scope(graph, store);
    const rows = [batch, time];
    const loss = gptLoss(
      scope,
      shape,
      graph.input('ids', rows),
      graph.input('targets', rows),
      graph.input('starts', [batch]),
    );
    graph.output('loss', loss);
    adamw(graph, store, backward(graph, loss, scope.used(), store));
    store.allocate(gpu, seed);
  });
  const constant = { starts: new Uint32Array(batch), one: new Float32Array([1]) };
  return {
    program,
    run: (t, lr, ids, targets) => program.run({ ...constant, ids, targets, hyper: hyper(optimiser, t, lr) }),
    loss: async () => (await program.read('loss'))[0],
  };
}
