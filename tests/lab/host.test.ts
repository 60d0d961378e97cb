// The worker's half of the GPU tab on a real device: a device that goes away in the middle of a job ends that job with the
// reason, and the next job has a new device and is as good as any.

import { beforeAll, expect, test } from 'vitest';
import { examine } from '../../src/bench/doctor.ts';
import { type Job, runJob } from '../../src/bench/jobs.ts';
import { proofPlan } from '../../src/bench/proof.ts';
import { KERNELS } from '../../src/bench/registry.ts';
import { type Gpu, openGpu } from '../../src/gpu/device.ts';
import { LabHost } from '../../src/ui/gpu/lab-host.ts';
import type { LabMessage } from '../../src/ui/gpu/lab-protocol.ts';
import { testGpu } from '../support/gpu.ts';

const opened: Gpu[] = [];
const host = new LabHost({
  openGpu: async () => {
    const result = await openGpu();
    if (result.ok) opened.push(result.gpu);
    return result;
  },
  bench: async () => ({ KERNELS, proofPlan, examine, runJob }),
});

beforeAll(testGpu);

/** Runs a job and gives its outcome and what it said, in order; `hear` is told everything at once. */
async function run(job: Job, hear: (message: LabMessage) => void = () => undefined) {
  const said: LabMessage[] = [];
  const { port1, port2 } = new MessageChannel();
  const ended = new Promise<void>((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<LabMessage>) => {
      said.push(data);
      if (data.kind === 'end') resolve();
    };
  });
  const post = port2.postMessage.bind(port2);
  port2.postMessage = (message: LabMessage) => {
    hear(message);
    post(message);
  };
  const outcome = await host.run(job, port2);
  await ended;
  port1.close();
  return { outcome, proof: said.flatMap((m) => (m.kind === 'proof' ? [m.row] : [])) };
}

const job: Job = { kind: 'proof', only: ['swiglu'] };

test('a device that is lost in mid-job ends the job with the reason; the next job is whole', async () => {
  const first = await host.open();
  if (!first.ok) throw new Error(first.reason);
  expect(first.value.checks).toBeGreaterThan(100);
  const cases = proofPlan(first.value.conditions, ['swiglu']).length;
  expect(cases).toBeGreaterThan(1);

  const lost = await run(job, (message) => {
    if (message.kind === 'proof') opened[0].device.destroy();
  });
  expect(lost.outcome).toMatchObject({
    ok: false,
    code: 'device-lost',
    advice: 'A new device is opened with the next run.',
  });
  expect(lost.outcome).toMatchObject({ reason: expect.stringContaining('The GPU device was lost') });
  expect(lost.proof).toHaveLength(1);

  const next = await run(job);
  expect(next.outcome).toEqual({ ok: true, value: 'done' });
  expect(next.proof.map((row) => row.ok)).toEqual(Array(cases).fill(true));
  expect(opened).toHaveLength(2);
});

test('after an error that stays with the device the next call has another one', async () => {
  const before = opened.length;
  const last = opened[before - 1];
  last.error = 'Out of memory';
  expect(await host.open()).toMatchObject({ ok: true });
  expect(opened).toHaveLength(before + 1);
  await last.lost;
});

test('a job that is stopped says so, and a job that fails keeps the device', async () => {
  const stopped = await run(job, (message) => {
    if (message.kind === 'proof') void host.stop();
  });
  expect(stopped.outcome).toEqual({ ok: true, value: 'stopped' });
  expect(stopped.proof).toHaveLength(1);
  const failed = await run({ kind: 'edit', kernel: 'swiglu', variant: 'none', file: '', text: '' });
  expect(failed.outcome).toMatchObject({ ok: false, code: 'internal', reason: "swiglu has no variant 'none'" });
  expect(opened).toHaveLength(3);
});
