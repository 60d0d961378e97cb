// `lab world record|replay|render|check|frames`: episodes of scripted players as files, played again, drawn, and looked at in numbers.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePng } from '../data/png.ts';
import { PROFILES, type ProfileName, worldConfig } from '../world/config.ts';
import { checkEpisodes } from '../world/episodes/check.ts';
import { type Coverage, coverage } from '../world/episodes/coverage.ts';
import { EpisodeFile, encodeEpisodes } from '../world/episodes/d4d.ts';
import type { Episode } from '../world/episodes/episode.ts';
import { splitOf, standardMix } from '../world/episodes/mix.ts';
import { recordEpisode } from '../world/episodes/record.ts';
import { Replay } from '../world/episodes/replay.ts';
import { isPlayerId, PLAYER_IDS } from '../world/players/scripted-player.ts';
import { FrameRendererCpu } from '../world/render/frame-renderer-cpu.ts';
import { frameSpec } from '../world/render/frame-spec.ts';
import { SIM_VERSION } from '../world/world.ts';
import { type Parsed, RUN_FLAGS, UsageError } from './args.ts';
import { defineCommand, type Output } from './command.ts';
import { renderFrames } from './frames.ts';

const FLAGS = {
  seed: RUN_FLAGS.seed,
  set: RUN_FLAGS.set,
  out: { kind: 'string', help: 'record: the file to write; render: the folder', value: 'PATH' },
  json: RUN_FLAGS.json,
} as const;

type Args = Parsed<typeof FLAGS>;

export const world = defineCommand({
  usage:
    'record --out FILE [--seed N] [--set episodes=20] [--set steps=600] [--set player=NAME] [--set profile=meadow]\n' +
    '       npm run lab -- world replay FILE\n' +
    '       npm run lab -- world render FILE --out DIR [--set episode=0] [--set every=5] [--set columns=16] [--set scale=2] [--set frames=1]\n' +
    '       npm run lab -- world frames [--seed N] [--set preset=micro] [--set part=0 --set parts=4] [--set seconds=60] [--set data.episodes=160]\n' +
    '       npm run lab -- world check [FILE] [--seed N] [--set episodes=10] [--set steps=300]',
  flags: FLAGS,
  async run(args, output) {
    const [action, file, extra] = args.positionals;
    if (extra !== undefined) throw new UsageError(`world ${action} takes one file, got '${extra}' too`);
    switch (action) {
      case 'record':
        if (file !== undefined) throw new UsageError('world record writes to --out FILE');
        return record(args, output);
      case 'replay':
        return replay(args, output, needFile(action, file));
      case 'render':
        return render(args, output, needFile(action, file));
      case 'check':
        return check(args, output, file);
      case 'frames':
        if (file !== undefined) throw new UsageError('world frames writes to the cache');
        return renderFrames(args.flags.seed ?? 1, args.flags.set, output);
      default:
        throw new UsageError(
          `world ${action === undefined ? '' : `${action}: `}needs one of record, replay, render, check, frames`,
        );
    }
  },
});

function needFile(action: string, file: string | undefined): string {
  if (file === undefined) throw new UsageError(`world ${action} needs an episode file`);
  return file;
}

/** The whole numbers and names given by --set, checked against what the action knows. */
function settings<T extends Record<string, number | string>>(args: Args, defaults: T): T {
  const values: Record<string, number | string> = { ...defaults };
  for (const [key, text] of Object.entries(args.flags.set)) {
    if (!Object.hasOwn(defaults, key))
      throw new UsageError(`--set ${key}: unknown (known: ${Object.keys(defaults).join(', ')})`);
    if (typeof defaults[key] === 'string') values[key] = text;
    else if (/^\d{1,9}$/.test(text)) values[key] = Number(text);
    else throw new UsageError(`--set ${key}=${text}: a whole number is needed`);
  }
  return values as T;
}

function mixFrom(args: Args, episodes: number, steps: number) {
  const set = settings(args, { episodes, steps, player: 'all', profile: 'meadow' });
  if (set.player !== 'all' && !isPlayerId(set.player)) {
    throw new UsageError(`--set player=${set.player}: one of all, ${PLAYER_IDS.join(', ')} is needed`);
  }
  if (!Object.hasOwn(PROFILES, set.profile)) {
    throw new UsageError(`--set profile=${set.profile}: one of ${Object.keys(PROFILES).join(', ')} is needed`);
  }
  if (set.episodes < 1 || set.steps < 1) throw new UsageError('at least one episode of one step is needed');
  const seed = args.flags.seed ?? 1;
  const specs = standardMix(seed, set.episodes, set.steps, {
    config: worldConfig(set.profile as ProfileName),
    ...(isPlayerId(set.player) ? { players: [set.player] } : {}),
  });
  return { seed, set, specs };
}

function recordAll(args: Args, output: Output, episodes: number, steps: number) {
  const { seed, set, specs } = mixFrom(args, episodes, steps);
  const started = performance.now();
  let reported = started;
  const recorded = specs.map((spec, i) => {
    const now = performance.now();
    if (now - reported > 5000) {
      reported = now;
      output.note(
        `episode ${i} of ${specs.length}, ${Math.round(((specs.length - i) * (now - started)) / i / 1000)} s left`,
      );
    }
    return recordEpisode(spec);
  });
  const seconds = (performance.now() - started) / 1000;
  const ticks = recorded.reduce((sum, e) => sum + e.actions.length * e.config.ticksPerStep, 0);
  return { seed, set, recorded, ticks, seconds };
}

