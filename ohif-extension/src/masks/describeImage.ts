import type { DisplaySetService } from '../host/ohif';
import type { MaskedImage } from './mask';

/** How people name an image: its series' number, its own number in the series, and how many frames it has. */
export function describeImage(
  displaySetService: Pick<DisplaySetService, 'getActiveDisplaySets'>,
  image: Pick<MaskedImage, 'sopInstanceUid'>,
): { readonly number: string; readonly series: string; readonly frames: number } {
  for (const set of displaySetService.getActiveDisplaySets()) {
    const index = set.instances?.findIndex(instance => instance.SOPInstanceUID === image.sopInstanceUid) ?? -1;
    const instance = set.instances?.[index];
    if (instance) {
      return {
        number: String(instance.InstanceNumber ?? index + 1),
        series: String(set.SeriesNumber ?? '?'),
        frames: Number(instance.NumberOfFrames ?? 1) || 1,
      };
    }
  }
  return { number: '?', series: '?', frames: 1 };
}
