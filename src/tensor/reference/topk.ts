/** Selection of the k largest by sorting, as the kernels must do it: ties to the larger column, result ascending. */

/** The chosen columns among lo..hi-1 of one row. */
export function topKReference(scores: ArrayLike<number>, lo: number, hi: number, k: number): number[] {
  const columns = Array.from({ length: Math.max(0, hi - lo) }, (_, i) => lo + i);
  columns.sort((a, b) => scores[b] - scores[a] || b - a);
  return columns.slice(0, k).sort((a, b) => a - b);
}
