/** FrameRendererCpu: frames without a GPU, byte for byte what FrameRenderer gives. For data sets, tests and the command line. */
import type { State } from '../state.ts';
import { R, REC_FLAG, REC_WORDS } from './frame-rec.ts';
import type { FrameSpec } from './frame-spec.ts';
import { observeRec } from './observe.ts';
import { paintOverlay } from './overlay.ts';
import { PageStore } from './page-store.ts';
import { type Caster, createCaster } from './raycast.ts';

export class FrameRendererCpu {
  readonly spec: FrameSpec;
  readonly pages: PageStore;
  /** Bytes of one RGB frame. */
  readonly frameBytes: number;
  private readonly caster: Caster;
  private readonly rec = new Uint32Array(REC_WORDS);

  constructor(spec: FrameSpec, pages = new PageStore()) {
    this.spec = spec;
    this.pages = pages;
    this.frameBytes = spec.width * spec.height * 3;
    this.caster = createCaster(spec, pages.cells);
  }

  /** Draws records made with this renderer's spec and page store: [count, H, W, 3] bytes. */
  render(recs: Uint32Array, out = new Uint8Array((recs.length / REC_WORDS) * this.frameBytes), outAt = 0): Uint8Array {
    for (let i = 0; i * REC_WORDS < recs.length; i++) {
      const at = i * REC_WORDS;
      const o = outAt + i * this.frameBytes;
      if ((recs[at + R.flags] & REC_FLAG.gui) === 0) this.caster.view(recs, at, out, o);
      paintOverlay(this.spec, recs, at, out, o);
    }
    this.pages.nextBatch();
    return out;
  }

  /** What the player of `s` sees now. */
  frame(s: State, out = new Uint8Array(this.frameBytes), outAt = 0): Uint8Array {
    observeRec(s, this.rec, 0, this.spec, this.pages);
    return this.render(this.rec, out, outAt);
  }
}
