import type { CornerstoneLibraries, DisplaySet, Services } from '../host/ohif';
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

/** Whether views are left that still show old pixels. */
export interface RefreshOutcome {
  readonly staleVolumes: boolean;
}

/**
 * Shows the new pixels of instances that were replaced under the same UIDs, without a reload of the page: drops them from
 * Cornerstone's cache, reloads the stacks that hold them (keeping zoom, rotation and window) and draws thumbnails anew.
 */
export async function refreshImages(
  { cornerstone }: CornerstoneLibraries,
  { displaySetService }: Pick<Services, 'displaySetService'>,
  sopInstanceUids: ReadonlySet<string>,
): Promise<RefreshOutcome> {
  const libraries = { cornerstone } as CornerstoneLibraries;
  const changed = (imageId: string): boolean => sopInstanceUids.has(instanceOf(libraries, imageId)?.SOPInstanceUID ?? '');
  const { cache } = cornerstone;

  for (const imageId of cachedImageIds(cornerstone, displaySetService.getActiveDisplaySets()).filter(changed)) {
    try {
      cache.removeImageLoadObject(imageId, { force: true });
    } catch {
      // It was not in the cache.
    }
  }

  let staleVolumes = false;
  const viewports = (cornerstone.getRenderingEngines() ?? []).flatMap(engine => engine.getViewports() as unknown as ViewportLike[]);
  for (const viewport of viewports) {
    if (isStack(viewport)) {
      const stack = viewport as unknown as StackToRenew;
      if (stack.getImageIds().some(changed)) {
        const presentation = stack.getViewPresentation();
        const properties = stack.getProperties();
        await stack.setStack(stack.getImageIds(), Math.max(0, stack.getCurrentImageIdIndex()));
        stack.setProperties(properties);
        stack.setViewPresentation(presentation);
        stack.render();
      }
    } else if ('getImageIds' in viewport && (viewport as unknown as StackToRenew).getImageIds().some(changed)) {
      staleVolumes = true;
    }
  }

  await renewThumbnails(libraries, displaySetService, sopInstanceUids);
  return { staleVolumes };
}

function cachedImageIds(cornerstone: CornerstoneLibraries['cornerstone'], displaySets: readonly DisplaySet[]): string[] {
  const ofDisplaySets = displaySets.flatMap(set => [...(set.imageIds ?? []), ...(set.images ?? []).flatMap(image => image.imageId ?? [])]);
  const ofStacks = (cornerstone.getRenderingEngines() ?? []).flatMap(engine =>
    engine.getViewports().flatMap(viewport => ('getImageIds' in viewport ? (viewport as unknown as StackToRenew).getImageIds() : [])),
  );
  return [...new Set([...ofDisplaySets, ...ofStacks])].filter(imageId => cornerstone.cache.getImageLoadObject(imageId));
}

async function renewThumbnails(
  { cornerstone }: CornerstoneLibraries,
  displaySetService: Services['displaySetService'],
  sopInstanceUids: ReadonlySet<string>,
): Promise<void> {
  const sets = displaySetService
    .getActiveDisplaySets()
    .filter(set => set.thumbnailSrc && set.instances?.some(instance => sopInstanceUids.has(instance.SOPInstanceUID)));
  for (const set of sets) {
    const imageIds = set.imageIds ?? (set.images ?? []).flatMap(image => image.imageId ?? []);
    const imageId = imageIds[Math.floor(imageIds.length / 2)];
    if (imageId) {
      const canvas = document.createElement('canvas');
      await cornerstone.utilities.loadImageToCanvas({ canvas, imageId, thumbnail: true });
      set.thumbnailSrc = canvas.toDataURL();
    }
  }
  const event = displaySetService.EVENTS['DISPLAY_SETS_CHANGED'];
  if (sets.length > 0 && event) {
    displaySetService._broadcastEvent(event, displaySetService.getActiveDisplaySets());
  }
}
