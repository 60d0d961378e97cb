// How good the new filter is on records of prompts that it has not seen, masked positions only.

import type { FilterGrade } from './grow.ts';
import css from './learn2pd.module.css';
import { LinePlot } from './plots.tsx';
import { Scroll } from './Scroll.tsx';

const share = (x: number): string => (Number.isNaN(x) ? 'none' : `${(100 * x).toFixed(1)} %`);

export function FilterReportView({ grown }: { grown: FilterGrade }) {
  const { report, reliability } = grown;
  return (
    <div className={css.columns}>
      <LinePlot
        title="Reliability: score against share right"
        series={[
          { name: 'filter, unseen records', look: 1, points: reliability.map((b) => [b.score, b.right] as const) },
          { name: 'perfect', look: 5, points: [[0, 0] as const, [1, 1] as const] },
        ]}
        x="score σ(z)"
        y="share that was right"
        yFrom={0}
      />
      <Scroll>
        <table className={css.table}>
          <caption>{report.records} unseen records</caption>
          <tbody>
            <tr>
              <th scope="row">BCE, masked positions</th>
              <td>{report.bceMasked.toFixed(4)}</td>
            </tr>
            <tr>
              <th scope="row">BCE, all positions</th>
              <td>{report.bceAll.toFixed(4)}</td>
            </tr>
            <tr>
              <th scope="row">BCE of the best constant</th>
              <td>{report.bceConstant.toFixed(4)}</td>
            </tr>
            <tr>
              <th scope="row">area under the ROC curve</th>
              <td>{Number.isNaN(report.auroc) ? 'not defined' : report.auroc.toFixed(4)}</td>
            </tr>
            {report.falsePositives.map(({ tau, taken, share: wrong }) => (
              <tr key={tau}>
                <th scope="row">wrong above τ {tau}</th>
                <td>
                  {share(wrong)} of {taken}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}
