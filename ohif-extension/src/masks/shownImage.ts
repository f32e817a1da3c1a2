import type { Types } from '@cornerstonejs/core';
import type { CornerstoneLibraries, Instance } from '../host/ohif';
import { frameOf } from '../host/viewports';
import type { PixelGrid, PixelPoint, WorldPoint } from './geometry';
import type { MaskedImage } from './mask';

/** What this extension needs to know of a Cornerstone viewport of any type. */
export interface ViewportLike {
  readonly id: string;
  readonly type: string;
  canvasToWorld(canvas: Types.Point2): Types.Point3;
  worldToCanvas(world: Types.Point3): Types.Point2;
}

interface StackLike extends ViewportLike {
  readonly useCPURendering?: boolean;
  getCurrentImageId(): string | undefined;
  getImageData(): { dimensions: number[]; imageData: { worldToIndex(p: number[]): number[]; indexToWorld(p: number[]): number[] } } | undefined;
}

/** Masks need one image with stored pixels under the mouse: only stack viewports show that. */
export function isStack(viewport: ViewportLike | null | undefined): viewport is StackLike {
  return viewport?.type === 'stack';
}

export function instanceOf({ cornerstone }: CornerstoneLibraries, imageId: string | undefined): Instance | undefined {
  return imageId ? (cornerstone.metaData.get('instance', imageId) as Instance | undefined) : undefined;
}

/** The image that a viewport shows now, or null where it shows none that can be masked. */
export function shownImage(libraries: CornerstoneLibraries, viewport: ViewportLike | null | undefined): MaskedImage | null {
  if (!isStack(viewport)) {
    return null;
  }
  const instance = instanceOf(libraries, viewport.getCurrentImageId());
  return instance?.Rows && instance.Columns
    ? {
        studyInstanceUid: instance.StudyInstanceUID,
        seriesInstanceUid: instance.SeriesInstanceUID,
        sopInstanceUid: instance.SOPInstanceUID,
        rows: instance.Rows,
        columns: instance.Columns,
      }
    : null;
}

/**
 * The pixel grid of the image shown. It asks the viewport's own image data instead of `utilities.worldToImageCoords`,
 * which takes the row spacing for the column spacing (Cornerstone 5.6.8): wrong wherever pixels are not square.
 */
export function shownPixelGrid(viewport: ViewportLike | null | undefined): PixelGrid | null {
  if (!isStack(viewport)) {
    return null;
  }
  const shown = viewport.getImageData();
  const [columns, rows] = shown?.dimensions ?? [];
  if (!shown || !columns || !rows) {
    return null;
  }
  // On the GPU whole numbers are pixel centres, on the CPU outer corners.
  const half = viewport.useCPURendering ? 0 : 0.5;
  const { imageData } = shown;
  return {
    columns,
    rows,
    toPixel(world): PixelPoint {
      const [i = 0, j = 0] = imageData.worldToIndex(world);
      return [i + half, j + half];
    },
    toWorld([x, y]): WorldPoint {
      const [wx = 0, wy = 0, wz = 0] = imageData.indexToWorld([x - half, y - half, 0]);
      return [wx, wy, wz];
    },
  };
}

/** The frame that a stack viewport shows, from 1. */
export function shownFrame(viewport: ViewportLike | null | undefined): number {
  return isStack(viewport) ? frameOf(viewport.getCurrentImageId()) : 1;
}
