// What one step of each method costs here.

import { bytes, ms, percent, work } from '../../bench/units.ts';
import css from './gpu.module.css';
import type { LabSession } from './lab-session.ts';
import { useLab } from './lab-store.ts';
import { RunBar } from './RunBar.tsx';

export function MethodsSection({ session }: { session: LabSession | null }) {
  const costs = useLab((s) => s.findings.costs);
  return (
    <>
      <RunBar session={session} job={{ kind: 'methods' }} label="Measure">
        One step of each method that exists, after a first one that compiles: training steps of the reference GPT, of
        sparse attention and Learn2PD at their smallest preset, and of the Dreamer 4 presets with a batch of one row;
        one played frame, one decoded token, one decoded block. Medians with quartiles.
      </RunBar>
      {costs.length > 0 && (
        <div className={css.scroll}>
          <table className={css.table} data-testid="methods-table">
            <thead>
              <tr>
                <th scope="col">method</th>
                <th scope="col">step</th>
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
                  dispatches
                </th>
                <th scope="col" className={css.number}>
                  pipelines
                </th>
                <th scope="col" className={css.number}>
                  arena
                </th>
                <th scope="col" className={css.number}>
                  of the matmul peak
                </th>
              </tr>
            </thead>
            <tbody>
              {costs.map((c) => (
                <tr key={`${c.method} ${c.step}`}>
                  <th scope="row">{c.method}</th>
                  <td>{c.step}</td>
                  <td className={css.number}>{ms(c.timing.median)}</td>
                  <td className={css.number}>
                    {ms(c.timing.q1)} – {ms(c.timing.q3)}
                  </td>
                  <td className={css.number}>{work(c.flops)}</td>
                  <td className={css.number}>{c.dispatches}</td>
                  <td className={css.number}>{c.pipelines}</td>
                  <td className={css.number}>{bytes(c.arenaMiB * 2 ** 20)}</td>
                  <td className={css.number}>{c.timing.launchBound ? 'launch-bound' : percent(c.fraction)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
