/** Short names for the types of the sidecar's OpenAPI document, from which `api.d.ts` is generated. */
import type { components } from './api';

type Schemas = components['schemas'];

export type AuditChainView = Schemas['AuditChainView'];
export type AuditEventView = Schemas['AuditEventView'];
export type AuditPage = Schemas['AuditPage'];
export type LeftOut = Schemas['LeftOut'];
export type MaskFailure = Schemas['MaskFailure'];
export type MaskJobList = Schemas['MaskJobList'];
export type MaskJobPreview = Schemas['MaskJobPreview'];
export type MaskJobRequest = Schemas['MaskJobRequest'];
export type MaskJobView = Schemas['MaskJobView'];
/** What a person chooses. A job of accepted findings has the scope images, which nobody asks for by itself. */
export type MaskScope = Exclude<Schemas['MaskScope'], 'images'>;
export type Me = Schemas['Me'];
export type ProblemDetails = Schemas['ProblemDetails'];

export function isFinal(job: MaskJobView): boolean {
  return job.state !== 'awaitingConfirmation' && job.state !== 'queued' && job.state !== 'running';
}
