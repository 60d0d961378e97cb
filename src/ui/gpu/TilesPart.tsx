// Which tile every class of matrix products takes on this adapter, as measured here; kept for the next visit.

import { ms } from '../../bench/units.ts';
import css from './gpu.module.css';
import type { LabSession } from './lab-session.ts';
import { useLab } from './lab-store.ts';
import { RunBar } from './RunBar.tsx';

export function TilesPart({ session }: { session: LabSession | null }) {
  const rows = useLab((s) => s.findings.tiles);
  const kept = useLab((s) => Object.keys(s.opened?.conditions.tiles ?? {}).length);
  const choice = kept > 0 ? `${kept} classes follow an earlier measurement` : 'all follow a cost model';
  return (
    <>
      <RunBar session={session} job={{ kind: 'tiles' }} label="Choose tiles">
        Matrix products of one class take the tile that was fastest here; {choice}. A tile must give every bit of what
        the cost model’s choice gives, so results do not depend on the table. Graphics processors have one tile only.
      </RunBar>
      {rows.length > 0 && (
        <div className={css.scroll}>
          <table className={css.table} data-testid="tiles-table">
            <thead>
              <tr>
                <th scope="col">products</th>
                <th scope="col">measured on</th>
                <th scope="col">chosen, rows x blocks</th>
                <th scope="col">times, the cost model’s choice first</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((r) => (
                <tr key={r.class}>
                  <th scope="row">{r.class}</th>
                  <td>{r.shape}</td>
                  <td>
                    {r.chosen.rows} x {r.chosen.blocks}
                  </td>
                  <td>{r.tiles.map((t) => `${t.rows} x ${t.blocks}: ${ms(t.ms)}`).join(', ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
