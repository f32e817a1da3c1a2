/**
 * The parts of OHIF's services that this extension uses, as OHIF 3.13 offers them at run time.
 * `@ohif/core` publishes no usable types, so they are written down here and nowhere else.
 */
import type * as Cornerstone from '@cornerstonejs/core';
import type * as CornerstoneTools from '@cornerstonejs/tools';
import type { ComponentType } from 'react';
import type { ViewportLike } from '../masks/shownImage';

export interface CornerstoneLibraries {
  readonly cornerstone: typeof Cornerstone;
  readonly cornerstoneTools: typeof CornerstoneTools;
}

export interface Subscription {
  unsubscribe(): void;
}

export interface PubSub {
  readonly EVENTS: Readonly<Record<string, string>>;
  subscribe(event: string, listener: (detail: unknown) => void): Subscription;
}

/** A naturalized DICOM instance as OHIF's metadata provider hands it out. */
export interface Instance {
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
  readonly SOPInstanceUID: string;
  readonly InstanceNumber?: number | string;
  readonly NumberOfFrames?: number | string;
  readonly Rows?: number;
  readonly Columns?: number;
}

export interface DisplaySet {
  readonly displaySetInstanceUID: string;
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
  readonly SeriesNumber?: number | string;
  readonly SeriesDescription?: string;
  readonly Modality?: string;
  readonly instances?: readonly Instance[];
  thumbnailSrc?: string | null;
}

export interface DisplaySetService extends PubSub {
  getActiveDisplaySets(): DisplaySet[];
  getDisplaySetByUID(uid: string): DisplaySet | undefined;
  _broadcastEvent(event: string, detail: unknown): void;
}

export interface ViewportGridService extends PubSub {
  getActiveViewportId(): string | null;
  getDisplaySetsUIDsForViewport(viewportId: string): string[] | undefined;
  getState(): { viewports: Map<string, { displaySetInstanceUIDs?: string[] }> };
  setDisplaySetsForViewport(update: {
    viewportId: string;
    displaySetInstanceUIDs: string[];
    viewportOptions?: { initialImageOptions?: { index: number } };
  }): void;
}

export interface CornerstoneViewportService extends PubSub {
  getCornerstoneViewport(viewportId: string): ViewportLike | null | undefined;
}

export interface ToolGroup {
  hasTool(toolName: string): boolean;
  getActivePrimaryMouseButtonTool(): string | undefined;
  getViewportIds(): string[];
}

export interface ToolGroupService {
  getToolGroup(id: string): ToolGroup | undefined;
  getToolGroupForViewport(viewportId: string): ToolGroup | undefined;
  addToolsToToolGroup(id: string, tools: { passive?: { toolName: string }[]; enabled?: { toolName: string }[] }): void;
}

export interface ToolbarService {
  readonly sections: Readonly<Record<string, string>>;
  getButton(id: string): unknown;
  register(buttons: { id: string; uiType: string; props: Record<string, unknown> }[], replace?: boolean): void;
  removeButton(id: string): void;
  updateSection(section: string, buttonIds: string[]): void;
  refreshToolbarState(props: { viewportId: string | null }): void;
}

export type ToastType = 'info' | 'success' | 'error' | 'warning' | 'loading';

export interface UINotificationService {
  show(toast: {
    id?: string;
    title: string;
    message: string;
    type: ToastType;
    duration?: number;
    autoClose?: boolean;
    allowDuplicates?: boolean;
  }): string | number;
  hide(id: string | number): void;
}

export interface UIModalService {
  show<P extends object>(modal: {
    title: string;
    content: ComponentType<P>;
    contentProps: P;
    containerClassName?: string;
    shouldCloseOnEsc?: boolean;
    shouldCloseOnOverlayClick?: boolean;
  }): void;
  hide(): void;
}

export interface PanelService {
  readonly PanelPosition: { readonly Right: string };
  addPanels(position: string, panelIds: string[]): void;
  getPanels(position: string): { id: string }[];
  activatePanel(panelId: string, forceActive?: boolean): void;
}

/** A command of the table `cornerstoneViewportClickCommands`. */
export type ClickCommand = string | { commandName: string; commandOptions?: Record<string, unknown> };

export interface CustomizationService {
  getCustomization(id: string): unknown;
  setCustomizations(customizations: Record<string, unknown>, scope: unknown): void;
  readonly Scope: { readonly Mode: unknown };
}

export interface Services {
  readonly cornerstoneViewportService: CornerstoneViewportService;
  readonly customizationService: CustomizationService;
  readonly displaySetService: DisplaySetService;
  readonly panelService: PanelService;
  readonly toolbarService: ToolbarService;
  readonly toolGroupService: ToolGroupService;
  readonly uiModalService: UIModalService;
  readonly uiNotificationService: UINotificationService;
  readonly userAuthenticationService: { getAuthorizationHeader(): Record<string, string> | undefined };
  readonly viewportGridService: ViewportGridService;
}

export interface CommandsManager {
  runCommand(name: string, options?: Record<string, unknown>, context?: string): unknown;
  run(commands: unknown, options?: Record<string, unknown>): unknown;
}

export interface ExtensionManager {
  getActiveDataSource(): { getImageIdsForDisplaySet(displaySet: DisplaySet): string[] }[];
  getModuleEntry(id: string): { readonly exports?: { getCornerstoneLibraries?(): CornerstoneLibraries } } | undefined;
}

/** What OHIF hands to every door of an extension. */
export interface Host {
  readonly servicesManager: { readonly services: Services };
  readonly commandsManager: CommandsManager;
  readonly extensionManager: ExtensionManager;
}

/** The live instances of Cornerstone: the extension must not bundle its own, whose state OHIF would not see. */
export function cornerstoneLibraries(extensionManager: ExtensionManager): CornerstoneLibraries {
  const libraries = extensionManager
    .getModuleEntry('@ohif/extension-cornerstone.utilityModule.common')
    ?.exports?.getCornerstoneLibraries?.();
  if (!libraries) {
    throw new Error('Image masking needs @ohif/extension-cornerstone of OHIF 3.13, registered before it.');
  }
  return libraries;
}
