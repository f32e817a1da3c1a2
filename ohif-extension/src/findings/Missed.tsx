import type { ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { t, tn } from '../i18n';
import type { StudyFindings } from '../sidecar/reviewTypes';
import type { FindingsSession } from './FindingsSession';
import { describeImageOf } from './FindingTree';

/** Images in which a person saw text when asked about random ones, and the scan none: they are masked by hand. */
export function Missed({ session, images }: { readonly session: FindingsSession; readonly images: StudyFindings['missed'] }): ReactNode {
  const shown = useObservable(session.shown);
  return (
    images.length > 0 && (
      <section aria-labelledby="image-masking-missed">
        <h2 id="image-masking-missed">{tn('missed.title', images.length)}</h2>
        <p className="image-masking-quiet">{t('missed.explain')}</p>
        <ul>
          {images.map(image => (
            <li key={image.sopInstanceUid} className="image-masking-unscannable" data-cy="image-masking-missed">
              <button
                type="button"
                className="image-masking-link"
                aria-current={shown?.image.sopInstanceUid === image.sopInstanceUid}
                onClick={() => session.show(image.sopInstanceUid)}
              >
                {describeImageOf(session, image)}
              </button>
            </li>
          ))}
        </ul>
      </section>
    )
  );
}
