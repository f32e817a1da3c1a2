import { createRequests, type SidecarClientOptions } from './client';
import type { DashboardView, MaskTemplateView, ReviewList, SampleView } from './reviewTypes';
import type { NewScanSchedule, ScanQueryView, ScanRunView, ScanScheduleView } from './scanTypes';
import type { MaskJobList, Me } from './types';

export interface ReviewFilters {
  readonly state?: string;
  readonly modality?: string;
  readonly station?: string;
  readonly from?: string;
  readonly to?: string;
  readonly sort?: string;
}

/** What the pages beside OHIF ask; the audit's own client is apart. */
export interface PageClient {
  me(signal?: AbortSignal): Promise<Me>;
  /** Maskings of all studies that wait for a second person, oldest first; `after` is the `next` of the list before. */
  awaitingJobs(after?: string, signal?: AbortSignal): Promise<MaskJobList>;
  reviews(filters: ReviewFilters, offset: number, limit: number, signal?: AbortSignal): Promise<ReviewList>;
  /** Tells the others that the caller looks at this study now. */
  take(study: string): Promise<void>;
  finalize(study: string): Promise<void>;
  templates(signal?: AbortSignal): Promise<readonly MaskTemplateView[]>;
  deleteTemplate(id: string): Promise<void>;
  exportTemplates(): Promise<Blob>;
  importTemplates(file: string): Promise<{ readonly added: number; readonly known: number }>;
  dashboard(days: number, signal?: AbortSignal): Promise<DashboardView>;
  /** A random image to look at; undefined where there is none. */
  nextSample(): Promise<SampleView | undefined>;
  answerSample(id: string, hasText: boolean): Promise<void>;
  /** Takes back the caller's own answer. */
  correctSample(id: string, hasText: boolean): Promise<void>;
  /** Those under way first. */
  scans(signal?: AbortSignal): Promise<readonly ScanRunView[]>;
  startScan(query: ScanQueryView): Promise<void>;
  steerScan(id: string, how: 'pause' | 'resume' | 'cancel'): Promise<void>;
  schedules(signal?: AbortSignal): Promise<readonly ScanScheduleView[]>;
  addSchedule(schedule: NewScanSchedule): Promise<void>;
  changeSchedule(id: string, schedule: NewScanSchedule): Promise<void>;
  deleteSchedule(id: string): Promise<void>;
}

export function createPageClient(options: SidecarClientOptions): PageClient {
  const { send, read } = createRequests(options);
  const json = (method: 'POST' | 'PUT', body: string) => ({ method, body, headers: { 'Content-Type': 'application/json' } }) as const;
  const query = (parameters: Readonly<Record<string, string | number | undefined>>): string =>
    new URLSearchParams(Object.entries(parameters).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, String(value)]]))).toString();
  const review = (study: string): string => `/reviews/${encodeURIComponent(study)}`;

  return {
    me: signal => read<Me>('/me', { signal }),
    awaitingJobs: (after, signal) => read<MaskJobList>(`/mask-jobs/awaiting-confirmation?${query({ after })}`, { signal }),
    reviews: (filters, offset, limit, signal) => read<ReviewList>(`/reviews?${query({ ...filters, offset, limit })}`, { signal }),
    take: async study => void (await send(review(study), json('PUT', '{"state":"inReview"}'))),
    finalize: async study => void (await send(`${review(study)}/finalize`, json('POST', '{}'))),
    templates: async signal => (await read<{ templates: readonly MaskTemplateView[] }>('/mask-templates', { signal })).templates,
    deleteTemplate: async id => void (await send(`/mask-templates/${encodeURIComponent(id)}`, { method: 'DELETE' })),
    exportTemplates: async () => (await send('/mask-templates/export')).blob(),
    importTemplates: file => read('/mask-templates/import', json('POST', file)),
    dashboard: (days, signal) => read<DashboardView>(`/dashboard?days=${days}`, { signal }),
    nextSample: async () => {
      const answer = await send('/samples/next');
      return answer.status === 204 ? undefined : ((await answer.json()) as SampleView);
    },
    answerSample: async (id, hasText) => void (await send(`/samples/${encodeURIComponent(id)}`, json('POST', JSON.stringify({ hasText })))),
    correctSample: async (id, hasText) => void (await send(`/samples/${encodeURIComponent(id)}`, json('PUT', JSON.stringify({ hasText })))),
    scans: async signal => (await read<{ runs: readonly ScanRunView[] }>('/scans', { signal })).runs,
    startScan: async query => void (await send('/scans', json('POST', JSON.stringify({ query })))),
    steerScan: async (id, how) => void (await send(`/scans/${encodeURIComponent(id)}/${how}`, { method: 'POST' })),
    schedules: async signal => (await read<{ schedules: readonly ScanScheduleView[] }>('/scan-schedules', { signal })).schedules,
    addSchedule: async schedule => void (await send('/scan-schedules', json('POST', JSON.stringify(schedule)))),
    changeSchedule: async (id, schedule) => void (await send(`/scan-schedules/${encodeURIComponent(id)}`, json('PUT', JSON.stringify(schedule)))),
    deleteSchedule: async id => void (await send(`/scan-schedules/${encodeURIComponent(id)}`, { method: 'DELETE' })),
  };
}
