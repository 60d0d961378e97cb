// Entry of the GPU tab's worker: it owns a device of its own. Logic: src/ui/gpu/lab-host.ts.

import { expose } from 'comlink';
import { opfsStorage } from '../src/data/storage.ts';
import { openWithTiles, saveTiles } from '../src/data/tile-cache.ts';
import { openGpu } from '../src/gpu/device.ts';
import { LabHost } from '../src/ui/gpu/lab-host.ts';
import type { LabApi } from '../src/ui/gpu/lab-protocol.ts';

const host = new LabHost({
  openGpu: () => openWithTiles(openGpu, () => opfsStorage('adapters')),
  keepTiles: async (report, tiles) => saveTiles(await opfsStorage('adapters'), report, tiles, new Date()),
  async bench() {
    const [{ KERNELS }, { proofPlan }, { examine }, { runJob }] = await Promise.all([
      import('../src/bench/registry.ts'),
      import('../src/bench/proof.ts'),
      import('../src/bench/doctor.ts'),
      import('../src/bench/jobs.ts'),
    ]);
    return { KERNELS, proofPlan, examine, runJob };
  },
});

const api: LabApi = {
  open: () => host.open(),
  examine: () => host.examine(),
  run: (job, events) => host.run(job, events),
  stop: () => host.stop(),
};

expose(api);
