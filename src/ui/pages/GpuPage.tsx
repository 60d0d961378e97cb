// What this browser's GPU says about itself, in plain words. The device lives in a worker that ends with the page.

import { releaseProxy, wrap } from 'comlink';
import { useEffect, useState } from 'react';
import type { AdapterReport } from '../../gpu/device.ts';
import { RaceSection } from '../gpu/RaceSection.tsx';
import type { GpuApi, Outcome } from '../playground/protocol.ts';
import { bytesOf, FEATURE_WORDS, LIMIT_WORDS } from './gpu-words.ts';
import css from './page.module.css';

export default function GpuPage() {
  const [result, setResult] = useState<Outcome<AdapterReport> | null>(null);
  useEffect(() => {
    const worker = new Worker(new URL('../../../workers/gpu.ts', import.meta.url), { type: 'module', name: 'gpu' });
    const gpu = wrap<GpuApi>(worker);
    let shown = true;
    gpu.report().then(
      (answer) => shown && setResult(answer),
      () => undefined,
    );
    return () => {
      shown = false;
      gpu[releaseProxy]();
      worker.terminate();
    };
  }, []);
  return (
    <main className={css.page} aria-busy={result === null}>
      <h1>GPU</h1>
      {result === null && <p className={css.lead}>Asking the browser.</p>}
      {result?.ok === false && (
        <>
          <p className={css.lead}>{result.reason}</p>
          <p className={css.plain}>{result.advice}</p>
        </>
      )}
      {result?.ok && <Report report={result.value} />}
      {result?.ok && <RaceSection />}
    </main>
  );
}

function Report({ report }: { report: AdapterReport }) {
  const name =
    report.description || report.device || `${report.vendor} ${report.architecture}`.trim() || 'unnamed adapter';
  return (
    <>
      <p className={css.lead}>
        {report.software
          ? 'WebGPU runs here on the processor, not on a graphics card. Everything works; large models are slow.'
          : 'WebGPU runs here on a graphics processor.'}
      </p>
      <dl className={css.facts}>
        <dt>Adapter</dt>
        <dd>{name}</dd>
        <dt>Vendor</dt>
        <dd>{report.vendor || 'not told'}</dd>
        <dt>Architecture</dt>
        <dd>{report.architecture || 'not told'}</dd>
      </dl>
      <h2>What the kernels can use</h2>
      <table className={css.table}>
        <tbody>
          {FEATURE_WORDS.map(([feature, title, meaning]) => (
            <tr key={feature}>
              <td>{title}</td>
              <td>{report.features.includes(feature) ? 'yes' : 'no'}</td>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h2>Limits that this device was opened with</h2>
      <table className={css.table}>
        <tbody>
          {LIMIT_WORDS.map(([limit, title, meaning]) => (
            <tr key={limit}>
              <td>{title}</td>
              <td>
                {limit.endsWith('Size') && !limit.includes('SizeX')
                  ? bytesOf(report.limits[limit])
                  : report.limits[limit]}
              </td>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h2>Every feature that the device has</h2>
      <p className={css.plain}>{report.features.join(', ') || 'none'}</p>
    </>
  );
}
