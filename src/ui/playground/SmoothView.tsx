// The truth as a person would draw it: the same state as a mesh, at the screen's own resolution. The hotbar strip and open
// screens stay the model's pixels. Loaded only when it is asked for.

import { useEffect, useRef } from 'react';
import type { PlaySession } from './play-session.ts';
import { usePlay } from './play-store.ts';
import css from './playground.module.css';
import { SmoothScene } from './smooth-scene.ts';

export function SmoothView({ session }: { session: PlaySession }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const guiOpen = usePlay((state) => state.truth?.guiOpen ?? false);
  useEffect(() => {
    if (!canvas.current) return;
    let scene: SmoothScene;
    try {
      scene = new SmoothScene(canvas.current, (limit, fresh) => session.sim.mesh(limit, fresh));
    } catch {
      session.change({ view: 'eye' });
      usePlay.setState({ notice: 'The smooth view needs WebGL, which this browser does not offer here.' });
      return;
    }
    const { truth, sim } = usePlay.getState();
    if (sim) scene.hz = sim.hz;
    if (truth) scene.follow(truth, true);
    const unsubscribe = usePlay.subscribe((state, before) => {
      if (state.truth && state.truth !== before.truth)
        scene.follow(state.truth, state.truth.episode !== before.truth?.episode);
    });
    return () => {
      unsubscribe();
      scene.dispose();
    };
  }, [session]);
  return (
    <>
      <canvas ref={canvas} className={css.smooth} hidden={guiOpen} />
      {!guiOpen && <span className={css.aim} />}
    </>
  );
}
