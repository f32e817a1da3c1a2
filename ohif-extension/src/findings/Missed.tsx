import { useState, type ReactNode } from 'react';
import { t, tn } from '../i18n';
import type { StudyFindings } from '../sidecar/reviewTypes';
import type { FindingsSession } from './FindingsSession';
import { ImageLink } from './ImageLink';

/** Images in which a person saw text when asked about random ones, and the scan none: they are masked by hand, or that person takes it back. */
export function Missed({ session, images }: { readonly session: FindingsSession; readonly images: StudyFindings['missed'] }): ReactNode {
  return (
    images.length > 0 && (
      <section aria-labelledby="image-masking-missed">
        <h2 id="image-masking-missed">{tn('missed.title', images.length)}</h2>
        <p className="image-masking-quiet">{t('missed.explain')}</p>
        <ul>
          {images.map(image => (
            <li key={image.sopInstanceUid} className="image-masking-unscannable" data-cy="image-masking-missed">
              <ImageLink session={session} image={image} />
              <span className="image-masking-quiet"> {t('missed.by', { name: image.seenBy })}</span>
              {session.mayReview && image.seenBySubject === session.me.subject && <TakeBack take={() => void session.store.takeBackMiss(image.sampleId)} />}
            </li>
          ))}
        </ul>
      </section>
    )
  );
}

/** Asks once more: afterwards nothing keeps the study from being finalized. */
function TakeBack({ take }: { readonly take: () => void }): ReactNode {
  const [asking, setAsking] = useState(false);
  return (
    <button type="button" className="image-masking-button" data-cy="image-masking-take-back" onBlur={() => setAsking(false)} onClick={() => (asking ? take() : setAsking(true))}>
      {t(asking ? 'missed.takeBack.sure' : 'missed.takeBack')}
    </button>
  );
}
