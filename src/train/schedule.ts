/** Learning rate of step t (1..total): linear warm-up, constant, linear decay to zero at the end. */
export function learningRate(t: number, total: number, peak: number, warmup: number, decay: number): number {
  const up = Math.max(1, Math.round(total * warmup));
  const down = Math.max(1, Math.round(total * decay));
  return peak * Math.min(1, t / up, Math.max(0.02, (total - t + 1) / down));
}
