import { createRequests, type SidecarClientOptions } from './client';
import type { FindingDecisions, NewMaskTemplate, StudyFindings } from './reviewTypes';
import type { MaskJobView } from './types';

/** What the findings panel asks. */
export interface FindingsClient {
  findings(study: string, signal?: AbortSignal): Promise<StudyFindings>;
  /** Stores what a person decided, all of it or nothing, and answers how the study stands then. */
  decide(decisions: FindingDecisions, signal?: AbortSignal): Promise<StudyFindings>;
  /** Starts one mask job over all accepted findings that are not masked yet. */
  apply(study: string, reason: string | undefined, idempotencyKey: string, signal?: AbortSignal): Promise<MaskJobView>;
  /** Has a study scanned again, before others. */
  scan(study: string, signal?: AbortSignal): Promise<void>;
  finalize(study: string, reason?: string, signal?: AbortSignal): Promise<void>;
  reopen(study: string, reason: string, signal?: AbortSignal): Promise<void>;
  keepTemplate(template: NewMaskTemplate, signal?: AbortSignal): Promise<void>;
  /** Takes back that the caller saw text on an image without findings. */
  takeBackMiss(sample: string, signal?: AbortSignal): Promise<void>;
}

export function createFindingsClient(options: SidecarClientOptions): FindingsClient {
  const { send, read } = createRequests(options);
  const json = (method: 'POST' | 'PUT', body: unknown, signal?: AbortSignal, headers: Record<string, string> = {}) =>
    ({ method, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers }, signal }) as const;
  const review = (study: string): string => `/reviews/${encodeURIComponent(study)}`;

  return {
    findings: (study, signal) => read<StudyFindings>(`/scan-findings?study=${encodeURIComponent(study)}`, { signal }),
    decide: (decisions, signal) => read<StudyFindings>('/scan-findings/decisions', json('POST', decisions, signal)),
    apply: (study, reason, key, signal) => read<MaskJobView>('/scan-findings/apply', json('POST', { study, reason }, signal, { 'Idempotency-Key': key })),
    scan: async (study, signal) => void (await send('/scans', json('POST', { study }, signal))),
    finalize: async (study, reason, signal) => void (await send(`${review(study)}/finalize`, json('POST', { reason }, signal))),
    reopen: async (study, reason, signal) => void (await send(`${review(study)}/reopen`, json('POST', { reason }, signal))),
    keepTemplate: async (template, signal) => void (await send('/mask-templates', json('POST', template, signal))),
    takeBackMiss: async (sample, signal) => void (await send(`/samples/${encodeURIComponent(sample)}`, json('PUT', { hasText: false }, signal))),
  };
}
