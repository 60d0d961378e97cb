/**
 * Light of a freshly generated volume from scratch. Definition (the unique fixpoint that light.ts maintains step by step):
 *   block(c) = max(emission(c), max over 6 neighbours n of block(n) - max(1, opacity(c)))
 *   sky(c)   = 15 if opacity(c) = 0 and the cell above has 15 (or is above the world), else max over n of sky(n) - max(1, opacity(c))
 */
import { EMISSION, OPACITY } from './blocks.ts';
import { HEIGHT, type Volume } from './volume.ts';

export function fillLight(v: Volume): void {
  const { sizeX: sx, sizeZ: sz, blocks, light } = v;
  const layer = sx * sz;
  const n = layer * HEIGHT;
  light.fill(0);
  const queue = new Int32Array(n * 2);
  let head = 0;
  let tail = 0;
  // Open sky by columns; only cells next to something darker have to spread.
  const open = new Uint8Array(layer);
  for (let c = 0; c < layer; c++) {
    let y = HEIGHT - 1;
    while (y >= 0 && OPACITY[blocks[y * layer + c]] === 0) light[y-- * layer + c] = 0xf0;
    open[c] = y + 1;
    // The covering cell itself receives light from above.
    if (y >= 0) {
      const l = 15 - Math.max(1, OPACITY[blocks[y * layer + c]]);
      if (l > 0) {
        light[y * layer + c] = l << 4;
        queue[tail++] = y * layer + c;
      }
    }
  }
  for (let z = 0; z < sz; z++)
    for (let x = 0; x < sx; x++) {
      const c = z * sx + x;
      let top = 0;
      if (x > 0) top = Math.max(top, open[c - 1]);
      if (x < sx - 1) top = Math.max(top, open[c + 1]);
      if (z > 0) top = Math.max(top, open[c - sx]);
      if (z < sz - 1) top = Math.max(top, open[c + sx]);
      for (let y = open[c]; y < top; y++) queue[tail++] = y * layer + c;
    }
  spread(4);
  head = 0;
  tail = 0;
  for (let i = 0; i < n; i++)
    if (EMISSION[blocks[i]] > 0) {
      light[i] |= EMISSION[blocks[i]];
      queue[tail++] = i;
    }
  spread(0);

  function spread(shift: number): void {
    const capacity = queue.length;
    while (head !== tail) {
      const i = queue[head++];
      if (head === capacity) head = 0;
      const l = (light[i] >> shift) & 15;
      if (l <= 1) continue;
      const x = i % sx;
      const z = Math.floor(i / sx) % sz;
      if (x > 0) visit(i - 1, l);
      if (x < sx - 1) visit(i + 1, l);
      if (z > 0) visit(i - sx, l);
      if (z < sz - 1) visit(i + sx, l);
      if (i >= layer) visit(i - layer, l);
      if (i < n - layer) visit(i + layer, l);
    }
    function visit(j: number, l: number): void {
      const o = OPACITY[blocks[j]];
      const m = l - Math.max(1, o);
      if (m > ((light[j] >> shift) & 15)) {
        light[j] = (light[j] & ~(15 << shift)) | (m << shift);
        queue[tail++] = j;
        if (tail === capacity) tail = 0;
      }
    }
  }
}
