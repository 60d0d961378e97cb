/**
 * The one table of numerical tolerances, by number format. A tolerance is a share of the largest wanted value of the
 * tensor, unless its line says otherwise. Measured worst cases on lavapipe and SwiftShader are about a quarter of these.
 */
export const TOLERANCE = {
  f32: {
    /** One to three roundings, no sum, no transcendental function. */
    rounding: 4e-7,
    /** One exp, log, tanh, cos or square root; WGSL allows a few units more than a rounding for these. */
    map: 4e-6,
    /** A cosine: WGSL asks for an absolute error of 2^-11 only, SwiftShader reaches 1.4e-4. */
    cosine: 5e-4,
    /** Sums of up to some thousand terms in a fixed order. */
    sum: 1e-5,
    /** Softmax over a row, then a weighted sum; and its derivative. */
    attention: 2e-5,
    /** A whole network against the same network computed in another order (absolute, activations of size 1). */
    network: 1e-4,
    /** Derivative against central differences of an f32 forward pass (see bench/gradient-check.ts for the measure). */
    gradient: 0.02,
  },
  f16: {
    /** Half a unit in the last place of a normal number (relative to each value). */
    rounding: 2 ** -11,
    /** A product whose operands, or whose summands as well, are rounded to f16; sums in f32. */
    product: 1.6e-3,
    /** A whole network over keys and values that are kept in f16. */
    network: 4e-4,
  },
  u8: {
    /** A latent of -1..1 kept in one byte (absolute). */
    rounding: 1 / 255,
  },
} as const;
