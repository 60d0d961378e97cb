// Listens to keyboard, mouse and fingers on the stage and feeds the action sampler. Commands (pause, step, ...) are called
// back. Space jumps while the mouse is captured and plays or pauses otherwise. Keys are taken wherever the focus is, or
// only while the stage has it, on a page that has more to do.

import { KEY } from '../../world/actions.ts';
import type { ActionSampler } from './action-sampler.ts';
import { ACTION_KEYS, LOOK_KEYS, MOUSE_BUTTONS } from './keys.ts';

export interface StageCommands {
  /** The visitor did something in the world. */
  takeOver(): void;
  togglePlay(): void;
  singleStep(): void;
  continueDream(): void;
  newStart(): void;
  showKeys(): void;
  captured(now: boolean): void;
  captureRefused(): void;
  touched(): void;
}

const LONG_PRESS_MS = 350;
const TAP_SLOP_PX = 10;
/** Share of the picture's height that is the hotbar strip. */
const STRIP = 1 / 6;

interface Finger {
  x: number;
  y: number;
  startX: number;
  startY: number;
  moved: boolean;
  timer: ReturnType<typeof setTimeout>;
  attacking: boolean;
}

export class StageInput {
  readonly #stage: HTMLElement;
  readonly #sampler: ActionSampler;
  readonly #commands: StageCommands;
  readonly #focusOnly: boolean;
  readonly #abort = new AbortController();
  readonly #lookKeys = new Set<string>();
  readonly #fingers = new Map<number, Finger>();

