import { useState, type ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { t, tn } from '../i18n';
import { describeProblem } from '../jobs/jobText';
import { asProblem, SidecarProblem } from '../sidecar/client';
import type { RegionView, StudyFindings } from '../sidecar/reviewTypes';
import type { ClusterRow } from './findingList';
import type { FindingsSession } from './FindingsSession';

/** Templates that fit: one press proposes and accepts their masks on every image they fit. */
export function TemplateOffers({ session, view }: { readonly session: FindingsSession; readonly view: StudyFindings }): ReactNode {
  const busy = useObservable(session.store.busy);
  if (view.templates.length === 0 || view.state === 'finalized') {
    return null;
  }
  return (
    <div className="image-masking-note" data-cy="image-masking-templates">
      <p>{tn('templates.fit', view.templates.length)}</p>
      <ul>
        {view.templates.map(template => (
          <li key={template.id} className="image-masking-template">
            <span>
              <b>{template.name}</b>
              <br />
              <span className="image-masking-quiet">{t('templates.covers', { masks: tn('templates.regions', template.regions.length), images: tn('dialog.images', template.images) })}</span>
            </span>
            {session.mayReview && (
              <button type="button" className="image-masking-button" disabled={busy} onClick={() => void session.store.decide({ templateId: template.id, action: 'accept' })}>
                {t('templates.use')}
              </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Keeps the accepted masks of the chosen cluster's device and size, for the next study like this. */
export function KeepTemplate({ session, view, row }: { readonly session: FindingsSession; readonly view: StudyFindings; readonly row: ClusterRow | undefined }): ReactNode {
  const [name, setName] = useState<string>();
  const [told, setTold] = useState<SidecarProblem | 'kept'>();
  const regions = row ? acceptedRegions(view, row) : [];
  if (!session.mayReview || !row || regions.length === 0) {
    return told === 'kept' ? <p role="status">{t('templates.kept')}</p> : null;
  }
  const { cluster } = row;

  const keep = async (): Promise<void> => {
    const { device, rows, columns, photometric, sopClass } = cluster;
    try {
      await session.store.client.keepTemplate({ name: name?.trim() ?? '', device: { manufacturer: device.manufacturer, model: device.model }, rows, columns, photometric, sopClass, regions });
      setTold('kept');
      setName(undefined);
    } catch (error) {
      setTold(asProblem(error));
    }
  };

  return (
    <section>
      {name === undefined ? (
        <p>
          <button
            type="button"
            className="image-masking-button"
            data-cy="image-masking-keep-template"
            title={t('templates.keep.hint')}
            onClick={() => {
              setTold(undefined);
              setName(`${cluster.device.manufacturer} ${cluster.device.model} ${cluster.columns} × ${cluster.rows}`.trim());
            }}
          >
            {t('templates.keep')}
          </button>
        </p>
      ) : (
        <form
          className="image-masking-reject"
          onKeyDown={event => {
            event.stopPropagation();
            if (event.key === 'Escape') {
              setName(undefined);
            }
          }}
          onSubmit={event => {
            event.preventDefault();
            void keep();
          }}
        >
          <label className="image-masking-reason">
            <span>{t('templates.name')}</span>
            <input type="text" value={name} maxLength={100} autoFocus data-cy="image-masking-template-name" onChange={event => setName(event.target.value)} />
            <span className="image-masking-quiet">{t('templates.name.hint')}</span>
          </label>
          <div className="image-masking-choices">
            <button type="submit" className="image-masking-button" disabled={!name.trim()}>
              {tn('templates.save', regions.length)}
            </button>
            <button type="button" className="image-masking-button" onClick={() => setName(undefined)}>
              {t('dialog.cancel')}
            </button>
          </div>
        </form>
      )}
      {told === 'kept' && <p role="status">{t('templates.kept')}</p>}
      {told instanceof SidecarProblem && (
        <p role="alert" className="image-masking-bad">
          {describeProblem(told)}
        </p>
      )}
    </section>
  );
}

/** One region for each accepted cluster of images laid out like these. */
function acceptedRegions(view: StudyFindings, { cluster }: ClusterRow): RegionView[] {
  const layout = (of: ClusterRow['cluster']): string => JSON.stringify([of.device.manufacturer, of.device.model, of.rows, of.columns, of.photometric, of.sopClass]);
  return view.clusters
    .filter(candidate => layout(candidate) === layout(cluster))
    .flatMap(candidate => {
      const finding = view.findings.find(({ clusterId, state }) => clusterId === candidate.id && (state === 'accepted' || state === 'masked'));
      return finding ? [finding.decision?.region ?? finding.region] : [];
    });
}
