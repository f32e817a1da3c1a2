import { cornerstoneLibraries, type ClickCommand, type CornerstoneLibraries, type Host, type Services } from './host/ohif';
import { Observable } from './host/observable';
import { imageIdsOf, showImage, watchViewports } from './host/viewports';
import { within } from './host/wait';
import { t, tn, type MessageKey } from './i18n';
import { id } from './id';
import { JobStore } from './jobs/JobStore';
import { describeProgress } from './jobs/jobText';
import { refreshImages } from './jobs/refreshImages';
import { middleRegion, type Region } from './masks/geometry';
import { maskToolName, type Mask, type MaskAnnotation, type MaskedImage } from './masks/mask';
import type { MaskStore } from './masks/MaskStore';
import { shownImage } from './masks/shownImage';
import type { SidecarClient } from './sidecar/client';
import type { MaskJobRequest, MaskJobView, Me } from './sidecar/types';

/** What the active viewport offers: an image that can be masked, or the reason why not. */
export type Target = { readonly image: MaskedImage; readonly why?: undefined } | { readonly image?: undefined; readonly why: MessageKey };

interface MouseUpDetail {
  readonly mouseButton: number;
  readonly element: HTMLDivElement;
  readonly startPoints: { readonly canvas: [number, number] };
  readonly currentPoints: { readonly canvas: [number, number] };
}

export const maskButtonId = 'ImageMaskMenu';
const panelId = `${id}.panelModule.masks`;
const toolGroupId = 'default';
/** Some damaged images keep OHIF's decoder busy without end; how the job ended is told all the same. */
const longestRefreshMilliseconds = 20_000;
/** Lets the overlay text and corner icons, which hide burned-in text, step aside. */
const maskingClass = 'image-masking';

/** One stay of a permitted user in a study: from entering the viewer to leaving it. */
export class MaskingSession {
  readonly target: Observable<Target>;
  readonly drawing = new Observable(false);
  readonly jobs: JobStore;
  readonly libraries: CornerstoneLibraries;
  readonly services: Services;

  private readonly undo: (() => void)[] = [];
  private toolBefore = 'WindowLevel';
  /** OHIF keeps every version of a toast: not more than two a second. */
  private toldAt = 0;
  /** The masks that a job of this tab burns. */
  private readonly burning = new Map<string, readonly string[]>();
  /** The masks of others' jobs that are shown to be confirmed. */
  private readonly approved = new Map<string, readonly string[]>();

  constructor(
    private readonly host: Host,
    readonly client: SidecarClient,
    readonly masks: MaskStore,
    /** Who looks: one who may only confirm what others approved draws nothing. */
    readonly me: Me,
  ) {
    this.services = host.servicesManager.services;
    this.libraries = cornerstoneLibraries(host.extensionManager);
    this.target = new Observable<Target>(this.findTarget());
    this.jobs = new JobStore(client, { onProgress: job => this.tellProgress(job), onFinished: job => void this.finishJob(job), onGone: job => this.giveUpJob(job) });
  }

  /** Puts the tool, the menu and the panel in place; the mode must have built its tool groups and toolbar. */
  open(): void {
    const { toolGroupService, toolbarService, panelService } = this.services;
    if (!toolGroupService.getToolGroup(toolGroupId)?.hasTool(maskToolName)) {
      toolGroupService.addToolsToToolGroup(toolGroupId, { passive: [{ toolName: maskToolName }] });
    }
    if (this.mayMask) {
      toolbarService.register([{ id: maskButtonId, uiType: 'imageMasking.menu', props: { label: t('mask') } }]);
      toolbarService.updateSection(toolbarService.sections['primary'] ?? 'primary', [maskButtonId]);
      this.replaceRightClick();
    }
    if (!panelService.getPanels(panelService.PanelPosition.Right).some(panel => panel.id === panelId)) {
      panelService.addPanels(panelService.PanelPosition.Right, [panelId]);
    }
    this.listen();
    void this.jobs.watch(
      () => [...new Set(this.services.displaySetService.getActiveDisplaySets().map(set => set.StudyInstanceUID))],
      () => document.visibilityState === 'visible',
    );
  }

  close(): void {
    this.jobs.dispose();
    this.burning.forEach((_masks, job) => this.services.uiNotificationService.hide(job));
    this.undo.reverse().forEach(step => step());
    this.undo.length = 0;
    document.body.classList.remove(maskingClass);
    this.services.uiModalService.hide();
    this.masks.discard(this.masks.masks.get().map(mask => mask.uid));
  }

