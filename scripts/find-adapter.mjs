// Chooses the WebGPU adapter for Node: a real GPU, else Mesa's lavapipe, else the SwiftShader that comes with Chromium.
// On Linux, Dawn reaches all three through Vulkan, and VK_ICD_FILENAMES, set before Dawn loads, decides which one it sees.
// A candidate counts only if a separate process can make a device on it and compute with it (Dawn refuses old Mesa
// versions); that verdict is kept in .cache/adapter.json until a driver file changes. Elsewhere the system decides.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findChromium } from './find-chromium.mjs';

const CACHE = resolve(import.meta.dirname, '../.cache/adapter.json');
const ICD_FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];
const LOADER_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
];

/**
 * @typedef {object} AdapterChoice
 * @property {'gpu' | 'lavapipe' | 'swiftshader' | 'default' | 'none'} name
 * @property {string} [VK_ICD_FILENAMES]
 * @property {Record<string, string>} env everything that must be in the environment before Dawn loads
 */

/** @returns {AdapterChoice | undefined} */
function lavapipe() {
  for (const folder of ICD_FOLDERS) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const name = names.find((entry) => /^lvp_icd.*\.json$/.test(entry));
    if (name) return withDriver('lavapipe', join(folder, name));
  }
  return undefined;
}

/** @returns {AdapterChoice | undefined} */
function swiftshader() {
  const chromium = findChromium();
  if (!chromium) return undefined;
  // /usr/bin/chromium is a script; the driver lies beside the real program.
  for (const folder of [dirname(chromium), '/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome']) {
    const file = join(folder, 'vk_swiftshader_icd.json');
    if (!existsSync(file)) continue;
    const choice = withDriver('swiftshader', file);
    const hasLoader = LOADER_FOLDERS.some((place) => existsSync(join(place, 'libvulkan.so.1')));
    if (!hasLoader && existsSync(join(folder, 'libvulkan.so.1'))) {
      choice.env.LD_LIBRARY_PATH = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
    }
    return choice;
  }
  return undefined;
}

/**
 * @param {'lavapipe' | 'swiftshader'} name
 * @param {string} file
 * @returns {AdapterChoice}
 */
function withDriver(name, file) {
  return { name, VK_ICD_FILENAMES: file, env: { VK_ICD_FILENAMES: file } };
}

function hasGpuDevice() {
  if (existsSync('/dev/nvidia0') || existsSync('/dev/dxg')) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((entry) => entry.startsWith('renderD'));
}

/** Runs in the probing process: exits with 0 if the adapter computes 4 * 2 and is hardware where that is asked for. */
const PROBE = `
  const { create, globals } = await import(process.argv[1]);
  globalThis.gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter || (process.argv[2] === 'gpu' && adapter.info.isFallbackAdapter)) process.exit(3);
  const device = await adapter.requestDevice();
  const { GPUBufferUsage: usage } = globals;
  const data = device.createBuffer({ size: 4, usage: usage.STORAGE | usage.COPY_SRC, mappedAtCreation: true });
  new Float32Array(data.getMappedRange())[0] = 4;
  data.unmap();
  const back = device.createBuffer({ size: 4, usage: usage.COPY_DST | usage.MAP_READ });
  const code = '@group(0) @binding(0) var<storage, read_write> d: array<f32>; @compute @workgroup_size(1) fn main() { d[0] *= 2; }';
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: data } }] });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline); pass.setBindGroup(0, group); pass.dispatchWorkgroups(1); pass.end();
  encoder.copyBufferToBuffer(data, 0, back, 0, 4);
  device.queue.submit([encoder.finish()]);
  await back.mapAsync(1);
  process.exit(new Float32Array(back.getMappedRange())[0] === 8 ? 0 : 4);
`;

/** @param {AdapterChoice} choice */
function works(choice) {
  const dawn = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
  const probe = spawnSync(process.execPath, ['--input-type=module', '-e', PROBE, dawn, choice.name], {
    env: { ...process.env, ...choice.env },
    stdio: 'ignore',
    timeout: 60_000,
  });
  return probe.status === 0;
}

/** @returns {AdapterChoice} */
function firstThatWorks() {
  /** @type {(AdapterChoice | undefined)[]} */
  const candidates = [hasGpuDevice() ? { name: 'gpu', env: {} } : undefined, lavapipe(), swiftshader()];
  const present = candidates.filter((candidate) => candidate !== undefined);
  const stamp = present.map(({ VK_ICD_FILENAMES: file }) => (file ? `${file} ${statSync(file).mtimeMs}` : 'gpu'));
  const key = [process.version, ...stamp].join('; ');
  try {
    const known = JSON.parse(readFileSync(CACHE, 'utf8'));
    if (known.key === key) return known.choice;
  } catch {
    // No verdict yet, or an unreadable one: probe again.
  }
  const choice = present.find(works);
  // "None" is not remembered: whoever gets it will install something next.
  if (!choice) return { name: 'none', env: {} };
  mkdirSync(dirname(CACHE), { recursive: true });
  writeFileSync(`${CACHE}.${process.pid}`, JSON.stringify({ key, choice }));
  renameSync(`${CACHE}.${process.pid}`, CACHE);
  return choice;
}

/**
 * The environment that makes Dawn choose an adapter. TENFOLD_ADAPTER = lavapipe | swiftshader | default overrides the search,
 * where `default` leaves the choice to the system; so does a VK_ICD_FILENAMES or VK_DRIVER_FILES of the user's own.
 * @param {string} [wanted]
 * @returns {AdapterChoice}
 */
export function adapterEnv(wanted = process.env.TENFOLD_ADAPTER || 'auto') {
  if (wanted === 'lavapipe') return lavapipe() ?? { name: 'none', env: {} };
  if (wanted === 'swiftshader') return swiftshader() ?? { name: 'none', env: {} };
  if (wanted !== 'auto' && wanted !== 'default') {
    throw new Error(`TENFOLD_ADAPTER is '${wanted}'; it can be lavapipe, swiftshader or default`);
  }
  const decided = process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES;
  if (wanted === 'default' || decided || process.platform !== 'linux') return { name: 'default', env: {} };
  return firstThatWorks();
}
