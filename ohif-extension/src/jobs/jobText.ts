import { language, t, tn } from '../i18n';
import type { SidecarProblem } from '../sidecar/client';
import { sentenceOfProblem } from '../sidecar/sentences';
import type { MaskJobView } from '../sidecar/types';

/** "12 of 40 images, 20 seconds left." */
export function describeProgress(job: MaskJobView): string {
  const count = t('job.progress', { done: job.done + job.failed, total: job.total });
  const left = typeof job.secondsLeft === 'number' ? describeTimeLeft(job.secondsLeft) : '';
  return left ? `${count}, ${left}.` : `${count}.`;
}

/** How the job stands, in a word while it runs: "1 of 40 images failed" before any success, so that a failure is never overread. */
export function describeState(job: MaskJobView): string {
  if (job.state === 'failed' && job.failed > 0) {
    return tn('job.failed.of', job.total, { failed: job.failed.toLocaleString(language()) });
  }
  if (job.restoresJob) {
    return job.done > 0 ? tn('job.restored', job.done) : job.state === 'running' ? t('job.restoring') : t(`job.${job.state}`);
  }
  return job.state === 'succeeded' && job.done > 0 ? tn('job.done', job.done) : t(`job.${job.state}`);
}

export function describeTimeLeft(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  return t('job.left', { time: whole < 90 ? tn('job.seconds', whole) : tn('job.minutes', Math.round(whole / 60)) });
}

export function describeTime(iso: string): string {
  return new Date(iso).toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit' });
}

/** What went wrong, in the user's language. */
export function describeProblem(problem: SidecarProblem): string {
  if (problem.status === 0) {
    return t('problem.unreachable');
  }
  if (problem.status === 401) {
    return t('problem.401');
  }
  if (problem.status === 403 && problem.type !== 'urn:sidecar:problem:own-approval') {
    return t('problem.403');
  }
  return sentenceOfProblem(problem) || t('problem.other', { status: problem.status });
}