function record(args: Args, output: Output): void {
  const path = args.flags.out;
  if (path === undefined) throw new UsageError('world record needs --out FILE');
  const { seed, set, recorded, ticks, seconds } = recordAll(args, output, 20, 600);
  const bytes = encodeEpisodes(recorded, SIM_VERSION);
  writeWhole(path, bytes);
  const ticksPerSecond = Math.round(ticks / seconds);
  const holdout = recorded.filter((e) => splitOf(e.worldSeed) === 'holdout').length;
  output.line(
    `${recorded.length} episodes, ${ticks} ticks (${(ticks / 1200).toFixed(1)} min of play), ${bytes.length} bytes in ${path}; ` +
      `${ticksPerSecond} ticks/s, ${holdout} held out`,
  );
  output.result({
    action: 'record',
    file: path,
    seed,
    ...set,
    ticks,
    bytes: bytes.length,
    seconds,
    ticksPerSecond,
    holdout,
  });
}

/** A reader never finds half a file: it is written beside its place and then moved there. */
function writeWhole(path: string, bytes: Uint8Array): void {
  const part = `${path}.part`;
  writeFileSync(part, bytes);
  renameSync(part, path);
}

function open(path: string): EpisodeFile {
  return new EpisodeFile(new Uint8Array(readFileSync(path)), SIM_VERSION);
}

function replay(args: Args, output: Output, path: string): void {
  settings(args, {});
  const file = open(path);
  const started = performance.now();
  let steps = 0;
  let hashes = 0;
  for (let i = 0; i < file.count; i++) {
    const r = new Replay(file.read(i));
    r.seek(r.episode.actions.length);
    steps += r.step;
    hashes += r.episode.hashes.length / 2;
    r.release();
  }
  const seconds = (performance.now() - started) / 1000;
  output.line(
    `${file.count} episodes replayed: ${steps} steps, all ${hashes} hashes met (${Math.round(steps / seconds)} steps/s)`,
  );
  output.result({ action: 'replay', file: path, episodes: file.count, steps, hashes, seconds });
}

function render(args: Args, output: Output, path: string): void {
  const dir = args.flags.out;
  if (dir === undefined) throw new UsageError('world render needs --out DIR');
  const set = settings(args, { episode: 0, every: 5, columns: 16, scale: 2, frames: 0 });
  if (set.every < 1 || set.columns < 1 || set.scale < 1 || set.scale > 16) {
    throw new UsageError('every and columns must be at least 1, scale 1 to 16');
  }
  const file = open(path);
  if (set.episode >= file.count)
    throw new UsageError(`--set episode=${set.episode}: the file has ${file.count} episodes`);
  mkdirSync(dir, { recursive: true });
  const r = new Replay(file.read(set.episode));
  const renderer = new FrameRendererCpu(frameSpec(r.episode.config.frame));
  const { width, height } = renderer.spec;
  const frames: Uint8Array[] = [];
  const started = performance.now();
  for (;;) {
    if (r.step % set.every === 0) {
      const frame = renderer.frame(r.state);
      frames.push(frame);
      if (set.frames > 0)
        writeFileSync(
          join(dir, `frame-${String(r.step).padStart(5, '0')}.png`),
          encodePng(frame, width, height, set.scale),
        );
    }
    if (r.next() < 0) break;
  }
  const seconds = (performance.now() - started) / 1000;
  r.release();
  const sheet = join(dir, `episode-${set.episode}.png`);
  const columns = Math.min(set.columns, frames.length);
  const rows = Math.ceil(frames.length / columns);
  writeFileSync(
    sheet,
    encodePng(contactSheet(frames, width, height, columns), columns * width, rows * height, set.scale),
  );
  output.line(`${frames.length} frames of episode ${set.episode} (${r.episode.player}) in ${sheet}`);
  output.result({ action: 'render', file: path, sheet, frames: frames.length, player: r.episode.player, seconds });
}

function contactSheet(frames: readonly Uint8Array[], width: number, height: number, columns: number): Uint8Array {
  const stride = columns * width * 3;
  const sheet = new Uint8Array(stride * height * Math.ceil(frames.length / columns));
  frames.forEach((frame, i) => {
    const left = Math.floor(i / columns) * height * stride + (i % columns) * width * 3;
    for (let y = 0; y < height; y++) sheet.set(frame.subarray(y * width * 3, (y + 1) * width * 3), left + y * stride);
  });
  return sheet;
}

function check(args: Args, output: Output, path: string | undefined): void {
  let episodes: Episode[];
  let ticksPerSecond: number | undefined;
  if (path === undefined) {
    const made = recordAll(args, output, 10, 300);
    episodes = made.recorded;
    ticksPerSecond = Math.round(made.ticks / made.seconds);
  } else {
    settings(args, {});
    episodes = open(path).all();
  }
  const checks = checkEpisodes(episodes);
  const byPlayer: Record<string, Coverage> = {};
  for (const player of new Set(episodes.map((e) => e.player))) {
    byPlayer[player] = coverage(episodes.filter((e) => e.player === player));
  }
  const all = coverage(episodes);
  output.line(`${episodes.length} episodes: replays equal, forks equal, ${checks.items} items accounted for`);
  for (const line of table({ all, ...byPlayer })) output.line(line);
  output.result({ action: 'check', file: path, ticksPerSecond, checks, coverage: all, byPlayer });
}

function table(columns: Record<string, Coverage>): string[] {
  const names = Object.keys(columns);
  const lines = [['', ...names]];
  for (const key of Object.keys(columns.all) as (keyof Coverage)[]) {
    lines.push([key, ...names.map((n) => String(Number(columns[n][key].toFixed(3))))]);
  }
  const widths = lines[0].map((_, c) => Math.max(...lines.map((l) => l[c].length)));
  return lines.map((l) => l.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  '));
}
