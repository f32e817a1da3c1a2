import { useEffect, useState, type ReactNode } from 'react';
import { language, t, tn } from '../i18n';
import type { MaskJobView, Me } from '../sidecar/types';

const watchMilliseconds = 30_000;

/** Maskings of all studies that wait for this person: each leads into the viewer, where the masks can be seen. Nothing where none waits. */
export function AwaitingJobs({ client, me }: { readonly client: { awaitingJobs(signal?: AbortSignal): Promise<readonly MaskJobView[]> }; readonly me: Me }): ReactNode {
  const [jobs, setJobs] = useState<readonly MaskJobView[]>([]);
  useEffect(() => {
    const leave = new AbortController();
    const ask = (): void => {
      if (document.visibilityState === 'visible') {
        // What cannot be asked now is asked again; the page below tells of its own trouble.
        client.awaitingJobs(leave.signal).then(setJobs, () => undefined);
      }
    };
    ask();
    const timer = setInterval(ask, watchMilliseconds);
    return () => {
      clearInterval(timer);
      leave.abort();
    };
  }, [client]);
  const others = jobs.filter(job => job.createdBySubject !== me.subject);
  return (
    others.length > 0 && (
      <section className="awaiting" aria-labelledby="awaiting-jobs">
        <h2 id="awaiting-jobs">{tn('awaiting.title', others.length)}</h2>
        <ul>
          {others.map(job => (
            <li key={job.id}>
              <a href={`/viewer?StudyInstanceUIDs=${encodeURIComponent(job.studyInstanceUid)}`}>
                {t('awaiting.job', { name: job.createdBy, time: new Date(job.createdAt).toLocaleString(language()), images: tn('dialog.images', job.total) })}
              </a>
              {job.reason && <span className="quiet"> {job.reason}</span>}
            </li>
          ))}
        </ul>
      </section>
    )
  );
}
