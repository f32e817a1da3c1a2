import { useEffect, useState, type ReactNode } from 'react';
import { language, t, tn } from '../i18n';
import type { MaskJobList, MaskJobView, Me } from '../sidecar/types';

const watchMilliseconds = 30_000;
const pageLength = 50;

interface Waiting {
  readonly jobs: readonly MaskJobView[];
  readonly hasMore: boolean;
}

/** Maskings of all studies that wait for this person: each leads into the viewer, where the masks can be seen. Nothing where none waits. */
export function AwaitingJobs({ client, me }: { readonly client: { awaitingJobs(after?: string, signal?: AbortSignal): Promise<MaskJobList> }; readonly me: Me }): ReactNode {
  const [waiting, setWaiting] = useState<Waiting>({ jobs: [], hasMore: false });
  const [pages, setPages] = useState(1);
  useEffect(() => {
    const leave = new AbortController();
    /** What others approved, as much as is shown; what this person approved herself may fill whole lists of the sidecar's. */
    const read = async (): Promise<Waiting> => {
      const jobs: MaskJobView[] = [];
      let next: string | undefined;
      do {
        const list = await client.awaitingJobs(next, leave.signal);
        jobs.push(...list.jobs.filter(job => job.createdBySubject !== me.subject));
        next = list.next ?? undefined;
      } while (next !== undefined && jobs.length < pages * pageLength);
      return { jobs: jobs.slice(0, pages * pageLength), hasMore: next !== undefined || jobs.length > pages * pageLength };
    };
    const ask = (): void => {
      if (document.visibilityState === 'visible') {
        // What cannot be asked now is asked again; the page below tells of its own trouble.
        read().then(found => leave.signal.aborted || setWaiting(found), () => undefined);
      }
    };
    ask();
    const timer = setInterval(ask, watchMilliseconds);
    return () => {
      clearInterval(timer);
      leave.abort();
    };
  }, [client, me, pages]);
  const { jobs, hasMore } = waiting;
  return (
    jobs.length > 0 && (
      <section className="awaiting" aria-labelledby="awaiting-jobs">
        <h2 id="awaiting-jobs">{hasMore ? t('awaiting.title.more', { count: jobs.length }) : tn('awaiting.title', jobs.length)}</h2>
        <ul>
          {jobs.map(job => (
            <li key={job.id}>
              <a href={`/viewer?StudyInstanceUIDs=${encodeURIComponent(job.studyInstanceUid)}`}>
                {t('awaiting.job', { name: job.createdBy, time: new Date(job.createdAt).toLocaleString(language()), images: tn('dialog.images', job.total) })}
              </a>
              {job.reason && <span className="quiet"> {job.reason}</span>}
            </li>
          ))}
        </ul>
        {hasMore && <button type="button" onClick={() => setPages(pages + 1)}>{t('awaiting.more')}</button>}
      </section>
    )
  );
}
