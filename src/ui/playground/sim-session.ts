// The sim worker's half of the playground: the true world, its scripted walker, and the pictures of both panes' truth.
// The same seed gives the same world, the same walk into it and so the same first frame.

import { NO_ACTION } from '../../methods/dreamer4/play-contract.ts';
import { worldConfig } from '../../world/config.ts';
import { mix32 } from '../../world/hash.ts';
import { builder } from '../../world/players/builder.ts';
import { miner } from '../../world/players/miner.ts';
import { rambler } from '../../world/players/rambler.ts';
import { ScriptedPlayer } from '../../world/players/scripted-player.ts';
import { FrameRendererCpu } from '../../world/render/frame-renderer-cpu.ts';
import { frameSpec } from '../../world/render/frame-spec.ts';
import { renderTopdown, TOPDOWN_SIZE } from '../../world/render/topdown.ts';
import { eyeY, player as field, type State } from '../../world/state.ts';
import { GUI, P } from '../../world/state-layout.ts';
import { stepAction } from '../../world/step.ts';
import { createWorld, release } from '../../world/world.ts';
import { toRgba } from './image-metrics.ts';
import {
  type EpisodeStart,
  type KnownWorld,
  type Outcome,
  PRELUDE_STEPS,
  type SectionMesh,
  type SimApi,
  type SimInfo,
  type TruthMessage,
  type TruthTick,
} from './protocol.ts';

/** Who walks while nobody plays, in turns of this many steps. */
const TROUPE = [
  ['rambler', rambler],
  ['builder', builder],
  ['rambler', rambler],
  ['miner', miner],
] as const;
const TURN_STEPS = 240;
/** Game ticks per second. */
const TICK_HZ = 20;
/** Until a model says what it knows: the world of the one that a visitor gets. */
const FIRST: KnownWorld = { world: 'park', width: 64, height: 48 };
const MESH_RADIUS = 3;
const TAU = 2 * Math.PI;

interface View {
  width: number;
  height: number;
  draw(state: State, out?: Uint8Array<ArrayBuffer>, at?: number): Uint8Array;
}

const topDown: View = { width: TOPDOWN_SIZE, height: TOPDOWN_SIZE, draw: renderTopdown };

/** Throws on a size that the ray caster does not draw. */
function firstPerson({ world, width, height }: KnownWorld): View {
  const renderer = new FrameRendererCpu(frameSpec({ ...worldConfig(world).frame, width, height }));
  return { width, height, draw: (state, out, at) => renderer.frame(state, out, at) };
}

export class SimSession implements SimApi {
  #world = FIRST.world;
  #config = worldConfig(FIRST.world);
  #view: View = firstPerson(FIRST);
  #canvas: OffscreenCanvas | null = null;
  #context: OffscreenCanvasRenderingContext2D | null = null;
  #pixels: ImageData | null = null;
  #toGpu: MessagePort | null = null;
  #state: State | null = null;
  #walker: ScriptedPlayer | null = null;
  #turn = -1;
  #seed = 0;
  #episode = 0;
  #index = 0;
  #sentMeshes = new Map<string, number>();

  async open(truth: OffscreenCanvas | null, toGpu: MessagePort | null): Promise<SimInfo> {
    this.#toGpu = toGpu;
    this.#canvas = truth;
    this.#context = truth?.getContext('2d', { alpha: false }) ?? null;
    return this.#info();
  }

  async suit(model: KnownWorld): Promise<Outcome<SimInfo>> {
    const { world, width, height } = model;
    try {
      this.#view = width === TOPDOWN_SIZE && height === TOPDOWN_SIZE ? topDown : firstPerson(model);
      this.#world = world;
      this.#config = worldConfig(world);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const advice = 'Choose a checkpoint of another frame size.';
      return {
        ok: false,
        code: 'bad-checkpoint',
        reason: `The simulator cannot draw this model's frames: ${reason}.`,
        advice,
      };
    }
    return { ok: true, value: this.#info() };
  }

  #info(): SimInfo {
    const { width, height } = this.#view;
    const { ticksPerStep } = this.#config;
    if (this.#canvas && (this.#canvas.width !== width || this.#canvas.height !== height || !this.#pixels)) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#pixels = new ImageData(width, height);
    }
    return { width, height, hz: TICK_HZ / ticksPerStep, ticksPerStep, world: this.#world };
  }

  async start({ seed }: EpisodeStart): Promise<TruthTick> {
    const began = performance.now();
    if (this.#state) release(this.#state);
    this.#seed = seed;
    this.#episode++;
    this.#index = 0;
    this.#walker = null;
    this.#turn = -1;
    this.#sentMeshes.clear();
    const { width, height } = this.#view;
    const size = width * height * 3;
    const frames = new Uint8Array((PRELUDE_STEPS + 1) * size);
    const actions = new Uint32Array(PRELUDE_STEPS + 1).fill(NO_ACTION);
    this.#state = this.#walkIn(seed, (state, i, action) => {
      this.#view.draw(state, frames, i * size);
      actions[i] = action;
    });
    const rgb = frames.slice(-size);
    this.#send({ kind: 'episode', episode: this.#episode, width, height, frames, actions }, frames.buffer);
    this.#draw(rgb);
    return this.#tick(NO_ACTION, rgb, performance.now() - began, 0);
  }

