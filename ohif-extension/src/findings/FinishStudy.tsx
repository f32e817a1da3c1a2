import { useState, type ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { t, tn } from '../i18n';
import type { StudyFindings } from '../sidecar/reviewTypes';
import { remaining, type ArrangedFindings } from './findingList';
import type { FindingsSession } from './FindingsSession';

export interface FinishStudyProps {
  readonly session: FindingsSession;
  readonly view: StudyFindings;
  readonly arranged: ArrangedFindings;
  readonly apply: () => void;
}

/** Applies what was accepted, and finalizes once nothing is left; what is left stands there. */
export function FinishStudy({ session, view, arranged, apply }: FinishStudyProps): ReactNode {
  const { store, mayReview, masking } = session;
  const busy = useObservable(store.busy);
  const left = remaining(view);
  const open: string[] = [
    left.open > 0 ? tn('finalize.open', left.open) + (arranged.hiddenOpen > 0 ? ` (${t('finalize.hidden')})` : '') : '',
    left.notApplied > 0 ? tn('finalize.notApplied', left.notApplied) : '',
    left.unscannable > 0 ? tn('finalize.unscannable', left.unscannable) : '',
    view.missed.length > 0 ? tn('finalize.missed', view.missed.length) : '',
    view.scan.state === 'notScanned' ? t('finalize.notScanned') : view.scan.state !== 'scanned' ? t('finalize.scanning') : '',
  ].filter(Boolean);
  return (
    <section aria-labelledby="image-masking-finish" className="image-masking-finish">
      <h2 id="image-masking-finish">{t('finalize.title')}</h2>
      {left.notApplied > 0 &&
        (masking ? (
          <button type="button" className="image-masking-button image-masking-danger" data-cy="image-masking-apply-accepted" disabled={busy} onClick={apply}>
            {tn('apply.open', left.notApplied)}
          </button>
        ) : (
          <p className="image-masking-quiet">{t('apply.noRole')}</p>
        ))}
      {view.state === 'finalized' ? (
        <>
          <p>{t('finalize.done')}</p>
          {mayReview && <Reopen session={session} />}
        </>
      ) : (
        <>
          {open.length > 0 ? (
            <>
              <p className="image-masking-quiet">{t('finalize.left')}</p>
              <ul className="image-masking-left" data-cy="image-masking-left">
                {open.map(sentence => (
                  <li key={sentence}>{sentence}</li>
                ))}
              </ul>
            </>
          ) : (
            <p className="image-masking-quiet">{t('finalize.ready')}</p>
          )}
          {mayReview ? (
            <button
              type="button"
              className="image-masking-button image-masking-good"
              data-cy="image-masking-finalize"
              aria-disabled={open.length > 0 || busy}
              title={open.join(', ') || undefined}
              onClick={() => open.length === 0 && !busy && void store.finalize()}
            >
              {t('finalize.button')}
            </button>
          ) : (
            <p className="image-masking-quiet">{t('finalize.noRole')}</p>
          )}
        </>
      )}
    </section>
  );
}

function Reopen({ session }: { readonly session: FindingsSession }): ReactNode {
  const [reason, setReason] = useState<string>();
  if (reason === undefined) {
    return (
      <button type="button" className="image-masking-button" data-cy="image-masking-reopen" onClick={() => setReason('')}>
        {t('finalize.reopen')}
      </button>
    );
  }
  return (
    <form
      className="image-masking-reject"
      onKeyDown={event => event.stopPropagation()}
      onSubmit={event => {
        event.preventDefault();
        void session.store.reopen(reason.trim());
      }}
    >
      <label className="image-masking-reason">
        <span>{t('finalize.reopen.why')}</span>
        <textarea value={reason} maxLength={500} rows={2} autoFocus onChange={event => setReason(event.target.value)} />
      </label>
      <button type="submit" className="image-masking-button" disabled={!reason.trim()}>
        {t('finalize.reopen.confirm')}
      </button>
    </form>
  );
}
