/**
 * Finds loops that never end before they run for real. On a CPU adapter an endless kernel cannot be stopped: SwiftShader
 * waits for it for ever inside the browser's one GPU process, and no new device helps. So an edited kernel first runs once
 * with a counter in every loop; a loop that turns more often than any proof case needs is broken off and reported.
 * Not a proof: nested loops between barriers may still take hours, and then only the tab's watchdog is left.
 */
import type { Conditions, Gpu } from '../gpu/device.ts';
import type { Tensor } from '../tensor/graph.ts';
import type { Dispatch } from '../tensor/kernel.ts';
import type { Trial } from '../tensor/registry/entry.ts';
import { type Prepared, prepareTrial, runOnce } from '../tensor/registry/run.ts';

/** Turns of one invocation, over all its loops. The longest proof case takes 131,072 (softmax, token by token). */
const LIMIT = 1_000_000;
const FLAG = 'lab_flag';

/** Where the block that belongs to the loop keyword at `at` opens; -1 if there is none. */
function blockAfter(code: string, at: number): number {
  let depth = 0;
  for (let i = at; i < code.length; i++) {
    if (code[i] === '(') depth++;
    if (code[i] === ')') depth--;
    if (code[i] === '{' && depth === 0) return i;
    if (code[i] === ';' && depth === 0) return -1;
  }
  return -1;
}

/**
 * The text with a counter in every loop; `binding` is that of its uniform struct, which moves up by one to make room for
 * the flag. Kernels with barriers get a counter per loop: a counter that all loops share would not be uniform.
 */
export function countTurns(code: string, binding: number): string {
  const plain = code.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
  const apart = /\b(?:workgroupBarrier|storageBarrier|workgroupUniformLoad)\b/.test(plain);
  const loops = [...plain.matchAll(/\b(?:for|while|loop)\b/g)]
    .map((match) => ({ at: match.index, open: blockAfter(plain, match.index + match[0].length) }))
    .filter(({ open }) => open >= 0);
  const inserts: [at: number, text: string][] = [];
  loops.forEach(({ at, open }, i) => {
    const counter = apart ? `lab_turns_${i}` : 'lab_turns';
    if (apart) inserts.push([at, `var ${counter} = 0u; `]);
    inserts.push([open + 1, ` if (${counter} >= ${LIMIT}u) { ${FLAG}[0] = 1u; break; } ${counter} += 1u;`]);
  });
  let out = plain;
  for (const [at, text] of inserts.sort((a, b) => b[0] - a[0])) out = out.slice(0, at) + text + out.slice(at);
  out = out.replace(
    new RegExp(`@binding\\(${binding}\\)(\\s*var<uniform>)`),
    `@binding(${binding}) var<storage, read_write> ${FLAG}: array<u32>;\n@group(0) @binding(${binding + 1})$1`,
  );
  const counters = apart ? '' : 'var<private> lab_turns: u32 = 0u;\n';
  // Directives come first; counting makes control flow look less uniform than it is.
  const directives = /\benable subgroups\b/.test(out) ? 'diagnostic(off, subgroup_uniformity);\n' : '';
  const body = out.search(/^(?!\s*(?:enable|diagnostic|requires)\b)\s*\S/m);
  return `${directives}${out.slice(0, body)}${counters}${out.slice(body)}`;
}

/** Whether a loop of the dispatches chosen by `own` turns for ever on this trial. `trace` prepares with the edits in place. */
export async function turnsForEver(
  gpu: Gpu,
  trial: Trial,
  force: Partial<Conditions>,
  own: (d: Dispatch) => boolean,
  rewrite: (d: Dispatch) => Dispatch,
  trace: (prepare: () => Prepared) => Prepared,
): Promise<boolean> {
  let flag: Tensor | null = null;
  const counted: Trial = {
    ...trial,
    inputs: { ...trial.inputs, [FLAG]: { shape: [1], data: new Uint32Array(1) } },
    build(t, graph) {
      flag = t[FLAG];
      return trial.build(t, graph);
    },
  };
  const room = gpu.device.limits.maxStorageBuffersPerShaderStage;
  const count = (d: Dispatch): Dispatch => {
    const next = rewrite(d);
    if (!own(d) || !flag || next.bindings.length >= room) return next;
    return { ...next, code: countTurns(next.code, next.bindings.length), bindings: [...next.bindings, flag] };
  };
  const prepared = trace(() => prepareTrial(gpu, counted, force, count));
  try {
    const [id] = [...prepared.slots].find(([, slot]) => slot.name === FLAG) ?? [];
    if (id === undefined) return false;
    return (await runOnce(gpu, prepared)).get(id)?.[0] === 1;
  } finally {
    prepared.dispose();
  }
}
