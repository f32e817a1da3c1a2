import type { ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { t, tn } from '../i18n';
import type { UnscannableView } from '../sidecar/reviewTypes';
import { sentenceOfUnscannable } from '../sidecar/sentences';
import type { FindingsSession } from './FindingsSession';
import { ImageLink } from './ImageLink';

/** Images of which nothing is known: a person has to look at each. */
export function Unscannable({ session, images, mayDecide }: { readonly session: FindingsSession; readonly images: readonly UnscannableView[]; readonly mayDecide: boolean }): ReactNode {
  const busy = useObservable(session.store.busy);
  if (images.length === 0) {
    return null;
  }
  return (
    <section aria-labelledby="image-masking-unscannable">
      <h2 id="image-masking-unscannable">{tn('unscannable.title', images.length)}</h2>
      <p className="image-masking-quiet">{t('unscannable.explain')}</p>
      <ul>
        {images.map(image => (
          <li key={image.id} className="image-masking-unscannable" data-cy="image-masking-unscannable" data-acknowledged={image.acknowledged}>
            <div className="image-masking-heading">
              <ImageLink session={session} image={image} />
              {image.acknowledged ? (
                <span className="image-masking-quiet">{t('unscannable.acknowledged')}</span>
              ) : (
                mayDecide && (
                  <button
                    type="button"
                    className="image-masking-button"
                    disabled={busy}
                    aria-label={t('unscannable.acknowledgeOne', { number: image.instanceNumber ?? '?', reason: sentenceOfUnscannable(image) })}
                    onClick={() => void session.store.decide({ unscannableIds: [image.id], action: 'acknowledge' })}
                  >
                    {t('unscannable.acknowledge')}
                  </button>
                )
              )}
            </div>
            <p className="image-masking-quiet">{sentenceOfUnscannable(image)}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
