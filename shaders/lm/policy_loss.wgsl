// Clipped policy-gradient objective per token (PPO, Schulman et al. 2017; GRPO, Shao et al. 2024) with the k3 estimate of
// the KL divergence to a reference policy, and its derivative with respect to the log-probability:
//   rho = exp(logprob - old);  kl = exp(reference - logprob) - (reference - logprob) - 1
//   loss = -weight * (min(rho * A, clip(rho, 1 - low, 1 + high) * A) - beta * kl)
// Tokens of weight 0 give exactly 0 everywhere. `clipped` is the weight of tokens whose gradient the clipping stopped.
import package::lib::index::linear;

struct Params { n: u32, low: f32, high: f32, beta: f32 }

@group(0) @binding(0) var<storage, read_write> logprob: array<f32>;
@group(0) @binding(1) var<storage, read_write> old: array<f32>;
@group(0) @binding(2) var<storage, read_write> reference: array<f32>;
@group(0) @binding(3) var<storage, read_write> advantage: array<f32>;
@group(0) @binding(4) var<storage, read_write> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> loss: array<f32>;
@group(0) @binding(6) var<storage, read_write> slope: array<f32>;
@group(0) @binding(7) var<storage, read_write> kl: array<f32>;
@group(0) @binding(8) var<storage, read_write> clipped: array<f32>;
@group(0) @binding(9) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.n) { return; }
  let w = weight[i];
  if (w == 0.0) {
    loss[i] = 0.0;
    slope[i] = 0.0;
    kl[i] = 0.0;
    clipped[i] = 0.0;
    return;
  }
  let a = advantage[i];
  // exp overflows beyond 88; a ratio of e^20 is clipped or hopeless anyway.
  let rho = exp(clamp(logprob[i] - old[i], -20.0, 20.0));
  let gap = clamp(reference[i] - logprob[i], -20.0, 20.0);
  let divergence = exp(gap) - gap - 1.0;
  let stopped = (a > 0.0 && rho > 1.0 + params.high) || (a < 0.0 && rho < 1.0 - params.low);
  let surrogate = min(rho * a, clamp(rho, 1.0 - params.low, 1.0 + params.high) * a);
  loss[i] = -w * (surrogate - params.beta * divergence);
  slope[i] = -w * (select(rho * a, 0.0, stopped) - params.beta * (1.0 - exp(gap)));
  kl[i] = w * divergence;
  clipped[i] = select(0.0, w, stopped);
}
