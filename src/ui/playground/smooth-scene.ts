// three.js side of the smooth view: keeps section meshes, moves the camera between steps, draws. WebGL, so that it goes on
// when the compute device is busy or lost.

import {
  BufferAttribute,
  BufferGeometry,
  Color,
  DataArrayTexture,
  DoubleSide,
  InterleavedBuffer,
  InterleavedBufferAttribute,
  LinearMipmapLinearFilter,
  Mesh,
  NearestFilter,
  PerspectiveCamera,
  RepeatWrapping,
  Scene,
  ShaderMaterial,
  WebGLRenderer,
} from 'three';
import { TILE_NAMES } from '../../world/blocks.ts';
import { ATLAS, TILE_TEXELS } from '../../world/visual/atlas.ts';
import { NOON, skyColours } from '../../world/visual/brightness.ts';
import { type CameraPose, DEEP, type SectionMesh, type TruthTick, VERTEX } from './protocol.ts';

const TILE = 16;
const VIEW_DISTANCE = 48;
/** Where fog begins, as in the ray caster (frame-spec.ts). */
const FOG_START = (VIEW_DISTANCE * 9) / 16;
const SECTIONS_PER_CALL = 16;

const vertexShader = `
  attribute vec4 face;
  attribute float depth;
  varying vec4 vFace;
  varying float vDepth;
  varying float vDistance;
  varying vec3 vRay;
  void main() {
    vFace = face;
    vDepth = depth;
    vec4 world = modelMatrix * vec4(position, 1.0);
    vRay = world.xyz - cameraPosition;
    vDistance = length(vRay);
    gl_Position = projectionMatrix * viewMatrix * world;
  }`;

const fragmentShader = `
  precision highp sampler2DArray;
  uniform sampler2DArray tiles;
  uniform vec3 zenith;
  uniform vec3 horizon;
  uniform bool layers;
  varying vec4 vFace;
  varying float vDepth;
  varying float vDistance;
  varying vec3 vRay;
  void main() {
    vec4 texel = texture(tiles, vec3(vFace.xy, floor(vFace.z + 0.5)));
    if (texel.a < 0.3) discard;
    float fog = clamp((vDistance - ${FOG_START.toFixed(1)}) / ${(VIEW_DISTANCE - FOG_START).toFixed(1)}, 0.0, 1.0);
    vec3 sky = mix(horizon, zenith, clamp(vRay.y / vDistance * 2.0, 0.0, 1.0));
    // The ray caster's water, over level ground: thicker by 1/16 for every block that is looked through.
    float through = min(vDepth * vDistance / max(-vRay.y, 0.001), ${DEEP.toFixed(1)});
    float alpha = layers ? min(texel.a + through / 16.0, 1.0) : 1.0;
    gl_FragColor = vec4(mix(texel.rgb * vFace.w, sky, fog), alpha);
  }`;

interface Section {
  group: Mesh[];
  at: readonly number[];
}

export class SmoothScene {
  hz = 10;
  readonly #renderer: WebGLRenderer;
  readonly #scene = new Scene();
  readonly #camera = new PerspectiveCamera(70, 64 / 40, 0.05, 120);
  readonly #opaque: ShaderMaterial;
  readonly #translucent: ShaderMaterial;
  readonly #sections = new Map<string, Section>();
  readonly #fetch: (limit: number, fresh: boolean) => Promise<SectionMesh[]>;
  readonly #resized: ResizeObserver;
  #from: CameraPose | null = null;
  #to: CameraPose | null = null;
  #arrived = 0;
  #fetching = false;
  #fresh = true;
  #frame = 0;

