// A table that may be wider than the page: it scrolls by itself, with the keyboard as well.

import type { ReactNode } from 'react';
import css from './learn2pd.module.css';

export function Scroll({ label = 'Table', children }: { label?: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a pointer
    <section className={css.scroll} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
