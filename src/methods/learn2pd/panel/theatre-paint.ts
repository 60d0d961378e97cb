/**
 * Draws a decode: a row for every pass, a column for every canvas position. A row never changes once it is known, so rows
 * are painted once onto a plate and the screen shows as much of it as the playhead allows: 1024 x 1024 stays cheap.
 * Colours are those of the legend; patterns say the same without colour as far as a cell has room for them.
 */
import { type Cell, cellAt, isEnd, type Replay } from './replay.ts';

export interface Colours {
  masked: string;
  open: string;
  right: string;
  filter: string;
  top: string;
  end: string;
  ink: string;
  quiet: string;
  ground: string;
}

export interface Geometry {
  /** CSS pixels. */
  cell: number;
  row: number;
  /** Device pixels per CSS pixel. */
  ratio: number;
  /** Passes that there is room for. */
  rows: number;
}

/** Everything is drawn on whole device pixels; what is thinner than one gets one. */
interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

function boxOf(g: Geometry, pass: number, from: number, to: number): Box {
  const x = Math.round(from * g.cell * g.ratio);
  const y = Math.round(pass * g.row * g.ratio);
  const w = Math.max(1, Math.round(to * g.cell * g.ratio) - x);
  return { x, y, w, h: Math.max(1, Math.round((pass + 1) * g.row * g.ratio) - y) };
}

/** What a run of equal cells looks like. */
interface Look {
  cell: Cell;
  end: boolean;
  /** Finalised in this very pass. */
  fresh: boolean;
}

const SETTLED = 0.42;
/** Smallest cells, in CSS pixels, in which patterns and letters can be seen. */
const PATTERN = 5;
const LETTER = { cell: 11, row: 11 };

export class Plate {
  readonly canvas = document.createElement('canvas');
  #context = this.canvas.getContext('2d') as CanvasRenderingContext2D;
  #rows = 0;
  #key = '';
  #hatching: CanvasPattern | null = null;

  /** Paints what is missing. `nameOf`: the text of a token. */
  update(replay: Replay, g: Geometry, colours: Colours, nameOf: (id: number) => string): void {
    const [first] = replay.trace;
    const key = JSON.stringify([g, colours, replay.canvas, replay.y?.length, first?.guess.length, first?.c[0]]);
    const width = Math.max(1, Math.round(replay.canvas * g.cell * g.ratio));
    const height = Math.max(1, Math.ceil(g.rows * g.row * g.ratio));
    if (key !== this.#key || this.canvas.width !== width || this.canvas.height !== height) {
      this.#key = key;
      this.#rows = 0;
      this.canvas.width = width;
      this.canvas.height = height;
      this.#hatching = hatching(this.#context, colours.right, g.ratio);
    }
    // The last row known knew nothing of the cut that it may have made.
    for (let pass = Math.max(0, this.#rows - 1); pass < replay.passes; pass++)
      this.#row(replay, pass, g, colours, nameOf);
    this.#rows = replay.passes;
  }

  #row(replay: Replay, pass: number, g: Geometry, colours: Colours, nameOf: (id: number) => string): void {
    const row = boxOf(g, pass, 0, replay.canvas);
    this.#context.clearRect(row.x, row.y, row.w, row.h);
    for (let from = 0; from < replay.canvas; ) {
      const look = lookAt(replay, pass, from);
      let to = from + 1;
      while (to < replay.canvas && same(look, lookAt(replay, pass, to))) to++;
      this.#run(look, from, to, pass, g, colours);
      from = to;
    }
    if (g.cell >= LETTER.cell && g.row >= LETTER.row) this.#letters(replay, pass, g, colours, nameOf);
  }

  #run(look: Look, from: number, to: number, pass: number, g: Geometry, colours: Colours): void {
    const c = this.#context;
    const { x, y, w, h } = boxOf(g, pass, from, to);
    const gap = h > 4 ? 1 : 0;
    const { cell, end } = look;
    if (cell === 'cut') {
      c.fillStyle = colours.quiet;
      c.globalAlpha = h > 2 ? 0.4 : 0.18;
      c.fillRect(x, y + (h >> 1), w, 1);
      c.globalAlpha = 1;
      return;
    }
    const final = cell === 'filter' || cell === 'top' || cell === 'reference';
    c.globalAlpha = final && !look.fresh ? SETTLED : 1;
    const colour = cell === 'masked' ? 'masked' : cell === 'filter' ? 'filter' : final ? 'top' : 'open';
    c.fillStyle = colours[end ? 'end' : colour];
    c.fillRect(x, y, w, h - gap);
    if (cell === 'right' && this.#hatching) {
      c.fillStyle = this.#hatching;
      c.fillRect(x, y, w, h - gap);
    }
    if (g.cell >= PATTERN && g.row >= PATTERN) this.#patterns(look, from, to, pass, g, colours);
    c.globalAlpha = 1;
  }

