import { describe, expect, test } from 'vitest';
import { coveringRegion, type PixelPoint } from '../src/masks/geometry';
import { shownPixelGrid, type ViewportLike } from '../src/masks/shownImage';

/** A 40 x 20 image with pixels 0.5 wide and 2 high, lying in the world at (100, 50), as Cornerstone's GPU path indexes it: by pixel centres. */
function viewportWith(canvasToWorld: (x: number, y: number) => [number, number, number], useCPURendering = false): ViewportLike {
  const centre = useCPURendering ? 0.5 : 0;
  return {
    id: 'viewport',
    type: 'stack',
    useCPURendering,
    canvasToWorld: ([x, y]: number[]) => canvasToWorld(x ?? 0, y ?? 0),
    worldToCanvas: () => [0, 0],
    getCurrentImageId: () => 'image',
    getImageData: () => ({
      dimensions: [40, 20, 1],
      imageData: {
        worldToIndex: ([x = 0, y = 0]: number[]) => [(x - 100) / 0.5 + centre, (y - 50) / 2 + centre, 0],
        indexToWorld: ([i = 0, j = 0]: number[]) => [100 + (i - centre) * 0.5, 50 + (j - centre) * 2, 0],
      },
    }),
  } as unknown as ViewportLike;
}

/** World of a point in pixels, edges counted: the centre of the first pixel lies at (100, 50). */
const world = (x: number, y: number): [number, number, number] => [100 + (x - 0.5) * 0.5, 50 + (y - 0.5) * 2, 0];

describe('what a drag on the canvas covers', () => {
  const covered = (viewport: ViewportLike, from: PixelPoint, to: PixelPoint) => {
    const grid = shownPixelGrid(viewport);
    return grid && coveringRegion(grid.toPixel(viewport.canvasToWorld([...from])), grid.toPixel(viewport.canvasToWorld([...to])), grid);
  };

  test.each<[string, (x: number, y: number) => [number, number, number], object]>([
    // Each canvas shows the image ten times as large; the drag goes from (31, 52) to (118, 99) of the canvas.
    ['upright', (x, y) => world(x / 10, y / 10), { x: 3, y: 5, width: 9, height: 5 }],
    ['flipped horizontally', (x, y) => world(40 - x / 10, y / 10), { x: 28, y: 5, width: 9, height: 5 }],
    ['flipped vertically', (x, y) => world(x / 10, 20 - y / 10), { x: 3, y: 10, width: 9, height: 5 }],
    ['rotated by 90 degrees', (x, y) => world(y / 10, 20 - x / 10), { x: 5, y: 8, width: 5, height: 9 }],
    ['rotated and flipped', (x, y) => world(y / 10, x / 10), { x: 5, y: 3, width: 5, height: 9 }],
    ['zoomed out and panned', (x, y) => world(x / 5 - 20, y / 5 - 8), { x: 0, y: 2, width: 4, height: 10 }],
  ])('%s', (_name, canvasToWorld, expected) => {
    expect(covered(viewportWith(canvasToWorld), [31, 52], [118, 99])).toEqual(expected);
    expect(covered(viewportWith(canvasToWorld, true), [31, 52], [118, 99]), 'rendered by the CPU').toEqual(expected);
  });
});

test('shownPixelGrid_ToWorldAndBack_GivesThePixelAgain', () => {
  for (const cpu of [false, true]) {
    const grid = shownPixelGrid(viewportWith(world, cpu));
    expect(grid?.toWorld([0, 0])).toEqual([99.75, 49, 0]);
    expect(grid?.toPixel(grid.toWorld([7, 13]))).toEqual([7, 13]);
  }
});

test.each(['orthographic', 'volume3d', 'video', 'wholeSlide'])('shownPixelGrid_%sViewport_IsNone', type => {
  expect(shownPixelGrid({ ...viewportWith(world), type })).toBeNull();
});
