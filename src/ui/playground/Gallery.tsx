// Eight starts, each drawn by the simulator now.

import { useEffect, useRef } from 'react';
import { toRgba } from './image-metrics.ts';
import type { PlaySession } from './play-session.ts';
import { usePlay } from './play-store.ts';
import css from './playground.module.css';

/** Chosen by looking: each begins with something else in view. Odd, because training worlds have even seeds. */
export const GALLERY_SEEDS = [43, 5, 69, 19, 97, 103, 91, 53] as const;

export function Gallery({ session }: { session: PlaySession | null }) {
  const ready = usePlay((state) => state.truth !== null);
  const seed = usePlay((state) => state.settings.seed);
  return (
    <section className={css.gallery} aria-labelledby="starts" data-testid="start-gallery">
      <h2 id="starts">Worlds to start in</h2>
      <ul>
        {GALLERY_SEEDS.map((start) => (
          <li key={start}>
            <button
              type="button"
              aria-pressed={start === seed}
              aria-label={`World ${start}`}
              onClick={() => session?.startFrom(start)}
            >
              {ready && session ? <Thumbnail session={session} seed={start} /> : <span className={css.blank} />}
            </button>
          </li>
        ))}
      </ul>
      <p className={css.quiet}>
        This world has seed <b>{seed}</b>. No model of this page was trained on a world with an odd seed.
      </p>
    </section>
  );
}

function Thumbnail({ session, seed }: { session: PlaySession; seed: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const sim = usePlay((state) => state.sim);
  useEffect(() => {
    if (!sim) return;
    let shown = true;
    session.preview(seed).then(
      (rgb) => {
        const context = canvas.current?.getContext('2d');
        if (!shown || !context) return;
        const pixels = new ImageData(sim.width, sim.height);
        toRgba(rgb, pixels.data);
        context.putImageData(pixels, 0, 0);
      },
      // The session ended while the picture was being drawn.
      () => undefined,
    );
    return () => {
      shown = false;
    };
  }, [session, seed, sim]);
  return <canvas ref={canvas} width={sim?.width} height={sim?.height} />;
}
