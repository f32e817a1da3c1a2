import { act } from 'react';
import { vi } from 'vitest';
import type { Host } from '../src/host/ohif';
import { isMaskAnnotation, maskToolName, type MaskAnnotation, type MaskedImage } from '../src/masks/mask';
import type { Region } from '../src/masks/geometry';

/** As much of OHIF and Cornerstone as the extension touches: one stack viewport of 200 x 100 pixels, and an annotation state. */
export function fakeHost() {
  const annotations: MaskAnnotation[] = [];
  const eventTarget = new EventTarget();
  const history: { restoreMemo(undo?: boolean): void }[] = [];
  const instance = { StudyInstanceUID: '1', SeriesInstanceUID: '1.1', SOPInstanceUID: '1.1.1', Rows: 100, Columns: 200, InstanceNumber: 7, NumberOfFrames: 3 };
  const viewport = {
    id: 'viewport-1',
    type: 'stack',
    element: document.createElement('div'),
    getCurrentImageId: () => 'image-1',
    getImageIds: () => ['image-1'],
    getImageData: () => ({ dimensions: [200, 100, 1], imageData: { worldToIndex: (p: number[]) => p, indexToWorld: (p: number[]) => p } }),
  };
  const cornerstone = {
    eventTarget,
    metaData: { get: () => instance },
    cache: { getVolumes: () => [], getImageLoadObject: () => undefined },
    getRenderingEngines: () => [{ getViewports: () => [viewport] }],
    Enums: { Events: { STACK_NEW_IMAGE: 'stack-new-image', VOLUME_NEW_IMAGE: 'volume-new-image' } },
    utilities: { HistoryMemo: { DefaultHistoryMemo: { push: (memo: { restoreMemo(undo?: boolean): void }) => history.push(memo) } } },
  };
  const cornerstoneTools = {
    Enums: {
      Events: {
        ANNOTATION_ADDED: 'added',
        ANNOTATION_MODIFIED: 'modified',
        ANNOTATION_COMPLETED: 'completed',
        ANNOTATION_REMOVED: 'removed',
        TOOL_ACTIVATED: 'tool-activated',
        TOOL_MODE_CHANGED: 'tool-mode-changed',
        MOUSE_UP: 'mouse-up',
      },
    },
    RectangleROITool: class {},
    AnnotationTool: {
      createAnnotationForViewport: (_viewport: unknown, data: object) => ({ isLocked: false, ...data }),
    },
    addTool: vi.fn(),
    annotation: {
      state: {
        getAllAnnotations: () => annotations,
        getAnnotation: (uid: string) => annotations.find(annotation => annotation.annotationUID === uid),
        // Cornerstone, too, gives an annotation its UID only here.
        addAnnotation: (annotation: MaskAnnotation) => {
          annotation.annotationUID ??= `mask-${annotations.length + 1}`;
          return annotations.push(annotation);
        },
        removeAnnotation: (uid: string) => {
          const index = annotations.findIndex(annotation => annotation.annotationUID === uid);
          if (index >= 0) {
            annotations.splice(index, 1);
          }
        },
      },
      selection: { setAnnotationSelected: vi.fn(), isAnnotationSelected: () => false },
    },
    utilities: { triggerAnnotationRenderForViewportIds: vi.fn() },
    cancelActiveManipulations: () => undefined,
  };

  let activeTool = 'WindowLevel';
  const buttons = new Set(['Zoom']);
  const pubSub = { EVENTS: {}, subscribe: () => ({ unsubscribe: () => undefined }) };
  const services = {
    cornerstoneViewportService: { ...pubSub, getCornerstoneViewport: () => viewport },
    customizationService: { getCustomization: () => ({ button3: ['siteCommand'] }), setCustomizations: vi.fn(), Scope: { Mode: 'mode' } },
    displaySetService: {
      ...pubSub,
      getActiveDisplaySets: () => [
        { displaySetInstanceUID: 'set-1', StudyInstanceUID: '1', SeriesInstanceUID: '1.1', SeriesNumber: 3, Modality: 'US', instances: [instance] },
      ],
      getDisplaySetByUID: () => undefined,
      _broadcastEvent: vi.fn(),
    },
    panelService: { PanelPosition: { Right: 'right' }, addPanels: vi.fn(), getPanels: () => [], activatePanel: vi.fn() },
    toolbarService: {
      sections: { primary: 'primary' },
      getButton: (id: string) => (buttons.has(id) ? {} : undefined),
      register: vi.fn((added: { id: string }[]) => added.forEach(({ id }) => buttons.add(id))),
      removeButton: vi.fn(),
      updateSection: vi.fn(),
      refreshToolbarState: vi.fn(),
    },
    toolGroupService: {
      getToolGroup: () => ({ hasTool: (name: string) => name === maskToolName, getActivePrimaryMouseButtonTool: () => activeTool, getViewportIds: () => [] }),
      getToolGroupForViewport: () => ({ hasTool: () => true }),
      addToolsToToolGroup: vi.fn(),
    },
    uiModalService: { show: vi.fn(), hide: vi.fn() },
    uiNotificationService: { show: vi.fn(), hide: vi.fn() },
    userAuthenticationService: { getAuthorizationHeader: () => ({ Authorization: 'Bearer t' }) },
    viewportGridService: {
      ...pubSub,
      getActiveViewportId: () => 'viewport-1',
      getState: () => ({ viewports: new Map([['viewport-1', { displaySetInstanceUIDs: ['set-1'] }]]) }),
    },
  };
  const host = {
    servicesManager: { services },
    commandsManager: {
      runCommand: vi.fn((name: string, options?: { toolName?: string }) => {
        if (name === 'setToolActiveToolbar') {
          activeTool = options?.toolName ?? activeTool;
          eventTarget.dispatchEvent(new Event('tool-activated'));
        }
      }),
      run: vi.fn(),
    },
    extensionManager: {
      getModuleEntry: () => ({ exports: { getCornerstoneLibraries: () => ({ cornerstone, cornerstoneTools }) } }),
      getActiveDataSource: () => [{ getImageIdsForDisplaySet: () => ['image-1'] }],
    },
  } as unknown as Host;

  const image: MaskedImage = { studyInstanceUid: '1', seriesInstanceUid: '1.1', sopInstanceUid: '1.1.1', rows: 100, columns: 200 };
  return {
    host,
    services,
    viewport,
    image,
    history,
    annotations,
    /** A mask as the tool would have left it. */
    draw(uid: string, region: Region, on: MaskedImage = image): void {
      const annotation = { annotationUID: uid, isLocked: false, metadata: { toolName: maskToolName, FrameOfReferenceUID: 'f' }, data: { mask: { image: on, region } } };
      if (isMaskAnnotation(annotation as never)) {
        annotations.push(annotation as never);
        act(() => void eventTarget.dispatchEvent(new Event('added')));
      }
    },
  };
}
