import { cornerstoneLibraries, type DisplaySet, type Host } from './ohif';

/** What the active viewport shows may have changed: called after each such event, until the answer is called. */
export function watchViewports(host: Host, onChange: () => void): () => void {
  const { cornerstone } = cornerstoneLibraries(host.extensionManager);
  const { viewportGridService, cornerstoneViewportService } = host.servicesManager.services;
  // Cornerstone dispatches these on the viewports' elements, without bubbling: only the capture phase passes here.
  const imageEvents = [cornerstone.Enums.Events.STACK_NEW_IMAGE, cornerstone.Enums.Events.VOLUME_NEW_IMAGE] as string[];
  imageEvents.forEach(name => document.addEventListener(name, onChange, true));
  const subscriptions = [
    ...['ACTIVE_VIEWPORT_ID_CHANGED', 'GRID_STATE_CHANGED', 'VIEWPORTS_READY'].flatMap(name => {
      const event = viewportGridService.EVENTS[name];
      return event ? [viewportGridService.subscribe(event, onChange)] : [];
    }),
    ...['VIEWPORT_DATA_CHANGED'].flatMap(name => {
      const event = cornerstoneViewportService.EVENTS[name];
      return event ? [cornerstoneViewportService.subscribe(event, onChange)] : [];
    }),
  ];
  return () => {
    imageEvents.forEach(name => document.removeEventListener(name, onChange, true));
    subscriptions.forEach(subscription => subscription.unsubscribe());
  };
}

export function imageIdsOf(host: Host, set: DisplaySet): readonly string[] {
  return host.extensionManager.getActiveDataSource()[0]?.getImageIdsForDisplaySet(set) ?? [];
}

/** DICOMweb's number of the frame, from 1; 1 for an image that is one frame. */
export function frameOf(imageId: string | undefined): number {
  return Number(/\/frames\/(\d+)/.exec(imageId ?? '')?.[1] ?? 1);
}

/** Shows an image, and of a multi-frame one this frame, in the active viewport. False where no series of the viewer holds it. */
export function showImage(host: Host, sopInstanceUid: string, frame = 1): boolean {
  const { displaySetService, viewportGridService, cornerstoneViewportService } = host.servicesManager.services;
  const { cornerstone } = cornerstoneLibraries(host.extensionManager);
  const viewportId = viewportGridService.getActiveViewportId();
  const set = displaySetService.getActiveDisplaySets().find(candidate => candidate.instances?.some(instance => instance.SOPInstanceUID === sopInstanceUid));
  if (!viewportId || !set) {
    return false;
  }
  const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportId) as unknown as
    | { getImageIds?(): string[]; getCurrentImageIdIndex?(): number; setImageIdIndex?(index: number): Promise<unknown> }
    | undefined;
  const indexIn = (imageIds: readonly string[]): number => {
    const isOfImage = (imageId: string): boolean => (cornerstone.metaData.get('instance', imageId) as { SOPInstanceUID?: string })?.SOPInstanceUID === sopInstanceUid;
    const exact = imageIds.findIndex(imageId => isOfImage(imageId) && frameOf(imageId) === frame);
    return exact >= 0 ? exact : imageIds.findIndex(isOfImage);
  };
  const shown = indexIn(viewport?.getImageIds?.() ?? []);
  if (shown >= 0 && viewport?.setImageIdIndex) {
    if (shown !== viewport.getCurrentImageIdIndex?.()) {
      void viewport.setImageIdIndex(shown);
    }
    return true;
  }
  const index = Math.max(0, indexIn(imageIdsOf(host, set)));
  viewportGridService.setDisplaySetsForViewport({
    viewportId,
    displaySetInstanceUIDs: [set.displaySetInstanceUID],
    viewportOptions: { initialImageOptions: { index } },
  });
  return true;
}
