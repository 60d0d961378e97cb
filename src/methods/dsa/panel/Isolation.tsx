// The gradient-isolation badge: norms of the gradients of each loss alone, read off the gradient buffer.

import { Button } from '../../../ui/controls/Button.tsx';
import css from './dsa.module.css';
import type { TrainState } from './protocol.ts';

const figure = (x: number): string => (x === 0 ? '0' : x.toPrecision(3));

export function Isolation({ measured, onMeasure }: { measured: TrainState['isolation']; onMeasure: () => void }) {
  const norms = measured?.norms;
  const apart = norms && norms.indexLossOnMain === 0 && norms.lmLossOnIndexer === 0;
  return (
    <div className={css.isolation} data-testid="isolation">
      <p data-state={norms ? (apart ? 'apart' : 'mixed') : 'unknown'}>
        {norms
          ? apart
            ? 'The two losses stay apart'
            : 'A loss reaches weights that are not its own'
          : 'Gradients are measured when the warm-up begins'}
      </p>
      {norms && measured && (
        <table className={css.table}>
          <caption>
            Gradient norms, each loss alone, sparse attention; step {measured.step} of stage {measured.phase}
          </caption>
          <thead>
            <tr>
              <th scope="col">loss</th>
              <th scope="col">on the main model</th>
              <th scope="col">on the indexer</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">language model</th>
              <td>{figure(norms.lmLossOnMain)}</td>
              <td>{figure(norms.lmLossOnIndexer)}</td>
            </tr>
            <tr>
              <th scope="row">indexer, KL</th>
              <td>{figure(norms.indexLossOnMain)}</td>
              <td>{figure(norms.indexLossOnIndexer)}</td>
            </tr>
          </tbody>
        </table>
      )}
      <Button onClick={onMeasure} testId="measure-gradients">
        Measure the gradients now
      </Button>
    </div>
  );
}
