// The frames of a clip as a video. Loaded when somebody asks for one.

import type { ClipFrame } from './clip.ts';
import { toRgba } from './image-metrics.ts';
import { type VideoChunk, writeWebm } from './webm.ts';

interface Painter {
  canvas: HTMLCanvasElement;
  paint(frame: ClipFrame): void;
}

const SCALE = 8;
const BAR = 32;

/** Dream left, truth right, a line of text below: what the video shows. */
function makePainter(width: number, height: number): Painter {
  const canvas = document.createElement('canvas');
  canvas.width = width * SCALE * 2 + SCALE;
  canvas.height = height * SCALE + BAR;
  const context = canvas.getContext('2d', { alpha: false });
  const small = document.createElement('canvas');
  small.width = width;
  small.height = height;
  const smallContext = small.getContext('2d');
  if (!context || !smallContext) throw new Error('no 2-D canvas');
  const pixels = new ImageData(width, height);
  const pane = (rgb: Uint8Array | null, x: number) => {
    if (!rgb) return;
    toRgba(rgb, pixels.data);
    smallContext.putImageData(pixels, 0, 0);
    context.drawImage(small, x, 0, width * SCALE, height * SCALE);
  };
  return {
    canvas,
    paint(frame) {
      context.fillStyle = '#0d1113';
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.imageSmoothingEnabled = false;
      pane(frame.dream, 0);
      pane(frame.truth, width * SCALE + SCALE);
      context.font = '16px system-ui, sans-serif';
      context.textBaseline = 'middle';
      const line = height * SCALE + BAR / 2;
      context.fillStyle = '#ff6aa5';
      context.fillText(frame.dream ? 'dream' : 'no dream', 8, line);
      context.fillStyle = '#e9eff1';
      context.fillText('truth', width * SCALE + SCALE + 8, line);
      context.textAlign = 'right';
      context.fillText(
        `tenfold   frame ${frame.index}${frame.psnr === null ? '' : `   ${frame.psnr.toFixed(1)} dB`}`,
        canvas.width - 8,
        line,
      );
      context.textAlign = 'left';
    },
  };
}

/** Encodes the frames at once where the browser can, else replays them into a recorder in real time. */
export async function makeVideo(
  frames: readonly ClipFrame[],
  width: number,
  height: number,
  hz: number,
): Promise<Blob> {
  if (frames.length === 0) throw new Error('Nothing was played yet.');
  const painter = makePainter(width, height);
  if (typeof VideoEncoder !== 'undefined') {
    for (const [codec, track] of [
      ['vp09.00.20.08', 'V_VP9'],
      ['vp8', 'V_VP8'],
    ] as const) {
      const config: VideoEncoderConfig = {
        codec,
        width: painter.canvas.width,
        height: painter.canvas.height,
        bitrate: 4_000_000,
        framerate: hz,
      };
      const support = await VideoEncoder.isConfigSupported(config).catch(() => null);
      if (support?.supported) return encode(frames, painter, config, track, hz);
    }
  }
  if (typeof MediaRecorder !== 'undefined' && 'captureStream' in painter.canvas) return replay(frames, painter, hz);
  throw new Error('This browser can neither encode nor record video.');
}

async function encode(
  frames: readonly ClipFrame[],
  painter: Painter,
  config: VideoEncoderConfig,
  codec: 'V_VP8' | 'V_VP9',
  hz: number,
): Promise<Blob> {
  const chunks: VideoChunk[] = [];
  let failure: Error | null = null;
  const encoder = new VideoEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      chunks.push({ bytes, key: chunk.type === 'key', milliseconds: chunk.timestamp / 1000 });
    },
    error(error) {
      failure = error;
    },
  });
  encoder.configure(config);
  for (let i = 0; i < frames.length && !failure; i++) {
    painter.paint(frames[i]);
    const picture = new VideoFrame(painter.canvas, {
      timestamp: Math.round((i * 1e6) / hz),
      duration: Math.round(1e6 / hz),
    });
    encoder.encode(picture, { keyFrame: i % (5 * hz) === 0 });
    picture.close();
    // The play goes on meanwhile: let it breathe.
    if (i % 4 === 3) await new Promise((resolve) => setTimeout(resolve));
  }
  if (!failure) await encoder.flush();
  if (failure) throw failure;
  encoder.close();
  const { width, height } = config;
  return new Blob([writeWebm({ codec, width, height, milliseconds: (frames.length * 1000) / hz }, chunks)], {
    type: 'video/webm',
  });
}

function replay(frames: readonly ClipFrame[], painter: Painter, hz: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const recorder = new MediaRecorder(painter.canvas.captureStream(hz));
    const parts: Blob[] = [];
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.onerror = () => reject(new Error('The recorder stopped.'));
    recorder.onstop = () => resolve(new Blob(parts, { type: recorder.mimeType }));
    recorder.start();
    let next = 0;
    const timer = setInterval(() => {
      if (next < frames.length) painter.paint(frames[next++]);
      else {
        clearInterval(timer);
        recorder.stop();
      }
    }, 1000 / hz);
  });
}
