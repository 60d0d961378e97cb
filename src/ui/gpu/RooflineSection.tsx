// What this adapter can reach, measured, and how far each kernel is from it.

import { useState } from 'react';
import type { RooflinePoint } from '../../bench/roofline.ts';
import { byteRate, flopRate, ms, percent, work } from '../../bench/units.ts';
import { Choice } from '../controls/Choice.tsx';
import css from './gpu.module.css';
import type { LabSession } from './lab-session.ts';
import { useLab } from './lab-store.ts';
import { RooflinePlot } from './RooflinePlot.tsx';
import { RunBar } from './RunBar.tsx';
import { TilesPart } from './TilesPart.tsx';

type Order = 'registry' | 'fraction' | 'time';

function ordered(points: readonly RooflinePoint[], order: Order): RooflinePoint[] {
  if (order === 'registry') return [...points];
  if (order === 'time') return [...points].sort((a, b) => b.timing.median - a.timing.median);
  return [...points].sort((a, b) => a.fraction - b.fraction);
}

export function RooflineSection({ session, onPick }: { session: LabSession | null; onPick: (kernel: string) => void }) {
  const roof = useLab((s) => s.findings.roof);
  const points = useLab((s) => s.findings.points);
  const [order, setOrder] = useState<Order>('registry');
  return (
    <>
      <TilesPart session={session} />
      <RunBar session={session} job={{ kind: 'roofline' }} label="Measure">
        First the roof: the best matmul rate, the rate at which memory is copied, the cost of a dispatch and of a
        submission. Then every kernel alone at its benchmark size, median of several batches. Runs take copies of the
        inputs in turns, up to 16 and 64 MiB, so that caches do not flatter; where all of them are below 32 MiB a cache
        may still hold them, and the row says so.
      </RunBar>
      {roof && (
        <dl className={css.counts} data-testid="roof">
          <div>
            <dt>matmul peak</dt>
            <dd>{flopRate(roof.peak)}</dd>
          </div>
          <div>
            <dt>memory bandwidth</dt>
            <dd>{byteRate(roof.bandwidth)}</dd>
          </div>
          <div>
            <dt>one dispatch</dt>
            <dd>{ms(roof.dispatchMs)}</dd>
          </div>
          <div>
            <dt>one submission</dt>
            <dd>{ms(roof.submitMs)}</dd>
          </div>
        </dl>
      )}
      {roof && points.length > 0 && (
        <>
          <RooflinePlot roof={roof} points={points} onPick={onPick} />
          <Choice
            label="Order"
            value={order}
            options={[
              ['registry', 'By family'],
              ['fraction', 'Farthest from the roof'],
              ['time', 'Slowest'],
            ]}
            onChange={setOrder}
          />
          <div className={css.scroll}>
            <table className={css.table} data-testid="roofline-table">
              <thead>
                <tr>
                  <th scope="col">kernel</th>
                  <th scope="col">size</th>
                  <th scope="col" className={css.number}>
                    time
                  </th>
                  <th scope="col" className={css.number}>
                    quartiles
                  </th>
                  <th scope="col" className={css.number}>
                    work
                  </th>
                  <th scope="col" className={css.number}>
                    rate
                  </th>
                  <th scope="col" className={css.number}>
                    memory
                  </th>
                  <th scope="col" className={css.number}>
                    of attainable
                  </th>
                </tr>
              </thead>
              <tbody>
                {ordered(points, order).map((p) => (
                  <tr key={p.kernel}>
                    <th scope="row">
                      <button type="button" className={css.link} onClick={() => onPick(p.kernel)}>
                        {p.kernel}
                      </button>
                    </th>
                    <td>{p.case}</td>
                    <td className={css.number}>{ms(p.timing.median)}</td>
                    <td className={css.number}>
                      {ms(p.timing.q1)} – {ms(p.timing.q3)}
                    </td>
                    <td className={css.number}>{work(p.flops)}</td>
                    <td className={css.number}>{p.flops > 0 ? flopRate(p.flops / (p.timing.median / 1000)) : '–'}</td>
                    <td className={css.number}>
                      {byteRate(p.bytes / (p.timing.median / 1000))}
                      {p.cached && <abbr title="All copies of its data together may lie in a cache"> cached</abbr>}
                    </td>
                    <td className={css.number}>{p.timing.launchBound ? 'launch-bound' : percent(p.fraction)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p className={css.quiet}>
            Attainable: the longer of the time that the FLOPs need at the matmul peak and the time that the bytes need
            at the bandwidth. Above 100 %: the data stays in caches. Integer work, as in the ray caster, is not counted.
            Clock: {points[0].timing.clock === 'timestamp' ? 'timestamps of the GPU' : 'completion of batches'}.
          </p>
        </>
      )}
    </>
  );
}
