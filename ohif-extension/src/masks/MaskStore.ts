import type { CornerstoneLibraries } from '../host/ohif';
import { Observable } from '../host/observable';
import type { Region } from './geometry';
import { isMaskAnnotation, type Mask, type MaskAnnotation } from './mask';

/** The masks drawn and not yet burned. Cornerstone's annotation state is the only store; this reads and changes it. */
export class MaskStore {
  /** Every mask with pixels; those of one image oldest first. */
  readonly masks = new Observable<readonly Mask[]>([]);

  /** Burned or given up: undo and redo must not bring these back. */
  private readonly gone = new Set<string>();
  private readonly stop: () => void;

  constructor(private readonly libraries: CornerstoneLibraries) {
    const { eventTarget } = libraries.cornerstone;
    const { Events } = libraries.cornerstoneTools.Enums;
    const names = [Events.ANNOTATION_ADDED, Events.ANNOTATION_MODIFIED, Events.ANNOTATION_COMPLETED, Events.ANNOTATION_REMOVED] as string[];
    const listener = (): void => this.read();
    names.forEach(name => eventTarget.addEventListener(name, listener));
    this.stop = () => names.forEach(name => eventTarget.removeEventListener(name, listener));
  }

  dispose(): void {
    this.stop();
  }

  /** The annotations of one image, oldest first. */
  annotationsOf(sopInstanceUid: string): MaskAnnotation[] {
    return this.annotations().filter(annotation => annotation.data.mask.image.sopInstanceUid === sopInstanceUid);
  }

  /** Deletes masks as one step that Undo takes back. */
  delete(uids: readonly string[]): void {
    const annotations = this.annotations().filter(annotation => uids.includes(annotation.annotationUID ?? ''));
    if (annotations.length > 0) {
      const redo = (): void => annotations.forEach(annotation => this.remove(annotation));
      redo();
      this.record({ undo: () => annotations.forEach(annotation => this.add(annotation)), redo });
    }
  }

  /** Takes masks away for good: they are burned, were never finished, or the study is closed. */
  discard(uids: readonly string[]): void {
    for (const annotation of this.annotations().filter(candidate => uids.includes(candidate.annotationUID ?? ''))) {
      this.gone.add(annotation.annotationUID ?? '');
      this.remove(annotation);
    }
  }

  /** While a job burns them, masks can be neither changed nor approved once more. */
  setBurning(uids: readonly string[], burning: boolean): void {
    for (const annotation of this.annotations().filter(candidate => uids.includes(candidate.annotationUID ?? ''))) {
      annotation.isLocked = burning;
      annotation.highlighted = false;
    }
    this.read();
    this.render();
  }

  /** Moves or resizes a mask as one step that Undo takes back. */
  change(uid: string, region: Region): void {
    const annotation = this.annotations().find(candidate => candidate.annotationUID === uid);
    if (annotation) {
      this.recordChange(annotation);
      this.setRegion(annotation, region);
    }
  }

  /** Adds an annotation and remembers it for Undo. */
  create(annotation: MaskAnnotation): void {
    this.add(annotation);
    this.recordCreation(annotation);
  }

  /** Puts masks that somebody else approved on the image: to be looked at, neither changed nor undone. */
  show(annotations: readonly MaskAnnotation[]): void {
    annotations.forEach(annotation => this.add(annotation));
    this.setBurning(annotations.map(annotation => annotation.annotationUID ?? ''), true);
  }

  recordCreation(annotation: MaskAnnotation): { restoreMemo(undo?: boolean): void } {
    return this.record({ undo: () => this.remove(annotation), redo: () => this.add(annotation) });
  }

  /** Call before the change: remembers the region as it is now. */
  recordChange(annotation: MaskAnnotation): { restoreMemo(undo?: boolean): void } {
    let other = annotation.data.mask.region;
    const swap = (): void => {
      const now = annotation.data.mask.region;
      this.setRegion(annotation, other);
      other = now;
    };
    return this.record({ undo: swap, redo: swap });
  }

  setRegion(annotation: MaskAnnotation, region: Region | null): void {
    annotation.data.mask.region = region;
    this.read();
    this.render();
  }

  /** Reads the state again and tells who watches. */
  read(): void {
    this.masks.set(
      this.annotations().flatMap(({ annotationUID, isLocked, data: { mask } }) =>
        annotationUID && mask.region ? [{ uid: annotationUID, image: mask.image, region: mask.region, burning: Boolean(isLocked) }] : [],
      ),
    );
  }

  render(): void {
    const { cornerstone, cornerstoneTools } = this.libraries;
    const ids = (cornerstone.getRenderingEngines() ?? []).flatMap(engine => engine.getViewports().map(viewport => viewport.id));
    cornerstoneTools.utilities.triggerAnnotationRenderForViewportIds(ids);
  }

  private annotations(): MaskAnnotation[] {
    return this.libraries.cornerstoneTools.annotation.state.getAllAnnotations().filter(isMaskAnnotation);
  }

  private add(annotation: MaskAnnotation): void {
    const uid = annotation.annotationUID ?? '';
    const { state } = this.libraries.cornerstoneTools.annotation;
    if (!this.gone.has(uid) && !state.getAnnotation(uid)) {
      // By its own frame of reference: the viewport may show another series by now.
      state.addAnnotation(annotation, annotation.metadata?.FrameOfReferenceUID ?? '');
      this.read();
      this.render();
    }
  }

  private remove(annotation: MaskAnnotation): void {
    const { state, selection } = this.libraries.cornerstoneTools.annotation;
    const uid = annotation.annotationUID ?? '';
    selection.setAnnotationSelected(uid, false);
    state.removeAnnotation(uid);
    annotation.highlighted = false;
    this.read();
    this.render();
  }

  private record(step: { undo(): void; redo(): void }): { restoreMemo(undo?: boolean): void } {
    const memo = { restoreMemo: (undo?: boolean) => (undo ? step.undo() : step.redo()) };
    this.libraries.cornerstone.utilities.HistoryMemo.DefaultHistoryMemo.push(memo);
    return memo;
  }
}
