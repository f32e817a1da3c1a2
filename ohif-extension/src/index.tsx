import { currentFindings } from './findings/FindingsSession';
import { createFindingTool } from './findings/FindingTool';
import { getCommandsModule } from './getCommandsModule';
import { getPanelModule } from './getPanelModule';
import { getToolbarModule } from './getToolbarModule';
import { cornerstoneLibraries, type Host } from './host/ohif';
import { id } from './id';
import { createMaskTool } from './masks/MaskTool';
import { MaskStore } from './masks/MaskStore';
import { closeSessions, openSessionIfPermitted } from './openSession';
import { currentSession } from './session';
import { createSidecarClient } from './sidecar/client';
import { createFindingsClient } from './sidecar/reviewClient';
import styles from './styles.css';

let masks: MaskStore | undefined;
let leave: AbortController | undefined;

/** The OHIF extension. Whatever it shows, it shows only after the sidecar has said what this user may do. */
const extension = {
  id,
  getCommandsModule,
  getPanelModule,
  getToolbarModule,

  preRegistration({ extensionManager }: Host): void {
    const libraries = cornerstoneLibraries(extensionManager);
    masks = new MaskStore(libraries);
    libraries.cornerstoneTools.addTool(createMaskTool(libraries, masks, () => currentSession.get()?.refused()));
    libraries.cornerstoneTools.addTool(createFindingTool(libraries, currentFindings.get));
    if (!document.querySelector('style[data-image-masking]')) {
      const element = document.createElement('style');
      element.dataset['imageMasking'] = '';
      element.textContent = styles;
      document.head.append(element);
    }
  },

  /** Synchronous for OHIF, which does not wait; the rest follows when the mode has built its toolbar and tool groups. */
  onModeEnter(host: Host): void {
    const { toolbarService, userAuthenticationService } = host.servicesManager.services;
    // OHIF keeps the array of its defaults as the section and pushes into it: without an own one our button would stay for the next user.
    toolbarService.updateSection(toolbarService.sections['primary'] ?? 'primary', []);
    leave?.abort();
    leave = new AbortController();
    const options = { authorization: () => userAuthenticationService.getAuthorizationHeader() };
    if (masks) {
      void openSessionIfPermitted(host, { masking: createSidecarClient(options), findings: createFindingsClient(options) }, masks, leave.signal);
    }
  },

  onModeExit(): void {
    leave?.abort();
    closeSessions();
  },
};

export default extension;
