import { useState, type ReactNode } from 'react';
import { t } from '../i18n';
import { describe } from '../pages/describe';
import type { PageClient } from '../sidecar/pageClient';
import type { SampleView } from '../sidecar/reviewTypes';

/**
 * Puts a random image in which nothing was found before a person: is there text? The image is looked at in the viewer, where it can be windowed
 * and enlarged; dim text in a small picture would be missed once more.
 */
export function SampleQuestion({ client, onAnswered }: { readonly client: PageClient; readonly onAnswered: () => void }): ReactNode {
  const [sample, setSample] = useState<SampleView | 'none'>();
  const [looked, setLooked] = useState(false);
  const [problem, setProblem] = useState('');

  const next = async (): Promise<void> => {
    setProblem('');
    setLooked(false);
    try {
      setSample((await client.nextSample()) ?? 'none');
    } catch (error) {
      setProblem(describe(error));
    }
  };
  const answer = async (id: string, hasText: boolean): Promise<void> => {
    try {
      await client.answerSample(id, hasText);
      onAnswered();
      await next();
    } catch (error) {
      setProblem(describe(error));
    }
  };

  return (
    <section className="card" aria-label={t('sample.title')}>
      <h2>{t('sample.title')}</h2>
      <p className="quiet">{t('sample.explain')}</p>
      {problem && <p role="alert">{problem}</p>}
      {sample === undefined && <button type="button" onClick={() => void next()}>{t('sample.begin')}</button>}
      {sample === 'none' && <p role="status">{t('sample.none')}</p>}
      {sample !== undefined && sample !== 'none' && (
        <div className="buttons" role="group" aria-label={t('sample.question')}>
          <a className="button main" href={viewerAddress(sample)} target="_blank" rel="noopener" data-sample={sample.id} onClick={() => setLooked(true)}>
            {t('sample.look')}
          </a>
          <span>{t('sample.question')}</span>
          <button type="button" disabled={!looked} onClick={() => void answer(sample.id, true)}>{t('sample.yes')}</button>
          <button type="button" disabled={!looked} onClick={() => void answer(sample.id, false)}>{t('sample.no')}</button>
        </div>
      )}
    </section>
  );
}

function viewerAddress({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: SampleView): string {
  return `/viewer?${new URLSearchParams({ StudyInstanceUIDs: studyInstanceUid, initialSeriesInstanceUID: seriesInstanceUid, initialSOPInstanceUID: sopInstanceUid }).toString()}`;
}
