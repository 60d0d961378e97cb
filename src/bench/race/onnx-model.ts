/**
 * Writes the few ONNX models that the race needs: one or several nodes on named float32 inputs. Protocol Buffers wire format
 * with the field numbers of onnx.proto3 (opset 17, and the operators that onnxruntime adds as `com.microsoft`).
 */
export interface OnnxNode {
  op: string;
  domain?: string;
  inputs: string[];
  outputs: string[];
  attributes?: Record<string, number | { f: number }>;
}

export interface OnnxValue {
  name: string;
  shape: readonly number[];
  /** float32 by default. */
  type?: 'float' | 'int32';
}

const TYPES = { float: 1, int32: 6 };
const OPSET = 17;

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return out;
}

const integer = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];

function bytes(field: number, content: number[]): number[] {
  return [...varint(field * 8 + 2), ...varint(content.length), ...content];
}

const text = (field: number, value: string): number[] => bytes(field, [...new TextEncoder().encode(value)]);

const float = (field: number, value: number): number[] => [
  ...varint(field * 8 + 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];

function valueInfo({ name, shape, type = 'float' }: OnnxValue): number[] {
  const dims = shape.flatMap((size) => bytes(1, integer(1, size)));
  const tensor = [...integer(1, TYPES[type]), ...bytes(2, dims)];
  return [...text(1, name), ...bytes(2, bytes(1, tensor))];
}

function node({ op, domain, inputs, outputs, attributes = {} }: OnnxNode): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      bytes(5, [
        ...text(1, name),
        ...(typeof value === 'number'
          ? [...integer(3, value), ...integer(20, 2)]
          : [...float(2, value.f), ...integer(20, 1)]),
      ]),
    ),
    ...(domain ? text(7, domain) : []),
  ];
}

export function onnxModel(nodes: OnnxNode[], inputs: OnnxValue[], outputs: OnnxValue[]): Uint8Array<ArrayBuffer> {
  const graph = [
    ...nodes.flatMap((n) => bytes(1, node(n))),
    ...text(2, 'race'),
    ...inputs.flatMap((v) => bytes(11, valueInfo(v))),
    ...outputs.flatMap((v) => bytes(12, valueInfo(v))),
  ];
  const opset = (domain: string, version: number): number[] => bytes(8, [...text(1, domain), ...integer(2, version)]);
  return Uint8Array.from([...integer(1, 8), ...bytes(7, graph), ...opset('', OPSET), ...opset('com.microsoft', 1)]);
}