  /** Top-n: a bar in the cell. End token: a hollow cell. Cells are parted. */
  #patterns({ cell, end }: Look, from: number, to: number, pass: number, g: Geometry, colours: Colours): void {
    const c = this.#context;
    c.fillStyle = colours.ground;
    const one = Math.max(1, Math.round(g.ratio));
    for (let at = from; at < to; at++) {
      const { x, y, w, h } = boxOf(g, pass, at, at + 1);
      c.fillRect(x + w - 1, y, 1, h);
      if (end) c.fillRect(x + Math.round(w * 0.3), y + Math.round(h * 0.3), Math.round(w * 0.3), Math.round(h * 0.3));
      else if (cell === 'top' || cell === 'reference') c.fillRect(x + 2, y + h - 1 - 2 * one, w - 5, one);
    }
  }

  #letters(replay: Replay, pass: number, g: Geometry, colours: Colours, nameOf: (id: number) => string): void {
    const c = this.#context;
    c.font = `600 ${Math.min(11, g.row - 3) * g.ratio}px ui-monospace, "DejaVu Sans Mono", monospace`;
    c.textAlign = 'center';
    c.textBaseline = 'middle';
    for (let at = 0; at < replay.canvas; at++) {
      const { cell, end, fresh } = lookAt(replay, pass, at);
      if (end || !fresh || cell === 'cut') continue;
      const name = nameOf(replay.token[at]).trim();
      const { x, y, w, h } = boxOf(g, pass, at, at + 1);
      c.fillStyle = colours.ground;
      c.fillText(name.length > 2 ? `${name.slice(0, 1)}…` : name, x + w / 2, y + h / 2, w - 2);
    }
  }
}

function lookAt(replay: Replay, pass: number, at: number): Look {
  const cell = cellAt(replay, pass, at);
  const end = cell !== 'cut' && isEnd(replay, pass, at);
  return { cell, end, fresh: replay.finalAt[at] === pass };
}

const same = (a: Look, b: Look): boolean => a.cell === b.cell && a.end === b.end && a.fresh === b.fresh;

/** Diagonals in device pixels: they run on from cell to cell. */
function hatching(c: CanvasRenderingContext2D, colour: string, ratio: number): CanvasPattern | null {
  const size = Math.max(3, Math.round(3 * ratio));
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const t = tile.getContext('2d') as CanvasRenderingContext2D;
  t.strokeStyle = colour;
  t.lineWidth = Math.max(1, ratio * 0.9);
  t.beginPath();
  for (const by of [-size, 0, size]) {
    t.moveTo(by - 1, size + 1);
    t.lineTo(by + size + 1, -1);
  }
  t.stroke();
  return c.createPattern(tile, 'repeat');
}

/** The plate as far as `pass`, with the frames of the blocks and the row that is looked at. */
export function show(
  canvas: HTMLCanvasElement,
  plate: Plate,
  replay: Replay,
  pass: number,
  g: Geometry,
  colours: Colours,
): void {
  const c = canvas.getContext('2d') as CanvasRenderingContext2D;
  c.clearRect(0, 0, canvas.width, canvas.height);
  const rows = pass + 1;
  if (rows <= 0) return;
  const last = boxOf(g, pass, 0, replay.canvas);
  const high = Math.min(plate.canvas.height, last.y + last.h);
  c.drawImage(plate.canvas, 0, 0, plate.canvas.width, high, 0, 0, plate.canvas.width, high);
  c.lineWidth = Math.max(1, Math.round(g.ratio));
  for (let from = 0; from < rows; ) {
    const { start } = replay.steps[from];
    let to = from + 1;
    while (to < rows && replay.steps[to].start === start) to++;
    const end = Math.max(replay.steps[from].end, start + 1);
    const { x, y, w } = boxOf(g, from, start, end);
    const bottom = boxOf(g, to - 1, start, end);
    c.strokeStyle = colours.ink;
    c.globalAlpha = to === rows ? 0.9 : 0.3;
    c.strokeRect(x + 0.5, y + 0.5, w - 1, bottom.y + bottom.h - y - 1);
    from = to;
  }
  c.globalAlpha = 1;
}
