// Trains variants of the micro dynamics for the same number of steps on the same tokens and compares what they predict on
// held-out worlds: `node tests/bench/dynamics-variants.mjs --checkpoint FILE [--steps 300] [--episodes 36] name:key=value,... ...`.
// FILE gives the tokenizer. Figures: squared error of normalised latents one frame ahead, from pure noise, with a clean past
// of seven frames; `copy` repeats the last frame, `wrong` is the prediction with another window's action. Tokens are kept in
// .cache/variants, so a second call starts at once.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBench } from './open.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    checkpoint: { type: 'string' },
    steps: { type: 'string', default: '300' },
    episodes: { type: 'string', default: '36' },
    holdout: { type: 'string', default: '6' },
    every: { type: 'string', default: '100' },
  },
});
const { load, gpu } = await openBench();
const { configure, changeConfig } = await load('/src/methods/dreamer4/config-file.ts');
const { buildFrames, holdoutSpecs, trainingSpecs } = await load('/src/methods/dreamer4/dataset.ts');
const { DynamicsTrainer } = await load('/src/methods/dreamer4/dynamics-trainer.ts');
const { ACTION_FEATURES, signalFeatures, writeAction, writeSignal } = await load('/src/methods/dreamer4/features.ts');
const { carryWeight, decode, dynamics, encode, patchCount } = await load('/src/methods/dreamer4/model.ts');
const tokensModule = await load('/src/methods/dreamer4/tokens.ts');
const { folderStorage } = await load('/src/data/storage-node.ts');
const { readSafetensors } = await load('/src/data/safetensors.ts');
const { Scope } = await load('/src/nn/layers.ts');
const { ParamStore, normals } = await load('/src/nn/params.ts');
const { Graph } = await load('/src/tensor/graph.ts');
const { compile } = await load('/src/tensor/program.ts');
const { restoreShipped } = await load('/src/train/checkpoint.ts');
const base = configure('micro', { 'data.episodes': values.episodes });
const width = tokensModule.latentSize(base);

async function tokenise(name, specs) {
  const file = join('.cache/variants', name);
  const frames = await buildFrames(base, specs, await folderStorage(join(homedir(), '.cache/tenfold/frames')));
  const known = existsSync(file) ? tokensModule.unpackTokens(new Uint8Array(readFileSync(file)), frames, width) : null;
  if (known) return known;
  const store = new ParamStore();
  const graph = new Graph(gpu.conditions);
  const mode = { kind: 'rows', batch: 1, time: 1, starts: graph.input('starts', [1]) };
  const patches = graph.input('patches', [1, patchCount(base), base.frame.patch ** 2 * 3]);
  const scope = new Scope(graph, store);
  decode(scope, base, encode(scope, base, patches, mode, graph.input('keep', [patchCount(base)])), mode);
  store.allocate(gpu, 0, false);
  restoreShipped(store, readSafetensors(new Uint8Array(readFileSync(values.checkpoint))));
  const streams = Math.min(32, specs.length);
  const tokens = await tokensModule.tokenise(gpu, base, store, 'value', frames, streams);
  mkdirSync('.cache/variants', { recursive: true });
  writeFileSync(file, tokensModule.packTokens(tokens));
  return tokens;
}
const train = await tokenise(`train-${values.episodes}`, trainingSpecs(base, 1));
const held = await tokenise(`held-${values.holdout}`, holdoutSpecs(base, 1, Number(values.holdout)));
const stats = tokensModule.latentStats(train, width);

