/**
 * The end of a run whose numbers are no longer numbers: the metrics of a step are checked where they are read and before
 * every save, and the error names the step and the first tensor that is not finite.
 */
import type { ParamStore, Slab } from '../nn/params.ts';

/** The first tensor with a number that is not finite, gradients before values, such as "gradient of dyn.0.q"; or null. */
export async function firstNotFinite(store: ParamStore): Promise<string | null> {
  const slabs: [Slab, string][] = [
    ['grad', 'gradient of'],
    ['value', 'parameter'],
  ];
  for (const [slab, title] of slabs) {
    for (const [name, values] of await store.read(slab)) {
      if (!values.every(Number.isFinite)) return `${title} ${name}`;
    }
  }
  return null;
}

/** Throws if a metric of the last step is not a finite number. `step` is the beginning of the message: "dynamics step 70". */
export async function requireFinite(step: string, metrics: Record<string, number>, store: ParamStore): Promise<void> {
  for (const [name, value] of Object.entries(metrics)) {
    if (Number.isFinite(value)) continue;
    const tensor = await firstNotFinite(store);
    const where = tensor ? ` (first bad tensor: ${tensor})` : '';
    throw new Error(`${step}: ${name} is ${value}${where}. The run stops here; the last checkpoint is still good.`);
  }
}
