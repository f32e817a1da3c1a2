import { useRef, useState, type ReactNode } from 'react';
import { t, tn } from '../i18n';
import { asProblem, type SidecarProblem } from '../sidecar/client';
import type { MaskJobView, Me } from '../sidecar/types';
import { describeProblem } from './jobText';

const longestReason = 500;

type Word = 'confirm' | 'decline';

export interface ConfirmationProps {
  readonly job: MaskJobView;
  readonly me: Me;
  readonly show: () => void;
  readonly confirm: (reason: string) => Promise<void>;
  readonly decline: (reason: string) => Promise<void>;
}

/** What a job that waits for a second person asks of whoever looks at it, and what that person said. */
export function Confirmation({ job, me, show, confirm, decline }: ConfirmationProps): ReactNode {
  const [word, setWord] = useState<Word>();
  const buttons = useRef<HTMLDivElement>(null);
  if (job.decision) {
    const { by, reason } = job.decision;
    const said = t(job.state === 'declined' ? 'job.declined.by' : 'job.confirmed.by', { name: by });
    return <p className="image-masking-quiet" data-cy="image-masking-decision">{reason ? `${said}: ${reason}` : said}</p>;
  }
  if (job.state !== 'awaitingConfirmation') {
    return null;
  }
  const own = job.createdBySubject === me.subject;
  const mayDecide = !own && me.permissions.includes('confirm');
  const close = (): void => {
    setWord(undefined);
    // The keyboard goes on where it came from.
    setTimeout(() => buttons.current?.querySelector<HTMLElement>(`[data-cy="image-masking-${word}"]`)?.focus(), 0);
  };
  return (
    <div ref={buttons}>
      <p className="image-masking-quiet">
        {t('job.awaiting.what', { images: tn('dialog.images', job.total), frames: tn('dialog.frames', job.frames) })}
        {job.reason && ` · ${job.reason}`}
      </p>
      <p className="image-masking-quiet">{t(own ? 'job.awaiting.own' : mayDecide ? 'job.awaiting.yours' : 'job.awaiting.others')}</p>
      {!word && (
        <div className="image-masking-choices">
          <button type="button" className="image-masking-button" data-cy="image-masking-show" onClick={show}>
            {t('job.show')}
          </button>
          {mayDecide &&
            (['confirm', 'decline'] as const).map(value => (
              <button key={value} type="button" className="image-masking-button" data-cy={`image-masking-${value}`} onClick={() => setWord(value)}>
                {t(`job.${value}`)}
              </button>
            ))}
        </div>
      )}
      {word && mayDecide && <DecisionForm key={word} word={word} send={word === 'confirm' ? confirm : decline} close={close} />}
    </div>
  );
}

interface DecisionFormProps {
  readonly word: Word;
  readonly send: (reason: string) => Promise<void>;
  readonly close: () => void;
}

/** Asks for the reason, which declining needs, and says before confirming that it cannot be undone. */
function DecisionForm({ word, send, close }: DecisionFormProps): ReactNode {
  const [reason, setReason] = useState('');
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<SidecarProblem>();
  const ready = !sending && (word === 'confirm' || reason.trim() !== '');
  const submit = async (): Promise<void> => {
    setSending(true);
    setProblem(undefined);
    try {
      await send(reason.trim());
    } catch (error) {
      setProblem(asProblem(error));
      setSending(false);
    }
  };
  return (
    <form
      aria-label={t(`job.${word}`)}
      data-cy="image-masking-decide"
      onSubmit={event => {
        event.preventDefault();
        if (ready) {
          void submit();
        }
      }}
      onKeyDown={event => {
        // No key of the panel or of OHIF means anything here but the form's own.
        event.stopPropagation();
        if (event.key === 'Escape') {
          event.preventDefault();
          close();
        }
      }}
    >
      <label className="image-masking-reason">
        <span>{t(word === 'confirm' ? 'dialog.reason' : 'job.decline.reason')}</span>
        <textarea
          value={reason}
          maxLength={longestReason}
          rows={2}
          autoFocus
          required={word === 'decline'}
          disabled={sending}
          data-cy="image-masking-decide-reason"
          onChange={event => setReason(event.target.value)}
        />
      </label>
      {word === 'confirm' && <p className="image-masking-warning">{t('dialog.warning')}</p>}
      {problem && (
        <p role="alert" className="image-masking-bad">
          {describeProblem(problem)}
        </p>
      )}
      <div className="image-masking-choices">
        <button type="submit" className={word === 'confirm' ? 'image-masking-button image-masking-danger' : 'image-masking-button'} data-cy="image-masking-decide-send" disabled={!ready}>
          {t(`job.${word}`)}
        </button>
        <button type="button" className="image-masking-button" disabled={sending} onClick={close}>
          {t('job.decide.back')}
        </button>
      </div>
    </form>
  );
}
