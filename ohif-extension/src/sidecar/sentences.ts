import { language } from '../i18n';
import { failuresDe, problemsDe, restoreFailuresDe, unscannableDe, type Sentences } from '../i18n/sidecar.de';
import type { SidecarProblem } from './client';
import type { UnscannableView } from './reviewTypes';
import type { MaskFailure, MaskJobView } from './types';

/** Why one image of a job is as it was. */
export function sentenceOfFailure(job: MaskJobView, failure: MaskFailure): string {
  return choose(job.restoresJob ? restoreFailuresDe : failuresDe, failure.cause ?? undefined, failure.reason);
}

/** Why nothing is known about text in an image. */
export function sentenceOfUnscannable(image: UnscannableView): string {
  return choose(unscannableDe, image.cause ?? undefined, image.reason);
}

/** What the sidecar said; empty where it was not the sidecar that answered. */
export function sentenceOfProblem(problem: SidecarProblem): string {
  return choose(problemsDe, problem.type.split(':').at(-1), problem.message);
}

// The sidecar speaks English; in German what is known by name, the rest as it was said.
function choose(german: Sentences, name: string | undefined, said: string): string {
  return (language() === 'de' && name !== undefined && german[name]?.replace('{detail}', () => said)) || said;
}
