// Every kernel and variant against its float64 reference on this adapter: one button, one table, all cases one click away.

import { Fragment, useState } from 'react';
import { byLack, countProof, type ProofRow } from '../../bench/proof-rows.ts';
import { Choice } from '../controls/Choice.tsx';
import css from './gpu.module.css';
import type { LabSession } from './lab-session.ts';
import { useLab } from './lab-store.ts';
import { RunBar } from './RunBar.tsx';

interface Group {
  key: string;
  kernel: string;
  variant: string;
  family: string;
  rows: ProofRow[];
}

function groups(rows: readonly ProofRow[]): Group[] {
  const found = new Map<string, Group>();
  for (const row of rows) {
    const key = `${row.kernel}|${row.variant}`;
    const group = found.get(key) ?? { key, kernel: row.kernel, variant: row.variant, family: row.family, rows: [] };
    group.rows.push(row);
    found.set(key, group);
  }
  return [...found.values()];
}

/** The case that comes closest to its tolerance; a failed one is closer than any. */
const tightest = (rows: readonly ProofRow[]): ProofRow =>
  rows.reduce((worst, r) => (closeness(r) > closeness(worst) ? r : worst));
const closeness = (r: ProofRow): number =>
  r.ok ? (r.tolerance > 0 ? r.share / r.tolerance : 0) : Number.POSITIVE_INFINITY;

const errorText = (r: ProofRow): string => (r.tolerance === 0 && r.ok ? 'exact' : r.share.toExponential(1));

export function ProofSection({ session }: { session: LabSession | null }) {
  const rows = useLab((s) => s.findings.proof);
  const skipped = useLab((s) => s.findings.skipped);
  const checks = useLab((s) => s.opened?.checks ?? 0);
  const [open, setOpen] = useState<string | null>(null);
  const [show, setShow] = useState<'all' | 'failed'>('all');
  const counts = countProof(rows);
  const listed = groups(rows).filter((g) => show === 'all' || g.rows.some((r) => !r.ok));
  return (
    <>
      <RunBar session={session} job={{ kind: 'proof' }} label="Prove all kernels">
        {checks} checks: every kernel and every variant that this adapter can run, ragged sizes included, against a
        float64 reference; each twice, bit by bit; guards behind every output; gradients against finite differences; the
        ray caster byte for byte.
      </RunBar>
      {rows.length > 0 && (
        <>
          <dl className={css.counts} data-testid="proof-counts">
            {(
              [
                ['kernels', counts.kernels],
                ['variants', counts.variants],
                ['cases', counts.cases],
                ['gradients', counts.gradients],
                ['failed', counts.failed],
              ] as const
            ).map(([name, value]) => (
              <div key={name} data-bad={name === 'failed' && value > 0}>
                <dt>{name}</dt>
                <dd data-testid={`proof-${name}`}>{value}</dd>
              </div>
            ))}
          </dl>
          <Choice
            label="Rows"
            value={show}
            options={[
              ['all', 'All'],
              ['failed', 'Failed'],
            ]}
            onChange={setShow}
          />
          <div className={css.scroll}>
            <table className={css.table} data-testid="proof-table">
              <thead>
                <tr>
                  <th scope="col">kernel</th>
                  <th scope="col">variant</th>
                  <th scope="col">result</th>
                  <th scope="col" className={css.number}>
                    closest error
                  </th>
                  <th scope="col" className={css.number}>
                    allowed
                  </th>
                </tr>
              </thead>
              <tbody>
                {listed.map((g) => {
                  const worst = tightest(g.rows);
                  const good = g.rows.filter((r) => r.ok).length;
                  return (
                    <Fragment key={g.key}>
                      <tr data-bad={good < g.rows.length}>
                        <th scope="row">
                          <button
                            type="button"
                            className={css.fold}
                            aria-expanded={open === g.key}
                            onClick={() => setOpen(open === g.key ? null : g.key)}
                          >
                            {g.kernel}
                          </button>
                        </th>
                        <td>{g.variant}</td>
                        <td>
                          {good === g.rows.length ? `${good} hold` : `${g.rows.length - good} of ${g.rows.length} fail`}
                        </td>
                        <td className={css.number}>{errorText(worst)}</td>
                        <td className={css.number}>{worst.tolerance > 0 ? worst.tolerance.toExponential(0) : ''}</td>
                      </tr>
                      {open === g.key &&
                        g.rows.map((r) => (
                          <tr key={r.case} className={css.inner} data-bad={!r.ok}>
                            <td colSpan={2}>{r.case}</td>
                            <td>{r.ok ? 'holds' : r.reason}</td>
                            <td className={css.number}>{errorText(r)}</td>
                            <td className={css.number}>{r.tolerance > 0 ? r.tolerance.toExponential(0) : ''}</td>
                          </tr>
                        ))}
                    </Fragment>
                  );
                })}
              </tbody>
            </table>
          </div>
          <p className={css.quiet}>
            Errors are shares of the largest wanted value of a tensor. “Closest” is the case that comes nearest to what
            is allowed.
          </p>
          {skipped.length > 0 && (
            <details className={css.more} data-testid="proof-skipped">
              <summary>{skipped.length} variants that this adapter cannot run</summary>
              {byLack(skipped).map(([lacks, variants]) => (
                <p key={lacks}>
                  Needing {lacks}: {variants.join(', ')}.
                </p>
              ))}
            </details>
          )}
        </>
      )}
    </>
  );
}
