// Pause, step, stop; keep the weights; play them.

import { Download, FolderOpen, Gamepad2, Pause, Play, Square, StepForward } from 'lucide-react';
import { useRef } from 'react';
import { useLocation } from 'wouter';
import { Button } from '../controls/Button.tsx';
import type { TrainSession } from './train-session.ts';
import { useTraining } from './train-store.ts';
import css from './training.module.css';

export function RunControls({ session }: { session: TrainSession | null }) {
  const status = useTraining((state) => state.status);
  const [, navigate] = useLocation();
  const file = useRef<HTMLInputElement>(null);
  if (!session) return null;
  const open = status === 'running' || status === 'paused';
  // What ended is still there until another run begins.
  const there = open || status === 'done' || status === 'failed';
  const play = async () => {
    if (await session.play()) navigate('/');
  };
  return (
    <div className={css.row} role="toolbar" aria-label="Run">
      <Button
        icon={status === 'running' ? Pause : Play}
        kind="strong"
        label={status === 'running' ? 'Pause' : 'Go on'}
        disabled={!open}
        onClick={() => void session.togglePause()}
      />
      <Button icon={StepForward} label="One training step" disabled={!open} onClick={() => void session.step()} />
      <Button icon={Square} label="Stop" disabled={!open} onClick={() => void session.stop()} />
      <span className={css.gap} />
      <Button
        icon={Gamepad2}
        kind="dream"
        disabled={!there}
        hint="In the playground, with its weights as they are now; the run is kept and waits here"
        onClick={() => void play()}
      >
        Play this model
      </Button>
      <Button
        icon={Download}
        disabled={!there}
        hint="Everything that resuming needs"
        onClick={() => void session.saveFile()}
      >
        Save
      </Button>
      <Button icon={FolderOpen} disabled={!open} hint="Go on from a saved file" onClick={() => file.current?.click()}>
        Resume
      </Button>
      <input
        ref={file}
        type="file"
        accept=".safetensors"
        hidden
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen) void session.loadFile(chosen);
          event.target.value = '';
        }}
      />
    </div>
  );
}
