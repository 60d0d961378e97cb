/** The tokenizer alone, frame by frame over rings: what a perfect dynamics would show. */
import type { Gpu } from '../../gpu/device.ts';
import { Scope } from '../../nn/layers.ts';
import type { Graph } from '../../tensor/graph.ts';
import { patchifyBytes, toPixels } from '../../tensor/ops/images.ts';
import { compile, type Program } from '../../tensor/program.ts';
import { decode, encode } from './model.ts';
import type { DreamModel } from './play.ts';
import { RingSet } from './rings.ts';

export class Reconstructor {
  private readonly rings: RingSet;
  private readonly program: Program;

  constructor(gpu: Gpu, model: DreamModel, streams: number) {
    const c = model.config;
    const t = c.tokenizer;
    this.rings = new RingSet(gpu, streams, t.context, { heads: t.heads, kvHeads: t.heads, dim: t.dim });
    this.program = compile(gpu, (graph: Graph) => {
      const patches = patchifyBytes(
        graph.input('frames', [(streams * c.frame.width * c.frame.height * 3) / 4]),
        streams,
        c.frame,
      );
      const mode = {
        kind: 'frame' as const,
        streams,
        write: true,
        ring: (layer: string, slots: number) => this.rings.ring(graph, layer, slots),
      };
      const scope = new Scope(graph, model.tokenizer, model.slab);
      graph.output('pixels', toPixels(decode(scope, c, encode(scope, c, patches, mode), mode), c.frame));
    });
  }

  reset(): void {
    this.rings.reset();
  }

  /** RGB bytes [streams, H, W, 3] in and out. */
  async frame(frames: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    this.program.run({ frames });
    this.rings.advance();
    const rgba = new Uint8Array(await this.program.readBytes('pixels'));
    const out = new Uint8Array(frames.length);
    for (let i = 0, o = 0; i < rgba.length; i += 4) {
      out[o++] = rgba[i];
      out[o++] = rgba[i + 1];
      out[o++] = rgba[i + 2];
    }
    return out;
  }

  dispose(): void {
    this.program.dispose();
    this.rings.dispose();
  }
}