  constructor(stage: HTMLElement, sampler: ActionSampler, commands: StageCommands, focusOnly = false) {
    this.#stage = stage;
    this.#sampler = sampler;
    this.#commands = commands;
    this.#focusOnly = focusOnly;
    const { signal } = this.#abort;
    window.addEventListener('keydown', (event) => this.#keyDown(event), { signal });
    window.addEventListener('keyup', (event) => this.#keyUp(event), { signal });
    window.addEventListener('blur', () => this.#letGo(), { signal });
    document.addEventListener('pointerlockchange', () => this.#lockChanged(), { signal });
    document.addEventListener('mousemove', (event) => this.#mouseMove(event), { signal });
    document.addEventListener('mouseup', (event) => this.#sampler.release(`mouse${event.button}`), { signal });
    stage.addEventListener('mousedown', (event) => this.#mouseDown(event), { signal });
    stage.addEventListener('contextmenu', (event) => event.preventDefault(), { signal });
    stage.addEventListener('wheel', (event) => this.#wheel(event), { signal, passive: false });
    stage.addEventListener('pointerdown', (event) => this.#fingerDown(event), { signal });
    stage.addEventListener('pointermove', (event) => this.#fingerMove(event), { signal });
    stage.addEventListener('pointerup', (event) => this.#fingerUp(event, true), { signal });
    stage.addEventListener('pointercancel', (event) => this.#fingerUp(event, false), { signal });
    window.addEventListener('beforeunload', (event) => this.#guardUnload(event), { signal });
  }

  dispose(): void {
    this.#abort.abort();
    if (this.captured) document.exitPointerLock();
  }

  get captured(): boolean {
    return document.pointerLockElement === this.#stage;
  }

  get #focused(): boolean {
    return this.#stage.contains(document.activeElement);
  }

  /** Arrow keys turn at a steady rate: called once per agent step. */
  applyLookKeys(): void {
    for (const code of this.#lookKeys) this.#sampler.turnDegrees(...LOOK_KEYS[code]);
  }

  /** While the mouse is captured Ctrl+W means "sprint forward"; the browser still closes the tab unless it has to ask. */
  #guardUnload(event: BeforeUnloadEvent): void {
    if (this.captured) event.preventDefault();
  }

  #keyDown(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.metaKey || event.altKey) return;
    if (!this.captured && (event.ctrlKey || belongsToControl(event))) return;
    if (this.#focusOnly && !this.captured && !this.#focused) return;
    const command = this.#commandOf(event);
    if (command) {
      event.preventDefault();
      if (!event.repeat || event.code === 'Period') command();
      return;
    }
    const bit = event.code === 'Space' ? KEY.jump : ACTION_KEYS[event.code];
    if (bit !== undefined) {
      event.preventDefault();
      this.#commands.takeOver();
      if (!event.repeat) this.#sampler.press(event.code, bit, event.timeStamp);
      return;
    }
    if (LOOK_KEYS[event.code] && (this.captured || this.#focused)) {
      event.preventDefault();
      this.#commands.takeOver();
      this.#lookKeys.add(event.code);
    }
  }

  #keyUp(event: KeyboardEvent): void {
    this.#sampler.release(event.code);
    this.#lookKeys.delete(event.code);
  }

  #commandOf(event: KeyboardEvent): (() => void) | null {
    if (event.key === '?') return () => this.#commands.showKeys();
    if (event.code === 'Period') return () => this.#commands.singleStep();
    if (event.code === 'KeyC') return () => this.#commands.continueDream();
    if (event.code === 'KeyN') return () => this.#commands.newStart();
    if (event.code === 'Space' && !this.captured) return () => this.#commands.togglePlay();
    return null;
  }

  #letGo(): void {
    this.#sampler.clear();
    this.#lookKeys.clear();
  }

  #lockChanged(): void {
    if (!this.captured) {
      this.#letGo();
      // Leaving an open screen with Escape: the browser keeps the key to itself, so the world gets it here.
      if (this.#sampler.body.guiOpen) this.#sampler.tap(KEY.esc);
    }
    this.#commands.captured(this.captured);
  }

  #mouseDown(event: MouseEvent): void {
    if (isControl(event.target)) return;
    this.#commands.takeOver();
    if (this.captured) {
      event.preventDefault();
      const bit = MOUSE_BUTTONS[event.button];
      if (bit !== undefined) this.#sampler.press(`mouse${event.button}`, bit, event.timeStamp);
    } else if (event.button === 0) {
      this.#stage.focus({ preventScroll: true });
      Promise.resolve(this.#stage.requestPointerLock()).catch(() => this.#commands.captureRefused());
    }
  }

  #mouseMove(event: MouseEvent): void {
    if (this.captured) this.#sampler.look(event.movementX, event.movementY);
  }

  #wheel(event: WheelEvent): void {
    if (!this.captured) return;
    event.preventDefault();
    this.#sampler.scroll(Math.sign(event.deltaY));
  }

  #fingerDown(event: PointerEvent): void {
    if (event.pointerType === 'mouse' || isControl(event.target)) return;
    // No synthetic mouse events: a finger must not capture a mouse that is not there.
    event.preventDefault();
    this.#commands.touched();
    this.#commands.takeOver();
    const finger: Finger = {
      x: event.clientX,
      y: event.clientY,
      startX: event.clientX,
      startY: event.clientY,
      moved: false,
      attacking: false,
      timer: setTimeout(() => {
        if (finger.moved || this.#sampler.body.guiOpen) return;
        finger.attacking = true;
        this.#sampler.press(`finger${event.pointerId}`, KEY.attack, event.timeStamp);
      }, LONG_PRESS_MS),
    };
    this.#fingers.set(event.pointerId, finger);
    this.#stage.setPointerCapture(event.pointerId);
  }

  #fingerMove(event: PointerEvent): void {
    const finger = this.#fingers.get(event.pointerId);
    if (!finger) return;
    const dx = event.clientX - finger.x;
    const dy = event.clientY - finger.y;
    finger.x = event.clientX;
    finger.y = event.clientY;
    if (Math.hypot(event.clientX - finger.startX, event.clientY - finger.startY) > TAP_SLOP_PX) finger.moved = true;
    // A thumb has less room than a mouse: the same picture width turns three times as far.
    if (finger.moved && !this.#sampler.body.guiOpen) this.#sampler.look(dx * 3, dy * 3);
  }

  #fingerUp(event: PointerEvent, lifted: boolean): void {
    const finger = this.#fingers.get(event.pointerId);
    if (!finger) return;
    this.#fingers.delete(event.pointerId);
    clearTimeout(finger.timer);
    this.#sampler.release(`finger${event.pointerId}`);
    if (!lifted || finger.moved || finger.attacking) return;
    const at = frameSpot(event);
    if (this.#sampler.body.guiOpen && at) this.#sampler.pointAt(at.x * 64, at.y * 48, KEY.attack);
    else if (at && at.y > 1 - STRIP) this.#sampler.selectSlot(Math.floor(at.x * this.#sampler.body.slots));
    else this.#sampler.tap(KEY.use);
  }
}

/** Where in the picture under the finger, 0..1 each way. */
function frameSpot(event: PointerEvent): { x: number; y: number } | null {
  const pane = document
    .elementsFromPoint(event.clientX, event.clientY)
    .find((element) => element instanceof HTMLCanvasElement);
  if (!pane) return null;
  const box = pane.getBoundingClientRect();
  return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
}

/** What on the stage has a use of its own: controls, and messages whose text may be selected. */
const isControl = (target: EventTarget | null) =>
  target instanceof Element && target.closest('button, a, input, label, [role="alert"]') !== null;

/** Keys that a focused control needs for itself. */
function belongsToControl(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog, [popover]')) return true;
  if (target.matches('textarea, select, [contenteditable="true"]')) return true;
  if (target instanceof HTMLInputElement) {
    return target.type !== 'range' || event.code.startsWith('Arrow') || event.code === 'Home' || event.code === 'End';
  }
  return target.matches('button, a, summary') && (event.code === 'Space' || event.code === 'Enter');
}
