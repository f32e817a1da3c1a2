import type { ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { t, tn } from '../i18n';
import type { StudyFindings } from '../sidecar/reviewTypes';
import { findingKinds, showAll, type ArrangedFindings } from './findingList';
import type { FindingsStore } from './FindingsStore';

/** Hides what is unlikely or of no interest now; says how much that is, and decides nothing. */
export function FindingFilters({ store, view, arranged }: { readonly store: FindingsStore; readonly view: StudyFindings; readonly arranged: ArrangedFindings }): ReactNode {
  const filter = useObservable(store.filter);
  const percent = Math.round(filter.threshold * 100);
  const counted = findingKinds.map(kind => ({ kind, count: view.clusters.filter(cluster => cluster.kind === kind && cluster.state !== 'masked').length })).filter(({ count }) => count > 0);
  return (
    <>
      <details className="image-masking-filter" data-cy="image-masking-filter">
        <summary>{t('filter.title')}</summary>
        <label>
          <span>{t('filter.threshold', { percent })}</span>
          <input
            type="range"
            min={0}
            max={100}
            step={5}
            value={percent}
            data-cy="image-masking-threshold"
            aria-valuetext={t('filter.threshold', { percent })}
            onChange={event => store.filter.set({ ...filter, threshold: Number(event.target.value) / 100 })}
          />
        </label>
        <fieldset>
          <legend>{t('filter.kinds')}</legend>
          {counted.map(({ kind, count }) => (
            <label key={kind} className="image-masking-choice">
              <input
                type="checkbox"
                checked={!filter.hiddenKinds.has(kind)}
                onChange={event => {
                  const hiddenKinds = new Set(filter.hiddenKinds);
                  if (event.target.checked) {
                    hiddenKinds.delete(kind);
                  } else {
                    hiddenKinds.add(kind);
                  }
                  store.filter.set({ ...filter, hiddenKinds });
                }}
              />
              <span>
                {t(`kind.${kind}`)} ({count})
              </span>
            </label>
          ))}
        </fieldset>
      </details>
      {arranged.hidden > 0 && (
        <p className="image-masking-note" data-cy="image-masking-hidden">
          {tn('filter.hidden', arranged.hidden, { open: arranged.hiddenOpen })}{' '}
          <button type="button" className="image-masking-link" onClick={() => store.filter.set(showAll)}>
            {t('filter.showAll')}
          </button>
        </p>
      )}
    </>
  );
}
