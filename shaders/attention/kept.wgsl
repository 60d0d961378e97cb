// Four numbers of a cache of keys and values: f32, or f16 by the packing functions of core WGSL, which every adapter has.
@if(f16) alias Four = vec2u;
@else alias Four = vec4f;

@if(f16) fn widened(x: vec2u) -> vec4f { return vec4f(unpack2x16float(x.x), unpack2x16float(x.y)); }
@else fn widened(x: vec4f) -> vec4f { return x; }

// The packing of a number beyond 65504 is undefined: the largest one stands for it.
@if(f16) fn narrowed(x: vec4f) -> vec2u {
  let y = clamp(x, vec4f(-65504.0), vec4f(65504.0));
  return vec2u(pack2x16float(y.xy), pack2x16float(y.zw));
}
@else fn narrowed(x: vec4f) -> vec4f { return x; }