  async step(action: number | null): Promise<TruthTick> {
    const state = this.#state;
    if (!state) throw new Error('no world has been started');
    const began = performance.now();
    if (action !== null) this.#walker = null;
    const taken = action ?? this.#walk(state);
    stepAction(state, taken);
    this.#index++;
    const simulated = performance.now();
    const rgb = this.#view.draw(state);
    const copy = rgb.slice();
    this.#send({ kind: 'frame', episode: this.#episode, index: this.#index, action: taken, rgb: copy }, copy.buffer);
    this.#draw(rgb);
    return this.#tick(taken, rgb, simulated - began, performance.now() - simulated);
  }

  async preview(seed: number): Promise<Uint8Array> {
    const state = this.#walkIn(seed, () => undefined);
    const rgb = this.#view.draw(state);
    release(state);
    return rgb;
  }

  async mesh(limit: number, fresh: boolean): Promise<SectionMesh[]> {
    // Only the smooth view needs it: not a part of the first load.
    const { meshSection, sectionStamp } = await import('./section-mesh.ts');
    const state = this.#state;
    if (!state) return [];
    if (fresh) this.#sentMeshes.clear();
    const px = field(state, P.x) >> 20;
    const pz = field(state, P.z) >> 20;
    const near: { sx: number; sy: number; sz: number; distance: number }[] = [];
    for (let sz = pz - MESH_RADIUS; sz <= pz + MESH_RADIUS; sz++)
      for (let sx = px - MESH_RADIUS; sx <= px + MESH_RADIUS; sx++) {
        if (sx < 0 || sz < 0 || sx >= state.sizeX >> 4 || sz >= state.sizeZ >> 4) continue;
        for (let sy = 0; sy < 4; sy++) near.push({ sx, sy, sz, distance: Math.hypot(sx - px, sz - pz) });
      }
    near.sort((a, b) => a.distance - b.distance);
    const meshes: SectionMesh[] = [];
    for (const { sx, sy, sz } of near) {
      if (meshes.length >= limit) break;
      const key = `${sx}.${sy}.${sz}`;
      const stamp = sectionStamp(state, sx, sy, sz);
      if (this.#sentMeshes.get(key) === stamp) continue;
      const empty = {
        key,
        at: [sx * 16, sy * 16, sz * 16] as [number, number, number],
        vertices: new Float32Array(),
        opaque: new Uint32Array(),
        translucent: new Uint32Array(),
      };
      const before = this.#sentMeshes.has(key);
      this.#sentMeshes.set(key, stamp);
      const mesh = meshSection(state, sx, sy, sz, 0) ?? (before ? empty : null);
      if (mesh) meshes.push(mesh);
    }
    return meshes;
  }

  /** A new world and the walk into it; `see` gets every state on the way with the action that led there. */
  #walkIn(seed: number, see: (state: State, i: number, action: number) => void): State {
    const state = createWorld(this.#config, seed, { episodeSeed: seed });
    const walker = new ScriptedPlayer('rambler', rambler, state, mix32(seed, 0, 0, 0x51a7));
    see(state, 0, NO_ACTION);
    for (let i = 1; i <= PRELUDE_STEPS; i++) {
      const action = walker.act(state);
      stepAction(state, action);
      see(state, i, action);
    }
    return state;
  }

  #walk(state: State): number {
    const turn = Math.floor(this.#index / TURN_STEPS);
    if (!this.#walker || turn !== this.#turn) {
      this.#turn = turn;
      const [id, script] = TROUPE[turn % TROUPE.length];
      this.#walker = new ScriptedPlayer(id, script, state, mix32(this.#seed, this.#index, 1, 0x51a7));
    }
    return this.#walker.act(state);
  }

  #draw(rgb: Uint8Array): void {
    if (!this.#context || !this.#pixels) return;
    toRgba(rgb, this.#pixels.data);
    this.#context.putImageData(this.#pixels, 0, 0);
  }

  #send(message: TruthMessage, buffer: ArrayBufferLike): void {
    this.#toGpu?.postMessage(message, [buffer as ArrayBuffer]);
  }

  #tick(action: number, rgb: Uint8Array, simulateMs: number, renderMs: number): TruthTick {
    const s = this.#state as State;
    return {
      episode: this.#episode,
      index: this.#index,
      action,
      rgb,
      simulateMs,
      renderMs,
      guiOpen: field(s, P.guiKind) !== GUI.none,
      cursor: [field(s, P.cursorX) / 256, field(s, P.cursorY) / 256],
      slot: field(s, P.selected),
      camera: {
        x: field(s, P.x) / 65536,
        y: eyeY(s) / 65536,
        z: field(s, P.z) / 65536,
        yaw: (field(s, P.yaw) / 65536) * TAU,
        pitch: (field(s, P.pitch) / 65536) * TAU,
      },
    };
  }
}
