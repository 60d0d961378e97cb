/** What a visitor can do about a missing adapter or feature in the browser that is in front of them; empty: nothing. */

export type Browser = 'chrome' | 'edge' | 'firefox' | 'safari' | 'node' | 'other';
export type Lack = 'hardware' | 'timestamp-query' | 'subgroups' | 'shader-f16' | 'subgroup-matrix';

export interface Runtime {
  browser: Browser;
  linux: boolean;
}

/** From a user agent string. Every browser of iOS is Safari inside. */
export function runtimeOf(agent: string): Runtime {
  const linux = /\bLinux\b/.test(agent) && !/\bAndroid\b/.test(agent);
  const is = (browser: Browser): Runtime => ({ browser, linux });
  if (/^Node\.js\b/.test(agent)) return is('node');
  if (/\b(?:iPhone|iPad)\b/.test(agent)) return is('safari');
  if (/\bFirefox\//.test(agent)) return is('firefox');
  if (/\bEdgA?\//.test(agent)) return is('edge');
  if (/\b(?:Headless)?Chrom(?:e|ium)\//.test(agent)) return is('chrome');
  return is(/\bSafari\//.test(agent) ? 'safari' : 'other');
}

/** Of this page, worker or process. */
export const runtimeHere = (): Runtime =>
  runtimeOf(typeof navigator === 'undefined' ? 'Node.js' : navigator.userAgent || '');

const chromium = (scheme: 'chrome' | 'edge'): Partial<Record<Lack, string>> => ({
  hardware: `If this machine has a graphics card: turn graphics acceleration on in ${scheme}://settings/system, update the driver, and look at ${scheme}://gpu for what blocks it.`,
  'timestamp-query': `${scheme}://flags/#enable-webgpu-developer-features may bring timestamps; nothing else needs them.`,
  subgroups: 'Version 134 and later have them where the driver does: update the browser and the driver.',
  'shader-f16': 'They come with the driver: update it. Older graphics processors have none.',
  'subgroup-matrix': `An experiment of Chromium, for some GPUs, behind ${scheme}://flags/#enable-unsafe-webgpu.`,
});

const ADVICE: Record<Browser, Partial<Record<Lack, string>>> = {
  chrome: chromium('chrome'),
  edge: chromium('edge'),
  firefox: {
    hardware:
      'If this machine has a graphics card: turn “Use hardware acceleration when available” on in about:preferences, update the driver, and look at “Graphics” in about:support for what blocks it.',
    'timestamp-query': 'Nothing can be done in Firefox; nothing else needs them.',
    subgroups: 'A newer Firefox may have them; nothing else can be done here.',
    'shader-f16': 'A newer Firefox or driver may have them; nothing else can be done here.',
    'subgroup-matrix': 'An experiment of Chromium so far: nothing can be done in Firefox.',
  },
  safari: {
    hardware: 'Safari has no switch for it: update the system. A virtual machine often has no graphics processor.',
    'timestamp-query': 'Nothing can be done in Safari; nothing else needs them.',
    subgroups: 'They come with the system: a newer one may have them.',
    'shader-f16': 'They come with the system: a newer one may have them.',
    'subgroup-matrix': 'An experiment of Chromium so far: nothing can be done in Safari.',
  },
  node: {
    hardware: 'If this machine has a graphics card: install its Vulkan driver, or name it in VK_ICD_FILENAMES.',
    'subgroup-matrix': 'An experiment of Dawn, for some GPUs: TENFOLD_DAWN=enable-dawn-features=allow_unsafe_apis.',
  },
  other: {
    hardware:
      'If this machine has a graphics card: turn hardware acceleration on in the browser’s settings and update the driver.',
  },
};

const LINUX: Partial<Record<Browser, string>> = {
  chrome: ' On Linux it may also need chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan.',
  edge: ' On Linux it may also need edge://flags/#enable-unsafe-webgpu and edge://flags/#enable-vulkan.',
  firefox: ' On Linux it may also need dom.webgpu.enabled in about:config.',
};

/** One or two sentences; empty where nothing is known that helps. */
export function adviceFor(lack: Lack, { browser, linux }: Runtime = runtimeHere()): string {
  const advice = ADVICE[browser][lack] ?? '';
  return lack === 'hardware' && linux ? advice + (LINUX[browser] ?? '') : advice;
}
