import { ApplyDialog, type ApplyDialogProps } from './findings/ApplyDialog';
import { currentFindings, type FindingsSession } from './findings/FindingsSession';
import { bridge } from './host/bridge';
import type { ClickCommand, Host } from './host/ohif';
import { t } from './i18n';
import { ApproveDialog, type ApproveDialogProps, type SeriesChoice } from './jobs/ApproveDialog';
import { describeImage } from './masks/describeImage';
import type { MaskedImage } from './masks/mask';
import { currentSession, type MaskingSession } from './session';
import type { StudyFindings } from './sidecar/reviewTypes';

interface RightClick {
  readonly otherwise?: ClickCommand[];
  readonly nearbyToolData?: unknown;
  readonly event?: { detail: { element: HTMLDivElement; currentPoints: { canvas: [number, number] } } };
}

/** The commands behind the menu, the panel and the mouse. Without the permission to mask there is no session, and they do nothing. */
export function getCommandsModule({ commandsManager }: Host) {
  const actions = {
    imageMaskingDraw: () => currentSession.get()?.startDrawing(),

    imageMaskingApprove: ({ image }: { image?: MaskedImage }) => {
      const session = currentSession.get();
      const source = image ?? session?.target.get().image;
      if (session && source && session.openMasksOf(source).length > 0) {
        showApproveDialog(session, source);
      }
    },

    imageMaskingClear: () => {
      const session = currentSession.get();
      session?.masks.delete(session.openMasksOf(session.target.get().image).map(mask => mask.uid));
    },

    imageMaskingJump: ({ image }: { image: MaskedImage }) => currentSession.get()?.jumpTo(image),

    imageMaskingApplyAccepted: () => {
      const findings = currentFindings.get();
      const view = findings?.store.view.get();
      if (findings?.masking && view?.findings.some(finding => finding.state === 'accepted')) {
        showApplyDialog(findings, findings.masking, view);
      }
    },

    imageMaskingRightClick: ({ otherwise = [], nearbyToolData, event }: RightClick) => {
      const deleted = event && currentSession.get()?.deleteMaskAt(event.detail.element, event.detail.currentPoints.canvas);
      if (!deleted) {
        commandsManager.run(otherwise, { nearbyToolData, event });
      }
    },
  };
  return {
    actions,
    definitions: Object.fromEntries(Object.entries(actions).map(([name, commandFn]) => [name, { commandFn }])),
    defaultContext: 'CORNERSTONE',
  };
}

function showApproveDialog(session: MaskingSession, image: MaskedImage): void {
  const { uiModalService, displaySetService } = session.services;
  const { number, series } = describeImage(displaySetService, image);
  const masks = session.openMasksOf(image);
  const contentProps: ApproveDialogProps = {
    client: session.client,
    image,
    imageNumber: number,
    seriesNumber: series,
    masks,
    otherMasks: session.masks.masks.get().filter(mask => !mask.burning && mask.image.sopInstanceUid !== image.sopInstanceUid),
    series: seriesOf(session, image.studyInstanceUid),
    approve: (request, key) =>
      session.approve(
        request,
        key,
        masks.map(mask => mask.uid),
      ),
    close: () => uiModalService.hide(),
  };
  uiModalService.show({
    title: t('dialog.title'),
    content: bridge(ApproveDialog),
    contentProps,
    containerClassName: 'image-masking-modal',
    shouldCloseOnEsc: true,
    shouldCloseOnOverlayClick: false,
  });
}

function showApplyDialog(findings: FindingsSession, masking: MaskingSession, view: StudyFindings): void {
  const { uiModalService } = findings.services;
  const contentProps: ApplyDialogProps = {
    view,
    apply: async (reason, key) => {
      await masking.startJob(signal => findings.store.client.apply(view.study, reason, key, signal));
      findings.store.refresh();
    },
    close: () => uiModalService.hide(),
  };
  uiModalService.show({
    title: t('apply.title'),
    content: bridge(ApplyDialog),
    contentProps,
    containerClassName: 'image-masking-modal',
    shouldCloseOnEsc: true,
    shouldCloseOnOverlayClick: false,
  });
}

/** The study's series that have instances, by number. */
function seriesOf({ services }: MaskingSession, studyInstanceUid: string): SeriesChoice[] {
  const choices = new Map<string, SeriesChoice>();
  for (const set of services.displaySetService.getActiveDisplaySets()) {
    if (set.StudyInstanceUID === studyInstanceUid && set.instances?.length && !choices.has(set.SeriesInstanceUID)) {
      choices.set(set.SeriesInstanceUID, {
        seriesInstanceUid: set.SeriesInstanceUID,
        number: String(set.SeriesNumber ?? '?'),
        modality: set.Modality ?? '',
        description: set.SeriesDescription ?? '',
      });
    }
  }
  return [...choices.values()].sort((a, b) => Number(a.number) - Number(b.number));
}
