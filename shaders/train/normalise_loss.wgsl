// Loss normalisation (dreamer4 4.4): a running mean of the squared loss; the factor weight / rms is a constant to
// differentiation. state = [mean square, steps]. factor[0] = weight / rms, value[0] = loss * factor.
struct Params { weight: f32, rho: f32 }

@group(0) @binding(0) var<storage, read_write> loss: array<f32>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read_write> value: array<f32>;
@group(0) @binding(3) var<storage, read_write> factor: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(1)
fn normalise() {
  let steps = state[1] + 1.0;
  let mean = params.rho * state[0] + (1.0 - params.rho) * loss[0] * loss[0];
  let rms = sqrt(mean / (1.0 - pow(params.rho, steps)));
  state[0] = mean;
  state[1] = steps;
  factor[0] = params.weight / max(rms, 1e-6);
  value[0] = loss[0] * factor[0];
}
