import { cornerstoneLibraries, type CornerstoneLibraries, type Host, type Services } from '../host/ohif';
import { Observable } from '../host/observable';
import { showImage, watchViewports } from '../host/viewports';
import { wait } from '../host/wait';
import { id } from '../id';
import { shownFrame, shownImage } from '../masks/shownImage';
import type { MaskedImage } from '../masks/mask';
import type { MaskingSession } from '../session';
import type { FindingsClient } from '../sidecar/reviewClient';
import type { RegionView } from '../sidecar/reviewTypes';
import { isFinal, type Me } from '../sidecar/types';
import { arrange, findingsOnFrame, nextOpen, type ClusterRow } from './findingList';
import { FindingsStore } from './FindingsStore';
import { findingToolName } from './FindingTool';

export const findingsPanelId = `${id}.panelModule.findings`;

/** Lets OHIF's overlay text step aside. */
const reviewingClass = 'image-masking-reviewing';

/** The image on the screen, and which of its frames. */
export interface ShownFrame {
  readonly image: MaskedImage;
  readonly frame: number;
}

/** One stay of a person who may see findings in a study: draws them, takes the viewer to them, keeps them fresh. */
export class FindingsSession {
  readonly store: FindingsStore;
  readonly shown = new Observable<ShownFrame | undefined>(undefined);
  /** The finding under the mouse, and where on the page. */
  readonly hovered = new Observable<{ readonly id: string; readonly x: number; readonly y: number } | undefined>(undefined);
  readonly services: Services;
  readonly libraries: CornerstoneLibraries;
  /** Told by the panel itself. */
  isPanelShown = false;
  private readonly undo: (() => void)[] = [];
  private readonly leave = new AbortController();

  constructor(
    private readonly host: Host,
    client: FindingsClient,
    /** Who looks. */
    readonly me: Me,
    /** Applies accepted masks; null without the permission to mask. */
    readonly masking: MaskingSession | null,
  ) {
    this.services = host.servicesManager.services;
    this.libraries = cornerstoneLibraries(host.extensionManager);
    this.store = new FindingsStore(client);
  }

  /** May decide and finalize. */
  get mayReview(): boolean {
    return this.me.permissions.includes('review');
  }

  /** Puts the boxes and the panel in place; the mode must have built its tool groups. */
  open(): void {
    const { toolGroupService, panelService } = this.services;
    if (!toolGroupService.getToolGroup('default')?.hasTool(findingToolName)) {
      toolGroupService.addToolsToToolGroup('default', { enabled: [{ toolName: findingToolName }] });
    }
    if (!panelService.getPanels(panelService.PanelPosition.Right).some(panel => panel.id === findingsPanelId)) {
      panelService.addPanels(panelService.PanelPosition.Right, [findingsPanelId]);
    }
    this.undo.push(watchViewports(this.host, this.updateShown));
    const drawn = [this.store.view, this.store.filter, this.store.selected, this.store.adjusting];
    drawn.forEach(watched => this.undo.push(watched.subscribe(this.render)));
    if (this.masking) {
      this.undo.push(this.followJobs(this.masking));
    }
    // Text is burned in where OHIF writes its own: a person must see the one and not the other.
    const showOverlays = (): void => void document.body.classList.toggle(reviewingClass, this.store.selected.get() !== undefined);
    this.undo.push(this.store.selected.subscribe(showOverlays), () => document.body.classList.remove(reviewingClass));
    this.updateShown();
    void this.store.watch(() => document.visibilityState === 'visible');
    // The work list opens a study for its findings; whoever opens it to read images is not disturbed.
    if (new URLSearchParams(location.search).has('findings')) {
      void this.openPanel();
    }
  }

  close(): void {
    this.leave.abort();
    this.store.dispose();
    this.undo.reverse().forEach(step => step());
    this.undo.length = 0;
    this.hovered.set(undefined);
    this.render();
  }

  /** Selects a row and shows its image; of a cluster the image already shown, if it is in it. */
  select(row: ClusterRow, findingId?: string): void {
    this.hovered.set(undefined);
    this.store.select(row, row.findings.find(finding => finding.id === findingId), this.shown.get()?.image.sopInstanceUid);
    this.showSelected();
  }

