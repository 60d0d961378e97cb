/** Rows that hold key and value together, as latent-attention.ts and product-attention.ts take them. */
import type { Graph, Tensor } from '../graph.ts';

export interface LatentShape {
  heads: number;
  /** Divides heads; 1 = all heads share one key and value (MQA). */
  groups: number;
  /** Channels of a key and of a value, multiples of 4; `offset`: first channel of the value in a row. */
  key: number;
  value: number;
  offset: number;
  scale: number;
}

/** Channels of one row of keys and values. */
export const latentWidth = (s: LatentShape): number => Math.max(s.key, s.offset + s.value);

export const nothing = (graph: Graph): Tensor => graph.table('no choice', [4], () => new Uint32Array(4));
