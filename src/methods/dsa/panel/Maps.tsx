// Query-by-key maps of a layer: attention, the indexer's distribution, what is selected, and where the two differ. A cell is a
// query and a key; choosing one makes it the inspector's query.

import { useDeferredValue, useEffect, useMemo, useRef } from 'react';
import { topKReference } from '../../../tensor/reference/topk.ts';
import { Knob } from '../../../ui/controls/Knob.tsx';
import type { DsaConfig } from '../config.ts';
import type { Probe } from '../inspect.ts';
import { percent } from './ChosenTable.tsx';
import css from './dsa.module.css';
import type { Origin as Facts, Table } from './export.ts';
import { figuresOf, type HeatMap, heatMaps, type Palette, pixelsOf, type Window, windowAt } from './heat.ts';
import { Origin } from './Origin.tsx';
import { namesOf } from './task-words.ts';
import { usePalette } from './use-palette.ts';
import type { View } from './view.ts';

interface Props {
  config: DsaConfig;
  probe: Probe;
  facts: Facts;
  view: View;
  onView: (part: Partial<View>) => void;
}

export function Maps({ config, probe, facts, view, onView }: Props) {
  const { time } = config;
  const { layer, query } = view;
  const nameOf = namesOf(view.task);
  // Long rows take a moment: a slider that is dragged goes first.
  const k = useDeferredValue(view.k);
  const key = Math.min(view.key, query);
  const palette = usePalette();
  const maps = useMemo(() => {
    const data = probe.layers[layer];
    return heatMaps(data, time, (t) => topKReference(data.scores.subarray(t * time, (t + 1) * time), 0, t + 1, k));
  }, [probe, layer, time, k]);
  const figures = useMemo(() => figuresOf(maps, time, k), [maps, time, k]);
  const shown = windowAt(time, view.zoom, query, key);
  const at = query * time + key;
  const [p, index, selected, difference] = maps.map((m) => m.values[at]);
  return (
    <section aria-labelledby="maps">
      <h2 id="maps" tabIndex={-1}>
        Maps
      </h2>
      <p className={css.lead}>
        Every query of this row (down) against every key (across), in layer {layer + 1}. The indexer is trained to give
        the distribution of the dense attention; only the order of its scores matters afterwards.
      </p>
      <div className={css.maps} data-testid="maps">
        {maps.map((map) => (
          <Heat
            key={map.channel}
            map={map}
            time={time}
            shown={shown}
            cell={{ query, key }}
            palette={palette}
            onCell={(t, s) => onView({ query: t, key: s })}
          />
        ))}
      </div>
      <div className={css.controls}>
        <Knob
          label="Query"
          value={query}
          min={0}
          max={time - 1}
          format={(t) => `${t}, ${nameOf(probe.ids[t])}`}
          onChange={(t) => onView({ query: t })}
          testId="map-query"
        />
        <Knob
          label="Key"
          value={key}
          min={0}
          max={Math.max(1, query)}
          format={(s) => `${s}, ${nameOf(probe.ids[s])}`}
          onChange={(s) => onView({ key: Math.min(s, query) })}
          testId="map-key"
        />
        <Knob
          label="Zoom"
          value={view.zoom}
          min={1}
          max={Math.max(2, Math.floor(time / 8))}
          format={(z) => `${z} ×`}
          onChange={(zoom) => onView({ zoom })}
          testId="map-zoom"
        />
      </div>
      <p className={css.reading} data-testid="map-reading">
        Query {query} to key {key}: p {percent(p)}, softmax(I) {percent(index)},{' '}
        {selected === 1 ? 'selected' : 'not selected'}, difference {(100 * difference).toFixed(1)} points.
      </p>
      <p className={css.lead}>
        {figures.recall >= 0
          ? `Queries that have to choose keep ${percent(figures.recall)} of the dense attention in ${k} keys, of at most ${percent(figures.best)}; they select one of the first four tokens in ${percent(figures.sinks)} of the cases, half of what they select is at most ${figures.age} tokens old. `
          : 'Every query sees no more than k tokens: nothing has to be chosen. '}
        KL(p ‖ softmax(I)) {figures.kl.toFixed(3)} nats, mean over the queries of this row.
      </p>
      <Origin facts={facts} name="dsa-maps" table={() => tableOf(maps, time)} />
    </section>
  );
}

function tableOf(maps: readonly HeatMap[], time: number): Table {
  const cells = Array.from({ length: time * time }, (_, at) => [Math.floor(at / time), at % time] as const);
  return {
    columns: ['query', 'key', ...maps.map((m) => m.title)],
    rows: cells.filter(([t, s]) => s <= t).map(([t, s]) => [t, s, ...maps.map((m) => m.values[t * time + s])]),
  };
}

interface HeatProps {
  map: HeatMap;
  time: number;
  shown: Window;
  cell: { query: number; key: number };
  palette: Palette;
  onCell: (query: number, key: number) => void;
}

function Heat({ map, time, shown, cell, palette, onCell }: HeatProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    context?.putImageData(new ImageData(pixelsOf(map, time, shown, palette), shown.size), 0, 0);
  }, [map, time, shown, palette]);
  const place = (from: number, at: number): string => `${((at - from) / shown.size) * 100}%`;
  return (
    <figure className={css.map}>
      <figcaption>
        <span>{map.title}</span>
        <span>{map.channel === 'selected' ? 'yes or no' : `up to ${percent(map.most)}`}</span>
      </figcaption>
      {/* The sliders below do the same by keyboard. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: see above */}
      <div
        className={css.canvas}
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const t = shown.top + Math.floor(((event.clientY - box.top) / box.height) * shown.size);
          const s = shown.left + Math.floor(((event.clientX - box.left) / box.width) * shown.size);
          onCell(Math.min(t, time - 1), Math.min(s, t));
        }}
      >
        <canvas
          ref={canvas}
          width={shown.size}
          height={shown.size}
          role="img"
          aria-label={`${map.title}, ${shown.size} queries by ${shown.size} keys`}
        />
        <span className={css.row} style={{ top: place(shown.top, cell.query), height: `${100 / shown.size}%` }} />
        <span
          className={css.cell}
          style={{
            top: place(shown.top, cell.query),
            left: place(shown.left, cell.key),
            width: `${100 / shown.size}%`,
            height: `${100 / shown.size}%`,
          }}
        />
      </div>
    </figure>
  );
}
