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
  const [last, setLast] = useState<{ readonly sample: SampleView; readonly hasText: boolean }>();
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
  const correct = async (): Promise<void> => {
    if (last) {
      setProblem('');
      try {
        await client.correctSample(last.sample.id, !last.hasText);
        setLast({ ...last, hasText: !last.hasText });
        onAnswered();
      } catch (error) {
        setProblem(describe(error));
      }
    }
  };
  const answer = async (answered: SampleView, hasText: boolean): Promise<void> => {
    try {
      await client.answerSample(answered.id, hasText);
      setLast({ sample: answered, hasText });
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
          <button type="button" disabled={!looked} onClick={() => void answer(sample, true)}>{t('sample.yes')}</button>
          <button type="button" disabled={!looked} onClick={() => void answer(sample, false)}>{t('sample.no')}</button>
        </div>
      )}
      {last && (
        <p className="buttons quiet" data-cy="last-answer">
          <span role="status">{t(last.hasText ? 'sample.last.yes' : 'sample.last.no')}</span>
          <a href={viewerAddress(last.sample)} target="_blank" rel="noopener">{t('sample.last.look')}</a>
          <button type="button" onClick={() => void correct()}>{t(last.hasText ? 'sample.correct.yes' : 'sample.correct.no')}</button>
        </p>
      )}
    </section>
  );
}

function viewerAddress({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: SampleView): string {
  return `/viewer?${new URLSearchParams({ StudyInstanceUIDs: studyInstanceUid, initialSeriesInstanceUID: seriesInstanceUid, initialSOPInstanceUID: sopInstanceUid }).toString()}`;
}
