import { Observable } from '../host/observable';
import { wait } from '../host/wait';
import { asProblem, type SidecarProblem } from '../sidecar/client';
import type { FindingsClient } from '../sidecar/reviewClient';
import type { FindingDecision, FindingView, RegionView, StudyFindings } from '../sidecar/reviewTypes';
import { showAll, type ClusterRow, type FindingFilter } from './findingList';

/** What a decision is about: a whole cluster, or one finding of it. The finding is the one on the screen. */
export interface Selection {
  readonly clusterId: string;
  readonly findingId: string;
  readonly whole: boolean;
}

/** A finding whose box a person moves before it is accepted. */
export interface Adjusting {
  readonly findingId: string;
  readonly region: RegionView;
}

const scanningMilliseconds = 3_000;
/** Others decide, too, and images are scanned again after masking. */
const watchMilliseconds = 15_000;

/** The findings of the study on the screen: read, watched, decided on. Knows nothing of OHIF. */
export class FindingsStore {
  readonly view = new Observable<StudyFindings | undefined>(undefined);
  /** Why the findings could not be read; an older view stays beside it. */
  readonly problem = new Observable<SidecarProblem | undefined>(undefined);
  /** Why what a person asked for last was not done. */
  readonly refused = new Observable<SidecarProblem | undefined>(undefined);
  readonly busy = new Observable(false);
  readonly filter = new Observable<FindingFilter>(showAll);
  readonly selected = new Observable<Selection | undefined>(undefined);
  readonly adjusting = new Observable<Adjusting | undefined>(undefined);
  readonly study = new Observable<string | undefined>(undefined);

  private readonly abort = new AbortController();
  private round = new AbortController();

  constructor(readonly client: FindingsClient) {}

  dispose(): void {
    this.abort.abort();
    this.round.abort();
  }

  /** Turns to a study; what was shown of another is gone at once. */
  show(study: string | undefined): void {
    if (study !== this.study.get()) {
      this.study.set(study);
      this.view.set(undefined);
      this.problem.set(undefined);
      this.refused.set(undefined);
      this.selected.set(undefined);
      this.adjusting.set(undefined);
      this.refresh();
    }
  }

  /** Asks now, not at the next turn of the watch. */
  refresh(): void {
    this.round.abort();
  }

  /** Keeps the view up until disposed: often while a scan is under way, now and then otherwise, not while the page is hidden. */
  async watch(isVisible: () => boolean): Promise<void> {
    while (!this.abort.signal.aborted) {
      this.round = new AbortController();
      if (isVisible()) {
        await this.read();
      }
      const state = this.view.get()?.scan.state;
      await wait(state === 'waiting' || state === 'scanning' ? scanningMilliseconds : watchMilliseconds, this.round.signal);
    }
  }

  async read(): Promise<void> {
    const study = this.study.get();
    if (!study || this.busy.get()) {
      return;
    }
    try {
      const view = await this.client.findings(study, this.abort.signal);
      // A decision made meanwhile has brought a newer view.
      if (this.study.get() === study && !this.busy.get()) {
        this.take(view);
      }
    } catch (error) {
      this.tell(this.problem, error, study);
    }
  }

  /** Stores decisions; false where the sidecar refused, whose reason is then in `refused`. */
  async decide(...decisions: FindingDecision[]): Promise<boolean> {
    const findingsVersion = this.view.get()?.findingsVersion;
    return this.request(async study => this.take(await this.client.decide({ study, findingsVersion, decisions }, this.abort.signal)));
  }

  finalize(): Promise<boolean> {
    return this.request(async study => {
      await this.client.finalize(study, undefined, this.abort.signal);
      this.take(await this.client.findings(study, this.abort.signal));
    });
  }

  reopen(reason: string): Promise<boolean> {
    return this.request(async study => {
      await this.client.reopen(study, reason, this.abort.signal);
      this.take(await this.client.findings(study, this.abort.signal));
    });
  }

  /** This person saw no text there after all. */
  takeBackMiss(sample: string): Promise<boolean> {
    return this.request(async study => {
      await this.client.takeBackMiss(sample, this.abort.signal);
      this.take(await this.client.findings(study, this.abort.signal));
    });
  }

  scan(): Promise<boolean> {
    return this.request(async study => {
      await this.client.scan(study, this.abort.signal);
      this.take(await this.client.findings(study, this.abort.signal));
      this.refresh();
    });
  }

  /** Selects a cluster, by its finding on the image shown where there is one, or one finding of it. */
  select(row: ClusterRow, finding?: FindingView, sopInstanceShown?: string): void {
    const shown = finding ?? row.findings.find(candidate => candidate.sopInstanceUid === sopInstanceShown) ?? row.findings[0];
    if (shown) {
      this.adjusting.set(undefined);
      this.selected.set({ clusterId: row.cluster.id, findingId: shown.id, whole: finding === undefined });
    }
  }

  findingOf(id: string | undefined): FindingView | undefined {
    return this.view.get()?.findings.find(finding => finding.id === id);
  }

  private async request(send: (study: string) => Promise<void>): Promise<boolean> {
    const study = this.study.get();
    if (!study || this.busy.get()) {
      return false;
    }
    this.busy.set(true);
    this.refused.set(undefined);
    try {
      await send(study);
      return true;
    } catch (error) {
      this.tell(this.refused, error, study);
      return false;
    } finally {
      this.busy.set(false);
      // Most often somebody else was quicker: what they did is to be seen at once.
      if (this.refused.get()) {
        this.refresh();
      }
    }
  }

  private take(view: StudyFindings): void {
    if (view.study !== this.study.get()) {
      return;
    }
    this.problem.set(undefined);
    if (JSON.stringify(view) === JSON.stringify(this.view.get())) {
      return;
    }
    this.view.set(view);
    const selected = this.selected.get();
    if (selected && !view.findings.some(finding => finding.id === selected.findingId && finding.clusterId === selected.clusterId)) {
      this.selected.set(undefined);
      this.adjusting.set(undefined);
    }
  }

  private tell(where: Observable<SidecarProblem | undefined>, error: unknown, study: string): void {
    if (!this.abort.signal.aborted && this.study.get() === study) {
      where.set(asProblem(error));
    }
  }
}
