import { useState, type ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { saveFile } from '../host/saveFile';
import { t, tn } from '../i18n';
import { asProblem, type SidecarProblem } from '../sidecar/client';
import { sentenceOfFailure } from '../sidecar/sentences';
import { isFinal, type MaskJobView, type Me } from '../sidecar/types';
import { Confirmation } from './Confirmation';
import type { FollowedJob, JobStore } from './JobStore';
import { describeProblem, describeState, describeTime, describeTimeLeft } from './jobText';

const finishedShown = 5;
const moreShown = 20;

export interface JobListProps {
  readonly jobs: Pick<JobStore, 'jobs' | 'hasOlder' | 'older' | 'certificate' | 'cancel' | 'confirm' | 'decline'>;
  readonly me: Me;
  /** Shows the image that was drawn on, with the masks that were approved. */
  readonly show: (job: MaskJobView) => void;
}

/** The study's masking jobs: those that wait or run, and the last that ended; older ones when asked. */
export function JobList({ jobs, me, show }: JobListProps): ReactNode {
  const all = useObservable(jobs.jobs);
  const running = all.filter(({ job }) => !isFinal(job));
  const ended = all.filter(({ job }) => isFinal(job));
  const hasOlder = useObservable(jobs.hasOlder);
  const [shown, setShown] = useState(finishedShown);
  const showMore = async (): Promise<void> => {
    if (hasOlder && ended.length < shown + moreShown) {
      await jobs.older();
    }
    setShown(shown + moreShown);
  };
  return (
    <section aria-labelledby="image-masking-jobs">
      <div className="image-masking-heading">
        <h2 id="image-masking-jobs">{t('panel.jobs')}</h2>
      </div>
      {all.length === 0 && <p className="image-masking-quiet">{t('panel.jobs.none')}</p>}
      <ul>
        {[...running, ...ended.slice(0, shown)].map(followed => (
          <JobItem
            key={followed.job.id}
            {...followed}
            readCertificate={() => jobs.certificate(followed.job)}
            cancel={() => jobs.cancel(followed.job)}
            confirmation={
              <Confirmation
                job={followed.job}
                me={me}
                show={() => show(followed.job)}
                confirm={reason => jobs.confirm(followed.job, reason)}
                decline={reason => jobs.decline(followed.job, reason)}
              />
            }
            mayCancel={me.permissions.includes('mask') && (followed.job.state !== 'awaitingConfirmation' || followed.job.createdBySubject === me.subject)}
          />
        ))}
      </ul>
      {(hasOlder || ended.length > shown) && <JobAction name="older" run={showMore} />}
    </section>
  );
}

interface JobItemProps extends FollowedJob {
  readonly readCertificate: () => Promise<Blob>;
  readonly cancel: () => Promise<void>;
  readonly confirmation: ReactNode;
  readonly mayCancel: boolean;
}

function JobItem({ job, connection, problem, readCertificate, cancel, confirmation, mayCancel }: JobItemProps): ReactNode {
  const ended = isFinal(job);
  const treated = job.done + job.failed;
  return (
    <li className="image-masking-job" data-cy="image-masking-job" data-state={job.state} data-job-id={job.id}>
      <div className="image-masking-heading">
        <span className={job.state === 'failed' ? 'image-masking-bad' : undefined}>
          {describeState(job)}
        </span>
        <span className="image-masking-quiet">{t('job.by', { name: job.createdBy, time: describeTime(job.finishedAt ?? job.createdAt) })}</span>
      </div>
      {job.restored > 0 && <p className="image-masking-bad">{tn('job.restored', job.restored)}</p>}
      {!job.restoresJob && (job.state === 'cancelled' || (job.state === 'failed' && job.failed > 0)) && job.done > 0 && <p className="image-masking-quiet">{tn('job.done', job.done)}</p>}
      {confirmation}
      {!ended && job.state !== 'awaitingConfirmation' && (
        <>
          <div
            className="image-masking-progress"
            role="progressbar"
            aria-label={t('job.region.progress')}
            aria-valuemin={0}
            aria-valuemax={job.total}
            aria-valuenow={treated}
            aria-valuetext={t('job.progress', { done: treated, total: job.total })}
          >
            <div style={{ width: `${job.total > 0 ? (100 * treated) / job.total : 0}%` }} />
          </div>
          <p className="image-masking-quiet" data-cy="image-masking-job-progress">
            {t('job.progress', { done: treated, total: job.total })}
            {typeof job.secondsLeft === 'number' && ` · ${describeTimeLeft(job.secondsLeft)}`}
          </p>
        </>
      )}
      {connection === 'polling' && !ended && <p className="image-masking-quiet">{t('job.polling')}</p>}
      {connection === 'lost' && <p role="alert">{problem?.status === 401 ? describeProblem(problem) : t('job.lost')}</p>}
      {connection === 'gone' && problem && <p role="alert">{t('job.gone', { reason: describeProblem(problem) })}</p>}
      {job.failures.length > 0 && (
        <div className="image-masking-failures" role="group" aria-label={tn('job.failures', job.failures.length)}>
          <p>{tn('job.failures', job.failures.length)}</p>
          <ul>
            {job.failures.map(failure => (
              <li key={failure.sopInstanceUid} data-cy="image-masking-failure">
                {t('job.failure', { number: failure.instanceNumber ?? failure.sopInstanceUid, reason: sentenceOfFailure(job, failure) })}
              </li>
            ))}
          </ul>
        </div>
      )}
      {!ended && mayCancel && connection !== 'gone' && <JobAction name="cancel" title={t('job.cancel.title')} run={cancel} />}
      {ended && job.done + job.restored > 0 && !job.restoresJob && <JobAction name="certificate" run={async () => saveFile(await readCertificate(), `certificate-${job.id}.html`)} />}
    </li>
  );
}

const actions = {
  cancel: { cy: 'image-masking-job-cancel', text: 'job.cancel' },
  certificate: { cy: 'image-masking-certificate', text: 'job.certificate' },
  older: { cy: 'image-masking-jobs-older', text: 'panel.jobs.older' },
} as const;

/** A quiet button that says why it did not do what it is for. */
function JobAction({ name, title, run }: { readonly name: keyof typeof actions; readonly title?: string; readonly run: () => Promise<void> }): ReactNode {
  const [problem, setProblem] = useState<SidecarProblem>();
  const press = (): void => {
    setProblem(undefined);
    run().catch((error: unknown) => setProblem(asProblem(error)));
  };
  return (
    <p>
      <button type="button" className="image-masking-quiet" data-cy={actions[name].cy} title={title} onClick={press}>
        {t(actions[name].text)}
      </button>
      {problem && <span role="alert"> {describeProblem(problem)}</span>}
    </p>
  );
}
