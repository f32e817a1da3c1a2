import { readEventStream } from './eventStream';
import type { AuditChainView, AuditPage, MaskJobList, MaskJobPreview, MaskJobRequest, MaskJobView, Me, ProblemDetails } from './types';

/** A refusal or fault of the sidecar, or of the way to it (status 0). */
export class SidecarProblem extends Error {
  constructor(
    readonly status: number,
    /** The stable name of the problem, such as `urn:sidecar:problem:orthanc-unreachable`. */
    readonly type: string,
    message: string,
  ) {
    super(message);
    this.name = 'SidecarProblem';
  }

  /** Whether the same request may well be answered later. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export interface SidecarClient {
  me(signal?: AbortSignal): Promise<Me>;
  /** The dry run: nothing is changed. */
  preview(request: MaskJobRequest, signal?: AbortSignal): Promise<MaskJobPreview>;
  /** Starts a job. The same key with the same request names the same job, so a repeat after a lost answer burns nothing twice. */
  createJob(request: MaskJobRequest, idempotencyKey: string, signal?: AbortSignal): Promise<MaskJobView>;
  job(id: string, signal?: AbortSignal): Promise<MaskJobView>;
  /** Newest first; `before` is the `next` of the list before. */
  jobsOfStudy(studyInstanceUid: string, before?: string, signal?: AbortSignal): Promise<MaskJobList>;
  /** Starts no further image of a job; those begun are brought to their end. */
  cancelJob(id: string, signal?: AbortSignal): Promise<MaskJobView>;
  /** Lets a job begin that another person approved. */
  confirmJob(id: string, reason: string | undefined, signal?: AbortSignal): Promise<MaskJobView>;
  /** Ends a job that another person approved; nothing is changed. */
  declineJob(id: string, reason: string, signal?: AbortSignal): Promise<MaskJobView>;
  /** The certificate of a finished job, as a page to print. */
  certificatePage(id: string, signal?: AbortSignal): Promise<Blob>;
  /** The job at each change, until its stream ends. Throws where the stream breaks or falls silent. */
  jobEvents(id: string, signal?: AbortSignal): AsyncGenerator<MaskJobView, void, void>;
}

export interface SidecarClientOptions {
  readonly baseUrl?: string;
  /** Asked before each request: tokens are renewed while a study is open. */
  readonly authorization: () => Record<string, string> | undefined | Promise<Record<string, string>>;
  /** Told the status of each answer. */
  readonly heard?: (status: number) => void;
  readonly fetch?: typeof globalThis.fetch;
  /** A stream that says nothing for this long is dead; the sidecar sends a comment every 15 s. */
  readonly silenceMilliseconds?: number;
}

interface Request {
  readonly method?: 'POST' | 'PUT' | 'DELETE';
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** What the audit's page asks. */
export interface AuditClient {
  /** Newest first; `before` is the `next` of the page before. */
  page(filters: AuditFilters, before?: number, signal?: AbortSignal): Promise<AuditPage>;
  chain(signal?: AbortSignal): Promise<AuditChainView>;
  export(filters: AuditFilters, format: 'ndjson' | 'csv'): Promise<Blob>;
  /** The certificate of a finished mask job: to read and print, or for `sidecar verify`. */
  certificate(job: string, form: 'page' | 'json'): Promise<Blob>;
}

export interface AuditFilters {
  readonly from?: string;
  readonly to?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly study?: string;
  readonly job?: string;
}

export function createAuditClient(options: SidecarClientOptions): AuditClient {
  const { send, read } = createRequests(options);
  const query = (parameters: Record<string, string | number | undefined>): string =>
    new URLSearchParams(Object.entries(parameters).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, String(value)]]))).toString();
  return {
    page: (filters, before, signal) => read<AuditPage>(`/audit?${query({ ...filters, before })}`, { signal }),
    chain: signal => read<AuditChainView>('/audit/chain', { signal }),
    certificate: async (job, form) => (await send(`/mask-jobs/${encodeURIComponent(job)}/certificate${form === 'page' ? '.html' : ''}`)).blob(),
    export: async (filters, format) => (await send(`/audit/export?${query({ ...filters, format })}`)).blob(),
  };
}