  /** Selects a finding by its box on the image: its whole cluster, for one decision covers it. */
  selectBox(findingId: string): void {
    const finding = this.store.findingOf(findingId);
    const row = this.rows().find(candidate => candidate.cluster.id === finding?.clusterId);
    if (row) {
      this.select(row);
    }
  }

  /** Goes to the next cluster (or the one before) that nobody has decided on; false where there is none. */
  step(by: 1 | -1): boolean {
    const row = nextOpen(this.rows(), this.store.selected.get()?.clusterId, by);
    if (row) {
      this.select(row);
    }
    return row !== undefined;
  }

  /** The rows that the panel shows, in its order. */
  rows(): readonly ClusterRow[] {
    const view = this.store.view.get();
    const arranged = view && arrange(view, this.store.filter.get());
    return arranged ? [...arranged.clusters, ...arranged.outliers] : [];
  }

  /** Shows an image of the study; false where no series of the viewer holds it. */
  show(sopInstanceUid: string, frame?: number): boolean {
    return showImage(this.host, sopInstanceUid, frame);
  }

  startAdjusting(): void {
    const finding = this.store.findingOf(this.store.selected.get()?.findingId);
    if (finding && finding.state !== 'masked') {
      this.store.adjusting.set({ findingId: finding.id, region: finding.decision?.region ?? finding.region });
    }
  }

  adjust(region: RegionView): void {
    const now = this.store.adjusting.get();
    if (now) {
      this.store.adjusting.set({ ...now, region });
    }
  }

  readonly render = (): void => {
    const { cornerstone, cornerstoneTools } = this.libraries;
    const ids = (cornerstone.getRenderingEngines() ?? []).flatMap(engine => engine.getViewports().map(viewport => viewport.id));
    cornerstoneTools.utilities.triggerAnnotationRenderForViewportIds(ids);
  };

  findingsOn(sopInstanceUid: string, frame: number) {
    return findingsOnFrame(this.store.view.get(), this.store.filter.get(), sopInstanceUid, frame);
  }

  /** OHIF hears of it only once its side panel has taken in the new tab, and does not say when that is. */
  private async openPanel(): Promise<void> {
    for (let attempt = 0; attempt < 50 && !this.leave.signal.aborted && !this.isPanelShown; attempt++) {
      this.services.panelService.activatePanel(findingsPanelId, true);
      await wait(100, this.leave.signal);
    }
  }

  private showSelected(): void {
    const finding = this.store.findingOf(this.store.selected.get()?.findingId);
    if (finding) {
      const shown = this.shown.get();
      const onThisFrame = shown?.image.sopInstanceUid === finding.sopInstanceUid && (!finding.frames || finding.frames.includes(shown.frame));
      if (!onThisFrame) {
        this.show(finding.sopInstanceUid, finding.frames?.[0]);
      }
    }
  }

  private readonly updateShown = (): void => {
    const { viewportGridService, cornerstoneViewportService, displaySetService } = this.services;
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId() ?? '');
    const image = shownImage(this.libraries, viewport);
    const frame = shownFrame(viewport);
    const before = this.shown.get();
    if (before?.image.sopInstanceUid !== image?.sopInstanceUid || before?.frame !== frame) {
      this.shown.set(image ? { image, frame } : undefined);
    }
    this.store.show(image?.studyInstanceUid ?? this.store.study.get() ?? displaySetService.getActiveDisplaySets()[0]?.StudyInstanceUID);
  };

  /** What was burned in is no longer open, and what is still readable is a new finding: both are known soon after a job's end. */
  private followJobs({ jobs }: MaskingSession): () => void {
    let ended = 0;
    return jobs.jobs.subscribe(() => {
      const now = jobs.jobs.get().filter(({ job }) => isFinal(job)).length;
      if (now !== ended) {
        ended = now;
        this.store.refresh();
      }
    });
  }
}

/** The findings of the study open now; null for people who may neither mask nor review. */
export const currentFindings = new Observable<FindingsSession | null>(null);
