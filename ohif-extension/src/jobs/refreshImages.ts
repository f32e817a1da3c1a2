import type { CornerstoneLibraries, DisplaySet, DisplaySetService } from '../host/ohif';
import { instanceOf, isStack, type ViewportLike } from '../masks/shownImage';

interface StackToRenew extends ViewportLike {
  getImageIds(): string[];
  getCurrentImageIdIndex(): number;
  getViewPresentation(): unknown;
  setViewPresentation(presentation: unknown): void;
  getProperties(): Record<string, unknown>;
  setProperties(properties: Record<string, unknown>): void;
  setStack(imageIds: string[], index: number): Promise<unknown>;
  render(): void;
}

export interface RefreshOptions {
  readonly libraries: CornerstoneLibraries;
  readonly displaySetService: DisplaySetService;
  readonly imageIdsOf: (displaySet: DisplaySet) => readonly string[];
  /** The instances whose pixels were replaced under the same UIDs. */
  readonly sopInstanceUids: ReadonlySet<string>;
}

/**
 * Shows the new pixels without a reload of the page: drops the old ones from Cornerstone's cache, reloads the stacks that
 * hold them (keeping zoom, rotation and window) and draws thumbnails anew. Volumes of old pixels are dropped, too, so that
 * no later view is built from them; a volume on the screen cannot be renewed in place.
 * @returns whether a volume on the screen still shows old pixels.
 */
export async function refreshImages({ libraries, displaySetService, imageIdsOf, sopInstanceUids }: RefreshOptions): Promise<boolean> {
  const { cache, getRenderingEngines } = libraries.cornerstone;
  const changed = (imageId: string): boolean => sopInstanceUids.has(instanceOf(libraries, imageId)?.SOPInstanceUID ?? '');
  const changedSets = displaySetService
    .getActiveDisplaySets()
    .filter(set => set.instances?.some(instance => sopInstanceUids.has(instance.SOPInstanceUID)));

  for (const volume of cache.getVolumes()) {
    if (volume.imageIds.some(changed)) {
      cache.removeVolumeLoadObject(volume.volumeId);
    }
  }
  const viewports = (getRenderingEngines() ?? []).flatMap(engine => engine.getViewports() as unknown as ViewportLike[]);
  const idsShown = viewports.flatMap(viewport => ('getImageIds' in viewport ? (viewport as StackToRenew).getImageIds() : []));
  for (const imageId of new Set([...idsShown, ...changedSets.flatMap(imageIdsOf)])) {
    if (changed(imageId) && cache.getImageLoadObject(imageId)) {
      cache.removeImageLoadObject(imageId, { force: true });
    }
  }

  let staleVolumes = false;
  for (const viewport of viewports) {
    if (!('getImageIds' in viewport) || !(viewport as StackToRenew).getImageIds().some(changed)) {
      continue;
    }
    if (isStack(viewport)) {
      await renewStack(viewport as unknown as StackToRenew);
    } else {
      staleVolumes = true;
    }
  }
  await renewThumbnails(libraries, displaySetService, changedSets, imageIdsOf);
  return staleVolumes;
}

async function renewStack(stack: StackToRenew): Promise<void> {
  const presentation = stack.getViewPresentation();
  const properties = stack.getProperties();
  await stack.setStack(stack.getImageIds(), Math.max(0, stack.getCurrentImageIdIndex()));
  stack.setProperties(properties);
  stack.setViewPresentation(presentation);
  stack.render();
}

async function renewThumbnails(
  { cornerstone }: CornerstoneLibraries,
  displaySetService: DisplaySetService,
  changedSets: readonly DisplaySet[],
  imageIdsOf: RefreshOptions['imageIdsOf'],
): Promise<void> {
  for (const set of changedSets) {
    const imageIds = imageIdsOf(set);
    // The middle image, as OHIF's study browser takes it.
    const imageId = imageIds[Math.floor(imageIds.length / 2)];
    if (imageId) {
      const canvas = document.createElement('canvas');
      await cornerstone.utilities.loadImageToCanvas({ canvas, imageId, thumbnail: true });
      set.thumbnailSrc = canvas.toDataURL();
    }
  }
  const event = displaySetService.EVENTS['DISPLAY_SETS_CHANGED'];
  if (changedSets.length > 0 && event) {
    displaySetService._broadcastEvent(event, displaySetService.getActiveDisplaySets());
  }
}
