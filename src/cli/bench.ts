// `lab bench`: what the GPU tab measures, in Node: device, proof, roofline, versions, growth, methods.

import { examine } from '../bench/doctor.ts';
import { type Job, runJob } from '../bench/jobs.ts';
import { byLack, countProof } from '../bench/proof-rows.ts';
import { benchReport, type Findings, gather, noFindings } from '../bench/report.ts';
import { tileTable } from '../bench/tiles.ts';
import { byteRate, flopRate, ms, percent, times, work } from '../bench/units.ts';
import { saveTiles } from '../data/tile-cache.ts';
import type { Gpu } from '../gpu/device.ts';
import { adapterName } from '../runs/run-record.ts';
import { RUN_FLAGS, UsageError } from './args.ts';
import { type ChosenPart, chooseParts, PARTS } from './bench-choice.ts';
import { defineCommand, type Output } from './command.ts';
import { adapterStorage, gpuOrFail } from './open.ts';

/** The names of everything come with the kernels, which are many: only when one is asked for. */
async function choose(names: readonly string[]): Promise<ChosenPart[]> {
  if (names.length === 0) return chooseParts([], { kernels: [], growth: [], methods: [] });
  const [{ KERNELS, RENDERS }, { SWEEPS }, { METHOD_BENCHES }] = await Promise.all([
    import('../bench/registry.ts'),
    import('../bench/growth.ts'),
    import('../bench/methods.ts'),
  ]);
  const nameOf = ({ name }: { name: string }): string => name;
  return chooseParts(names, {
    kernels: [...KERNELS, ...RENDERS].map(nameOf),
    growth: SWEEPS.map(nameOf),
    methods: METHOD_BENCHES.map(nameOf),
  });
}

/** Columns as wide as their widest cell; numbers to the right. */
function table(output: Output, title: string, rows: readonly (readonly string[])[]): void {
  if (rows.length < 2) return;
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  const numeric = rows[0].map((_, c) => rows.slice(1).every((row) => /^[\d–-]/.test(row[c])));
  output.line('');
  output.line(title);
  for (const row of rows) {
    output.line(
      row
        .map((cell, c) => (numeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
        .join('  ')
        .trimEnd(),
    );
  }
}

function print(output: Output, f: Findings): void {
  if (f.proof.length > 0) {
    const c = countProof(f.proof);
    output.line('');
    output.line(
      `proof: ${c.kernels} kernels, ${c.variants} variants, ${c.cases} cases, ${c.gradients} gradients; ${c.failed === 0 ? 'all hold' : `${c.failed} fail`}`,
    );
    for (const r of f.proof.filter((row) => !row.ok))
      output.line(`  ${r.kernel}, ${r.variant}, ${r.case}: ${r.reason}`);
    for (const [lacks, variants] of byLack(f.skipped))
      output.line(`not run here, as it needs ${lacks}: ${variants.join(', ')}`);
  }
  if (f.roof) {
    const { peak, peakBy, bandwidth, dispatchMs, submitMs } = f.roof;
    output.line('');
    output.line(
      `roofline: ${flopRate(peak)} (${peakBy}), ${byteRate(bandwidth)}, dispatch ${ms(dispatchMs)}, submission ${ms(submitMs)}`,
    );
  }
  table(output, 'matmul tiles: rows x blocks, the rule first', [
    ['products', 'measured on', 'chosen', 'times'],
    ...f.tiles.map((r) => [
      r.class,
      r.shape,
      `${r.chosen.rows} x ${r.chosen.blocks}`,
      r.tiles.map((t) => `${t.rows} x ${t.blocks}: ${ms(t.ms)}`).join(', '),
    ]),
  ]);
  table(output, 'kernels on the roofline', [
    ['kernel', 'variant', 'size', 'time', 'q1..q3', 'rate', 'memory', 'of attainable', ''],
    ...f.points.map((p) => [
      p.kernel,
      p.variant,
      p.case,
      ms(p.timing.median),
      `${ms(p.timing.q1)}..${ms(p.timing.q3)}`,
      p.flops > 0 ? flopRate(p.flops / (p.timing.median / 1000)) : '–',
      byteRate(p.bytes / (p.timing.median / 1000)),
      percent(p.fraction),
      [...(p.timing.launchBound ? ['launch-bound'] : []), ...(p.cached ? ['cached'] : [])].join(', '),
    ]),
  ]);
  table(output, 'versions', [
    ['kernel', 'version', 'time', 'against the one in use', ''],
    ...f.ladders.flatMap((l) =>
      l.rungs.map((r) => [
        l.kernel,
        r.name,
        r.timing ? ms(r.timing.median) : '–',
        times(r.ratio),
        r.used ? 'in use' : r.lacks && `needs ${r.lacks}`,
      ]),
    ),
  ]);
  table(output, 'growth', [
    ['what', 'over', 'exponent', 'expected', 'sizes and times'],
    ...f.curves.map((c) => [
      c.name,
      c.axis,
      c.exponent.toFixed(2),
      String(c.expected),
      c.points
        .map((p) => `${p.size}: ${ms(p.timing.median)}${p.timing.launchBound ? ' (launch-bound)' : ''}`)
        .join(', '),
    ]),
  ]);
  table(output, 'methods', [
    ['method', 'step', 'time', 'q1..q3', 'work', 'dispatches', 'pipelines', 'of the matmul peak', ''],
    ...f.costs.map((c) => [
      c.method,
      c.step,
      ms(c.timing.median),
      `${ms(c.timing.q1)}..${ms(c.timing.q3)}`,
      work(c.flops),
      String(c.dispatches),
      String(c.pipelines),
      percent(c.fraction),
      c.timing.launchBound ? 'launch-bound' : '',
    ]),
  ]);
}

async function device(gpu: Gpu, output: Output) {
  const doctor = await examine(gpu);
  for (const { what, state, meaning, advice } of doctor) {
    output.line(`${what.padEnd(15)} ${state.padEnd(8)} ${meaning}${advice ? ` ${advice}` : ''}`);
  }
  return doctor;
}

export const bench = defineCommand({
  usage: '[--only NAME,...] [--json]',
  flags: {
    only: { kind: 'list', help: `parts (${PARTS.join(', ')}), kernels, curves and methods by name`, value: 'NAME,...' },
    json: RUN_FLAGS.json,
  },
  async run({ positionals, flags }, output) {
    if (positionals.length > 0) throw new UsageError(`bench takes no argument, got '${positionals[0]}'`);
    const parts = await choose(flags.only);
    const start = performance.now();
    const gpu = await gpuOrFail();
    output.line(`adapter: ${adapterName(gpu.report)}`);
    const doctor = parts.some(({ part }) => part === 'device') ? await device(gpu, output) : [];
    let findings = noFindings();
    for (const { part, only } of parts) {
      if (part === 'device') continue;
      await runJob(
        gpu,
        { kind: part, only } as Job,
        (event) => {
          findings = gather(findings, event);
          if (event.kind === 'progress' && event.what)
            output.note(`${part} ${event.done + 1}/${event.total} ${event.what}`);
        },
        new AbortController().signal,
      );
    }
    if (findings.tiles.length > 0) {
      await saveTiles(await adapterStorage(), gpu.report, tileTable(findings.tiles), new Date());
    }
    print(output, findings);
    const runtime = `Node ${process.versions.node}, Dawn (webgpu package)`;
    const wallMs = performance.now() - start;
    const report = benchReport(findings, { date: new Date(), wallMs, runtime, adapter: gpu.report, doctor });
    output.result(report);
    if (report.counts.failed > 0) throw new Error(`${report.counts.failed} of the proof's checks fail`);
  },
});
