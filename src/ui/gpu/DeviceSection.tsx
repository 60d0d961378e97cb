// The adapter in plain words: what runs, what is missing, what to do; features and limits and what they mean here.

import type { AdapterReport } from '../../gpu/device.ts';
import css from './gpu.module.css';
import { FEATURE_WORDS, LIMIT_WORDS, limitText } from './gpu-words.ts';
import { useLab } from './lab-store.ts';

const STATE_WORDS = { good: 'good', missing: 'missing', broken: 'broken' } as const;

export function DeviceSection({ report }: { report: AdapterReport }) {
  const doctor = useLab((s) => s.doctor);
  return (
    <>
      <section>
        <h2>Doctor</h2>
        {doctor === null ? (
          <p className={css.quiet}>Running a kernel and drawing a picture.</p>
        ) : (
          <ul className={css.findings} data-testid="doctor">
            {doctor.map((f) => (
              <li key={f.what} data-state={f.state}>
                <span className={css.state}>{STATE_WORDS[f.state]}</span>
                <strong>{f.what}</strong>
                <p>
                  {f.meaning}
                  {f.advice && <em> {f.advice}</em>}
                </p>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section className={css.columns}>
        <div>
          <h2>Adapter</h2>
          <dl className={css.facts}>
            <dt>Driver</dt>
            <dd>{report.description || report.device || 'not told'}</dd>
            <dt>Vendor</dt>
            <dd>{report.vendor || 'not told'}</dd>
            <dt>Architecture</dt>
            <dd>{report.architecture || 'not told'}</dd>
            <dt>Runs on</dt>
            <dd>{report.software ? 'the processor' : 'a graphics processor'}</dd>
          </dl>
          <h2>What the kernels can use</h2>
          <table className={css.table}>
            <caption className="visually-hidden">Features that choose kernel variants</caption>
            <tbody>
              {FEATURE_WORDS.map(([feature, title, meaning]) => (
                <tr key={feature}>
                  <th scope="row">{title}</th>
                  <td>{report.features.includes(feature) ? 'yes' : 'no'}</td>
                  <td>{meaning}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <div>
          <h2>Limits of this device</h2>
          <table className={css.table}>
            <caption className="visually-hidden">Limits and what they bound</caption>
            <tbody>
              {LIMIT_WORDS.map(([limit, title, meaning]) => (
                <tr key={limit}>
                  <th scope="row">{title}</th>
                  <td>{limitText(limit, report.limits[limit])}</td>
                  <td>{meaning}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <details className={css.more}>
        <summary>Every feature that the device has</summary>
        <p>{report.features.join(', ') || 'none'}</p>
      </details>
    </>
  );
}
