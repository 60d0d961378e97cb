// An address that leads nowhere.

import { Link } from 'wouter';
import css from './page.module.css';

export default function MissingPage() {
  return (
    <main className={css.page}>
      <h1>There is nothing at this address.</h1>
      <p className={css.lead}>
        <Link href="/">Go to the playground</Link>
      </p>
    </main>
  );
}
