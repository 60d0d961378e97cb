/** Runs a real kernel and a real render on the device and says in plain words what works, what is missing, what to do. */
import { adviceFor, type Runtime, runtimeHere } from '../gpu/browser-advice.ts';
import { type Gpu, SUBGROUP_MATRIX } from '../gpu/device.ts';
import { proofPlan, proveOne } from './proof.ts';

export interface Finding {
  what: string;
  state: 'good' | 'missing' | 'broken';
  /** One sentence. */
  meaning: string;
  /** What to do; empty if there is nothing to do. */
  advice: string;
}

async function tryOut(gpu: Gpu, kernel: string, what: string, meaning: string): Promise<Finding> {
  const start = performance.now();
  const [item] = proofPlan(gpu.conditions, [kernel]);
  const row = await proveOne(gpu, item);
  const ms = Math.round(performance.now() - start);
  if (row.ok) return { what, state: 'good', meaning: `${meaning} It took ${ms} ms, compilation included.`, advice: '' };
  return {
    what,
    state: 'broken',
    meaning: row.reason,
    advice: 'Update the browser and the graphics driver; if it stays, run the proof and keep its JSON for a report.',
  };
}

/** `runtime`: where advice is for; this page or process. */
export async function examine(gpu: Gpu, runtime: Runtime = runtimeHere()): Promise<Finding[]> {
  const { conditions, report, device } = gpu;
  const findings: Finding[] = [
    {
      what: 'Adapter',
      state: conditions.software ? 'missing' : 'good',
      meaning: conditions.software
        ? 'WebGPU runs here on the processor, not on a graphics card: everything works, large models are slow.'
        : 'WebGPU runs here on a graphics processor.',
      advice: conditions.software ? adviceFor('hardware', runtime) : '',
    },
    await tryOut(gpu, 'add', 'A kernel', 'A kernel ran and gave the right numbers.'),
    await tryOut(gpu, 'present', 'A picture', 'A picture was drawn and read back, pixel by pixel right.'),
  ];
  const feature = (name: string, what: string, good: string, without: string, advice: string): void => {
    const has = report.features.includes(name);
    findings.push({ what, state: has ? 'good' : 'missing', meaning: has ? good : without, advice: has ? '' : advice });
  };
  feature(
    'timestamp-query',
    'Timestamps',
    'Times below are measured on the GPU itself.',
    'Times below are measured from submission to completion, in batches.',
    adviceFor('timestamp-query', runtime),
  );
  feature(
    'subgroups',
    'Subgroups',
    conditions.subgroupSize > 0
      ? `Threads of a subgroup (${conditions.subgroupSize} here) exchange values without memory.`
      : 'Threads of a subgroup exchange values without memory.',
    'Kernels fall back to texts without subgroups.',
    adviceFor('subgroups', runtime),
  );
  feature(
    'shader-f16',
    'Half precision',
    'The adapter computes in 16-bit floats: matrix products can take them, from the command line only, because results change.',
    'The adapter has no 16-bit floats: matrix products stay in f32. Caches of keys and values can be 16 bits wide all the same.',
    adviceFor('shader-f16', runtime),
  );
  feature(
    SUBGROUP_MATRIX,
    'Matrix units',
    'The adapter offers subgroup matrices, the way to its matrix units. No kernel here uses them: none could be tried when they were written.',
    'The adapter offers no subgroup matrices, the way to a GPU’s matrix units. No kernel here needs them.',
    adviceFor('subgroup-matrix', runtime),
  );
  const binding = device.limits.maxStorageBufferBindingSize;
  findings.push({
    what: 'Memory at once',
    state: binding >= 2 ** 27 ? 'good' : 'missing',
    meaning: `One kernel sees at most ${Math.floor(binding / 2 ** 20)} MiB of one buffer; the largest preset here needs 128 MiB.`,
    advice: binding >= 2 ** 27 ? '' : 'Choose smaller presets.',
  });
  if (gpu.error !== null) {
    findings.push({
      what: 'Errors',
      state: 'broken',
      meaning: `The device reported: ${gpu.error.split('\n')[0]}`,
      advice: 'Reload; if it stays, this is a defect of the lab or of the driver.',
    });
  }
  return findings;
}
