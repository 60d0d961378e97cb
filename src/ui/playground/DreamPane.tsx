// The left picture: drawn by the gpu worker; over it the disagreement map, or why there is no dream.

import { Grid3x3 } from 'lucide-react';
import { type RefObject, useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { Button } from '../controls/Button.tsx';
import { CELL, toRgba } from './image-metrics.ts';
import type { PlaySession } from './play-session.ts';
import { type DreamPhase, usePlay } from './play-store.ts';
import css from './playground.module.css';

export function DreamCaption({ session }: { session: PlaySession | null }) {
  const dream = usePlay((state) => state.dream);
  const overlay = usePlay((state) => state.settings.overlay);
  return (
    <div className={css.caption} data-side="dream">
      <h2 className={css.dreamName}>Dream</h2>
      <p>
        {dream.phase === 'ready'
          ? `${parameterCount(dream.info.parameters)}, remembers up to ${dream.info.contextSeconds} s`
          : 'a world model'}
      </p>
      <Button
        icon={Grid3x3}
        label="Show disagreement"
        hint="Mark the 8x8-pixel cells where the dream differs from the truth"
        pressed={overlay}
        disabled={dream.phase !== 'ready'}
        onClick={() => session?.change({ overlay: !overlay })}
      />
    </div>
  );
}

export function DreamPane({
  canvas,
  session,
}: {
  canvas: RefObject<HTMLCanvasElement | null>;
  session: PlaySession | null;
}) {
  const dream = usePlay((state) => state.dream);
  const lit = usePlay((state) => state.dream.phase === 'ready' && state.truth !== null);
  return (
    <div className={css.pane} data-side="dream" data-lit={lit || undefined}>
      <canvas
        ref={canvas}
        className={css.picture}
        width={64}
        height={48}
        data-testid="dream"
        role="img"
        aria-label="What the world model dreams after the same actions"
      />
      {lit && <StartFrame />}
      <Disagreement />
      {!lit && <Veil dream={dream} session={session} />}
    </div>
  );
}

/** Until the first dreamed frame of a start: the last true frame that the dream was given. */
function StartFrame() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const truth = usePlay((state) => (state.report === null ? state.truth : null));
  const sim = usePlay((state) => state.sim);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !truth || !sim) return;
    const pixels = new ImageData(sim.width, sim.height);
    toRgba(truth.rgb, pixels.data);
    context.putImageData(pixels, 0, 0);
  }, [truth, sim]);
  if (!truth || !sim) return null;
  return <canvas ref={canvas} className={css.overlay} width={sim.width} height={sim.height} />;
}

function Veil({ dream, session }: { dream: DreamPhase; session: PlaySession | null }) {
  if (dream.phase !== 'failed') {
    const words =
      dream.phase === 'opening' ? 'Opening the GPU' : dream.phase === 'loading' ? 'Loading the world model' : '';
    return <div className={css.veil}>{words && <p className={css.wait}>{words}</p>}</div>;
  }
  const { failure } = dream;
  return (
    <div className={css.veil} role="alert">
      <div className={css.card}>
        <p className={css.reason}>{failure.reason}</p>
        <p>{failure.advice}</p>
        <p className={css.ways}>
          {failure.code !== 'no-webgpu' && (
            <>
              <Link href="/dreamer4">Train one in this tab</Link>
              <label className={css.fileLink}>
                Open a checkpoint
                <input
                  type="file"
                  accept=".safetensors"
                  className="visually-hidden"
                  onChange={(event) => {
                    const file = event.target.files?.[0];
                    if (file) void session?.loadFile(file);
                  }}
                />
              </label>
            </>
          )}
        </p>
      </div>
    </div>
  );
}

/** A cell is fully marked at this mean absolute difference. */
const FULL_MARK = 0.2;

function Disagreement() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = usePlay((state) => state.settings.overlay);
  const sim = usePlay((state) => state.sim);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !shown || !sim) return;
    const draw = () => {
      const { report } = usePlay.getState();
      context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      if (!report) return;
      const columns = Math.ceil(sim.width / CELL);
      context.fillStyle = '#ff2d87';
      report.cells.forEach((difference, i) => {
        context.globalAlpha = Math.min(1, difference / FULL_MARK) * 0.65;
        context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
      });
    };
    draw();
    return usePlay.subscribe((state, before) => {
      if (state.report !== before.report) draw();
    });
  }, [shown, sim]);
  if (!shown || !sim) return null;
  return (
    <canvas
      ref={canvas}
      className={css.overlay}
      width={Math.ceil(sim.width / CELL)}
      height={Math.ceil(sim.height / CELL)}
    />
  );
}

function parameterCount(count: number): string {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} M parameters` : `${Math.round(count / 1e3)} k parameters`;
}
