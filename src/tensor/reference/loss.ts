/** Row losses and softmax cross-entropy in float64, with their gradients. */

/** weight[r] * mean_c of (p - t)^2 or |p - t| for R rows, and the gradient of the mean over rows with respect to p. */
export function rowLossReference(
  kind: 'squared' | 'absolute',
  p: ArrayLike<number>,
  t: ArrayLike<number>,
  weight: ArrayLike<number>,
): { losses: Float64Array; mean: number; gradient: Float64Array } {
  const rows = weight.length;
  const c = p.length / rows;
  const losses = new Float64Array(rows);
  const gradient = new Float64Array(p.length);
  for (let i = 0; i < p.length; i++) {
    const r = Math.floor(i / c);
    const d = p[i] - t[i];
    losses[r] += (weight[r] * (kind === 'squared' ? d * d : Math.abs(d))) / c;
    gradient[i] = (weight[r] * (kind === 'squared' ? 2 * d : Math.sign(d))) / c / rows;
  }
  return { losses, mean: losses.reduce((a, b) => a + b, 0) / rows, gradient };
}

/** Mean cross-entropy of logits [rows, vocab]; rows with id >= vocab add nothing to the sum but count in the mean. */
export function crossEntropyReference(
  logits: ArrayLike<number>,
  ids: ArrayLike<number>,
  vocab: number,
): { losses: Float64Array; lse: Float64Array; mean: number; gradient: Float64Array } {
  const rows = ids.length;
  const losses = new Float64Array(rows);
  const lse = new Float64Array(rows);
  const gradient = new Float64Array(logits.length);
  for (let r = 0; r < rows; r++) {
    let top = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < vocab; i++) top = Math.max(top, logits[r * vocab + i]);
    let total = 0;
    for (let i = 0; i < vocab; i++) total += Math.exp(logits[r * vocab + i] - top);
    lse[r] = top + Math.log(total);
    if (ids[r] >= vocab) continue;
    losses[r] = lse[r] - logits[r * vocab + ids[r]];
    for (let i = 0; i < vocab; i++) {
      gradient[r * vocab + i] = (Math.exp(logits[r * vocab + i] - top) / total - (i === ids[r] ? 1 : 0)) / rows;
    }
  }
  return { losses, lse, mean: losses.reduce((a, b) => a + b, 0) / rows, gradient };
}

/** Log-probability of one class per row, entropy in nats, and the gradient of sum(probe * logProb); ids >= vocab give 0. */
export function logProbReference(
  logits: ArrayLike<number>,
  ids: ArrayLike<number>,
  vocab: number,
  probe: ArrayLike<number>,
): { logProbs: Float64Array; entropy: Float64Array; gradient: Float64Array } {
  const { lse } = crossEntropyReference(logits, ids, vocab);
  const logProbs = new Float64Array(ids.length);
  const entropy = new Float64Array(ids.length);
  const gradient = new Float64Array(logits.length);
  for (let r = 0; r < ids.length; r++) {
    const chosen = ids[r] < vocab;
    if (chosen) logProbs[r] = logits[r * vocab + ids[r]] - lse[r];
    for (let i = 0; i < vocab; i++) {
      const log = logits[r * vocab + i] - lse[r];
      entropy[r] -= Math.exp(log) * log;
      if (chosen) gradient[r * vocab + i] = probe[r] * ((i === ids[r] ? 1 : 0) - Math.exp(log));
    }
  }
  return { logProbs, entropy, gradient };
}
