// The last half minute: how well the dream agreed (a line) above what was pressed (a piano roll). A tick marks the steps at
// which the dream got true frames as context.

import { useEffect, useRef } from 'react';
import { actionCamera, CAMERA_NULL, KEY } from '../../world/actions.ts';
import type { PlaySession } from './play-session.ts';
import { usePlay } from './play-store.ts';
import css from './playground.module.css';
import { TRACE_ROWS, type TraceRow } from './trace-log.ts';

const WALK = KEY.forward | KEY.back | KEY.left | KEY.right;
/** Attack, use, drop, pick, swap and the hotbar. */
const HANDS = KEY.attack | KEY.use | KEY.drop | KEY.pickItem | KEY.swapHands | (0x1ff << 5);
const VOICES: readonly { name: string; on: (action: number) => boolean }[] = [
  { name: 'walk', on: (action) => (action & WALK) !== 0 },
  { name: 'jump', on: (action) => (action & KEY.jump) !== 0 },
  { name: 'look', on: (action) => actionCamera(action) !== CAMERA_NULL },
  { name: 'hands', on: (action) => (action & HANDS) !== 0 },
];
const VOICE_PX = 13;
const LINE_PX = 46;
const GAP_PX = 8;
const HEIGHT = LINE_PX + GAP_PX + VOICES.length * VOICE_PX;
const LABEL_PX = 48;
/** Scale of the line, decibels. */
const LOW = 10;
const HIGH = 40;

export function Trace({ session }: { session: PlaySession | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const psnr = usePlay((state) => state.report?.psnr ?? null);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || !session) return;
    const draw = () => paint(element, context, session.trace.rows());
    const resized = new ResizeObserver(draw);
    resized.observe(element);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const unsubscribe = usePlay.subscribe((state, before) => {
      if (state.truth !== before.truth || state.report !== before.report) draw();
    });
    return () => {
      resized.disconnect();
      themed.disconnect();
      unsubscribe();
    };
  }, [session]);
  return (
    <canvas
      ref={canvas}
      className={css.trace}
      style={{ height: HEIGHT }}
      role="img"
      aria-label={
        psnr === null
          ? 'The actions of the last half minute.'
          : `Agreement of the dream over the last half minute, now ${psnr.toFixed(0)} decibels, and the actions.`
      }
    />
  );
}

function paint(element: HTMLCanvasElement, context: CanvasRenderingContext2D, rows: readonly TraceRow[]): void {
  const ratio = devicePixelRatio;
  const width = element.clientWidth;
  if (element.width !== Math.round(width * ratio) || element.height !== Math.round(HEIGHT * ratio)) {
    element.width = Math.round(width * ratio);
    element.height = Math.round(HEIGHT * ratio);
  }
  const colours = getComputedStyle(element);
  const ink = colours.getPropertyValue('color');
  const quiet = colours.getPropertyValue('outline-color');
  const accent = colours.getPropertyValue('caret-color');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  const pixel = (width - LABEL_PX) / TRACE_ROWS;
  // The newest step is at the right edge.
  const x = (i: number) => width - (rows.length - i) * pixel;
  const y = (psnr: number) => LINE_PX * (1 - (Math.min(HIGH, Math.max(LOW, psnr)) - LOW) / (HIGH - LOW));

  context.font = `11px ${colours.fontFamily}`;
  context.textBaseline = 'middle';
  context.fillStyle = quiet;
  context.strokeStyle = quiet;
  for (const level of [20, 30]) {
    context.fillText(`${level} dB`, 0, y(level));
    context.globalAlpha = 0.3;
    context.fillRect(LABEL_PX, Math.round(y(level)), width - LABEL_PX, 1);
    context.globalAlpha = 1;
  }
  for (const [v, voice] of VOICES.entries()) {
    const top = LINE_PX + GAP_PX + v * VOICE_PX;
    const middle = top + VOICE_PX / 2;
    context.fillStyle = quiet;
    context.fillText(voice.name, 0, middle);
    context.globalAlpha = 0.3;
    context.fillRect(LABEL_PX, Math.floor(middle), width - LABEL_PX, 1);
    context.globalAlpha = 1;
    context.fillStyle = ink;
    for (const [i, row] of rows.entries()) {
      if (row.index > 0 && voice.on(row.action)) context.fillRect(x(i), top + 3, Math.max(1, pixel), VOICE_PX - 6);
    }
  }

  context.strokeStyle = accent;
  context.fillStyle = accent;
  context.lineWidth = 1.5;
  context.lineJoin = 'round';
  context.beginPath();
  let drawing = false;
  rows.forEach((row, i) => {
    if (row.anchored && row.index > 0) context.fillRect(Math.round(x(i)), 0, 1, LINE_PX);
    if (Number.isNaN(row.psnr)) {
      drawing = false;
      return;
    }
    if (drawing) context.lineTo(x(i), y(row.psnr));
    else context.moveTo(x(i), y(row.psnr));
    drawing = true;
  });
  context.stroke();
}
