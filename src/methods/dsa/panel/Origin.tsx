// The line under a view: how its figures came about, and the figures as files.

import { useState } from 'react';
import css from './dsa.module.css';
import { type Origin as Facts, saveTable, type Table } from './export.ts';

interface Props {
  facts: Facts;
  /** Name of the files and the table, asked for when someone wants it. */
  name?: string;
  table?: () => Table;
}

export function Origin({ facts, name, table }: Props) {
  return (
    <div className={css.origin}>
      <dl className={css.facts}>
        {Object.entries(facts).map(([fact, value]) => (
          <div key={fact}>
            <dt>{fact}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {name && table && (
        <span className={css.files}>
          <button type="button" onClick={() => saveTable(name, table(), facts, 'csv')} aria-label={`${name} as CSV`}>
            CSV
          </button>
          <button type="button" onClick={() => saveTable(name, table(), facts, 'json')} aria-label={`${name} as JSON`}>
            JSON
          </button>
          <CopyLink />
        </span>
      )}
    </div>
  );
}

/** The address already says what is looked at. */
function CopyLink() {
  const [said, setSaid] = useState('Link');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(location.href);
      setSaid('Copied');
    } catch {
      setSaid('Copy it from the address bar');
    }
  };
  return (
    <button type="button" onClick={() => void copy()} aria-live="polite" title="Copy a link to this view">
      {said}
    </button>
  );
}
