// How the tests and benchmarks start a headless Chromium: WebGPU on SwiftShader, no traffic of its own.

/** Resolves to this machine in such a browser, but is no secure context over plain http. */
export const INSECURE_HOST = 'tenfold.test';
export const LOCAL_HOST = '127.0.0.1';

const PLAIN = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--host-resolver-rules=MAP ${INSECURE_HOST} ${LOCAL_HOST}`,
];

/** Without the WebGPU pair a headless Chromium on a machine without a GPU has no adapter. */
const COMPUTE = [...PLAIN, '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--disable-gpu-watchdog'];

export const CHROMIUM_FLAGS = {
  compute: COMPUTE,
  /** For WebGPU and WebGL canvases to appear in screenshots; the work is done without them as well, only unseen. */
  pictures: [...COMPUTE, '--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=swiftshader'],
  /** The machine's own GPU through Vulkan. */
  gpu: [...PLAIN, '--enable-unsafe-webgpu', '--enable-features=Vulkan', '--ignore-gpu-blocklist'],
  /** `navigator.gpu` is there, but every adapter is refused. */
  'no-adapter': [...PLAIN, '--disable-features=WebGPU'],
};
