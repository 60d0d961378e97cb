// "Grow a world in your tab": the training page of the first method.

import css from './page.module.css';

export default function TrainPage() {
  return (
    <main className={css.page}>
      <h1>Dreamer 4</h1>
    </main>
  );
}
