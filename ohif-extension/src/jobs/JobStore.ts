import { Observable } from '../host/observable';
import { wait } from '../host/wait';
import { asProblem, SidecarProblem, type SidecarClient } from '../sidecar/client';
import { isFinal, type MaskJobView } from '../sidecar/types';

/** How the view of a job is kept up: by its event stream, by asking, not at all for the moment, or no longer. */
export type Connection = 'live' | 'polling' | 'lost' | 'gone';

export interface FollowedJob {
  readonly job: MaskJobView;
  readonly connection: Connection;
  readonly problem?: SidecarProblem;
}

export interface JobStoreEvents {
  /** Each news of a job that is followed. */
  onProgress?(job: MaskJobView): void;
  /** A job of this or another tab came to its end while the study was open. */
  onFinished(job: MaskJobView): void;
  /** A job can no longer be followed; how it ended is not known here. */
  onGone?(job: MaskJobView): void;
}

const pollMilliseconds = 2_000;
const longestPollMilliseconds = 30_000;
/** Jobs started in other tabs or by other people are looked for at this pace. */
const watchMilliseconds = 10_000;

/** The masking jobs of the studies open: starts them, follows them to their end, finds those that others started. */
export class JobStore {
  /** Newest first. */
  readonly jobs = new Observable<readonly FollowedJob[]>([]);
  /** Whether the studies have older jobs than those that were asked for. */
  readonly hasOlder = new Observable(false);

  private readonly abort = new AbortController();
  private readonly following = new Set<string>();
  private readonly finished = new Set<string>();
  /** Where the list of each study goes on; undefined where it is at its end. */
  private readonly next = new Map<string, string | undefined>();
  private firstLook = true;

  constructor(
    private readonly client: SidecarClient,
    private readonly events: JobStoreEvents,
    private readonly openedAt: number = Date.now(),
  ) {}

  dispose(): void {
    this.abort.abort();
  }

  /** Starts a job; `onCreated` runs before any news of it, which may be that it has ended already. */
  async start(create: (signal: AbortSignal) => Promise<MaskJobView>, onCreated: (job: MaskJobView) => void): Promise<void> {
    const job = await create(this.abort.signal);
    onCreated(job);
    this.follow(job);
  }

  /** Has no further image begun; the job's own news then tell how it ended. */
  async cancel(job: MaskJobView): Promise<void> {
    this.found(await this.client.cancelJob(job.id, this.abort.signal));
  }

  /** The second person's yes: the job begins, and is followed. */
  async confirm(job: MaskJobView, reason: string): Promise<void> {
    this.found(await this.client.confirmJob(job.id, reason || undefined, this.abort.signal));
  }

  async decline(job: MaskJobView, reason: string): Promise<void> {
    this.found(await this.client.declineJob(job.id, reason, this.abort.signal));
  }

  certificate(job: MaskJobView): Promise<Blob> {
    return this.client.certificatePage(job.id, this.abort.signal);
  }

  /** Looks for jobs of these studies now and then, until disposed. */
  async watch(studies: () => readonly string[], isVisible: () => boolean): Promise<void> {
    while (!this.abort.signal.aborted) {
      if (isVisible()) {
        await this.look(studies());
      }
      await wait(watchMilliseconds, this.abort.signal);
    }
  }

  /** Asks once for the jobs of these studies, follows those that run and tells of those that ended meanwhile. */
  async look(studies: readonly string[]): Promise<void> {
    try {
      for (const study of studies) {
        const { jobs, next } = await this.client.jobsOfStudy(study, undefined, this.abort.signal);
        if (!this.next.has(study)) {
          this.goOnAt(study, next);
        }
        for (const job of [...jobs].reverse()) {
          this.found(job);
        }
      }
      this.firstLook &&= studies.length === 0;
    } catch (error) {
      if (!(error instanceof SidecarProblem) && !this.abort.signal.aborted) {
        throw error;
      }
      // The next look will tell; followed jobs show their own trouble.
    }
  }

  /** Asks for the next older jobs of each study. They ended long ago, so nobody is told of their end. */
  async older(): Promise<void> {
    for (const [study, before] of [...this.next]) {
      if (before !== undefined) {
        const { jobs, next } = await this.client.jobsOfStudy(study, before, this.abort.signal);
        for (const job of jobs) {
          if (!isFinal(job)) {
            this.follow(job);
          } else if (!this.following.has(job.id)) {
            this.finish(job, false);
          }
        }
        this.goOnAt(study, next);
      }
    }
  }

  private goOnAt(study: string, next: string | null | undefined): void {
    this.next.set(study, next ?? undefined);
    this.hasOlder.set([...this.next.values()].some(Boolean));
  }

  private found(job: MaskJobView): void {
    if (this.following.has(job.id) || this.finished.has(job.id)) {
      return;
    }
    if (!isFinal(job)) {
      this.follow(job);
      return;
    }
    // Images were loaded after the study was opened: what ended well before that is on the screen already.
    const endedBefore = this.firstLook && Date.parse(job.finishedAt ?? job.createdAt) < this.openedAt - 60_000;
    this.finish(job, !endedBefore);
  }

  private follow(job: MaskJobView): void {
    if (isFinal(job)) {
      this.finish(job, true);
    } else if (job.state === 'awaitingConfirmation') {
      // For hours perhaps, and of several jobs at once: the next look asks for it, no stream is kept open.
      this.put(job, 'live');
    } else if (!this.following.has(job.id)) {
      this.following.add(job.id);
      this.put(job, 'live');
      void this.run(job.id);
    }
  }

  private async run(id: string): Promise<void> {
    const { signal } = this.abort;
    try {
      for await (const job of this.client.jobEvents(id, signal)) {
        if (this.take(job, 'live')) {
          return;
        }
      }
    } catch {
      // Polling finds out whether the stream, the sidecar or the job is gone.
    }
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (this.take(await this.client.job(id, signal), 'polling')) {
          return;
        }
        failures = 0;
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        const problem = asProblem(error);
        failures++;
        this.mark(id, problem.mayPass || problem.status === 401 ? 'lost' : 'gone', problem);
        if (!problem.mayPass && problem.status !== 401) {
          this.following.delete(id);
          this.finished.add(id);
          const gone = this.jobs.get().find(followed => followed.job.id === id);
          if (gone) {
            this.events.onGone?.(gone.job);
          }
          return;
        }
      }
      await wait(Math.min(pollMilliseconds * 2 ** Math.min(failures, 5), longestPollMilliseconds), signal);
    }
  }

  /** Takes in news of a job; true when it was the last. */
  private take(job: MaskJobView, connection: Connection): boolean {
    if (this.abort.signal.aborted) {
      return true;
    }
    if (isFinal(job)) {
      this.finish(job, true);
      return true;
    }
    this.put(job, connection);
    this.events.onProgress?.(job);
    return false;
  }

  private finish(job: MaskJobView, tell: boolean): void {
    this.following.delete(job.id);
    if (!this.finished.has(job.id)) {
      this.finished.add(job.id);
      this.put(job, 'live');
      if (tell) {
        this.events.onFinished(job);
      }
    }
  }

  private put(job: MaskJobView, connection: Connection): void {
    const others = this.jobs.get().filter(followed => followed.job.id !== job.id);
    this.jobs.set([...others, { job, connection }].sort((a, b) => Date.parse(b.job.createdAt) - Date.parse(a.job.createdAt)));
  }

  private mark(id: string, connection: Connection, problem: SidecarProblem): void {
    this.jobs.set(this.jobs.get().map(followed => (followed.job.id === id ? { job: followed.job, connection, problem } : followed)));
  }
}
