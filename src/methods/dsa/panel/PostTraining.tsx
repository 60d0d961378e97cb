// Post-training of a dense and a sparse model side by side: specialists, distillation, one mixed stage; live in this tab, or as
// recorded with the shipped weights.

import type { Remote } from 'comlink';
import { useState } from 'react';
import { Button } from '../../../ui/controls/Button.tsx';
import { Choice } from '../../../ui/controls/Choice.tsx';
import { Knob } from '../../../ui/controls/Knob.tsx';
import { FigureTable } from './CardTable.tsx';
import type { PostCard } from './card.ts';
import css from './dsa.module.css';
import type { Origin as Facts } from './export.ts';
import { Origin } from './Origin.tsx';
import { PostCurves } from './PostCurves.tsx';
import { PostGrid } from './PostGrid.tsx';
import { viewOfTables } from './post-view.ts';
import type { DsaApi, SavedPost } from './protocol.ts';
import { Samples } from './Samples.tsx';
import { usePost } from './use-post.ts';

const PRESETS = [
  ['post-quick', 'three domains'],
  ['post-mini', 'seven domains'],
  ['post', 'seven, larger'],
] as const;
/** Longer ones are drawn above; their rows are there for who asks. */
const LONG_TABLE = 24;
const weight = (x: number): string => x.toFixed(2);

interface Props {
  api: Remote<DsaApi>;
  adapter: string;
  recorded: PostCard | null;
}

export function PostTraining({ api, adapter, recorded }: Props) {
  const [preset, setPreset] = useState<string>('post-quick');
  const [seed, setSeed] = useState(1);
  const [length, setLength] = useState(0.2);
  const [language, setLanguage] = useState(0.1);
  const { view, report, running, problem, saved, start, stop, forget } = usePost(api);
  const goOn = ({ preset, seed, length, language }: SavedPost): void => {
    setPreset(preset);
    setSeed(seed);
    setLength(length);
    setLanguage(language);
    start(null);
  };
  const tables = report?.tables ?? (view ? [] : (recorded?.tables ?? []));
  const shown = view ?? (recorded && viewOfTables(recorded.tables));
  const facts: Facts = view
    ? { preset, seed, 'length penalty': length, 'language reward': language, adapter }
    : { preset: recorded?.preset ?? '', seed: recorded?.seed ?? '', adapter: recorded?.adapter ?? '' };
  return (
    <section aria-labelledby="post">
      <h2 id="post" tabIndex={-1}>
        Post-training
      </h2>
      <p className={css.lead}>
        From one careless base, a dense and a sparse model go the same way on the same seeds: a specialist for every
        domain by GRPO, a fresh copy taught by what the specialists got right, then one mixed GRPO stage whose reward is
        outcome, less a length penalty, plus language consistency.
      </p>
      {saved && (
        <div className={css.kept} data-testid="post-kept">
          <p>
            This browser kept a run of preset {saved.preset}, seed {saved.seed}, with {saved.stages}{' '}
            {saved.stages === 1 ? 'stage' : 'stages'} done.
          </p>
          <Button kind="strong" onClick={() => goOn(saved)} testId="post-resume">
            Go on with it
          </Button>
          <Button onClick={forget}>Forget it</Button>
        </div>
      )}
      <div className={css.controls}>
        <Choice label="Domains" value={preset} options={PRESETS} onChange={setPreset} />
        <Knob
          label="Length penalty"
          hint="Weight of the penalty on tokens beyond the usual length of a right answer"
          value={length}
          min={0}
          max={1}
          step={0.05}
          format={weight}
          onChange={setLength}
          disabled={running}
        />
        <Knob
          label="Language consistency"
          hint="Weight of the share of words of the thought that are in the language asked for"
          value={language}
          min={0}
          max={1}
          step={0.05}
          format={weight}
          onChange={setLanguage}
          disabled={running}
        />
        <Button onClick={() => setSeed(seed + 1)} disabled={running}>
          Seed {seed}
        </Button>
        <Button
          kind="strong"
          testId="post-start"
          onClick={() => {
            if (running) stop();
            else {
              const set = { 'reward.length': String(length), 'reward.language': String(language) };
              start({ preset, seed, set });
            }
          }}
        >
          {running ? 'Stop' : 'Run it here'}
        </Button>
        <p role="status" className={css.note} data-testid="post-now">
          {running && (view?.now || 'Opening a device of its own')}
        </p>
      </div>
      {problem && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      {!view && recorded && (
        <p className={css.note}>
          Recorded by <code>{recorded.command}</code> on {recorded.adapter}.
        </p>
      )}
      {shown && shown.grid.dense.size > 0 && (
        <>
          <PostGrid grid={shown.grid} />
          <PostCurves view={shown} />
          {shown.samples.size > 0 && <Samples samples={shown.samples} />}
          {tables.map((table) => {
            const title = TITLES[table.name] ?? table.name;
            const shown = <FigureTable key={table.name} table={table} title={title} />;
            if (table.rows.length <= LONG_TABLE) return shown;
            return (
              <details key={table.name} className={css.card}>
                <summary>
                  {title}: all {table.rows.length} measurements
                </summary>
                {shown}
              </details>
            );
          })}
          <Origin
            facts={facts}
            name="dsa-post-training"
            table={() => tables.find(({ name }) => name === 'postDomains') ?? gridTable(shown.grid)}
          />
        </>
      )}
    </section>
  );
}

const TITLES: Record<string, string> = {
  postDomains: 'Both models at the end, and the sparse one where its answers are about as long as the dense one’s',
  postStages: 'Stages and language consistency',
  postCurves: 'The mixed stage',
  postForgetting: 'Best minus last: one mixed stage against one domain after the other',
};

function gridTable(grid: Parameters<typeof PostGrid>[0]['grid']) {
  return {
    columns: ['model', 'domain', 'base', 'specialist', 'distilled', 'mixed'],
    rows: (['dense', 'sparse'] as const).flatMap((model) =>
      [...grid[model]].map(([domain, cells]) => [
        model,
        domain,
        ...(['base', 'specialist', 'distilled', 'mixed'] as const).map((stage) => cells[stage] ?? ''),
      ]),
    ),
  };
}
