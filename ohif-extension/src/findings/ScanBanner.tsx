import type { ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { t } from '../i18n';
import type { StudyFindings } from '../sidecar/reviewTypes';
import type { FindingsSession } from './FindingsSession';
import { describeMoment } from './findingText';

/** How far the scan is, in words that never make a study look cleaner than is known. */
export function ScanBanner({ session, view }: { readonly session: FindingsSession; readonly view: StudyFindings }): ReactNode {
  const busy = useObservable(session.store.busy);
  const { scan } = view;
  const ended = scan.state === 'scanned' || scan.state === 'notScanned';
  const isNothing = scan.state === 'scanned' && view.findings.length === 0 && view.unscannable.length === 0 && view.missed.length === 0;
  return (
    <div className={scan.state === 'notScanned' ? 'image-masking-note' : undefined} data-cy="image-masking-scan" data-state={scan.state} role="status">
      <p className="image-masking-quiet">
        <strong className={`image-masking-review image-masking-review-${view.state}`}>{t(`reviewState.${view.state}`)}</strong>{' '}
        {scan.state === 'scanned' ? (scan.scannedAt ? t('scan.scanned', { time: describeMoment(scan.scannedAt) }) : '') : t(`scan.${scan.state}`)}{' '}
        {session.mayReview && ended && (
          <button type="button" className="image-masking-link" data-cy="image-masking-scan-start" disabled={busy} onClick={() => void session.store.scan()}>
            {t(scan.state === 'notScanned' ? 'scan.start' : 'scan.again')}
          </button>
        )}
      </p>
      {isNothing && !scan.isWeak && <p>{t('scan.nothing')}</p>}
      {scan.isWeak && (
        <p className="image-masking-warning" data-cy="image-masking-weak">
          {t('scan.weak')}
        </p>
      )}
    </div>
  );
}
