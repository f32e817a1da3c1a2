import { FindingsPanel } from './findings/FindingsPanel';
import { bridge } from './host/bridge';
import type { Host } from './host/ohif';
import { t } from './i18n';
import { MaskPanel } from './masks/MaskPanel';

export function getPanelModule({ commandsManager }: Host) {
  const run = (command: string, options?: Record<string, unknown>): void => void commandsManager.runCommand(command, options, 'CORNERSTONE');
  return [
    {
      name: 'masks',
      iconName: 'tool-rectangle',
      iconLabel: t('panel.label'),
      label: t('panel.label'),
      component: bridge(() => <MaskPanel run={run} />, 'image-masking-panel-frame'),
    },
    {
      name: 'findings',
      iconName: 'icon-search',
      iconLabel: t('findings.label'),
      label: t('findings.label'),
      component: bridge(() => <FindingsPanel run={run} />, 'image-masking-panel-frame'),
    },
  ];
}
