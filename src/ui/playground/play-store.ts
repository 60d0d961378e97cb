// What the playground's views read. Written by play-session.ts only.

import { create } from 'zustand';
import type { AdapterReport } from '../../gpu/device.ts';
import type { DreamInfo } from '../../methods/dreamer4/play-contract.ts';
import type { ShippedModel } from './checkpoint-source.ts';
import {
  type DreamReport,
  type Failure,
  PRELUDE_STEPS,
  type SimInfo,
  SOFTWARE_CONTEXT,
  type TruthTick,
} from './protocol.ts';
import { DEFAULTS, type PlaySettings, RENEW_STEPS } from './share.ts';

export type DreamPhase =
  | { phase: 'opening' }
  | { phase: 'loading' }
  | { phase: 'ready'; info: DreamInfo }
  | { phase: 'failed'; failure: Failure };

export interface PlayState {
  settings: PlaySettings;
  sim: SimInfo | null;
  adapter: AdapterReport | null;
  dream: DreamPhase;
  /** The models that came with the page, and the one that dreams; null: a file of the visitor's, or none yet. */
  models: readonly ShippedModel[];
  model: ShippedModel | null;
  playing: boolean;
  /** The tab is hidden: play stands still and goes on when it is seen again. */
  hidden: boolean;
  /** Who chooses the actions. */
  driver: 'script' | 'visitor';
  captured: boolean;
  truth: TruthTick | null;
  report: DreamReport | null;
  /** Steps shown per second, over the last three seconds; null before there are enough. */
  fps: number | null;
  clipFrames: number;
  saving: boolean;
  notice: string;
  /** The true world itself could not start. */
  simFailure: string;
  otherTab: boolean;
  touch: boolean;
}

export const INITIAL: PlayState = {
  settings: DEFAULTS,
  sim: null,
  adapter: null,
  dream: { phase: 'opening' },
  models: [],
  model: null,
  playing: true,
  hidden: false,
  driver: 'script',
  captured: false,
  truth: null,
  report: null,
  fps: null,
  clipFrames: 0,
  saving: false,
  notice: '',
  simFailure: '',
  otherTab: false,
  touch: false,
};

export const usePlay = create<PlayState>(() => INITIAL);

/** Seconds of a dream between two looks at the truth while the scripted player walks. */
export const renewSeconds = ({ dream }: PlayState): number =>
  dream.phase === 'ready' ? Math.round(RENEW_STEPS / dream.info.hz) : 0;

/** True frames that "dream from here" would hand over now: those since the start and before it, as many as the dream takes. */
export function trueFrames({ dream, truth, adapter }: PlayState): number {
  if (dream.phase !== 'ready' || !truth) return 0;
  const limit = adapter?.software ? Math.min(SOFTWARE_CONTEXT, dream.info.contextFrames) : dream.info.contextFrames;
  return Math.min(limit, PRELUDE_STEPS + 1 + truth.index);
}

/** The one line under the panes: what is going on, most important first. */
export function statusLine(state: PlayState): string {
  if (state.simFailure) return state.simFailure;
  if (state.notice) return state.notice;
  if (!state.truth) return 'Building the world.';
  if (state.hidden) return 'Paused while this tab is hidden.';
  if (state.saving) return 'Writing the video.';
  if (!state.playing) return 'Paused.';
  if (state.dream.phase === 'opening') return 'Opening the GPU.';
  if (state.dream.phase === 'loading') return 'Loading the world model.';
  if (state.driver === 'script') {
    const walks =
      state.settings.renew && state.dream.phase === 'ready'
        ? `A scripted player is walking; every ${renewSeconds(state)} s the dream begins anew from the truth.`
        : 'A scripted player is walking.';
    return state.touch
      ? `${walks} Touch a picture to take over.`
      : `${walks} Press any game key, or click a picture, to take over.`;
  }
  if (state.otherTab) return 'Tenfold also runs in another tab; both share one GPU, so each is slower.';
  return 'You are walking.';
}
