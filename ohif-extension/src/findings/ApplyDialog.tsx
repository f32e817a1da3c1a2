import { useRef, useState, type ReactNode } from 'react';
import { useDialogFocus } from '../host/useDialogFocus';
import { t, tn } from '../i18n';
import { describeProblem } from '../jobs/jobText';
import { asProblem, newIdempotencyKey, type SidecarProblem } from '../sidecar/client';
import type { StudyFindings } from '../sidecar/reviewTypes';

export interface ApplyDialogProps {
  /** As the person saw it when the dialog opened. */
  readonly view: StudyFindings;
  readonly apply: (reason: string | undefined, idempotencyKey: string) => Promise<void>;
  readonly close: () => void;
}

const longestReason = 500;

/** Says how much will be burned in, and asks once more. */
export function ApplyDialog({ view, apply, close }: ApplyDialogProps): ReactNode {
  const accepted = view.findings.filter(finding => finding.state === 'accepted');
  const open = view.findings.filter(finding => finding.state === 'open').length;
  const images = new Set(accepted.map(finding => finding.sopInstanceUid)).size;
  const series = new Set(accepted.map(finding => finding.seriesInstanceUid)).size;
  const [reason, setReason] = useState('');
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<SidecarProblem>();
  const key = useRef({ reason: '', key: newIdempotencyKey() });
  const first = useDialogFocus<HTMLTextAreaElement>('[data-cy="image-masking-apply-accepted"], [data-cy="image-masking-finalize"]');

  const submit = async (): Promise<void> => {
    // The same approval sent again after a lost answer starts no second job.
    key.current = key.current.reason === reason.trim() ? key.current : { reason: reason.trim(), key: newIdempotencyKey() };
    setSending(true);
    setProblem(undefined);
    try {
      await apply(reason.trim() || undefined, key.current.key);
      close();
    } catch (error) {
      setProblem(asProblem(error));
      setSending(false);
    }
  };

  return (
    <form
      className="image-masking-dialog"
      data-cy="image-masking-apply-dialog"
      aria-label={t('apply.title')}
      onSubmit={event => {
        event.preventDefault();
        void submit();
      }}
    >
      <div className="image-masking-preview">
        <p className="image-masking-count" data-cy="image-masking-count">
          {t('apply.change', { masks: tn('apply.masks', accepted.length), images: tn('dialog.images', images) })}
        </p>
        <p className="image-masking-quiet">{tn('apply.series', series)}</p>
        {open > 0 && <p>{tn('apply.open.left', open)}</p>}
      </div>
      <label className="image-masking-reason">
        <span>{t('dialog.reason')}</span>
        <textarea ref={first} value={reason} maxLength={longestReason} rows={2} disabled={sending} data-cy="image-masking-reason" onChange={event => setReason(event.target.value)} />
      </label>
      <p className="image-masking-quiet">{t('apply.again')}</p>
      <p className="image-masking-warning" id="image-masking-apply-warning">
        {t('dialog.warning')}
      </p>
      {problem && (
        <p role="alert" className="image-masking-bad" data-cy="image-masking-problem">
          {describeProblem(problem)}
        </p>
      )}
      <div className="image-masking-actions">
        <button type="button" className="image-masking-button" onClick={close}>
          {t('dialog.cancel')}
        </button>
        <button type="submit" className="image-masking-button image-masking-danger" data-cy="image-masking-apply" disabled={sending} aria-describedby="image-masking-apply-warning">
          {sending ? t('dialog.applying') : t('dialog.apply')}
        </button>
      </div>
    </form>
  );
}
