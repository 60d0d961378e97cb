// Play, pause, step, slow; start over; keep and pass on. Between them the one line that says what is going on.

import { Download, Keyboard, Link2, Pause, Play, RotateCcw, Shuffle, Sparkles, StepForward } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../controls/Button.tsx';
import { Choice } from '../controls/Choice.tsx';
import type { PlaySession } from './play-session.ts';
import { renewSeconds, statusLine, trueFrames, usePlay } from './play-store.ts';
import css from './playground.module.css';

export function Controls({ session, showKeys }: { session: PlaySession | null; showKeys: () => void }) {
  const playing = usePlay((state) => state.playing);
  const speed = usePlay((state) => state.settings.speed);
  const status = usePlay(statusLine);
  const dreaming = usePlay((state) => state.dream.phase === 'ready');
  const driver = usePlay((state) => state.driver);
  const renew = usePlay((state) => state.settings.renew);
  const every = usePlay(renewSeconds);
  const known = usePlay(trueFrames);
  return (
    <>
      <div className={css.status}>
        <p role="status" data-testid="status">
          {status}
        </p>
        {driver === 'visitor' ? (
          <button type="button" onClick={() => session?.letWalk()}>
            Let the scripted player walk
          </button>
        ) : (
          dreaming && (
            <button type="button" onClick={() => session?.change({ renew: !renew })} data-testid="renew">
              {renew ? 'Let it dream on' : `Show it the truth every ${every} s`}
            </button>
          )
        )}
      </div>
      <div className={css.controls} role="toolbar" aria-label="Play">
        <Button
          icon={playing ? Pause : Play}
          label={playing ? 'Pause' : 'Play'}
          hint={playing ? 'Pause (Space)' : 'Play (Space)'}
          kind="strong"
          onClick={() => session?.togglePlay()}
        />
        <Button icon={StepForward} label="One step" hint="One step (.)" onClick={() => session?.singleStep()} />
        <Choice
          label="Speed"
          value={speed}
          options={[
            [1, '1×'],
            [0.5, '½×'],
            [0.25, '¼×'],
          ]}
          onChange={(next) => session?.change({ speed: next })}
        />
        <span className={css.gap} />
        <Button
          icon={Sparkles}
          kind="dream"
          hint={`The last ${known ? `${known} true frames` : 'true frames'} become what the dream remembers (C)`}
          disabled={!dreaming}
          onClick={() => session?.continueDream()}
        >
          Dream from here
        </Button>
        <Button icon={RotateCcw} hint="Back to the start of this world" onClick={() => session?.reset()}>
          Restart
        </Button>
        <Button icon={Shuffle} hint="A world that nobody has seen (N)" onClick={() => session?.newStart()}>
          New world
        </Button>
        <span className={css.gap} />
        <SaveVideo session={session} />
        <CopyLink />
        <Button icon={Keyboard} label="Keys" hint="Keys (?)" onClick={showKeys} />
      </div>
    </>
  );
}

function SaveVideo({ session }: { session: PlaySession | null }) {
  const saving = usePlay((state) => state.saving);
  const empty = usePlay((state) => state.clipFrames === 0);
  return (
    <Button
      icon={Download}
      hint="Save the last minute as a video"
      disabled={saving || empty}
      onClick={() => void session?.saveVideo()}
      testId="record"
    >
      {saving ? 'Writing…' : 'Last minute'}
    </Button>
  );
}

function CopyLink() {
  const [said, say] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      say('Copied');
    } catch {
      // No permission: the address bar holds the same link.
      say('It is in the address bar');
    }
    setTimeout(() => say(''), 2500);
  };
  return (
    <Button
      icon={Link2}
      hint="Copy a link with this start, seed and settings"
      onClick={() => void copy()}
      testId="share"
    >
      {said || 'Link'}
    </Button>
  );
}