/** Requests with the caller's token; whatever is not an answer is a SidecarProblem. */
export function createRequests(options: SidecarClientOptions) {
  const { baseUrl = '/api', authorization, heard, fetch = (...args) => globalThis.fetch(...args) } = options;

  async function send(path: string, init: Request = {}): Promise<Response> {
    let response: Response;
    const bearer = await authorization();
    try {
      response = await fetch(`${baseUrl}${path}`, { ...init, cache: 'no-store', headers: { ...init.headers, ...bearer } });
    } catch (cause) {
      if (init.signal?.aborted) {
        throw cause;
      }
      throw new SidecarProblem(0, 'unreachable', '');
    }
    heard?.(response.status);
    if (!response.ok) {
      throw await problemOf(response);
    }
    return response;
  }

  async function read<T>(path: string, init?: Request): Promise<T> {
    const response = await send(path, { ...init, headers: { Accept: 'application/json', ...init?.headers } });
    try {
      return (await response.json()) as T;
    } catch (cause) {
      if (init?.signal?.aborted) {
        throw cause;
      }
      // Not the sidecar, but a sign-in page or a proxy on the way to it.
      throw new SidecarProblem(0, 'unreadable', '');
    }
  }

  return { send, read };
}

/** The only place that talks to the sidecar. */
export function createSidecarClient(options: SidecarClientOptions): SidecarClient {
  const { silenceMilliseconds = 45_000 } = options;
  const { send, read } = createRequests(options);

  function post<T>(path: string, body: unknown, headers: Record<string, string>, signal?: AbortSignal): Promise<T> {
    return read<T>(path, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers }, signal });
  }

  return {
    me: signal => read<Me>('/me', { signal }),
    preview: (request, signal) => post<MaskJobPreview>('/mask-jobs/preview', request, {}, signal),
    createJob: (request, key, signal) => post<MaskJobView>('/mask-jobs', request, { 'Idempotency-Key': key }, signal),
    job: (id, signal) => read<MaskJobView>(`/mask-jobs/${encodeURIComponent(id)}`, { signal }),
    jobsOfStudy: (study, before, signal) => read<MaskJobList>(`/mask-jobs?${new URLSearchParams({ study, ...(before ? { before } : {}) }).toString()}`, { signal }),

    cancelJob: (id, signal) => read<MaskJobView>(`/mask-jobs/${encodeURIComponent(id)}/cancel`, { method: 'POST', signal }),

    confirmJob: (id, reason, signal) => post<MaskJobView>(`/mask-jobs/${encodeURIComponent(id)}/confirm`, { reason }, {}, signal),
    declineJob: (id, reason, signal) => post<MaskJobView>(`/mask-jobs/${encodeURIComponent(id)}/decline`, { reason }, {}, signal),

    certificatePage: async (id, signal) => (await send(`/mask-jobs/${encodeURIComponent(id)}/certificate.html`, { signal })).blob(),

    async *jobEvents(id, signal) {
      const silence = new AbortController();
      const abort = (): void => silence.abort();
      signal?.addEventListener('abort', abort);
      let timer = setTimeout(abort, silenceMilliseconds);
      try {
        const response = await send(`/mask-jobs/${encodeURIComponent(id)}/events`, {
          headers: { Accept: 'text/event-stream' },
          signal: silence.signal,
        });
        if (!response.body) {
          return;
        }
        for await (const { event, data } of readEventStream(response.body)) {
          clearTimeout(timer);
          timer = setTimeout(abort, silenceMilliseconds);
          if (event === 'progress') {
            yield JSON.parse(data) as MaskJobView;
          }
        }
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        silence.abort();
      }
    },
  };
}

async function problemOf(response: Response): Promise<SidecarProblem> {
  try {
    const { type, title, detail, errors } = (await response.json()) as ProblemDetails & { errors?: Record<string, string[]> };
    const text = detail ?? (errors ? Object.values(errors).flat().join(' ') : undefined) ?? title ?? '';
    return new SidecarProblem(response.status, type ?? 'unknown', text);
  } catch {
    return new SidecarProblem(response.status, 'unknown', '');
  }
}

/** Whatever was thrown on the way to an answer. */
export function asProblem(error: unknown): SidecarProblem {
  return error instanceof SidecarProblem ? error : new SidecarProblem(0, 'unreachable', String(error));
}

/** A key that names one approval. `crypto.randomUUID` is missing on pages that are not served over TLS. */
export function newIdempotencyKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
}