const ROWS = 32;
const TIME = 8;
function judge(config, store) {
  const { tokens, channels, kMax } = config.dynamics;
  const n = ROWS * TIME;
  const features = signalFeatures(kMax);
  const program = compile(gpu, (graph) => {
    const carry = config.dynamics.frameSkip
      ? {
          carry: graph.input('carry', [n, 2]),
          ...(config.dynamics.motionSkip
            ? { moving: graph.input('moving', [n, 2]), known: graph.input('known', [n, 4]) }
            : {}),
        }
      : {};
    const mode = { kind: 'rows', batch: ROWS, time: TIME, starts: graph.input('starts', [ROWS]), ...carry };
    const z = graph.input('z', [n, tokens, channels]);
    const actions = graph.input('actions', [n, ACTION_FEATURES]);
    const scope = new Scope(graph, store);
    graph.output('xhat', dynamics(scope, config, z, actions, graph.input('signal', [n, features]), mode));
  });
  return async () => {
    const sums = { right: 0, wrong: 0, copy: 0 };
    for (let batch = 0; batch < 8; batch++) {
      const z = new Float32Array(n * width);
      const noise = normals(5, batch, n * width);
      const signal = new Float32Array(n * features);
      const actions = { right: new Float32Array(n * ACTION_FEATURES), wrong: new Float32Array(n * ACTION_FEATURES) };
      const carry = Float32Array.from({ length: 2 * n }, (_, i) =>
        i % 2 || (i / 2) % TIME === 0 ? 0 : carryWeight(0.90625),
      );
      const moving = Float32Array.from({ length: 2 * n }, (_, i) => Number(i % 2 === 0 && (i / 2) % TIME > 1));
      const known = Float32Array.from({ length: 4 * n }, (_, i) => Number(i % 4 === 0 && (i / 4) % TIME > 1));
      const goal = [];
      const places = Array.from({ length: ROWS }, (_, row) => {
        const i = batch * ROWS + row;
        return [held[i % held.length], 20 + 13 * Math.floor(i / held.length)];
      });
      const at = ([episode, start], t, k) =>
        (tokensModule.dequantise(episode.tokens[(start + t) * width + k]) - stats.mean[k]) / stats.std[k];
      places.forEach((place, row) => {
        for (let t = 0; t < TIME; t++) {
          const i = row * TIME + t;
          const tau = t === TIME - 1 ? 0 : 0.90625;
          for (let k = 0; k < width; k++) {
            z[i * width + k] = tau * at(place, t, k) + (1 - tau) * noise[i * width + k];
          }
          writeSignal(signal, i * features, kMax, tau, 1 / kMax);
          const other = t === TIME - 1 ? places[(row + 5) % ROWS] : place;
          writeAction(actions.right, i * ACTION_FEATURES, place[0].actions[place[1] + t]);
          writeAction(actions.wrong, i * ACTION_FEATURES, other[0].actions[other[1] + t]);
        }
        goal.push(Float32Array.from({ length: width }, (_, k) => at(place, TIME - 1, k)));
        for (let k = 0; k < width; k++) sums.copy += (at(place, TIME - 2, k) - goal[row][k]) ** 2;
      });
      for (const kind of ['right', 'wrong']) {
        program.run({
          z,
          actions: actions[kind],
          signal,
          starts: new Uint32Array(ROWS),
          ...(config.dynamics.frameSkip ? { carry } : {}),
          ...(config.dynamics.motionSkip ? { moving, known } : {}),
        });
        const xhat = await program.read('xhat');
        goal.forEach((g, row) => {
          for (let k = 0; k < width; k++) sums[kind] += (xhat[(row * TIME + TIME - 1) * width + k] - g[k]) ** 2;
        });
      }
    }
    const count = 8 * ROWS * width;
    return Object.fromEntries(Object.entries(sums).map(([k, v]) => [k, v / count]));
  };
}

for (const text of positionals) {
  const [name, changes = ''] = text.split(':');
  const set = Object.fromEntries(
    changes
      .split(',')
      .filter(Boolean)
      .map((pair) => pair.split('=')),
  );
  const config = changeConfig(base, { 'phases.dynamics.steps': values.steps, ...set });
  const trainer = new DynamicsTrainer(gpu, config, 1);
  trainer.setStats(stats);
  const measure = judge(config, trainer.store);
  let spent = 0;
  let flops = 0;
  while (trainer.step < config.phases.dynamics.steps) {
    const start = performance.now();
    flops += trainer.advance(train, stats);
    await trainer.settle();
    spent += performance.now() - start;
    if (trainer.step % Number(values.every) !== 0 && trainer.step !== config.phases.dynamics.steps) continue;
    const { right, wrong, copy } = await measure();
    const loss = (await trainer.metrics()).loss.toFixed(3);
    console.log(
      `${name.padEnd(16)} step ${trainer.step}  right ${right.toFixed(4)}  wrong/right ${(wrong / right).toFixed(3)}  copy ${copy.toFixed(4)}  loss ${loss}  ${(spent / 1000).toFixed(0)} s  ${(flops / 1e12).toFixed(2)} TFLOP`,
    );
  }
  trainer.dispose();
}
process.exit(0);
