import { bridge } from './host/bridge';
import type { Host } from './host/ohif';
import { MaskMenu } from './masks/MaskMenu';

export function getToolbarModule({ commandsManager }: Host) {
  const run = (command: string): void => void commandsManager.runCommand(command, {}, 'CORNERSTONE');
  return [{ name: 'imageMasking.menu', defaultComponent: bridge(() => <MaskMenu run={run} />, 'contents') }];
}
