// Four numbers of a cache of keys and values: f32; f16 by the packing functions of core WGSL, which every adapter has; or
// bfloat16, whose widening is next to nothing: SwiftShader takes as long for that of two f16 as for loading them in f32. Of two
// in a word the upper one is read with the lower one as its last bits, and rounded to what comes nearest with them.
@if(f16 || bf16) alias Four = vec2u;
@if(!f16 && !bf16) alias Four = vec4f;

@if(f16) fn widened(x: vec2u) -> vec4f { return vec4f(unpack2x16float(x.x), unpack2x16float(x.y)); }
@if(bf16) fn widened(x: vec2u) -> vec4f {
  let low = bitcast<vec2f>(x * 65536u);
  let high = bitcast<vec2f>(x);
  return vec4f(low.x, high.x, low.y, high.y);
}
@if(!f16 && !bf16) fn widened(x: vec4f) -> vec4f { return x; }

// The packing of a number beyond 65504 is undefined: the largest one stands for it.
@if(f16) fn narrowed(x: vec4f) -> vec2u {
  let y = clamp(x, vec4f(-65504.0), vec4f(65504.0));
  return vec2u(pack2x16float(y.xy), pack2x16float(y.zw));
}
@if(bf16) fn narrowed(x: vec4f) -> vec2u {
  let bits = bitcast<vec4u>(x);
  let low = (bits.xz + 0x8000u) >> vec2u(16u);
  let sign = bits.yw & vec2u(0x80000000u);
  // Not below zero: a number smaller than its last bits becomes them, 1e-40 at most.
  let high = (max(bits.yw ^ sign, low) - low + 0x8000u) & vec2u(0xffff0000u);
  return high | low | sign;
}
@if(!f16 && !bf16) fn narrowed(x: vec4f) -> vec4f { return x; }