  constructor(canvas: HTMLCanvasElement, fetch: (limit: number, fresh: boolean) => Promise<SectionMesh[]>) {
    this.#fetch = fetch;
    this.#renderer = new WebGLRenderer({ canvas, antialias: true });
    // The tiles' bytes go to the screen as they are, like in the ray caster.
    this.#renderer.outputColorSpace = 'srgb-linear';
    const { zenith, horizon } = skyColours(NOON);
    const uniforms = {
      tiles: { value: tileTexture() },
      zenith: { value: rawColour(zenith) },
      horizon: { value: rawColour(horizon) },
    };
    this.#opaque = new ShaderMaterial({
      vertexShader,
      fragmentShader,
      uniforms: { ...uniforms, layers: { value: false } },
    });
    this.#translucent = new ShaderMaterial({
      vertexShader,
      fragmentShader,
      uniforms: { ...uniforms, layers: { value: true } },
      transparent: true,
      depthWrite: false,
      side: DoubleSide,
    });
    this.#camera.rotation.order = 'YXZ';
    this.#scene.background = null;
    this.#renderer.setClearColor(uniforms.horizon.value);
    this.#addSky(uniforms.zenith.value, uniforms.horizon.value);
    this.#resized = new ResizeObserver(() => this.#resize(canvas));
    this.#resized.observe(canvas);
    this.#resize(canvas);
    this.#draw();
  }

  /** The next pose to move to; `jump` for a new world. */
  follow(tick: TruthTick, jump: boolean): void {
    if (jump) {
      for (const key of [...this.#sections.keys()]) this.#drop(key);
      this.#fresh = true;
    }
    this.#from = jump || !this.#to ? tick.camera : this.#pose();
    this.#to = tick.camera;
    this.#arrived = performance.now();
    void this.#update();
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#resized.disconnect();
    for (const key of [...this.#sections.keys()]) this.#drop(key);
    this.#opaque.uniforms.tiles.value.dispose();
    this.#renderer.dispose();
  }

  async #update(): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    const fresh = this.#fresh;
    this.#fresh = false;
    try {
      const meshes = await this.#fetch(SECTIONS_PER_CALL, fresh);
      // A new world was started meanwhile: these are faces of the old one.
      if (!this.#fresh) for (const mesh of meshes) this.#put(mesh);
      this.#forgetFar();
      if (meshes.length === SECTIONS_PER_CALL) setTimeout(() => void this.#update(), 20);
    } finally {
      this.#fetching = false;
    }
  }

  #put(mesh: SectionMesh): void {
    this.#drop(mesh.key);
    if (mesh.vertices.length === 0) return;
    const buffer = new InterleavedBuffer(mesh.vertices, VERTEX);
    const group: Mesh[] = [];
    for (const [indices, material] of [
      [mesh.opaque, this.#opaque],
      [mesh.translucent, this.#translucent],
    ] as const) {
      if (indices.length === 0) continue;
      const geometry = new BufferGeometry();
      geometry.setAttribute('position', new InterleavedBufferAttribute(buffer, 3, 0));
      geometry.setAttribute('face', new InterleavedBufferAttribute(buffer, 4, 3));
      geometry.setAttribute('depth', new InterleavedBufferAttribute(buffer, 1, 7));
      geometry.setIndex(new BufferAttribute(indices, 1));
      const part = new Mesh(geometry, material);
      part.position.fromArray(mesh.at);
      part.matrixAutoUpdate = false;
      part.updateMatrix();
      this.#scene.add(part);
      group.push(part);
    }
    this.#sections.set(mesh.key, { group, at: mesh.at });
  }

  #drop(key: string): void {
    const section = this.#sections.get(key);
    if (!section) return;
    for (const part of section.group) {
      this.#scene.remove(part);
      part.geometry.dispose();
    }
    this.#sections.delete(key);
  }

  #forgetFar(): void {
    if (!this.#to) return;
    for (const [key, { at }] of this.#sections) {
      const far = Math.max(Math.abs(at[0] + 8 - this.#to.x), Math.abs(at[2] + 8 - this.#to.z)) > VIEW_DISTANCE + 40;
      for (const part of this.#sections.get(key)?.group ?? []) part.visible = !far;
    }
  }

  #pose(): CameraPose {
    const from = this.#from as CameraPose;
    const to = this.#to as CameraPose;
    const t = Math.min(1, ((performance.now() - this.#arrived) * this.hz) / 1000);
    const mix = (a: number, b: number) => a + (b - a) * t;
    const turn = Math.atan2(Math.sin(to.yaw - from.yaw), Math.cos(to.yaw - from.yaw));
    return {
      x: mix(from.x, to.x),
      y: mix(from.y, to.y),
      z: mix(from.z, to.z),
      yaw: from.yaw + turn * t,
      pitch: mix(from.pitch, to.pitch),
    };
  }

  #draw(): void {
    this.#frame = requestAnimationFrame(() => this.#draw());
    if (!this.#to) return;
    const pose = this.#pose();
    this.#camera.position.set(pose.x, pose.y, pose.z);
    // three.js looks along -z; the world's yaw 0 looks along +z and grows to the right.
    this.#camera.rotation.set(-pose.pitch, Math.PI - pose.yaw, 0);
    this.#renderer.render(this.#scene, this.#camera);
  }

  #resize(canvas: HTMLCanvasElement): void {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (width === 0 || height === 0) return;
    this.#renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.#renderer.setSize(width, height, false);
  }

  /** A dome that is always behind everything: zenith above, horizon at and below the eye. */
  #addSky(zenith: Color, horizon: Color): void {
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', new BufferAttribute(new Float32Array([-1, -1, 1, 3, -1, 1, -1, 3, 1]), 3));
    const sky = new Mesh(
      geometry,
      new ShaderMaterial({
        uniforms: { zenith: { value: zenith }, horizon: { value: horizon } },
        vertexShader: `
          varying vec3 vRay;
          void main() {
            vec4 view = inverse(projectionMatrix) * vec4(position.xy, 1.0, 1.0);
            vRay = transpose(mat3(viewMatrix)) * (view.xyz / view.w);
            gl_Position = vec4(position.xy, 0.9999, 1.0);
          }`,
        fragmentShader: `
          uniform vec3 zenith;
          uniform vec3 horizon;
          varying vec3 vRay;
          void main() {
            gl_FragColor = vec4(mix(horizon, zenith, clamp(normalize(vRay).y * 2.0, 0.0, 1.0)), 1.0);
          }`,
        depthWrite: false,
      }),
    );
    sky.frustumCulled = false;
    sky.renderOrder = -1;
    this.#scene.add(sky);
  }
}

/** 0xRRGGBB as raw 0..1 values, without a change of colour space. */
function rawColour(rgb: number): Color {
  const colour = new Color();
  colour.r = ((rgb >> 16) & 255) / 255;
  colour.g = ((rgb >> 8) & 255) / 255;
  colour.b = (rgb & 255) / 255;
  return colour;
}

/** Every tile of the atlas as one layer; rows upside down, because v grows upwards on a wall. */
function tileTexture(): DataArrayTexture {
  const texels = new Uint32Array(TILE_NAMES.length * TILE * TILE);
  for (let tile = 0; tile < TILE_NAMES.length; tile++)
    for (let row = 0; row < TILE; row++)
      texels.set(
        ATLAS.subarray(tile * TILE_TEXELS + row * TILE, tile * TILE_TEXELS + (row + 1) * TILE),
        (tile * TILE + (TILE - 1 - row)) * TILE,
      );
  const texture = new DataArrayTexture(new Uint8Array(texels.buffer), TILE, TILE, TILE_NAMES.length);
  texture.magFilter = NearestFilter;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.wrapS = texture.wrapT = RepeatWrapping;
  texture.generateMipmaps = true;
  texture.needsUpdate = true;
  return texture;
}
