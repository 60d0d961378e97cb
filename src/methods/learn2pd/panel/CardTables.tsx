// The tables of the card that came with the weights: measured by the named command, not in this tab.

import { useEffect, useState } from 'react';
import css from './learn2pd.module.css';
import { PAPER_LENGTHS } from './paper-series.ts';
import { LinePlot, type Series } from './plots.tsx';
import { Scroll } from './Scroll.tsx';
import { type Card, fetchCard, type ShippedFile } from './shipped.ts';

type Table = NonNullable<NonNullable<Card['evaluation']>['tables']>[number];

const TITLES: Record<string, string> = {
  main: 'Policies by task',
  lengthScaling: 'By canvas length',
  kv: 'KV cache at the longest canvas',
  pareto: 'Trade-off',
  oracleGap: 'Passes, oracle to static',
  passesPerBlock: 'Passes per block',
  unnecessaryDecodes: 'Passes after the guess was first right',
  liveDecisions: 'Decisions while decoding, against the static text',
  overhead: 'What the filter costs',
  filterAblations: 'Ablations of the filter',
  decodingAblations: 'Ablations of decoding',
};

const words = (value: string | number | null): string => {
  if (value === null) return '–';
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toPrecision(3);
};

export function CardTables({ file }: { file: ShippedFile }) {
  const [card, setCard] = useState<Card | null>(null);
  useEffect(() => {
    let live = true;
    void fetchCard(file).then((found) => live && setCard(found));
    return () => {
      live = false;
    };
  }, [file]);
  const tables = card?.evaluation?.tables ?? [];
  if (!card?.evaluation || tables.length === 0) return null;
  const of = (name: string): Table | undefined => tables.find((t) => t.name === name);
  const pareto = of('pareto');
  const lengths = of('lengthScaling');
  return (
    <section aria-labelledby="card">
      <h2 id="card" className={css.second}>
        Measured for the card
      </h2>
      <p className={css.lead}>
        {card.evaluation.adapter}; <code>{card.evaluation.command}</code>
      </p>
      {card.training && (
        <p className={css.lead}>
          The weights: {(card.training.flops / 1e12).toPrecision(2)} TFLOP on {card.training.adapter};{' '}
          <code>{card.training.command}</code>
        </p>
      )}
      <div className={css.columns}>
        {pareto && (
          <LinePlot
            title="Accuracy against passes"
            series={trade(pareto)}
            x="passes (NFE), logarithmic"
            y="share right"
            xLog
          />
        )}
        {lengths && lengths.rows.length > 1 && (
          <LinePlot
            title="Against static decoding, by canvas"
            series={[...scaling(lengths), PAPER_LENGTHS]}
            x="canvas, tokens"
            y="times fewer or faster"
            xLog
            yLog
            formatY={(v) => `${v}×`}
          />
        )}
      </div>
      {tables
        .filter(({ name }) => name in TITLES)
        .map((table) => (
          <details key={table.name} className={css.details} open={table.name === 'main'}>
            <summary>{TITLES[table.name]}</summary>
            <Scroll>
              <table className={css.table}>
                <thead>
                  <tr>
                    {table.columns.map((name) => (
                      <th scope="col" key={name} data-paper={name.startsWith('paper') || undefined}>
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {table.rows.map((row) => (
                    <tr key={row.join()}>
                      {row.map((value, i) =>
                        i === 0 ? (
                          <th scope="row" key={table.columns[i]}>
                            {words(value)}
                          </th>
                        ) : (
                          <td key={table.columns[i]} data-paper={table.columns[i].startsWith('paper') || undefined}>
                            {words(value)}
                          </td>
                        ),
                      )}
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          </details>
        ))}
    </section>
  );
}

const column = (table: Table, name: string): number => table.columns.indexOf(name);

function trade(table: Table): Series[] {
  const [x, y] = [column(table, 'passes'), column(table, 'accuracy')];
  const looks: Record<string, number> = { 'fixed rate': 0, Learn2PD: 1, threshold: 2, 'EGP oracle': 3 };
  const names = [...new Set(table.rows.map((r) => String(r[0])))];
  return names.map((name) => ({
    name,
    look: looks[name] ?? 5,
    points: table.rows
      .filter((r) => r[0] === name)
      .map((r): [number, number] => [Number(r[x]), Number(r[y])])
      .sort((a, b) => a[0] - b[0]),
  }));
}

function scaling(table: Table): Series[] {
  const shown = [
    ['fewer passes Learn2PD', 1],
    ['fewer passes + EoTP', 2],
    ['faster Learn2PD', 3],
    ['faster + EoTP', 4],
  ] as const;
  return shown.flatMap(([name, look]) => {
    const at = column(table, name);
    if (at < 0) return [];
    return [{ name, look, points: table.rows.map((r): [number, number] => [Number(r[0]), Number(r[at])]) }];
  });
}
