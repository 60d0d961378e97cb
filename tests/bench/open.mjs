// What every script here begins with: the adapter of the tests, the sources through Vite, and a device.
import { createServer } from 'vite';
import { adapterEnv } from '../../scripts/find-adapter.mjs';

/** `close` lets the script end; `load` imports a module of the repository, such as '/src/gpu/timing.ts'. */
export async function openBench() {
  Object.assign(process.env, adapterEnv().env);
  const server = await createServer({
    server: { middlewareMode: true, watch: null, hmr: false, ws: false },
    appType: 'custom',
    logLevel: 'error',
  });
  const load = (path) => server.ssrLoadModule(path);
  const { openGpu } = await load('/src/gpu/device.ts');
  const opened = await openGpu();
  if (!opened.ok) throw new Error(opened.reason);
  return { load, gpu: opened.gpu, close: () => server.close() };
}
