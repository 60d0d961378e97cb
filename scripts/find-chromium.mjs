// Finds a Chromium or Chrome: the CHROMIUM variable, the usual places, then Playwright's own downloads. Installs nothing.

import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];

/** @returns {string[]} */
function usualPlaces() {
  if (process.platform === 'darwin') {
    const programs = ['Google Chrome', 'Chromium', 'Google Chrome Canary'];
    return ['/Applications', join(homedir(), 'Applications')].flatMap((folder) =>
      programs.map((name) => join(folder, `${name}.app/Contents/MacOS/${name}`)),
    );
  }
  if (process.platform === 'win32') {
    const folders = [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA];
    return folders
      .filter((folder) => folder !== undefined)
      .flatMap((folder) => ['Google/Chrome', 'Chromium'].map((name) => join(folder, name, 'Application/chrome.exe')));
  }
  const path = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return [...path, '/usr/bin', '/usr/local/bin', '/snap/bin'].flatMap((folder) =>
    NAMES.map((name) => join(folder, name)),
  );
}

/** @returns {string[]} newest download first */
function playwrightPlaces() {
  const cache = {
    darwin: join(homedir(), 'Library/Caches/ms-playwright'),
    win32: join(process.env.LOCALAPPDATA ?? homedir(), 'ms-playwright'),
  }[/** @type {string} */ (process.platform)];
  const folder = process.env.PLAYWRIGHT_BROWSERS_PATH || cache || join(homedir(), '.cache/ms-playwright');
  if (!existsSync(folder)) return [];
  const versions = readdirSync(folder).filter((name) => /^chromium-\d+$/.test(name));
  versions.sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)));
  const programs = [
    'chrome-linux/chrome',
    'chrome-linux64/chrome',
    'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
    'chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
    'chrome-win/chrome.exe',
    'chrome-win64/chrome.exe',
  ];
  return versions.flatMap((version) => programs.map((program) => join(folder, version, program)));
}

/**
 * Path of the browser's program, or undefined if there is none.
 * @returns {string | undefined}
 */
export function findChromium() {
  const wanted = process.env.CHROMIUM;
  if (wanted) {
    if (!existsSync(wanted)) throw new Error(`CHROMIUM points to ${wanted}, which does not exist`);
    return wanted;
  }
  return [...usualPlaces(), ...playwrightPlaces()].find((file) => existsSync(file));
}
