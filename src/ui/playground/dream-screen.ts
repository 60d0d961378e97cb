// The canvas of the dream pane, inside the gpu worker. A graphics card draws on it without a read-back. A CPU adapter's
// frame is in memory anyway, and a browser without a card often cannot compose a WebGPU canvas at all (the device is lost
// at the first frame), so there the bytes that the meters read are painted instead.

import type { Dream } from '../../methods/dreamer4/play-contract.ts';
import { toRgba } from './image-metrics.ts';

export interface DreamScreen {
  /** A new device; called again after a lost one. */
  attach(device: GPUDevice): void;
  resize(width: number, height: number): void;
  /** The newest frame of the dream; `rgb` are its bytes. */
  show(dream: Dream, rgb: Uint8Array): void;
}

export function dreamScreen(canvas: OffscreenCanvas, software: boolean): DreamScreen {
  return software ? new PaintedScreen(canvas) : new GpuScreen(canvas);
}

class GpuScreen implements DreamScreen {
  readonly #canvas: OffscreenCanvas;
  readonly #context: GPUCanvasContext | null;

  constructor(canvas: OffscreenCanvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('webgpu');
  }

  attach(device: GPUDevice): void {
    this.#context?.configure({ device, format: navigator.gpu.getPreferredCanvasFormat(), alphaMode: 'opaque' });
  }

  resize(width: number, height: number): void {
    this.#canvas.width = width;
    this.#canvas.height = height;
  }

  show(dream: Dream): void {
    if (this.#context) dream.present?.(this.#context);
  }
}

class PaintedScreen implements DreamScreen {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D | null;
  #pixels: ImageData | null = null;

  constructor(canvas: OffscreenCanvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false });
  }

  attach(): void {}

  resize(width: number, height: number): void {
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#pixels = new ImageData(width, height);
  }

  show(_dream: Dream, rgb: Uint8Array): void {
    if (!this.#pixels) return;
    toRgba(rgb, this.#pixels.data);
    this.#context?.putImageData(this.#pixels, 0, 0);
  }
}