  get mayMask(): boolean {
    return this.me.permissions.includes('mask');
  }

  /** Makes the mask tool the one of the left mouse button; Escape or any other tool ends that. */
  startDrawing(): void {
    if (this.mayMask && !this.drawing.get() && this.target.get().image) {
      const active = this.services.toolGroupService.getToolGroup(toolGroupId)?.getActivePrimaryMouseButtonTool();
      this.toolBefore = active && active !== maskToolName ? active : 'WindowLevel';
      this.activate(maskToolName);
    }
  }

  leaveDrawing(): void {
    this.activate(this.toolBefore);
  }

  masksOf(image: MaskedImage | undefined): readonly Mask[] {
    return image ? this.masks.masks.get().filter(mask => mask.image.sopInstanceUid === image.sopInstanceUid) : [];
  }

  /** Puts a mask in the middle of the image shown, for those who work by keyboard. */
  addMask(): string | undefined {
    const { image } = this.target.get();
    const annotation = image && this.annotate(image, middleRegion(image));
    if (annotation) {
      this.masks.create(annotation);
    }
    return annotation?.annotationUID;
  }

  /** Takes the viewer to the image that was drawn on, and shows the masks there that the job waits to burn; hides them where they are on the screen, for what they cover is to be seen, too. */
  showApproved(job: MaskJobView): void {
    const { sopInstanceUid } = job.source;
    if (this.approved.get(job.id)?.length && this.target.get().image?.sopInstanceUid === sopInstanceUid) {
      this.hideApproved(job);
      return;
    }
    if (!showImage(this.host, sopInstanceUid) || this.burning.get(job.id)?.length || this.approved.has(job.id)) {
      return;
    }
    this.approved.set(job.id, []);
    const draw = (): boolean => {
      const { image } = this.target.get();
      if (image?.sopInstanceUid !== sopInstanceUid) {
        return false;
      }
      const annotations = job.regions.flatMap(region => this.annotate(image, region) ?? []);
      // They have their UIDs only once they are on the image.
      this.masks.show(annotations);
      this.approved.set(job.id, annotations.map(annotation => annotation.annotationUID ?? ''));
      return true;
    };
    if (!draw()) {
      const stop = this.target.subscribe(() => {
        if (!this.approved.has(job.id) || draw()) {
          stop();
        }
      });
      this.undo.push(stop);
    }
  }

  /** Shows the image of a mask in the active viewport. */
  jumpTo(image: MaskedImage): void {
    showImage(this.host, image.sopInstanceUid);
  }

  /** Starts the job and remembers which masks it burns. */
  async approve(request: MaskJobRequest, idempotencyKey: string, maskUids: readonly string[]): Promise<void> {
    await this.startJob(signal => this.client.createJob(request, idempotencyKey, signal), maskUids);
    this.leaveDrawing();
    this.services.panelService.activatePanel(panelId, true);
  }

  /** Starts a job in whatever way, tells of its progress and shows its images anew when it has ended. */
  async startJob(create: (signal: AbortSignal) => Promise<MaskJobView>, maskUids: readonly string[] = []): Promise<void> {
    await this.jobs.start(create, job => {
      this.burning.set(job.id, maskUids);
      this.masks.setBurning(maskUids, true);
      this.tellProgress(job);
    });
  }

  refused(): void {
    const { why } = this.target.get();
    this.toast('image-masking-refused', 'info', t('toast.refused'), t(why ?? 'why.notAnImage'));
  }

  /** The masks of an image that are not approved yet. */
  openMasksOf(image: MaskedImage | undefined): readonly Mask[] {
    return this.masksOf(image).filter(mask => !mask.burning);
  }

  /** Called on a right click: deletes the mask there, at once. False when there is none. */
  deleteMaskAt(element: HTMLDivElement, canvas: [number, number]): boolean {
    const tool = this.libraries.cornerstoneTools.ToolGroupManager.getToolGroup(toolGroupId)?.getToolInstance(maskToolName) as
      | { maskAt?(element: HTMLDivElement, canvas: [number, number]): MaskAnnotation | undefined }
      | undefined;
    const uid = tool?.maskAt?.(element, canvas)?.annotationUID;
    if (uid) {
      this.masks.delete([uid]);
    }
    return Boolean(uid);
  }

  /** A mask on the image that the active viewport shows; not stored yet. */
  private annotate(image: MaskedImage, region: Region): MaskAnnotation | undefined {
    const { viewportGridService, cornerstoneViewportService } = this.services;
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId() ?? '');
    if (!viewport) {
      return undefined;
    }
    return this.libraries.cornerstoneTools.AnnotationTool.createAnnotationForViewport(viewport as never, {
      metadata: { toolName: maskToolName },
      highlighted: false,
      data: { mask: { image, region } },
    }) as MaskAnnotation;
  }

  private activate(toolName: string): void {
    this.host.commandsManager.runCommand('setToolActiveToolbar', { toolName, toolGroupIds: [toolGroupId] });
    this.services.toolbarService.refreshToolbarState({ viewportId: this.services.viewportGridService.getActiveViewportId() });
  }

  private findTarget(): Target {
    const { viewportGridService, cornerstoneViewportService, displaySetService, toolGroupService } = this.services;
    const viewportId = viewportGridService.getActiveViewportId();
    if (!viewportId) {
      return { why: 'why.empty' };
    }
    const uids = viewportGridService.getState().viewports.get(viewportId)?.displaySetInstanceUIDs ?? [];
    if (uids.length === 0) {
      return { why: 'why.empty' };
    }
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportId);
    if (!viewport) {
      const isSlide = uids.some(uid => displaySetService.getDisplaySetByUID(uid)?.Modality === 'SM');
      return { why: isSlide ? 'why.wholeSlide' : 'why.notAnImage' };
    }
    const reasons: Record<string, MessageKey> = {
      orthographic: 'why.mpr',
      volume3d: 'why.3d',
      video: 'why.video',
      wholeSlide: 'why.wholeSlide',
    };
    const why = reasons[viewport.type];
    const image = shownImage(this.libraries, viewport);
    if (!image) {
      return { why: why ?? 'why.notAnImage' };
    }
    return toolGroupService.getToolGroupForViewport(viewportId)?.hasTool(maskToolName) === false ? { why: 'why.toolGroup' } : { image };
  }

  private readonly updateTarget = (): void => {
    const now = this.findTarget();
    const before = this.target.get();
    if (now.why !== before.why || now.image?.sopInstanceUid !== before.image?.sopInstanceUid) {
      this.target.set(now);
    }
  };

  private readonly updateDrawing = (): void => {
    const drawing = this.services.toolGroupService.getToolGroup(toolGroupId)?.getActivePrimaryMouseButtonTool() === maskToolName;
    this.drawing.set(drawing);
    document.body.classList.toggle(maskingClass, drawing);
  };

  private listen(): void {
    const { cornerstone, cornerstoneTools } = this.libraries;
    this.undo.push(watchViewports(this.host, this.updateTarget));
    const toolEvents = [cornerstoneTools.Enums.Events.TOOL_ACTIVATED, cornerstoneTools.Enums.Events.TOOL_MODE_CHANGED] as string[];
    for (const name of toolEvents) {
      cornerstone.eventTarget.addEventListener(name, this.updateDrawing);
      this.undo.push(() => cornerstone.eventTarget.removeEventListener(name, this.updateDrawing));
    }
    // A right click held longer than Cornerstone's idea of a click deletes as well.
    const { MOUSE_UP } = cornerstoneTools.Enums.Events;
    const onMouseUp = (event: Event): void => {
      const { mouseButton, element, startPoints, currentPoints } = (event as CustomEvent<MouseUpDetail>).detail;
      const [[x0, y0], [x1, y1]] = [startPoints.canvas, currentPoints.canvas];
      if (mouseButton === 2 && Math.hypot(x1 - x0, y1 - y0) < 4) {
        this.deleteMaskAt(element, currentPoints.canvas);
      }
    };
    document.addEventListener(MOUSE_UP, onMouseUp, true);
    this.undo.push(() => document.removeEventListener(MOUSE_UP, onMouseUp, true));

    const onKey = (event: KeyboardEvent): void => {
      const busyElsewhere = document.querySelector('[role="dialog"], [role="menu"]') !== null;
      if (event.key === 'Escape' && this.drawing.get() && !busyElsewhere) {
        if (!this.cancelDrag()) {
          this.leaveDrawing();
        }
      }
    };
    document.addEventListener('keydown', onKey, true);
    this.undo.push(() => document.removeEventListener('keydown', onKey, true));
    this.updateTarget();
    this.updateDrawing();
  }

  private cancelDrag(): boolean {
    const { cornerstone, cornerstoneTools } = this.libraries;
    const elements = (cornerstone.getRenderingEngines() ?? []).flatMap(engine => engine.getViewports().map(viewport => viewport.element));
    return elements.map(element => cornerstoneTools.cancelActiveManipulations(element)).some(Boolean);
  }

  /** SliceVault's users expect a right click to delete the mask; everywhere else the site's own commands stay. */
  private replaceRightClick(): void {
    const { customizationService } = this.services;
    const name = 'cornerstoneViewportClickCommands';
    const before = customizationService.getCustomization(name) as { button3?: ClickCommand[] } | undefined;
    const otherwise = before?.button3 ?? [];
    customizationService.setCustomizations(
      {
        [name]: {
          button3: { $set: [{ commandName: 'imageMaskingRightClick', commandOptions: { otherwise, requireNearbyToolData: true } }] },
        },
      },
      customizationService.Scope.Mode,
    );
  }

  private tellProgress(job: MaskJobView): void {
    if (job.state === 'awaitingConfirmation') {
      this.toast(job.id, 'info', t('toast.awaiting'), t('toast.awaiting.message'));
      return;
    }
    const now = performance.now();
    if (this.burning.has(job.id) && now - this.toldAt > 500) {
      this.toldAt = now;
      this.toast(job.id, 'loading', t('toast.started'), `${describeProgress(job)} ${t('toast.started.message')}`);
    }
  }

  private async finishJob(job: MaskJobView): Promise<void> {
    const own = this.burning.get(job.id);
    this.burning.delete(job.id);
    this.hideApproved(job);
    if (own && job.state === 'succeeded') {
      this.masks.discard(own);
    } else if (own) {
      this.masks.setBurning(own, false);
    }
    if (job.state === 'declined') {
      if (own) {
        this.toast(job.id, 'error', t('toast.declined'), t('toast.declined.message', { name: job.decision?.by ?? '', reason: job.decision?.reason ?? '' }));
      }
      return;
    }
    let message =
      job.restoresJob
        ? tn('job.restored', job.done)
        : job.state === 'succeeded'
        ? tn('toast.succeeded.message', job.done)
        : job.state === 'cancelled' && job.failed === 0
          ? t('toast.cancelled.message', { done: job.done, total: job.total })
          : t('toast.failed.message', { done: job.done, total: job.total, failed: job.failed });
    try {
      const staleVolumes = await within(
        longestRefreshMilliseconds,
        refreshImages({
          libraries: this.libraries,
          displaySetService: this.services.displaySetService,
          imageIdsOf: set => imageIdsOf(this.host, set),
          sopInstanceUids: new Set(job.maskedSopInstanceUids),
        }),
      );
      if (staleVolumes) {
        message += ` ${t('toast.reload')}`;
      }
      this.masks.render();
    } catch (error) {
      console.error('Image masking: the new pixels could not be loaded', error);
      message += ` ${t('toast.stale')}`;
    }
    if (own || job.state === 'succeeded') {
      const [type, title] = job.state === 'succeeded' ? (['success', t(job.restoresJob ? 'toast.restored' : 'toast.succeeded')] as const) : (['error', t('toast.failed')] as const);
      this.toast(job.id, type, title, message);
    }
  }

  private hideApproved(job: MaskJobView): void {
    this.masks.discard(this.approved.get(job.id) ?? []);
    this.approved.delete(job.id);
  }

  private giveUpJob(job: MaskJobView): void {
    this.hideApproved(job);
    const own = this.burning.get(job.id);
    if (own) {
      this.burning.delete(job.id);
      this.masks.setBurning(own, false);
      this.toast(job.id, 'error', t('toast.gone'), t('toast.gone.message'));
    }
  }

  private toast(key: string, type: 'info' | 'loading' | 'success' | 'error', title: string, message: string): void {
    this.services.uiNotificationService.show({
      id: key,
      type,
      title,
      message,
      duration: type === 'loading' ? Number.POSITIVE_INFINITY : type === 'error' ? 10_000 : 6_000,
      autoClose: type !== 'loading',
      allowDuplicates: true,
    });
  }
}

/** The session of the study open now; null without the permission to mask. */
export const currentSession = new Observable<MaskingSession | null>(null);
